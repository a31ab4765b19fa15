# shellcheck shell=bash
# ./dev check: steps that run beside other steps.
# shellcheck disable=SC2030,SC2031 # a lane counts for itself, and end_lane adds that up

# start_lane NAME COMMAND...: runs it beside what follows, in a process group of its own. What it says is
# kept until end_lane, so that lines of two lanes do not mix.
lanes=()
start_lane() {
    local name=$1
    shift
    rm -f "$results/lane-$name.counts"
    set -m
    (
        set +m
        trap - EXIT
        trap 'exit 130' INT TERM
        lanes=() passed=0 failed=0 skipped=0
        "$@"
        printf '%d %d %d\n' "$passed" "$failed" "$skipped" >"$results/lane-$name.counts"
    ) >"$results/lane-$name.log" 2>&1 </dev/null &
    set +m
    lanes+=("$name:$!")
}

# end_lane NAME: waits for it, and notes how long: the other steps were done by then.
end_lane() {
    local name=$1 lane left=() ok=0 bad=0 skip=0 begin=$SECONDS
    for lane in "${lanes[@]}"; do
        if [[ ${lane%:*} == "$name" ]]; then wait "${lane#*:}" || true; else left+=("$lane"); fi
    done
    lanes=("${left[@]}")
    printf '%-16s waited for %d s\n' "$name" $((SECONDS - begin)) >>"$results/steps"
    cat "$results/lane-$name.log"
    if [[ -f $results/lane-$name.counts ]]; then
        read -r ok bad skip <"$results/lane-$name.counts"
        passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
    else
        fail "the lane $name ended early"
    fi
}

# However a check ends, no lane outlives it. Upon SIGINT pytest ends its servers.
kill_lanes() {
    local lane
    for lane in "${lanes[@]}"; do
        kill -INT -- "-${lane#*:}" 2>/dev/null || true
    done
    for lane in "${lanes[@]}"; do
        wait "${lane#*:}" 2>/dev/null || true
    done
}
