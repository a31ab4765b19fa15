#include "request_messages.h"

#include "chat_codec.h"
#include "chat_event_id.h"
#include "chat_key.h"
#include "chat_kind.h"
#include "chat_validate.h"
#include "gc_b64url.h"
#include "gc_percent.h"
#include "gc_query.h"
#include "grip_crypto.h"
#include "request_body.h"
#include "request_next_link.h"
#include "request_reply.h"

#define ALLOW "GET, HEAD, POST, OPTIONS"

/* A byte of text takes at most six in JSON (\u0041), and three in a form; names and framing come on
 * top. */
#define BODY_BYTES_PER_TEXT_BYTE 6
#define BODY_EXTRA_BYTES         (16 * 1024)

/* The query's parameter that asks for messages before a position. */
#define BEFORE "before"

/* Find the position before which messages are asked for; 0 after an answer was given, with its result in *status. */
static int find_before(request_rec *r, const char *room, apr_int64_t *before, int *status)
{
    gc_slice_t encoded;
    char *id;

    *before = APR_INT64_MAX;
    if (!r->args || gc_query_parameter(&encoded, r->args, BEFORE) != APR_SUCCESS) {
        return 1;
    }
    id = gc_slice_dup(encoded, r->pool);
    if (ap_unescape_urlencoded(id) == OK &&
        chat_event_id_parse(before, gc_slice_of(id), gc_slice_of(room), r->pool) == APR_SUCCESS &&
        *before != CHAT_EVENT_ID_GONE)
    {
        return 1;
    }
    *status = request_reply_error(r, HTTP_BAD_REQUEST, "bad-position",
                                  "the parameter '" BEFORE "' is not a position of this room");
    return 0;
}

/* Give the address of the messages before the list (RFC 8288). The body stays as clients know
 * it. */
static void link_older(request_rec *r, const chat_route_t *route, const char *room,
                       const chat_standing_t *standing)
{
    gc_buffer_t id = gc_buffer_make(64, r->pool);
    gc_buffer_t link = gc_buffer_make(256, r->pool);

    chat_event_id_append(&id, gc_slice_of(room), standing->listed_from);
    gc_buffer_append_text(&link, "<");
    gc_buffer_append_text(&link, request_reply_encode_path(route->path, r->pool));
    gc_buffer_append_text(&link, "?" BEFORE "=");
    gc_percent_append(&link, gc_buffer_slice(&id));
    gc_buffer_append_text(&link, ">; rel=\"next\"");
    apr_table_setn(r->headers_out, "Link", link.data);
}

/* Set the headers that name the list. Returns 0 if the client has it and was answered, with the
 * result in *status. */
static int is_wanted(request_rec *r, const char *etag, int *status)
{
    request_reply_headers(r, "application/json");
    apr_table_set(r->headers_out, "ETag", etag);
    /* A list has no Last-Modified, so these do not count (RFC 9110, sections 13.1.3 and 13.1.4); httpd would
     * take the current time for one. */
    apr_table_unset(r->headers_in, "If-Modified-Since");
    apr_table_unset(r->headers_in, "If-Unmodified-Since");
    *status = ap_meets_conditions(r);
    if (*status == HTTP_NOT_MODIFIED) {
        *status = request_reply_not_modified(r);
        return 0;
    }
    return *status == OK;
}

/* Send a list that is not NULL as far as its messages can be shown. */
static int send_list(request_rec *r, chat_block_t *list)
{
    if (!list) {
        apr_table_unset(r->headers_out, "ETag");
        ap_log_rerror(APLOG_MARK, APLOG_ERR, APR_EINVAL, r,
                      "GC0152: a stored message is not UTF-8; did something else write it?");
        return request_reply_error(r, HTTP_INTERNAL_SERVER_ERROR, "bad-message",
                                   "a stored message cannot be shown");
    }
    return request_reply_block(r, gc_slice(NULL, 0), gc_slice(NULL, 0), list,
                               chat_block_text(list));
}

static int fail_to_read(request_rec *r, apr_status_t rv)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r, "GC0151: the messages cannot be read");
    return request_reply_error(r, HTTP_SERVICE_UNAVAILABLE, "database-unavailable",
                               "the messages cannot be read now; try again");
}

/* The room in memory is released before the list is sent: the request may last. */
static int get_newest(request_rec *r, const conf_site_t *site, const chat_route_t *route,
                      const char *room)
{
    const chat_standing_t *standing;
    chat_snapshot_t *snapshot;
    chat_block_t *list;
    int status;
    apr_status_t rv =
        room_view_room(site->reader, room, ipc_site_slot(&site->keeper, gc_slice_of(room)),
                       (int)site->settings.history, &snapshot, r->pool);

    if (rv != APR_SUCCESS) {
        return fail_to_read(r, rv);
    }
    standing = chat_snapshot_standing(snapshot);
    /* The newest are as many as ever: only where they have less than they may for their bytes is there more to
     * say. */
    if (standing->has_older && standing->listed < site->settings.history) {
        link_older(r, route, room, standing);
    }
    if (!is_wanted(r, chat_snapshot_etag(snapshot), &status)) {
        return status;
    }
    list = chat_snapshot_list(snapshot);
    if (list) {
        chat_block_pin(list);
        room_view_let_go(snapshot, r->pool);
    }
    status = send_list(r, list);
    chat_block_release(list);
    return status;
}

