#!/bin/sh
# The scripts have no findings of shellcheck, and each exception from it has its reason behind the number.
. "$(dirname "$0")/lint.sh"

lint_need dev
command -v shellcheck > /dev/null || {
    echo "shellcheck is not installed"
    exit 77
}

# dev is read together with its parts, which know each other's functions.
alone=$(find .ci autogen.sh edge/build.sh tests/fuzz tests/lint -type f \( -name '*.sh' -o -name run \) 2>/dev/null | sort)
parts=$(find scripts -type f -name '*.sh' 2>/dev/null | sort)
{
    {
        shellcheck -f gcc -x -a dev
        # shellcheck disable=SC2086 # names without spaces
        test -z "$alone" || shellcheck -f gcc -x -P SCRIPTDIR $alone
    } | sed 's|^\([^:]*:[0-9]*\):[0-9]*: |\1: |'
    # shellcheck disable=SC2086 # names without spaces
    grep -n 'shellcheck disabl[e]=' /dev/null dev $alone $parts |
        grep -vE 'disabl[e]=[A-Z0-9,]+ # ' |
        sed 's|^\([^:]*:[0-9]*\):.*|\1: an exception without a reason; write it behind the number|'
    for part in $parts; do
        grep -qxF ". $part" dev || echo "$part:1: is not sourced by dev, so nothing checks it"
    done
} | {
    lint_report_all
    lint_end
}
