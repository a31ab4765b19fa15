# shellcheck shell=bash
# ./dev check: every test there is.

# Most of what the tests of real servers do is wait, and all else computes: so there are two lanes, one of each
# kind, that run beside each other. What measures how fast something is comes last, when nothing else runs.

# What computes. It lets the servers go first, whose tests have deadlines.
check_builds() {
    renice -n 5 -p "$BASHPID" >/dev/null
    # The lints look at the sources, and have done so.
    unit_jobs=$(nproc) unit_options=(LINTS=)
    step distcheck-clang check_distcheck
    step oldest check_oldest
    step analyzers check_analyzers
    # What outlives a test is not looked for: tests that fork leave it on purpose.
    ASAN_OPTIONS=detect_leaks=0 step units-sanitized check_build build-sanitized gcc --enable-sanitizers \
        CFLAGS='-g -O1'
    ASAN_OPTIONS=detect_leaks=0 step streams-asan check_streams build-sanitized libasan
    if build_tree build-tsan gcc --enable-thread-sanitizer CFLAGS='-g -O1'; then
        TSAN_OPTIONS="ignore_noninstrumented_modules=1 suppressions=$root/tests/faults/tsan.suppressions" \
            step streams-tsan check_streams build-tsan libtsan
    else
        fail "the build with the thread sanitizer"
    fi
}

check_mpm() {
    local -x GRIP_CHAT_MPM=$1
    step "$1" check_pytest "$1" -n 2 "${by_file[@]}" -m mpm tests/integration
    step "faults-$1" check_pytest "faults-$1" -n 2 -m mpm tests/faults
}

# As many workers as keep two processors busy, for they wait. The cases of a file that share servers stay in
# one of them.
workers=(-n 4)
by_file=(--dist loadfile)

check_servers() {
    step event check_pytest event "${workers[@]}" "${by_file[@]}" -m "not quiet" tests/integration
    step faults check_pytest faults "${workers[@]}" -m "not quiet" tests/faults
    start_lane worker check_mpm worker
    check_mpm prefork
    end_lane worker
    step browser check_pytest browser "${workers[@]}" -m "not quiet" tests/browser
    # It computes, too, but the other lane is the longer one.
    step edge check_edge
}

# other_pushpin: a newer Pushpin than the one that the tests run with: GRIP_CHAT_PUSHPIN names it, or it
# is another one on the PATH.
other_pushpin() {
    local found
    for found in ${GRIP_CHAT_PUSHPIN:+"$(command -v "$GRIP_CHAT_PUSHPIN")"} $(type -aP pushpin); do
        if ! [[ $found -ef $(command -v pushpin) ]] && is_newer_pushpin "$found"; then
            echo "$found"
            return
        fi
    done
}

# What depends on the proxy, with a newer one as well, where there is one.
check_other_pushpin() {
    local -x GRIP_CHAT_PUSHPIN=$1
    say "with $("$1" --version)"
    check_pytest other-pushpin "${workers[@]}" "${by_file[@]}" -m "not quiet" \
        tests/integration/test_{through_pushpin,links,edge,dev_run}.py
    check_pytest faults-other-pushpin "${workers[@]}" -m "not quiet" \
        tests/faults/test_{proxy_gone,two_proxies,tail_loss,publish_faults,crowds}.py
}

# What measures how fast something is.
check_quiet() {
    step event-quiet check_pytest event-quiet -m quiet tests/integration
    step faults-quiet check_pytest faults-quiet -m quiet tests/faults
    step browser-quiet check_pytest browser-quiet -m quiet tests/browser
}

cmd_check() {
    install=yes
    while [[ $# -gt 0 ]]; do
        case $1 in
            --no-install) install=no ;;
            *) die "check: unknown option '$1'; ./dev tells which there are" ;;
        esac
        shift
    done
    PATH=$PATH:/usr/sbin:/sbin
    install_packages "${packages_run[@]}" "${packages_check[@]}"
    local other
    other=$(other_pushpin)
    # The tests run with the one on the PATH, and some of them with the other one as well.
    [[ -z $other ]] || unset GRIP_CHAT_PUSHPIN
    find_pushpin
    results=$root/build/results
    mkdir -p "$results"
    rm -f "$results/failed" "$results/steps"
    trap kill_lanes EXIT
    trap 'exit 130' INT TERM
    if build_tree build gcc; then
        # The tests of the servers are to find it.
        rm -f edge/bin/main.wasm
        edge/build.sh || fail "the build of the edge app"
        step units check_units build
        start_lane builds check_builds
        check_servers
        if [[ -n $other ]]; then
            step other-pushpin check_other_pushpin "$other"
        else
            say "there is no Pushpin 1.40 or newer beside: the tests run with the one that there is"
        fi
        end_lane builds
        check_quiet
    else
        fail "the build with gcc"
    fi
    local skipped_text=
    [[ $skipped -eq 0 ]] || skipped_text=", $skipped skipped"
    cat "$results/steps" "$results/failed" 2>/dev/null || true
    printf '%d passed, %d failed%s\n' "$passed" "$failed" "$skipped_text"
    [[ $failed -eq 0 && $passed -gt 0 ]]
}
