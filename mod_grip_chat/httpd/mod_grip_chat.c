#include "conf_server.h"
#include "process_hooks.h"
#include "process_status.h"
#include "request_address.h"
#include "request_dirwalk.h"
#include "request_handler.h"
#include "request_others.h"
#include "stream_child.h"

static void register_hooks(apr_pool_t *pool)
{
    process_hooks_hooks(pool);
    request_address_hooks(pool);
    request_handler_hooks(pool);
    request_others_hooks(pool);
    process_status_hooks(pool);
    stream_child_hooks(pool);
    request_dirwalk_hooks(pool);
}

/* A virtual host without a directive of ours would share the main server's configuration, and then a
 * site could not be hung into it. */
module AP_MODULE_DECLARE_DATA grip_chat_module = {
    STANDARD20_MODULE_STUFF, conf_dir_create, conf_dir_merge, conf_server_create,
    conf_server_merge,       conf_directives, register_hooks, AP_MODULE_FLAG_ALWAYS_MERGE,
};
