#include "grip_authorize.h"

#include <apr_encode.h>
#include <apr_strings.h>

#include "grip_jws.h"

apr_status_t grip_authorize(const char **value, const grip_proxy_t *proxy, apr_time_t now,
                            apr_pool_t *pool)
{
    const char *token;

    *value = NULL;
    switch (proxy->auth) {
    case GRIP_AUTH_NONE:
        break;
    case GRIP_AUTH_JWT:
        if (grip_jws_sign(&token, proxy->sign_key, proxy->iss, now, GRIP_AUTHORIZE_LIFETIME,
                          pool) != APR_SUCCESS)
        {
            return APR_EGENERAL;
        }
        *value = apr_pstrcat(pool, "Bearer ", token, NULL);
        break;
    case GRIP_AUTH_BEARER:
        *value = apr_pstrcat(pool, "Bearer ", proxy->bearer, NULL);
        break;
    case GRIP_AUTH_BASIC:
        token = apr_pstrcat(pool, proxy->user, ":", proxy->password, NULL);
        token = apr_pencode_base64(pool, token, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL);
        *value = apr_pstrcat(pool, "Basic ", token, NULL);
        break;
    }
    return APR_SUCCESS;
}
