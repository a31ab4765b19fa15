#include "process_retained.h"

#include <unistd.h>

#include <apr_shm.h>

#include <http_core.h>
#include <http_log.h>

#include "process_socket.h"

/* Every version of the module looks under this name for what the one before has left: it never changes. */
#define RETAINED_KEY "mod_grip_chat_keeper"

/* The first version refuses to start beside another number. The memory itself names its layout. */
#define RETAINED_VERSION 1

/* The things that outlive restarts. Every version of the module reads these fields of the version
 * that was loaded before it. So they keep their places, and new fields stand behind them. Fields
 * behind them may be read if the memory has this version's layout, and only then. */
typedef struct retained_t {
    int version;
    int listen_fd; /* -1 for none */
    char *socket_path;
    void *shared_memory;
    apr_size_t shared_size;
    pid_t owner; /* the process that made the socket, and so removes it */
} retained_t;

static retained_t *retained(void)
{
    return ap_retained_data_get(RETAINED_KEY);
}

int process_retained_is_owner(void)
{
    return retained() && retained()->owner == getpid();
}

int process_retained_socket(void)
{
    return retained() ? retained()->listen_fd : -1;
}

const char *process_retained_socket_path(void)
{
    return retained() ? retained()->socket_path : NULL;
}

ipc_shared_t *process_retained_shared(void)
{
    return retained() && retained()->shared_memory
               ? ipc_shared_attach(retained()->shared_memory, retained()->shared_size)
               : NULL;
}

void process_retained_child_init(void)
{
    if (process_retained_socket() >= 0) {
        close(process_retained_socket());
    }
}

/* A fault that stops a start must not end a server that runs. */
static int is_restart(void)
{
    return ap_state_query(AP_SQ_CONFIG_GEN) > 1;
}

static void close_socket(retained_t *kept)
{
    if (kept->listen_fd >= 0) {
        (void)process_socket_remove(kept->socket_path); /* another's may lie there */
        close(kept->listen_fd);
        kept->listen_fd = -1;
    }
}

void process_retained_drop(void)
{
    if (process_retained_is_owner()) {
        close_socket(retained());
    }
}

/* Remove the socket's file when httpd ends, not at a restart. */
static apr_status_t end_socket(void *data)
{
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING) {
        process_retained_drop();
    }
    return APR_SUCCESS;
}

/* Take up the kept socket and memory; if there are none, or they have another layout, begin anew.
 * Older children keep their memory, which stays mapped here as well: httpd's own pool has it. No
 * keeper answers at their socket. */
static retained_t *take_up(server_rec *main, const char *wanted, int *was_other)
{
    retained_t *kept = retained();

    *was_other = kept && kept->shared_memory && !process_retained_shared();
    if (*was_other) {
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE | APLOG_NOERRNO, 0, main,
            "GC0132: another version of the module was loaded before this restart; the keeper "
            "gets a new socket and new memory; until they end, older children may answer 503");
        close_socket(kept);
        kept = NULL;
    }
    if (!kept) {
        kept = ap_retained_data_create(RETAINED_KEY, sizeof(*kept));
        kept->version = RETAINED_VERSION;
        kept->listen_fd = -1;
        kept->owner = getpid();
    }
    if (kept->listen_fd < 0) {
        kept->socket_path = apr_pstrdup(main->process->pool, wanted);
    }
    return kept;
}

/* An older child notes the hold that it answers in memory where no keeper looks any more: any room
 * may have one. */
static void note_all_holds(ipc_shared_t *shared)
{
    unsigned slot;

    for (slot = 0; slot < IPC_SHARED_SLOTS; slot++) {
        ipc_shared_note_hold(shared, slot, gc_clock_now());
    }
}

static apr_status_t make_memory(server_rec *main, retained_t *kept)
{
    apr_shm_t *shm;
    apr_status_t rv = apr_shm_create(&shm, ipc_shared_size(), NULL, main->process->pool);

    if (rv == APR_SUCCESS) {
        kept->shared_memory = ipc_shared_init(apr_shm_baseaddr_get(shm));
        kept->shared_size = ipc_shared_size();
    }
    else {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, main, "GC0118: no shared memory can be made; %s",
                     is_restart() ? "the chat answers 503 until the next restart"
                                  : "reduce other uses of memory, or allow more");
    }
    return rv;
}

apr_status_t process_retained_listen(server_rec *main)
{
    static apr_status_t reported;
    retained_t *kept = retained();
    apr_status_t rv = APR_SUCCESS;

    if (kept->listen_fd < 0) {
        rv = process_socket_listen(kept->socket_path, &kept->listen_fd);
    }
    if (rv != APR_SUCCESS && reported == APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, main,
                     "GC0115: the keeper's socket '%s' cannot be made%s; write a path for it: "
                     "GripChatSocket /run/apache2/grip-chat.sock",
                     kept->socket_path,
                     is_restart() ? ", and posts are answered 503 until it can" : "");
    }
    else if (rv == APR_SUCCESS && reported != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE | APLOG_NOERRNO, 0, main,
                     "GC0133: the keeper's socket '%s' is there again", kept->socket_path);
    }
    reported = rv;
    return rv;
}

apr_status_t process_retained_settle(server_rec *main, const char *wanted, apr_pool_t *pconf)
{
    int was_other;
    retained_t *kept = take_up(main, wanted, &was_other);
    apr_status_t rv = APR_SUCCESS;

    if (strcmp(kept->socket_path, wanted) != 0) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE | APLOG_NOERRNO, 0, main,
                     "GC0116: GripChatSocket stays %s until httpd is stopped and started, because "
                     "children from before the restart use it",
                     kept->socket_path);
    }
    if (!kept->shared_memory) {
        rv = make_memory(main, kept);
        if (rv == APR_SUCCESS && was_other) {
            note_all_holds(process_retained_shared());
        }
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (kept->listen_fd < 0) {
        process_socket_remove_ended(main, pconf);
    }
    rv = process_retained_listen(main);
    apr_pool_cleanup_register(pconf, NULL, end_socket, apr_pool_cleanup_null);
    return is_restart() ? APR_SUCCESS : rv;
}
