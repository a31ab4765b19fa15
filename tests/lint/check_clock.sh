#!/bin/sh
# What waits goes by gc_clock_now(), which nobody sets. The wall clock is for what is told to others: in
# these layers the dates of messages alone, and one function of the writer has them.
. "$(dirname "$0")/lint.sh"

lint_need mod_grip_chat/base/gc_clock.h mod_grip_chat/chat mod_grip_chat/ipc mod_grip_chat/keeper \
    mod_grip_chat/httpd/process/process_keeper.c
files=$(lint_c_files mod_grip_chat/base mod_grip_chat/chat mod_grip_chat/ipc mod_grip_chat/keeper) || exit 1
files="$files mod_grip_chat/httpd/process/process_keeper.c"

end='([^A-Za-z0-9_]|$)'
# shellcheck disable=SC2086 # names without spaces
code=$(lint_strip code $files)
{
    printf '%s\n' "$code" |
        grep -E "[^A-Za-z0-9_]((apr_time_now|gettimeofday|CLOCK_REALTIME)$end|time *\()" |
        grep -Ev '^mod_grip_chat/keeper/write/write_thread\.c:[0-9]+: *return apr_time_now\(\);' |
        sed 's|^\([^:]*:[0-9]*\):.*|\1: is the wall clock, which may be set; use gc_clock_now()|'
    printf '%s\n' "$code" | grep -E "_timedwait$end" |
        sed 's|^\([^:]*:[0-9]*\):.*|\1: waits for a time of the wall clock; have the loop wake it|'
} | {
    lint_report_all
    lint_end
}
