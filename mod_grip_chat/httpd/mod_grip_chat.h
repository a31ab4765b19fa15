/* The head that every file of the httpd layer includes first. */
#ifndef MOD_GRIP_CHAT_H
#define MOD_GRIP_CHAT_H

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

/* The one symbol that the module's object shows. */
extern module AP_MODULE_DECLARE_DATA grip_chat_module __attribute__((visibility("default")));

/* So that LogLevel grip_chat:debug works in every file. */
APLOG_USE_MODULE(grip_chat);

/** The handler's name, for SetHandler. */
#define GRIP_CHAT_HANDLER "grip-chat"

#endif
