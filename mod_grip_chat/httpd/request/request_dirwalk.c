#include "request_dirwalk.h"

#include "gc_clock.h"
#include "request_address.h"

/* How long the kernel's answer for a folder is believed. */
#define BELIEVED APR_USEC_PER_SEC

/* The folders above the document root, and the first name below it that is not there. */
#define KNOWN_MAX      16
#define KNOWN_PATH_MAX 239

/* The kernel's answer for a path: that it is a folder, and no link to one, or that nothing is
 * there. */
typedef struct known_t {
    gc_moment_t asked; /* when it was asked, or just before; 0 for an empty entry */
    apr_size_t len;
    apr_int32_t wanted;
    apr_status_t status;
    apr_finfo_t finfo;
    char path[KNOWN_PATH_MAX + 1];
} known_t;

/* Each thread has its own, so that none waits for another. */
static __thread known_t known[KNOWN_MAX];
static __thread unsigned next_known;

/* A request that our handler is going to take. */
typedef struct request_dirwalk_t {
    const char *uri; /* for which that was found */
    gc_moment_t now;
    int is_asking;  /* the hook asks those behind it */
    unsigned steps; /* where the next folder's entry should be */
} walk_t;

/* Here the <Location> sections are merged; in the walk itself they are out of sight. */
static int note_ours(request_rec *r)
{
    request_address_t *address = request_address_noted(r);
    walk_t *walk;

    if (!address || !address->is_by_location) {
        return DECLINED;
    }
    walk = apr_palloc(r->pool, sizeof(*walk));
    walk->uri = r->uri;
    walk->now = gc_clock_now();
    walk->is_asking = 0;
    walk->steps = 0;
    address->walk = walk;
    return DECLINED;
}

/* The entry of a path, of whatever age. The search begins behind the entry that was found before: a walk
 * goes the same way each time. */
static known_t *find_known(const char *path, apr_size_t len, apr_int32_t wanted, walk_t *walk)
{
    unsigned i;

    for (i = 0; i < KNOWN_MAX; i++) {
        known_t *entry = &known[(walk->steps + i) % KNOWN_MAX];

        if (entry->len == len && entry->wanted == wanted && memcmp(entry->path, path, len) == 0) {
            walk->steps += i + 1;
            return entry;
        }
    }
    return NULL;
}

/* Links, files and all that is an error are asked for each time. */
static int can_be_believed(apr_status_t rv, const apr_finfo_t *finfo)
{
    return APR_STATUS_IS_ENOENT(rv) ||
           ((rv == APR_SUCCESS || APR_STATUS_IS_INCOMPLETE(rv)) && finfo->valid & APR_FINFO_TYPE &&
            finfo->filetype == APR_DIR);
}

static void keep(known_t *entry, apr_status_t rv, const apr_finfo_t *finfo, gc_moment_t now)
{
    entry->asked = now;
    entry->status = rv;
    if (!APR_STATUS_IS_ENOENT(rv)) {
        entry->finfo = *finfo;
    }
}

/* Empty an entry for a path: the one that was made longest ago. */
static known_t *make_known(const char *path, apr_size_t len, apr_int32_t wanted)
{
    known_t *entry = &known[next_known++ % KNOWN_MAX];

    entry->asked = 0;
    entry->len = len;
    entry->wanted = wanted;
    memcpy(entry->path, path, len);
    return entry;
}

/* Answer from memory, in the form of apr_stat. */
static apr_status_t tell(const known_t *entry, apr_finfo_t *finfo, request_rec *r)
{
    if (!APR_STATUS_IS_ENOENT(entry->status)) {
        *finfo = entry->finfo;
        finfo->pool = r->pool;
        finfo->fname = r->filename;
        finfo->name = NULL;
        finfo->filehand = NULL;
    }
    return entry->status;
}

/* The walk asks for the whole name first, and if it is there may pass over the folders on the way
 * to it. The answer is that it is not there, without a look. So the walk goes folder by folder, as
 * for every missing name, and finds the real folders. */
static apr_status_t answer_stat(apr_finfo_t *finfo, request_rec *r, apr_int32_t wanted)
{
    const request_address_t *address = request_address_noted(r);
    walk_t *walk = address ? address->walk : NULL;
    known_t *entry;
    apr_size_t len;
    apr_status_t rv;

    /* If the address was rewritten since, another handler may answer. */
    if (!walk || walk->is_asking || walk->uri != r->uri) {
        return AP_DECLINED;
    }
    if (!(wanted & APR_FINFO_LINK)) {
        return APR_ENOENT;
    }
    len = strlen(r->filename);
    if (len > KNOWN_PATH_MAX) {
        return AP_DECLINED;
    }
    entry = find_known(r->filename, len, wanted, walk);
    if (entry && entry->asked && walk->now - entry->asked < BELIEVED) {
        return tell(entry, finfo, r);
    }
    walk->is_asking = 1;
    rv = ap_run_dirwalk_stat(finfo, r, wanted);
    walk->is_asking = 0;
    if (can_be_believed(rv, finfo)) {
        keep(entry ? entry : make_known(r->filename, len, wanted), rv, finfo, walk->now);
    }
    return rv;
}

void request_dirwalk_hooks(apr_pool_t *pool)
{
    /* Behind the address, before the first that rewrites it. */
    ap_hook_translate_name(note_ours, NULL, NULL, APR_HOOK_REALLY_FIRST + 1);
    ap_hook_dirwalk_stat(answer_stat, NULL, NULL, APR_HOOK_FIRST);
}
