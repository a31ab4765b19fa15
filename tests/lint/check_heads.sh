#!/bin/sh
# The first comment of a header says where its things live, in which process and thread, and who frees them:
# among ipc/, keeper/ and httpd/stream/ no name tells.
. "$(dirname "$0")/lint.sh"

lint_need mod_grip_chat/ipc mod_grip_chat/keeper
files=$(find mod_grip_chat/ipc mod_grip_chat/keeper mod_grip_chat/httpd/stream -name '*.h' 2>/dev/null | sort)
test -n "$files" || {
    lint_report "mod_grip_chat/ipc:1: holds no header; check_heads.sh has nothing to look at"
    lint_end
}
# shellcheck disable=SC2086 # names without spaces
awk '
    function file_end() {
        if (file != "" && !lives)
            print file ":1: does not say in its first comment: Lives in ..., and who frees it"
    }
    FNR == 1 {
        file_end()
        file = FILENAME
        lives = 0
        is_head = 1
    }
    is_head && /^(\/\*| \*) Lives in / { lives = 1 }
    /\*\// { is_head = 0 }
    END { file_end() }' $files | {
    lint_report_all
    lint_end
}
