#!/bin/sh
# Each library's headers are included in one file, so that it can be exchanged and replaced in tests.
. "$(dirname "$0")/lint.sh"

lint_need mod_grip_chat

# header as a pattern, the one file that may include it
vendor()
{
    lint_need "$2"
    grep -q "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]$1" "$2" ||
        lint_report "$2:1: does not include $1; name the file that does in check_vendor.sh"
    found=$(find mod_grip_chat -name '*.[ch]' ! -path "$2" -exec \
        grep -n "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]$1" /dev/null {} +)
    test -z "$found" || lint_report "$(printf '%s\n' "$found" | sed "s|^\([^:]*:[0-9]*\):.*|\1: $1 belongs in $2 only; call what that file offers|")"
}

vendor 'curl/' mod_grip_chat/grip/grip_transport_curl.c
vendor 'openssl/' mod_grip_chat/grip/grip_crypto_openssl.c
vendor 'jansson' mod_grip_chat/base/gc_json.c
vendor 'apr_dbd' mod_grip_chat/chat/chat_database_dbd.c
vendor 'sqlite3' mod_grip_chat/chat/chat_database_sqlite.c
lint_end
