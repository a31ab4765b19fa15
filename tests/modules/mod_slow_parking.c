/* Prolongs the moment in which a suspended connection belongs to two: the worker that has told all
 * modules of the suspension, and the module that took it. Then event writes to the connection once
 * more, which must still be there. Only tests load this; it is never installed.
 *
 *     SlowParking 300     milliseconds for which a worker stays in that moment
 *     LateParking 300     milliseconds for which it stays before it tells anybody */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_main.h>
#include <mpm_common.h>

#include <stdlib.h>

extern module AP_MODULE_DECLARE_DATA slow_parking_module __attribute__((visibility("default")));

APLOG_USE_MODULE(slow_parking);

static int pause_ms;
static int late_ms;

/* Whether the connection of this worker's present suspension is gone. Outside of all pools, and leaked
 * where a connection ends in order: there are few. */
static __thread int *is_gone;

static apr_status_t note_gone(void *data)
{
    __atomic_store_n((int *)data, 1, __ATOMIC_SEQ_CST);
    return APR_SUCCESS;
}

/* Before anybody else is told. */
static void begin(conn_rec *c, request_rec *r)
{
    is_gone = NULL;
    if (c->cs && c->cs->state == CONN_STATE_SUSPENDED) {
        apr_sleep(apr_time_from_msec(late_ms));
        is_gone = calloc(1, sizeof(*is_gone));
        apr_pool_cleanup_register(c->pool, is_gone, note_gone, apr_pool_cleanup_null);
    }
}

/* After everybody was told. Nothing of the connection may be touched. */
static void stay(conn_rec *c, request_rec *r)
{
    if (!is_gone) {
        return;
    }
    apr_sleep(apr_time_from_msec(pause_ms));
    if (__atomic_load_n(is_gone, __ATOMIC_SEQ_CST)) {
        ap_log_error(APLOG_MARK, APLOG_CRIT | APLOG_NOERRNO, 0, ap_server_conf,
                     "a connection was destroyed while a worker was parking it");
    }
}

static const char *cmd_pause(cmd_parms *cmd, void *unused, const char *arg)
{
    *(int *)cmd->info = (int)strtol(arg, NULL, 10);
    return NULL;
}

static const command_rec cmds[] = {
    AP_INIT_TAKE1("SlowParking", cmd_pause, &pause_ms, RSRC_CONF, "milliseconds"),
    AP_INIT_TAKE1("LateParking", cmd_pause, &late_ms, RSRC_CONF, "milliseconds"),
    {NULL},
};

static void register_hooks(apr_pool_t *pool)
{
    ap_hook_suspend_connection(begin, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_suspend_connection(stay, NULL, NULL, APR_HOOK_REALLY_LAST + 1);
}

module AP_MODULE_DECLARE_DATA slow_parking_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, cmds, register_hooks,
};
