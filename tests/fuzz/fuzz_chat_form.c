/* chat_form: a client posts any body under any Content-Type. An input is the header, a newline, the
 * body. */
#include "chat_form.h"

#include "fuzz_base.h"
#include "gc_buffer.h"
#include "gc_percent.h"

static void append_field(gc_buffer_t *body, const char *name, gc_slice_t value)
{
    if (value.data) {
        gc_buffer_append_text(body, body->len ? "&" : "");
        gc_buffer_append_text(body, name);
        gc_buffer_append_text(body, "=");
        gc_percent_append(body, value);
    }
}

static int is_same(gc_slice_t a, gc_slice_t b)
{
    return !a.data == !b.data && gc_slice_equal(a, b);
}

/* Fields without NUL come out of a urlencoded form as they went in. */
static void check_again(const chat_form_t *form, apr_pool_t *pool)
{
    gc_buffer_t body = gc_buffer_make(64, pool);
    gc_slice_t header = gc_slice_of("application/x-www-form-urlencoded");
    chat_form_fault_t fault;
    chat_form_t again;

    append_field(&body, "from", form->from);
    append_field(&body, "text", form->text);
    if (memchr(form->from.len ? form->from.data : "", '\0', form->from.len) ||
        memchr(form->text.len ? form->text.data : "", '\0', form->text.len))
    {
        return;
    }
    FUZZ_CHECK(chat_form_read(&again, CHAT_FORM_URLENCODED, header, gc_buffer_slice(&body), &fault,
                              pool) == APR_SUCCESS);
    FUZZ_CHECK(is_same(again.from, form->from) && is_same(again.text, form->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool_make();
    gc_slice_t body = fuzz_slice(data, size);
    gc_slice_t header = gc_slice_piece(&body, '\n');
    chat_form_fault_t fault = {NULL, NULL};
    chat_form_type_e type;
    chat_form_t form;

    if (chat_form_type(&type, header) == APR_SUCCESS) {
        if (chat_form_read(&form, type, header, body, &fault, pool) == APR_SUCCESS) {
            check_again(&form, pool);
        }
        else {
            FUZZ_CHECK(fault.code && *fault.code && fault.message && *fault.message);
        }
    }
    apr_pool_destroy(pool);
    return 0;
}
