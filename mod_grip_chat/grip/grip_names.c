#include "grip_names.h"

#include <apr_strings.h>
#include <apr_uri.h>

#include "gc_clock.h"
#include "grip_lookup.h"

/* One that was found. A longer one is not remembered. */
typedef struct known_t {
    gc_moment_t until; /* 0: none */
    char place[264];   /* host:port: */
    char addresses[GRIP_LOOKUP_ADDRESSES_MAX * 48];
} known_t;

struct grip_names_ask_t {
    grip_lookup_t *lookup;
    const char *place;
    grip_names_found_fn *found;
    void *baton;
    grip_names_ask_t *next;
    apr_pool_t *pool; /* owns this */
};

struct grip_names_t {
    grip_transport_loop_t loop;
    grip_names_ask_t *asks;
    int has_ended; /* the loop is not told any more */
    known_t known[GRIP_NAMES_MAX];
    apr_pool_t *pool;
};

grip_names_t *grip_names_create(const grip_transport_loop_t *loop, apr_pool_t *pool)
{
    grip_names_t *names = apr_pcalloc(pool, sizeof(*names));

    names->loop = *loop;
    names->pool = pool;
    return names;
}

static const char *recall(const grip_names_t *names, const char *place)
{
    gc_moment_t now = gc_clock_now();
    int i;

    for (i = 0; i < GRIP_NAMES_MAX; i++) {
        if (names->known[i].until > now && strcmp(names->known[i].place, place) == 0) {
            return names->known[i].addresses;
        }
    }
    return NULL;
}

/* In the place of the oldest entry. */
static void learn(grip_names_t *names, const char *place, const char *addresses)
{
    known_t *oldest = names->known;
    int i;

    if (strlen(place) >= sizeof(oldest->place) || strlen(addresses) >= sizeof(oldest->addresses)) {
        return;
    }
    for (i = 1; i < GRIP_NAMES_MAX; i++) {
        if (names->known[i].until < oldest->until) {
            oldest = &names->known[i];
        }
    }
    oldest->until = gc_clock_now() + GRIP_NAMES_LIFETIME;
    apr_cpystrn(oldest->place, place, sizeof(oldest->place));
    apr_cpystrn(oldest->addresses, addresses, sizeof(oldest->addresses));
}

static apr_status_t start_ask(grip_names_t *names, grip_names_ask_t **out, const char *host,
                              apr_interval_time_t timeout)
{
    grip_names_ask_t *ask;
    apr_pool_t *pool;
    apr_status_t rv = apr_pool_create(&pool, names->pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    ask = apr_pcalloc(pool, sizeof(*ask));
    ask->pool = pool;
    rv = grip_lookup_start(&ask->lookup, host, timeout);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return rv;
    }
    ask->next = names->asks;
    names->asks = ask;
    *out = ask;
    return APR_SUCCESS;
}

apr_status_t grip_names_ask(grip_names_t *names, const char **entry, grip_names_ask_t **ask,
                            const char *uri, apr_interval_time_t timeout,
                            grip_names_found_fn *found, void *baton, apr_pool_t *pool)
{
    const char *known;
    const char *place;
    apr_uri_t parts;
    apr_status_t rv;

    *entry = NULL;
    *ask = NULL;
    if (apr_uri_parse(pool, uri, &parts) != APR_SUCCESS || !parts.hostname) {
        return APR_EINVAL;
    }
    if (!grip_lookup_is_name(parts.hostname)) {
        return APR_SUCCESS;
    }
    place = apr_psprintf(pool, "%s:%d:", parts.hostname,
                         (int)(parts.port ? parts.port : apr_uri_port_of_scheme(parts.scheme)));
    known = recall(names, place);
    if (known) {
        *entry = apr_pstrcat(pool, place, known, NULL);
        return APR_SUCCESS;
    }
    rv = start_ask(names, ask, parts.hostname, timeout);
    if (rv == APR_SUCCESS) {
        (*ask)->place = apr_pstrdup((*ask)->pool, place);
        (*ask)->found = found;
        (*ask)->baton = baton;
        names->loop.watch(grip_lookup_fd((*ask)->lookup), 1, 0, names->loop.baton);
    }
    return rv;
}

/* The lookup is still to be ended. */
static void unlink_ask(grip_names_t *names, const grip_names_ask_t *ask)
{
    grip_names_ask_t **link = &names->asks;

    while (*link != ask) {
        link = &(*link)->next;
    }
    *link = ask->next;
    if (!names->has_ended) {
        names->loop.watch(grip_lookup_fd(ask->lookup), 0, 0, names->loop.baton);
    }
}

void grip_names_forget(grip_names_t *names, grip_names_ask_t *ask)
{
    const char *addresses;

    unlink_ask(names, ask);
    /* No caller wants the answer. */
    (void)grip_lookup_end(ask->lookup, &addresses, ask->pool);
    apr_pool_destroy(ask->pool);
}

void grip_names_end(grip_names_t *names)
{
    names->has_ended = 1;
}

int grip_names_ready(grip_names_t *names, int fd)
{
    grip_names_ask_t *ask = names->asks;
    const char *addresses = NULL;
    const char *entry = NULL;
    apr_status_t rv;

    while (ask && grip_lookup_fd(ask->lookup) != fd) {
        ask = ask->next;
    }
    if (!ask) {
        return 0;
    }
    unlink_ask(names, ask);
    rv = grip_lookup_end(ask->lookup, &addresses, ask->pool);
    if (rv == APR_SUCCESS) {
        learn(names, ask->place, addresses);
        entry = apr_pstrcat(ask->pool, ask->place, addresses, NULL);
    }
    ask->found(rv, entry, ask->baton);
    apr_pool_destroy(ask->pool);
    return 1;
}
