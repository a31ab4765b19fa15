#include "load_tls.h"

#include <errno.h>
#include <limits.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

load_tls_context_t *load_tls_context_create(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        /* Thousands of idle connections: their buffers come and go. */
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    }
    return context;
}

load_tls_t *load_tls_create(load_tls_context_t *context, int fd)
{
    SSL *tls = SSL_new(context);

    if (tls && SSL_set_fd(tls, fd) != 1) {
        SSL_free(tls);
        return NULL;
    }
    return tls;
}

/* The needs of a call that did not go through; the queue of errors is the thread's, and must be
 * empty. */
static load_tls_e needs(load_tls_t *tls, int result)
{
    switch (SSL_get_error(tls, result)) {
    case SSL_ERROR_WANT_READ:
        return LOAD_TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return LOAD_TLS_WANTS_WRITE;
    default:
        ERR_clear_error();
        return LOAD_TLS_FAILED;
    }
}

load_tls_e load_tls_shake(load_tls_t *tls)
{
    int result = SSL_connect(tls);

    return result == 1 ? LOAD_TLS_DONE : needs(tls, result);
}

ssize_t load_tls_read(load_tls_t *tls, void *out, size_t size)
{
    int got = SSL_read(tls, out, size < INT_MAX ? (int)size : INT_MAX);

    if (got > 0) {
        return got;
    }
    if (SSL_get_error(tls, got) == SSL_ERROR_ZERO_RETURN) {
        return 0;
    }
    errno = needs(tls, got) == LOAD_TLS_FAILED ? ECONNRESET : EAGAIN;
    return -1;
}

int load_tls_write(load_tls_t *tls, const void *data, size_t len)
{
    int sent = SSL_write(tls, data, (int)len);

    if (sent <= 0) {
        ERR_clear_error();
    }
    return sent == (int)len;
}

void load_tls_destroy(load_tls_t *tls)
{
    SSL_free(tls);
}
