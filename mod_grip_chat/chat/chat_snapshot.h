/* A snapshot: the state of a room at one moment. It has the newest events as the text of an event
 * stream, and the list, both ready to be sent. A snapshot never changes and lies outside pools. Any
 * number of threads read it, and its last holder frees it. */
#ifndef CHAT_SNAPSHOT_H
#define CHAT_SNAPSHOT_H

#include "chat_block.h"
#include "chat_types.h"

/** How many events a snapshot keeps, and how many bytes of them; those of the list are kept anyway. */
#define CHAT_SNAPSHOT_MAX_EVENTS 500
#define CHAT_SNAPSHOT_MAX_BYTES  (256 * 1024)

typedef struct chat_snapshot_t chat_snapshot_t;

/** Where a room stands. */
typedef struct chat_standing_t {
    apr_int64_t last_event_id;       /**< see chat_page_t */
    apr_int64_t first_kept_event_id; /**< see chat_page_t */
    apr_int64_t newest_id; /**< of the newest message that is stored, 0 where there is none */
    apr_int64_t newest_created_ms; /**< when that was stored */
    apr_int64_t newest_event_id;   /**< its position; 0 where there is none */
    int listed;                    /**< messages of the list */
    apr_int64_t listed_from;       /**< the position of the oldest of them; 0 where there is none */
    int has_older;                 /**< there may be messages before that one */
    apr_int64_t base_event_id;     /**< see chat_page_t */
} chat_standing_t;

/** The room of a snapshot, and its account. */
typedef struct chat_snapshot_spec_t {
    gc_slice_t room;       /**< decoded; not needed afterwards */
    int history;           /**< messages of the list, 1 .. CHAT_HISTORY_MAX */
    apr_size_t list_bytes; /**< of the list, CHAT_LIST_MIN_BYTES .. CHAT_LIST_MAX_BYTES */
    chat_account_t *account;
} chat_snapshot_spec_t;

/** How much is read for a snapshot: enough for the list, or for an answer of events. Pure. */
chat_bounds_t chat_snapshot_bounds(const chat_snapshot_spec_t *spec);

/**
 * Make a snapshot, which has one holder. A message that is not UTF-8 is left out with all before it:
 * see chat_snapshot_covers and chat_snapshot_list. Thread-safe.
 *
 * @param page  the newest messages, newest first, at least `history` of them if there are as many, or as
 *              many as the list has bytes for
 * @return APR_SUCCESS or APR_ENOMEM
 */
apr_status_t chat_snapshot_make(chat_snapshot_t **out, const chat_snapshot_spec_t *spec,
                                const chat_page_t *page, apr_pool_t *scratch_pool);

/**
 * Make a snapshot of an older one and of the events after it. Thread-safe.
 *
 * @param out   has one holder more; it may be old itself if nothing came
 * @param old   untouched; of the same room and history
 * @param page  the events after the position before old's newest event (newest_event_id - 1),
 *              oldest first. So it begins with that event, which shows that it goes on from there
 * @return APR_SUCCESS; APR_EINCOMPLETE if the page does not go on from old, or does not reach the
 *         room's end; APR_ENOMEM
 */
apr_status_t chat_snapshot_extend(chat_snapshot_t **out, chat_snapshot_t *old,
                                  const chat_snapshot_spec_t *spec, const chat_page_t *page,
                                  apr_pool_t *scratch_pool);

/** Become one more holder. Thread-safe; see chat_block_pin. */
void chat_snapshot_pin(chat_snapshot_t *snapshot);

/** Let go; NULL is allowed. Thread-safe. */
void chat_snapshot_release(chat_snapshot_t *snapshot);

/** The note attached to the snapshot, or NULL; lives as long as the snapshot. Thread-safe. */
const char *chat_snapshot_note(const chat_snapshot_t *snapshot);

/**
 * Attach a note, a text, to the snapshot for its later users: a text that is the same for all
 * readers of the room need not be made for each. The first note stays, and without memory there is
 * none. Thread-safe.
 *
 * @param text  copied; short, as it is on no account
 */
void chat_snapshot_set_note(chat_snapshot_t *snapshot, const char *text);

/** Where the room stood. */
const chat_standing_t *chat_snapshot_standing(const chat_snapshot_t *snapshot);

/** The list's entity tag (RFC 9110, section 8.8.3), quotes included: lists of the room that have the same
 *  are the same. Lives as long as the snapshot. */
const char *chat_snapshot_etag(const chat_snapshot_t *snapshot);

/**
 * Whether it has all events that are stored after a position: true at and beyond the room's end.
 */
int chat_snapshot_covers(const chat_snapshot_t *snapshot, apr_int64_t after);

/**
 * The events that follow a position which is covered, as far as one answer goes
 * (CHAT_PAGE_MAX_EVENTS, CHAT_PAGE_MAX_BYTES, but one event at least).
 *
 * @param up_to    the last position that is wanted
 * @param reached  the position that they lead to: of the last of them, or, where no more are stored, up_to or
 *                 the room's end; never below `after`
 * @return a part of chat_snapshot_events
 */
gc_slice_t chat_snapshot_events_after(const chat_snapshot_t *snapshot, apr_int64_t after,
                                      apr_int64_t up_to, apr_int64_t *reached);

/** The block of all its events; the snapshot holds it. */
chat_block_t *chat_snapshot_events(const chat_snapshot_t *snapshot);

/** The list, as chat_codec_append_list writes it, held by the snapshot; NULL if a message of it is not
 *  UTF-8. */
chat_block_t *chat_snapshot_list(const chat_snapshot_t *snapshot);

/** How many bytes of memory it takes, its blocks included. */
apr_size_t chat_snapshot_bytes(const chat_snapshot_t *snapshot);

#endif
