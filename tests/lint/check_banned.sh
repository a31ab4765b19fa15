#!/bin/sh
# Functions that overflow, depend on the locale, end the process or lose errors; and state that
# nobody passes by argument.
. "$(dirname "$0")/lint.sh"

lint_need mod_grip_chat
files=$(lint_c_files mod_grip_chat edge tests) || exit 1
test -n "$files" || exit 1

# identifiers as an extended regular expression, what to do, and which files, as an expression too; and the one
# file that may
banned()
{
    printf '%s\n' "$code" | grep -E "^$3[^:]*:[0-9]+:" | grep -vE "${4:-^$}" |
        grep -E "^[^:]*:[0-9]+:(.*[^A-Za-z0-9_])?($1)" |
        sed "s|^\([^:]*:[0-9]*\):.*|\1: $2|"
}

end='([^A-Za-z0-9_]|$)'
# shellcheck disable=SC2086 # names without spaces
code=$(lint_strip code $files)
{
    banned "(sprintf|vsprintf)$end" 'sprintf has no limit; use apr_snprintf or apr_psprintf' ''
    banned "(strcpy|strcat|strncat)$end" 'has no limit that holds; use gc_buffer or apr_cpystrn' ''
    banned "strtok$end" 'strtok keeps state; use gc_slice_until' ''
    banned "(atoi|atol)$end" 'does not tell errors; use gc_slice_number' ''
    banned "gets$end" 'gets has no limit; use fgets' ''
    banned "system$end" 'runs a shell; use apr_proc_create' ''
    banned "(strcasecmp|strncasecmp)$end" 'depends on the locale; use gc_slice_equal_nocase or apr_cstr_casecmp' ''
    banned "apr_base64_decode" 'takes anything; use gc_b64url_decode or apr_pdecode_base64' ''
    banned 'sqlite3_[a-z0-9_]+ *\(|sqlite3\.h' 'go through apr_dbd' '' '^mod_grip_chat/chat/chat_database_sqlite\.c:'
    banned "setlocale$end" 'belongs to the whole process; use what does not depend on the locale' 'mod_grip_chat/'
    banned '(exit|abort) *\(' 'would end httpd; return a status (a forked process may call _exit)' 'mod_grip_chat/' \
        '^mod_grip_chat/base/gc_assert\.c:'
    printf '%s\n' "$code" | grep -E '^mod_grip_chat/(base|grip|chat|ipc|keeper)/' | awk '
        {
            at = $0
            match(at, /^[^:]*:[0-9]+:/)
            text = substr(at, RLENGTH + 1)
            at = substr(at, 1, RLENGTH)
            if (text !~ /^[ \t]*static /)
                next
            declared = text
            sub(/=.*/, "", declared)
            if (declared ~ /\(/ || text !~ /[=;\[]/)
                next
            # A pointer to what is constant can itself be changed.
            if (declared !~ /const/ || (declared ~ /\*/ && declared !~ /\* *const/))
                print at " is state without an owner; make it const, or pass it by argument"
        }'
} | {
    lint_report_all
    lint_end
}
