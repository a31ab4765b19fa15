/* Tells in a header the value of GripChatTestNumber for a request: the tests' own directive, which
 * stands in sections. Needs the module of tests/upgrade. Only tests load this; it is never installed. */
#include "conf_server.h"

#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA section_number_module __attribute__((visibility("default")));

static int tell(request_rec *r)
{
    const module *chat = ap_find_linked_module("mod_grip_chat.c");
    const conf_dir_t *dir = ap_get_module_config(r->per_dir_config, chat);

    apr_table_setn(r->err_headers_out, "Section-Number",
                   apr_psprintf(r->pool, "%" APR_INT64_T_FMT, dir->test_number));
    return DECLINED;
}

static void register_hooks(apr_pool_t *pool)
{
    ap_hook_fixups(tell, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA section_number_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, 0,
};