/* Set the headers of an older list: see is_wanted. */
static int is_older_wanted(request_rec *r, const chat_route_t *route, const char *room,
                           const chat_standing_t *standing, int *status)
{
    char etag[CHAT_LIST_ETAG_SIZE];

    apr_table_unset(r->headers_out, "Link");
    if (standing->has_older) {
        link_older(r, route, room, standing);
    }
    chat_list_etag(etag, standing);
    return is_wanted(r, etag, status);
}

/* An older list is not kept, but its tag may be known: then a client that has the list costs no
 * read. */
static int get_older(request_rec *r, const conf_site_t *site, const chat_route_t *route,
                     const char *room, apr_int64_t before)
{
    unsigned slot = ipc_site_slot(&site->keeper, gc_slice_of(room));
    room_view_older_t older;
    apr_status_t rv;
    int status;

    if (room_view_knows_before(site->reader, room, slot, before, &older.standing) &&
        !is_older_wanted(r, route, room, &older.standing, &status))
    {
        return status;
    }
    rv = room_view_before(site->reader, room, slot, before, (int)site->settings.history, &older,
                          r->pool);
    if (rv != APR_SUCCESS) {
        apr_table_unset(r->headers_out, "ETag");
        apr_table_unset(r->headers_out, "Link");
        return fail_to_read(r, rv);
    }
    return is_older_wanted(r, route, room, &older.standing, &status) ? send_list(r, older.list)
                                                                     : status;
}

static int get_messages(request_rec *r, const conf_site_t *site, const chat_route_t *route,
                        const char *room)
{
    apr_int64_t before;
    int status;

    if (!find_before(r, room, &before, &status)) {
        return status;
    }
    return before == APR_INT64_MAX ? get_newest(r, site, route, room)
                                   : get_older(r, site, route, room, before);
}

/* A sentence about a field that is not taken. */
static const char *explain(chat_verdict_e verdict, const char *field, const char *limit,
                           apr_pool_t *pool)
{
    switch (verdict) {
    case CHAT_EMPTY:
        return apr_psprintf(pool, "the field '%s' is empty", field);
    case CHAT_TOO_LONG:
        return apr_psprintf(pool, "the field '%s' is longer than %s", field, limit);
    case CHAT_NOT_UTF8:
        return apr_psprintf(pool, "the field '%s' is not valid UTF-8", field);
    case CHAT_UNSEEN:
        return apr_psprintf(pool, "the field '%s' holds a character that cannot be seen", field);
    case CHAT_BLANK:
        return apr_psprintf(pool, "the field '%s' holds nothing that can be seen", field);
    default:
        return apr_psprintf(pool, "the field '%s' holds a control character", field);
    }
}

static const char *code_of(chat_verdict_e verdict)
{
    switch (verdict) {
    case CHAT_EMPTY:
        return "empty-field";
    case CHAT_TOO_LONG:
        return "field-too-long";
    case CHAT_NOT_UTF8:
        return "invalid-utf8";
    case CHAT_UNSEEN:
    case CHAT_BLANK:
        return "invisible-character";
    default:
        return "control-character";
    }
}

/* Check both fields; 0 after an answer was given, with its result in *status. */
static int check_form(request_rec *r, const conf_site_t *site, const chat_form_t *form, int *status)
{
    chat_verdict_e verdict =
        chat_validate_name(form->from, (apr_size_t)site->settings.max_name_chars);
    const char *field = "from";
    const char *limit =
        apr_psprintf(r->pool, "%" APR_INT64_T_FMT " characters", site->settings.max_name_chars);

    if (verdict == CHAT_VALID) {
        verdict = chat_validate_text(form->text, (apr_size_t)site->settings.max_text_bytes);
        field = "text";
        limit = apr_psprintf(r->pool, "%" APR_INT64_T_FMT " bytes", site->settings.max_text_bytes);
    }
    if (verdict == CHAT_VALID) {
        return 1;
    }
    if (!(*field == 'f' ? form->from.data : form->text.data)) {
        *status = request_reply_error(r, HTTP_BAD_REQUEST, "missing-field",
                                      apr_psprintf(r->pool, "the field '%s' is missing", field));
        return 0;
    }
    *status = request_reply_error(r, HTTP_BAD_REQUEST, code_of(verdict),
                                  explain(verdict, field, limit, r->pool));
    return 0;
}

