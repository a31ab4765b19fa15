/* One request: Compute starts the module anew for each. */
#include <string.h>

#include "edge_answer.h"
#include "edge_asset.h"
#include "edge_host.h"
#include "edge_log.h"
#include "edge_route.h"

#define BACKEND "origin"

/* A longer request is none that is known here. Fastly takes no longer URI than this. */
#define URI_MAX_BYTES    8192
#define METHOD_MAX_BYTES 32

#define UNREACHABLE                                                                                \
    "{\"error\": {\"code\": \"origin-unreachable\", "                                              \
    "\"message\": \"the server of this site does not answer\"}}\n"
#define EDGE_FAILED                                                                                \
    "{\"error\": {\"code\": \"edge-failed\", "                                                     \
    "\"message\": \"the request could not be passed on\"}}\n"

typedef struct request_t {
    edge_handle_t head;
    edge_handle_t body;
} request_t;

static int find_route(request_t request, edge_route_e *route)
{
    static char uri[URI_MAX_BYTES];
    char method[METHOD_MAX_BYTES];
    size_t uri_len = 0;
    size_t method_len = 0;
    int rv = edge_host_method(request.head, method, sizeof(method), &method_len);

    if (rv == EDGE_OK) {
        rv = edge_host_uri(request.head, uri, sizeof(uri), &uri_len);
    }
    if (rv == EDGE_BUFFER_LEN) {
        *route = EDGE_ROUTE_ORIGIN;
        return EDGE_OK;
    }
    if (rv == EDGE_OK) {
        *route = edge_route(method, method_len, uri, uri_len);
    }
    return rv;
}

/* Nothing of the request or of the answer is changed, and the host passes both bodies on by itself. */
static int ask_origin(request_t request)
{
    edge_handle_t answer;
    edge_handle_t body;
    int rv = edge_host_cache(request.head, EDGE_CACHE_PASS, 0, 0);

    if (rv != EDGE_OK) {
        edge_log("the cache cannot be kept out", rv);
        return edge_answer_error(500, EDGE_FAILED);
    }
    rv = edge_host_send(request.head, request.body, BACKEND, strlen(BACKEND), &answer, &body);
    if (rv != EDGE_OK) {
        edge_log("backend " BACKEND " does not answer", rv);
        return edge_answer_error(502, UNREACHABLE);
    }
    return edge_host_reply(answer, body, 0);
}

static int hand_over(request_t request)
{
    int rv = edge_host_hand_over(request.head, BACKEND, strlen(BACKEND));

    if (rv == EDGE_OK) {
        return EDGE_OK;
    }
    /* The origin answers the same events without holding them, so readers poll. */
    edge_log("Fanout does not take the request (is it enabled?), readers poll", rv);
    return ask_origin(request);
}

static int serve(request_t request)
{
    edge_route_e route = EDGE_ROUTE_ORIGIN;
    int rv = find_route(request, &route);

    if (rv != EDGE_OK) {
        edge_log("the request cannot be read", rv);
        return edge_answer_error(500, EDGE_FAILED);
    }
    switch (route) {
    case EDGE_ROUTE_FANOUT:
        return hand_over(request);
    case EDGE_ROUTE_MANIFEST:
        return edge_answer_file("text/plain; charset=utf-8", edge_asset_manifest,
                                edge_asset_manifest_len);
    case EDGE_ROUTE_SCREENSHOT:
        return edge_answer_file("image/png", edge_asset_screenshot, edge_asset_screenshot_len);
    case EDGE_ROUTE_ORIGIN:
        break;
    }
    return ask_origin(request);
}

/* Where it ends with 1 nothing was sent, and Compute answers 500 by itself. */
int main(void)
{
    request_t request;
    int rv = edge_host_init(EDGE_ABI_VERSION);

    if (rv == EDGE_OK) {
        rv = edge_host_request(&request.head, &request.body);
    }
    if (rv == EDGE_OK) {
        rv = serve(request);
    }
    if (rv != EDGE_OK) {
        edge_log("no answer could be sent", rv);
    }
    return rv == EDGE_OK ? 0 : 1;
}
