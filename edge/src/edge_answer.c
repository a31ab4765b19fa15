#include "edge_answer.h"

#include <string.h>

#include "edge_host.h"

static int add_header(edge_handle_t answer, const char *name, const char *value)
{
    return edge_host_header(answer, name, strlen(name), value, strlen(value));
}

static int begin(edge_handle_t *answer, uint32_t status, const char *type, const char *cache)
{
    int rv = edge_host_answer_new(answer);

    if (rv == EDGE_OK) {
        rv = edge_host_status(*answer, status);
    }
    if (rv == EDGE_OK) {
        rv = add_header(*answer, "Content-Type", type);
    }
    if (rv == EDGE_OK) {
        rv = add_header(*answer, "Cache-Control", cache);
    }
    return rv == EDGE_OK ? add_header(*answer, "X-Content-Type-Options", "nosniff") : rv;
}

static int make_body(edge_handle_t *body, const uint8_t *data, size_t len)
{
    size_t written;
    int rv = edge_host_body_new(body);

    while (rv == EDGE_OK && len > 0) {
        written = 0;
        rv = edge_host_body_write(*body, data, len, EDGE_BODY_BACK, &written);
        if (rv == EDGE_OK && (written == 0 || written > len)) {
            rv = EDGE_ERROR;
        }
        data += written;
        len -= written;
    }
    return rv;
}

static int send_answer(uint32_t status, const char *type, const char *cache, const uint8_t *data,
                       size_t len)
{
    edge_handle_t answer;
    edge_handle_t body;
    int rv = begin(&answer, status, type, cache);

    if (rv == EDGE_OK) {
        rv = make_body(&body, data, len);
    }
    return rv == EDGE_OK ? edge_host_reply(answer, body, 0) : rv;
}

int edge_answer_file(const char *type, const uint8_t *data, size_t len)
{
    return send_answer(200, type, "public, max-age=3600", data, len);
}

int edge_answer_error(uint32_t status, const char *json)
{
    return send_answer(status, "application/json", "no-store", (const uint8_t *)json, strlen(json));
}
