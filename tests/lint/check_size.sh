#!/bin/sh
# A file has one job and a function can be seen whole: 500 and 60 lines at most.
. "$(dirname "$0")/lint.sh"

lint_need mod_grip_chat
files=$(lint_c_files mod_grip_chat edge tests) || exit 1
test -n "$files" || exit 1
# shellcheck disable=SC2086 # names without spaces
awk '
    function file_end() {
        if (lines > 500)
            print name ":501: the file has " lines " lines; split it, 500 are allowed"
    }
    FNR == 1 {
        file_end()
        name = FILENAME
        start = 0
    }
    { lines = FNR }
    /^\{/ { start = FNR }
    /^\}/ {
        if (start && FNR - start + 1 > 60)
            print FILENAME ":" start ": the function has " FNR - start + 1 " lines; split it, 60 are allowed"
        start = 0
    }
    END { file_end() }' $files | {
    lint_report_all
    lint_end
}
