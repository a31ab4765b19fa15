#include "process_status.h"

#include <unistd.h>

#include "process_hooks.h"
#include "stream_child.h"

#include <mod_status.h>

#include <apr_optional_hooks.h>

/* The numbers of a child, each under its name in both forms of the page. */
typedef struct figure_t {
    const char *key;
    const char *text;
    apr_uint64_t value;
} figure_t;

#define FIGURES 11

/* The counts of verified signatures, of all sites. */
static grip_sig_cache_stats_t sum_signatures(const conf_site_t *site)
{
    grip_sig_cache_stats_t sum = {0, 0};

    for (; site; site = site->next) {
        grip_sig_cache_stats_t one = grip_sig_cache_stats(site->signatures);

        sum.hits += one.hits;
        sum.misses += one.misses;
    }
    return sum;
}

static void collect(const process_child_t *child, figure_t *figures)
{
    chat_cache_stats_t rooms = chat_cache_stats(child->cache);
    grip_sig_cache_stats_t signatures = sum_signatures(child->sites);
    stream_child_stats_t streams = stream_child_stats();
    const figure_t found[FIGURES] = {
        {"Rooms", "Rooms in memory", rooms.rooms},
        {"RoomBytes", "Their bytes", rooms.bytes},
        {"RoomBytesLimit", "Bytes that they may take", child->cache_bytes},
        {"RoomBytesAlive", "Bytes of texts, with those that are still being sent",
         rooms.bytes_alive},
        {"RoomHits", "Rooms asked for and found in memory", rooms.hits},
        {"RoomLoads", "Rooms read from a database", rooms.loads},
        {"RoomWaits", "Requests that waited for such a read", rooms.waits},
        {"SignatureHits", "Grip-Sigs known from memory", signatures.hits},
        {"SignatureChecks", "Grip-Sigs verified", signatures.misses},
        {"Streams", "Event streams held", streams.streams},
        {"StreamsLimit", "Streams that it may hold", streams.limit},
    };

    memcpy(figures, found, sizeof(found));
}

static void show_short(request_rec *r, const figure_t *figures)
{
    int i;

    ap_rprintf(r, "GripChatChild: %" APR_PID_T_FMT "\n", getpid());
    for (i = 0; i < FIGURES; i++) {
        ap_rprintf(r, "GripChat%s: %" APR_UINT64_T_FMT "\n", figures[i].key, figures[i].value);
    }
}

static void show_page(request_rec *r, const figure_t *figures, const conf_site_t *site)
{
    int i;

    ap_rprintf(r,
               "<hr />\n<h2>mod_grip_chat</h2>\n<p>Of the child %" APR_PID_T_FMT
               ", which made this page, since it started; each child has its own.</p>\n<dl>\n",
               getpid());
    for (i = 0; i < FIGURES; i++) {
        ap_rprintf(r, "<dt>%s: %" APR_UINT64_T_FMT "</dt>\n", figures[i].text, figures[i].value);
    }
    for (; site; site = site->next) {
        grip_sig_cache_stats_t one = grip_sig_cache_stats(site->signatures);

        ap_rprintf(r,
                   "<dt>Grip-Sigs of the site '%s' of %s: %" APR_UINT64_T_FMT
                   " known, %" APR_UINT64_T_FMT " verified</dt>\n",
                   ap_escape_html(r->pool, site->keeper.name), ap_escape_html(r->pool, site->host),
                   one.hits, one.misses);
    }
    ap_rputs("</dl>\n", r);
}

static int show(request_rec *r, int flags)
{
    const process_child_t *child = process_child();
    figure_t figures[FIGURES];

    if (!child) {
        return DECLINED;
    }
    collect(child, figures);
    if (flags & AP_STATUS_SHORT) {
        show_short(r, figures);
    }
    else {
        show_page(r, figures, child->sites);
    }
    return OK;
}

void process_status_hooks(apr_pool_t *pool)
{
    APR_OPTIONAL_HOOK(ap, status_hook, show, NULL, NULL, APR_HOOK_MIDDLE);
}
