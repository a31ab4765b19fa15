/* A keeper in a process of its own, as httpd's parent would fork it, and what it shares with children:
 * a socket, memory, a database. Everything lies in a test's temporary directory. */
#ifndef KEEPER_PROCESS_H
#define KEEPER_PROCESS_H

#include "ipc_client.h"
#include "ipc_site.h"
#include "keeper_config.h"
#include "unit_temp.h"

/** The things that the parent of a keeper owns. */
typedef struct keeper_home_t {
    const unit_temp_t *temp;
    const char *socket_path;
    ipc_site_t site;
    const ipc_site_t *sites[1];
    const grip_proxy_t *proxies[1];
    keeper_config_t config;
    gc_log_t log;
    int *log_lines;           /**< shared: how many lines keepers have logged */
    unsigned descriptors_max; /**< of a keeper that is started, 0 for as many as we may have */
    ipc_client_t *client;
} keeper_home_t;

/** A keeper that was started. */
typedef struct keeper_process_t {
    pid_t pid;
    int stop; /**< the write end of its stop fd */
} keeper_process_t;

/**
 * Make a home: its socket is listened on, its database is temp->path.
 *
 * @param name       of the socket, so that several homes may share a database
 * @param proxy_url  a GRIP_URL, or NULL for none
 */
keeper_home_t *keeper_home_make(const unit_temp_t *temp, const char *name, const char *proxy_url);

/** Start a keeper; it dies with the test. */
keeper_process_t keeper_process_start(keeper_home_t *home);

/** Kill it with SIGKILL and reap it. */
void keeper_process_kill(keeper_process_t process);

/** Tell it to end. */
void keeper_process_tell_to_stop(keeper_process_t *process);

/** Reap it once it has ended; fails the test unless it ended well, within 5 s. */
void keeper_process_join(keeper_process_t process);

/** Tell it to end, and join it. */
void keeper_process_stop(keeper_process_t process);

/** Connect to the home's socket. */
int keeper_home_connect(const keeper_home_t *home);

/** Post a text under a key, which is the text; what ipc_client_call answers within 3 s. */
apr_status_t keeper_home_post(keeper_home_t *home, const char *room, const char *text,
                              ipc_reply_t *reply);

/** Post, and fail the test unless the keeper is done with it. */
ipc_reply_t keeper_home_post_ok(keeper_home_t *home, const char *room, const char *text);

/** Wait until the keeper has opened the database. */
void keeper_home_wait_ready(keeper_home_t *home);

/** A value that is kept in the home's database, NULL where there is none. */
const char *keeper_home_meta(const keeper_home_t *home, const char *name);

/** Fail unless a room holds count messages at the positions 1 .. count, with keys of their own. */
void keeper_home_assert_whole(const keeper_home_t *home, const char *room, int count);

#endif
