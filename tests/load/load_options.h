/* The options of the load client. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdio.h>

#include <apr.h>

/** The longest name of a room that is made, in bytes. */
#define LOAD_ROOM_MAX 63

/** The server that takes the posts and has the streams. Only ours has positions, so only its
 * readers are checked message by message; readers of another are whole when they have as many
 * messages as were acknowledged. */
typedef enum load_server_e {
    LOAD_SERVER_CHAT,      /**< this module, perhaps behind a proxy */
    LOAD_SERVER_NCHAN,     /**< nginx with nchan, that has the paths of ours */
    LOAD_SERVER_PUSHPIN,   /**< Pushpin's own publishing; its streams come from this module */
    LOAD_SERVER_CENTRIFUGO /**< Centrifugo's own publishing and its streams of events (uni_sse) */
} load_server_e;

/** The command line. */
typedef struct load_options_t {
    struct sockaddr_in origin; /**< takes posts, and says where rooms are */
    struct sockaddr_in proxy;  /**< takes readers */
    const char *prefix;        /**< of the path, before /rooms/ */
    const char *room_prefix;
    load_server_e server;
    const char *ids; /**< file for what was acknowledged; NULL: none */
    apr_int64_t rooms;
    apr_int64_t readers;
    apr_int64_t posters;
    apr_int64_t rate;     /**< messages a second; 0: as fast as answers come */
    apr_int64_t messages; /**< to post; -1: no limit */
    apr_int64_t seconds;  /**< of posting; -1: no limit but LOAD_SECONDS_MAX */
    apr_int64_t burst;    /**< messages to post at once; 0: not so */
    apr_int64_t text_bytes;
    apr_int64_t connect_rate; /**< readers a second */
    apr_int64_t open_timeout; /**< in SECONDS, for all readers to be connected */
    apr_int64_t rest;   /**< in SECONDS, between the last reader's connect and the first post */
    apr_int64_t settle; /**< in SECONDS, for all readers to be whole */
    apr_int64_t source_addresses; /**< readers come from 127.0.0.1 to 127.0.0.this */
    apr_int64_t retry_cap;        /**< in MILLISECONDS, of a reader's pause; -1: none */
    apr_int64_t retry_after_cap;  /**< in MILLISECONDS, of a poster's pause */
    apr_int64_t give_up;          /**< in SECONDS, for one message */
    apr_int64_t answer_timeout;   /**< in SECONDS, for one post */
    apr_int64_t silence;          /**< in SECONDS, after which a reader gives its connection up */
    apr_int64_t churn;            /**< in MILLISECONDS, mean life of a connection; 0: no end */
    apr_int64_t slow;             /**< so many readers are slow */
    int is_keyed;                 /**< posts have an Idempotency-Key, and are repeated */
    int is_polling;               /**< readers ask the origin, which answers and closes */
    int is_on_command;            /**< only what is ordered on standard input is posted */
    int is_tls;                   /**< readers speak TLS, and believe any certificate */
} load_options_t;

/** No posting lasts longer, in SECONDS. */
#define LOAD_SECONDS_MAX 7200

/**
 * Read a command line.
 *
 * @param err  takes a sentence about what is wrong
 * @return 1, or 0 if something is wrong
 */
int load_options_read(load_options_t *options, int argc, char **argv, FILE *err);

#endif
