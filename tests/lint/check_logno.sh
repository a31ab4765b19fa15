#!/bin/sh
# Every log line has an id, GC and four digits, and an id names one place in the source. A line that
# was made below httpd/ brings its id along: the bridge prints it as ("%s", line).
. "$(dirname "$0")/lint.sh"

lint_need mod_grip_chat
files=$(lint_c_files mod_grip_chat) || exit 1
test -n "$files" || exit 1
# shellcheck disable=SC2086 # names without spaces
lint_strip text $files | awk '
    {
        match($0, /^[^:]*:[0-9]+:/)
        at = substr($0, 1, RLENGTH)
        text = substr($0, RLENGTH + 1)
    }
    # the ids, each with its place
    {
        rest = text
        while (match(rest, /GC[0-9][0-9][0-9][0-9]/)) {
            id = substr(rest, RSTART, RLENGTH)
            before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
            after = substr(rest, RSTART + RLENGTH, 1)
            rest = substr(rest, RSTART + RLENGTH)
            if (before ~ /[A-Za-z0-9_]/ || after ~ /[A-Za-z0-9_]/)
                continue
            if (id in place)
                print at " " id " is used at " place[id] " too; take a new number"
            else
                place[id] = substr(at, 1, length(at) - 1)
        }
    }
    function call_end() {
        if (call != "" && call !~ /"GC[0-9][0-9][0-9][0-9]: / && call !~ /"%s", line\)/)
            print call_at " logs without an id; begin the format with one, \"GC0000: ...\""
        call = ""
    }
    function call_begin() {
        call = text
        call_at = at
        count = 0
        calls++
    }
    call != "" && (++count > 3) { call_end() }
    call != "" { call = call " " text }
    text ~ /(^|[^A-Za-z0-9_])(gc_log_line|ap_log_error|ap_log_rerror|ap_log_perror|ap_log_cerror)_* *\(/ &&
        text !~ /^(static )?void / && text !~ /^#/ {
        call_end()
        call_begin()
    }
    call != "" && text ~ /;[ \t]*\\?$/ { call_end() }
    END {
        call_end()
        if (!calls)
            print "mod_grip_chat:1: logs nothing; check_logno.sh has nothing to look at"
    }' | {
    lint_report_all
    lint_end
}
