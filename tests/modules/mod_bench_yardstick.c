/* The yardstick of the POST rows: a handler that reads the body, stores nothing and answers as
 * many bytes as a stored message. Another one has bench_journal keep something before it answers.
 * Beside the GET rows stands the most that a handler can reach: one that only answers as many bytes
 * as its query says. Only the bench loads this; it is never installed. */
#include <stdlib.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "../bench/bench_journal.h"

extern module AP_MODULE_DECLARE_DATA bench_yardstick_module __attribute__((visibility("default")));

/* Of the same form and length as the answer to what tests/bench posts. */
static const char answer[] =
    "{\"id\": 1000000, \"from\": \"al\", \"date\": \"2026-01-01T00:00:00.000Z\","
    " \"text\": \"a text of nearly sixty bytes, as people write, number 1000000\"}";

static int read_body(request_rec *r)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int seen_eos = 0;

    while (!seen_eos) {
        apr_bucket *b;

        if (ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, 8192) !=
            APR_SUCCESS) {
            return HTTP_BAD_REQUEST;
        }
        for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
            const char *data;
            apr_size_t len;

            if (APR_BUCKET_IS_EOS(b)) {
                seen_eos = 1;
            }
            else if (!APR_BUCKET_IS_METADATA(b) &&
                     apr_bucket_read(b, &data, &len, APR_BLOCK_READ) != APR_SUCCESS)
            {
                return HTTP_BAD_REQUEST;
            }
        }
        apr_brigade_cleanup(bb);
    }
    return OK;
}

/* Where bench_journal listens; set once, while the configuration is read. */
static const char *journal_path;

static const char *set_journal(cmd_parms *cmd, void *section, const char *path)
{
    (void)cmd;
    (void)section;
    journal_path = path;
    return NULL;
}

static int connect_to_journal(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    apr_cpystrn(address.sun_path, journal_path, sizeof(address.sun_path));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Each thread has a connection of its own. */
static int have_it_kept(void)
{
    static const char job[BENCH_JOURNAL_JOB_BYTES];
    static __thread int fd = -1;
    char reply[BENCH_JOURNAL_REPLY_BYTES];

    if (fd < 0) {
        fd = connect_to_journal();
    }
    if (fd < 0 || send(fd, job, sizeof(job), MSG_NOSIGNAL) != (ssize_t)sizeof(job) ||
        recv(fd, reply, sizeof(reply), MSG_WAITALL) != (ssize_t)sizeof(reply))
    {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    return OK;
}

/* Send bytes that live as long as the process. */
static int answer_bytes(request_rec *r, const char *bytes, apr_size_t len)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);

    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)len);
    apr_table_setn(r->headers_out, "Cache-Control", "private, no-cache");
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_immortal_create(bytes, len, bb->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    return ap_pass_brigade(r->output_filters, bb) == APR_SUCCESS ? OK : AP_FILTER_ERROR;
}

static int is_ceiling(const request_rec *r)
{
    return strcmp(r->uri, "/ceiling") == 0;
}

static int handle_ceiling(request_rec *r)
{
    static char bytes[65536];
    apr_size_t len = r->args ? strtoul(r->args, NULL, 10) : 0;

    if (!is_ceiling(r)) {
        return DECLINED;
    }
    if (apr_table_get(r->headers_in, "If-None-Match")) {
        return HTTP_NOT_MODIFIED;
    }
    return answer_bytes(r, bytes, len < sizeof(bytes) ? len : sizeof(bytes));
}

/* Without a walk over the file system. */
static int map_ceiling(request_rec *r)
{
    return is_ceiling(r) ? OK : DECLINED;
}

static int handle(request_rec *r)
{
    int is_kept;
    int status;

    if (!r->handler || strncmp(r->handler, "bench-", 6) != 0) {
        return DECLINED;
    }
    is_kept = strcmp(r->handler, "bench-journal") == 0;
    if (!is_kept && strcmp(r->handler, "bench-yardstick") != 0) {
        return DECLINED;
    }
    status = read_body(r);
    if (status == OK && is_kept) {
        status = have_it_kept();
    }
    if (status != OK) {
        return status;
    }
    return answer_bytes(r, answer, sizeof(answer) - 1);
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handle_ceiling, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_map_to_storage(map_ceiling, NULL, NULL, APR_HOOK_FIRST);
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("BenchJournal", set_journal, NULL, RSRC_CONF, "where bench_journal listens"),
    {NULL},
};

module AP_MODULE_DECLARE_DATA bench_yardstick_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, register_hooks, 0,
};
