/* chat_load: a crowd of readers and posters in one process, which checks what it gets and tells it at
 * its end as one JSON object. The options are in load_options.h. */
#include "load_report.h"
#include "load_run.h"

int main(int argc, char **argv)
{
    static load_run_t run;

    if (!load_options_read(&run.options, argc, argv, stderr)) {
        return 2;
    }
    if (load_run_init(&run, stderr) != 0 || load_run(&run, stderr) != 0) {
        return 1;
    }
    return load_report_print(&run) == 0 ? 0 : 1;
}
