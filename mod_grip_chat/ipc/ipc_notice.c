/* The bytes of a notice. Numbers have the machine's byte order.
 *
 *   OFFSET  SIZE     MEANING
 *   0       8        epoch of the database
 *   8       8        generation of the room's slot, after it was bumped for the event
 *   16      8        position
 *   24      n        site, with its NUL
 *           m        room, with its NUL
 *           rest     the event as it stands in a stream, 1 byte or more, without a NUL at its end
 */
#include "ipc_notice.h"

#include "chat_sse.h"

apr_status_t ipc_notice_append(gc_buffer_t *buffer, const ipc_moved_t *moved)
{
    const chat_append_t *append = moved->append;
    apr_uint64_t numbers[] = {moved->version.epoch, moved->version.generation,
                              (apr_uint64_t)append->event.position};

    gc_buffer_append(buffer, gc_slice((const char *)numbers, sizeof(numbers)));
    gc_buffer_append(buffer, gc_slice(moved->site->identity, strlen(moved->site->identity) + 1));
    gc_buffer_append(buffer, gc_slice(append->room, strlen(append->room) + 1));
    return chat_sse_append_event(buffer, gc_slice_of(append->room), &append->event);
}

/* Cut a string off the front. @return NULL if it has no end */
static const char *cut_string(gc_slice_t *rest)
{
    const char *string = rest->data;
    const char *end = memchr(string, '\0', rest->len);

    if (!end) {
        return NULL;
    }
    rest->len -= (apr_size_t)(end + 1 - string);
    rest->data = end + 1;
    return string;
}

apr_status_t ipc_notice_read(ipc_notice_t *notice, gc_slice_t bytes)
{
    apr_uint64_t numbers[3];
    gc_slice_t rest;

    if (bytes.len <= sizeof(numbers)) {
        return APR_EINVAL;
    }
    rest = gc_slice(bytes.data + sizeof(numbers), bytes.len - sizeof(numbers));
    memcpy(numbers, bytes.data, sizeof(numbers));
    notice->version = (ipc_version_t){numbers[0], numbers[1]};
    notice->position = (apr_int64_t)numbers[2];
    notice->site = cut_string(&rest);
    notice->room = notice->site ? cut_string(&rest) : NULL;
    notice->text = rest;
    return notice->room && rest.len > 0 ? APR_SUCCESS : APR_EINVAL;
}