/* Take the header Idempotency-Key, if there is one; 0 after an answer was given. The digest tells a
 * message that is sent again from another one: neither part of it holds the NUL between them. */
static int take_key(request_rec *r, chat_append_t *append, int *status)
{
    const char *header = apr_table_get(r->headers_in, "Idempotency-Key");
    unsigned char digest[GRIP_CRYPTO_SHA256_BYTES];
    gc_buffer_t message;
    gc_slice_t key;

    if (!header) {
        return 1;
    }
    if (chat_key_parse(&key, gc_slice_of(header), r->pool) != APR_SUCCESS) {
        *status = request_reply_error(
            r, HTTP_BAD_REQUEST, "bad-idempotency-key",
            apr_psprintf(r->pool,
                         "the header 'Idempotency-Key' is not one string of 1 to %d visible ASCII "
                         "characters in double quotes",
                         CHAT_KEY_MAX_CHARS));
        return 0;
    }
    message = gc_buffer_make(append->event.author.len + append->event.payload.len + 2, r->pool);
    gc_buffer_append(&message, append->event.author);
    gc_buffer_append(&message, gc_slice("", 1));
    gc_buffer_append(&message, append->event.payload);
    if (grip_crypto_sha256(digest, gc_buffer_slice(&message)) != APR_SUCCESS) {
        *status = HTTP_INTERNAL_SERVER_ERROR;
        return 0;
    }
    append->event.key = key;
    append->digest = gc_b64url_encode(gc_slice((const char *)digest, sizeof(digest)), r->pool);
    return 1;
}

/* Have the keeper store it; 0 after an answer was given, with its result in *status. */
static int store(request_rec *r, ipc_client_t *keeper, ipc_job_t *job, int *status)
{
    ipc_reply_t reply = {IPC_UNAVAILABLE, 0, 0, 0};
    apr_status_t rv;

    job->append.job_key = ipc_client_job_key(keeper, r->request_time, r->pool);
    rv = ipc_client_call(keeper, job, &reply, IPC_CLIENT_TIMEOUT, r->pool);
    if (rv == APR_SUCCESS && reply.status == IPC_CONFLICT) {
        *status = request_reply_error(r, HTTP_UNPROCESSABLE_ENTITY, "idempotency-key-used",
                                      "the header 'Idempotency-Key' was used in this room for "
                                      "another message; give each message a key of its own");
        return 0;
    }
    if (rv != APR_SUCCESS || reply.status != IPC_DONE) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, rv, r,
                      "GC0153: a post is answered 503 (the keeper's status is %d)",
                      (int)reply.status);
        *status = request_reply_error(r, HTTP_SERVICE_UNAVAILABLE, "database-unavailable",
                                      "the message cannot be stored now; try again");
        return 0;
    }
    job->append.event.id = reply.id;
    job->append.event.position = reply.position;
    job->append.event.created_ms = reply.created_ms;
    return 1;
}

static int post_message(request_rec *r, const conf_site_t *site, const char *room,
                        ipc_client_t *keeper)
{
    request_refusal_t refusal;
    chat_form_t form;
    ipc_job_t job = ipc_frame_job(IPC_JOB_APPEND, site->keeper.identity);
    gc_buffer_t body;
    int status = OK;

    if (!request_body_read(r, &form,
                           (apr_size_t)site->settings.max_text_bytes * BODY_BYTES_PER_TEXT_BYTE +
                               BODY_EXTRA_BYTES,
                           &refusal))
    {
        return refusal.status
                   ? request_reply_error(r, refusal.status, refusal.code, refusal.message)
                   : AP_FILTER_ERROR;
    }
    if (!check_form(r, site, &form, &status)) {
        return status;
    }
    job.append.room = room;
    job.append.event.kind = CHAT_KIND_MESSAGE;
    job.append.event.author = form.from;
    job.append.event.payload = form.text;
    if (!take_key(r, &job.append, &status) || !store(r, keeper, &job, &status)) {
        return status;
    }
    body = gc_buffer_make(form.text.len + 256, r->pool);
    if (chat_codec_append_message(&body, &job.append.event) != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR; /* both were validated as UTF-8 */
    }
    gc_buffer_append_text(&body, "\n");
    request_reply_headers(r, "application/json");
    return request_reply_body(r, gc_buffer_slice(&body));
}

int request_messages_handle(request_rec *r, const conf_site_t *site, const chat_route_t *route,
                            const char *room, ipc_client_t *keeper)
{
    switch (r->method_number) {
    case M_GET:
        return get_messages(r, site, route, room);
    case M_POST:
        return post_message(r, site, room, keeper);
    case M_OPTIONS:
        return request_reply_options(r, ALLOW);
    default:
        return request_reply_not_allowed(r, ALLOW);
    }
}
