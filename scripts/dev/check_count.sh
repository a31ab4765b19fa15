# shellcheck shell=bash
# ./dev check: what passed and what failed, step by step.

passed=0 failed=0 skipped=0
results=

fail() {
    failed=$((failed + 1))
    say "FAILED: $*"
    printf 'FAILED: %s\n' "$*" >>"$results/failed"
}

# step NAME COMMAND...: runs it, and notes what it counted and how long it took.
step() {
    local name=$1 begin=$SECONDS before=("$passed" "$failed" "$skipped")
    shift
    say "$name"
    "$@"
    printf '%-16s %5d passed %3d failed %3d skipped %5d s\n' "$name" $((passed - before[0])) \
        $((failed - before[1])) $((skipped - before[2])) $((SECONDS - begin)) >>"$results/steps"
}

# count_automake LOG: adds up the summaries that automake's test driver printed.
count_automake() {
    local word number
    while read -r word number; do
        case $word in
            PASS | XFAIL) passed=$((passed + number)) ;;
            FAIL | XPASS | ERROR) failed=$((failed + number)) ;;
            SKIP) skipped=$((skipped + number)) ;;
        esac
    done < <(sed -nE 's/^# (PASS|XFAIL|FAIL|XPASS|ERROR|SKIP): +([0-9]+)$/\1 \2/p' "$1")
}
