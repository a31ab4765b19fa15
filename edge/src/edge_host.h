/* The calls of Fastly's host interface that this app makes, as Viceroy's compute-at-edge.witx has
 * them. Every call returns a status; what it gives comes through the pointers, and only with EDGE_OK. */
#ifndef EDGE_HOST_H
#define EDGE_HOST_H

#include <stddef.h>
#include <stdint.h>

#define EDGE_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

/** Statuses that are told apart; any other is an error as well. */
#define EDGE_OK         0
#define EDGE_ERROR      1
#define EDGE_BUFFER_LEN 4

/** The version of the interface that edge_host_init asks for. */
#define EDGE_ABI_VERSION 1

/** Ask the origin, whatever an answer in the cache says, and keep none. */
#define EDGE_CACHE_PASS 1u

/** Where edge_host_body_write adds. */
#define EDGE_BODY_BACK 0u

/** Requests, answers and bodies are known by numbers; the bytes of a body stay with the host. */
typedef uint32_t edge_handle_t;

/** Must be the first call. */
EDGE_IMPORT("fastly_abi", "init")
int edge_host_init(uint64_t abi_version);

/** The client's request, and its body, of which nothing has been read yet. */
EDGE_IMPORT("fastly_http_req", "body_downstream_get")
int edge_host_request(edge_handle_t *request, edge_handle_t *body);

/** The method; EDGE_BUFFER_LEN if it does not fit. */
EDGE_IMPORT("fastly_http_req", "method_get")
int edge_host_method(edge_handle_t request, char *buffer, size_t size, size_t *len);

/** The whole URI as it was sent; EDGE_BUFFER_LEN if it does not fit. */
EDGE_IMPORT("fastly_http_req", "uri_get")
int edge_host_uri(edge_handle_t request, char *buffer, size_t size, size_t *len);

/** How the cache treats a request. The two times, in SECONDS, do not count with EDGE_CACHE_PASS. */
EDGE_IMPORT("fastly_http_req", "cache_override_set")
int edge_host_cache(edge_handle_t request, uint32_t what, uint32_t ttl, uint32_t stale);

/** Send a request to a backend and wait for the head of the answer; the body comes as it comes. */
EDGE_IMPORT("fastly_http_req", "send")
int edge_host_send(edge_handle_t request, edge_handle_t body, const char *backend,
                   size_t backend_len, edge_handle_t *answer, edge_handle_t *answer_body);

/** Hand a request and its client to Fanout. After EDGE_OK nothing may be sent to the client. */
EDGE_IMPORT("fastly_http_req", "redirect_to_grip_proxy_v2")
int edge_host_hand_over(edge_handle_t request, const char *backend, size_t backend_len);

EDGE_IMPORT("fastly_http_resp", "new")
int edge_host_answer_new(edge_handle_t *answer);

EDGE_IMPORT("fastly_http_resp", "status_set")
int edge_host_status(edge_handle_t answer, uint32_t status);

EDGE_IMPORT("fastly_http_resp", "header_insert")
int edge_host_header(edge_handle_t answer, const char *name, size_t name_len, const char *value,
                     size_t value_len);

/** Send an answer to the client. With streaming 0 the host passes the body on by itself. */
EDGE_IMPORT("fastly_http_resp", "send_downstream")
int edge_host_reply(edge_handle_t answer, edge_handle_t body, uint32_t streaming);

EDGE_IMPORT("fastly_http_body", "new")
int edge_host_body_new(edge_handle_t *body);

/** May take less than it was given; written says how much. */
EDGE_IMPORT("fastly_http_body", "write")
int edge_host_body_write(edge_handle_t body, const uint8_t *data, size_t len, uint32_t end,
                         size_t *written);

#endif
