#include "mod_grip_chat_address.h"
#include "mod_grip_chat_config.h"
#include "mod_grip_chat_handler.h"
#include "mod_grip_chat_lifecycle.h"
#include "mod_grip_chat_others.h"
#include "mod_grip_chat_status.h"
#include "mod_grip_chat_stream.h"
#include "mod_grip_chat_walk.h"

static void register_hooks(apr_pool_t *pool)
{
    grip_chat_lifecycle_hooks(pool);
    grip_chat_address_hooks(pool);
    grip_chat_handler_hooks(pool);
    grip_chat_others_hooks(pool);
    grip_chat_status_hooks(pool);
    grip_chat_stream_hooks(pool);
    grip_chat_walk_hooks(pool);
}

/* A virtual host without a directive of ours would share the main server's configuration, and then a
 * site could not be hung into it. */
module AP_MODULE_DECLARE_DATA grip_chat_module = {
    STANDARD20_MODULE_STUFF, grip_chat_dir_conf_create,   grip_chat_dir_conf_merge,
    grip_chat_conf_create,   grip_chat_conf_merge,        grip_chat_cmds,
    register_hooks,          AP_MODULE_FLAG_ALWAYS_MERGE,
};
