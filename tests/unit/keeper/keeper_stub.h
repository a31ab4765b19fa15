/* A proxy for publishers: a thread on the loopback interface that writes down every POST in a form
 * that a test can compare, and answers as it is told. */
#ifndef KEEPER_STUB_H
#define KEEPER_STUB_H

#include "unit.h"

/** Its treatment of POSTs: a status to answer with, or one of these. */
#define KEEPER_STUB_WAITS    0    /**< the answer waits until the test wants another one */
#define KEEPER_STUB_HANGS_UP (-1) /**< the connection ends without an answer */

typedef struct keeper_stub_t keeper_stub_t;

/** Start one that answers 200. */
keeper_stub_t *keeper_stub_start(apr_pool_t *pool);

/** Stop it, also in the middle of a connection. */
void keeper_stub_stop(keeper_stub_t *stub);

/** Refuse connections from now on, and end those that there are. */
void keeper_stub_go(keeper_stub_t *stub);

/** Take connections again, after keeper_stub_go. */
void keeper_stub_come_back(keeper_stub_t *stub);

/** Its GRIP_URL. */
const char *keeper_stub_url(const keeper_stub_t *stub, apr_pool_t *pool);

/** Answer so from now on. A 503 comes with `Retry-After: 7`. */
void keeper_stub_answer(keeper_stub_t *stub, int status);

/** Answer 400 to every POST that holds these bytes. */
void keeper_stub_refuse(keeper_stub_t *stub, const char *bytes);

/** How many POSTs have come. */
int keeper_stub_count(keeper_stub_t *stub);

/**
 * Tell the POSTs that have come, separated by " | ", each a list of items. An item is "a:0-2=xy"
 * for the events after 0 up to 2 of the channel "events-room-a" with the content "xy" (its length
 * if it is long). A hint is "hint(a)".
 *
 * @param taken_only  leave out POSTs that were not answered 200
 */
const char *keeper_stub_posts(keeper_stub_t *stub, int taken_only, apr_pool_t *pool);

#endif
