#include "chat_kind.h"

#include "chat_codec.h"
#include "chat_validate.h"

static int is_valid_message(const chat_event_t *event)
{
    return chat_validate_name(event->author, CHAT_NAME_MAX_CHARS) == CHAT_VALID &&
           chat_validate_text(event->payload, CHAT_TEXT_MAX_BYTES) == CHAT_VALID;
}

#ifdef CHAT_KIND_OF_TESTS
/* Its payload is its data, without line ends. */
static int is_valid_test(const chat_event_t *event)
{
    return event->payload.len > 0 && !memchr(event->payload.data, '\n', event->payload.len);
}

static apr_status_t append_test(gc_buffer_t *buffer, const chat_event_t *event)
{
    gc_buffer_append(buffer, event->payload);
    return APR_SUCCESS;
}
#endif

/* number, name, is_valid, append_data */
static const chat_kind_t kinds[] = {
    {CHAT_KIND_MESSAGE, "message", is_valid_message, chat_codec_append_message},
#ifdef CHAT_KIND_OF_TESTS
    {CHAT_KIND_OF_TESTS, "test", is_valid_test, append_test},
#endif
};

const chat_kind_t *chat_kind_find(int number)
{
    unsigned i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].number == number) {
            return &kinds[i];
        }
    }
    return NULL;
}
