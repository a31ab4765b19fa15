# shellcheck shell=bash
# ./dev check: the steps, each of which counts its tests.

# How many unit tests run at once: nine tenths of their time they wait.
unit_jobs=$(($(nproc) * 2))
unit_options=()

# check_units DIR: `make check`, counted, with what failed tests said; one that ends badly without a failed
# test counts as one.
check_units() {
    local log=$results/make-check-$1.log tests_before=$((passed + failed)) failed_before=$failed status=0
    {
        make -C "$1" -j"$(nproc)" check "${unit_options[@]}" TESTS= && make -C "$1" -j"$unit_jobs" check "${unit_options[@]}"
    } >"$log" 2>&1 || status=$?
    cat "$log"
    [[ $status -eq 0 ]] || cat "$1/test-suite.log" || true # has counts, too: not into the log
    count_automake "$log"
    if [[ $((passed + failed)) -eq $tests_before ]]; then
        fail "make check in $1 ran no test"
    elif [[ $status -ne 0 && $failed -eq $failed_before ]]; then
        fail "make check in $1"
    fi
}

# check_pytest NAME ARGUMENTS: one pytest run, counted from its JUnit report.
check_pytest() {
    local name=$1 report=$results/$1.xml status=0 counts
    shift
    rm -f "$report"
    PYTHONDONTWRITEBYTECODE=1 timeout --foreground --kill-after=30 900 \
        /usr/bin/python3 -m pytest -p no:cacheprovider --junitxml="$report" "$@" || status=$?
    counts=$(/usr/bin/python3 - "$report" <<'END' 2>/dev/null || true
import sys, xml.etree.ElementTree as tree
total, bad, skip = 0, 0, 0
for suite in tree.parse(sys.argv[1]).getroot().iter("testsuite"):
    total += int(suite.get("tests"))
    bad += int(suite.get("failures")) + int(suite.get("errors"))
    skip += int(suite.get("skipped"))
print(max(total - bad - skip, 0), bad, skip)
END
    )
    local ok=0 bad=0 skip=0
    [[ -z $counts ]] || read -r ok bad skip <<<"$counts"
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
    if [[ $((ok + bad)) -eq 0 ]]; then
        fail "pytest $name ran no test (exit $status)"
    elif [[ $status -ne 0 && $bad -eq 0 ]]; then
        fail "pytest $name ended with $status"
    fi
}

# The archive that packagers get, built with clang and tested from there: one build for both questions.
check_distcheck() {
    local log=$results/distcheck.log tests_before=$((passed + failed)) failed_before=$failed status=0
    make -C build -j"$(nproc)" distcheck DISTCHECK_CONFIGURE_FLAGS="CC=clang --enable-werror" \
        >"$log" 2>&1 || status=$?
    count_automake "$log"
    if [[ $status -ne 0 ]]; then
        tail -n 60 "$log"
        [[ $failed -gt $failed_before ]] || fail "make distcheck"
    elif [[ $((passed + failed)) -eq $tests_before ]]; then
        fail "make distcheck ran no test"
    fi
}

# The edge app in a host of our own. The chain with Pushpin and Apache is among the integration tests, in
# Viceroy too where that is installed.
check_edge() {
    local log=$results/edge.log status=0 ok bad
    [[ -f edge/bin/main.wasm ]] || return 0
    timeout --kill-after=10 300 node --no-warnings --test --test-reporter=tap \
        tests/edge/*.test.mjs >"$log" 2>&1 || status=$?
    grep -A 20 '^not ok' "$log" || true
    ok=$(sed -nE 's/^# pass ([0-9]+)$/\1/p' "$log")
    bad=$(sed -nE 's/^# (fail|cancelled) ([0-9]+)$/\2/p' "$log" | awk '{ all += $1 } END { print all + 0 }')
    passed=$((passed + ${ok:-0})) failed=$((failed + bad))
    if [[ $((${ok:-0} + bad)) -eq 0 ]]; then
        fail "the edge app ran no test (exit $status)"
    elif [[ $status -ne 0 && $bad -eq 0 ]]; then
        fail "the tests of the edge app ended with $status"
    fi
    if command -v viceroy >/dev/null; then
        say "the chain with the edge app is tested in $(viceroy --version) too"
    else
        say "viceroy is not installed: the edge app is not run in it"
    fi
}

# The analyzers, each source of which counts as a test of each. One with findings is looked at again next time.
check_analyzers() {
    local log=$results/analyze.log status=0 sources bad
    analyze "$(nproc)" >"$log" 2>&1 || status=$?
    sources=$(find mod_grip_chat -name '*.c' | wc -l)
    bad=$(grep -cE '^make: \*\*\* .*\.(gcc|tidy)\] Error' "$log" || true)
    passed=$((passed + 2 * sources - bad)) failed=$((failed + bad))
    [[ $status -eq 0 ]] || cat "$log"
    [[ $status -eq 0 || $bad -gt 0 ]] || fail "the analyzers ended with $status"
}

# check_build DIR COMPILER [OPTION...]: the units, in a build of their own.
check_build() {
    if build_tree "$@"; then
        check_units "$1"
    else
        fail "the build in $1"
    fi
}

# The oldest libraries that work, as far as newer ones can stand for them: what is compiled without their new
# functions is what talks to proxies, and the keeper that waits for it.
check_oldest() {
    local tests
    tests=$(printf 'tests/unit/grip/test_grip_transport%s ' '' _names _wait)
    if ! build_tree build-oldest gcc --with-oldest-apis; then
        fail "the build with the oldest APIs"
        return
    fi
    # A prefix to the command would pass the list as one word, and all tests would run.
    local unit_options=(check_PROGRAMS="$tests" TESTS="$tests")
    check_units build-oldest
    GRIP_CHAT_BUILD=$root/build-oldest check_pytest oldest -k test_names_gone tests/faults/test_publish_faults.py
}

# check_streams DIR RUNTIME: the threads that hold streams, in an Apache that loads a sanitizer's runtime
# first because the module was built with it.
check_streams() {
    GRIP_CHAT_BUILD=$root/$1 GRIP_CHAT_PRELOAD=$(gcc -print-file-name="$2.so") \
        check_pytest "streams-$2" tests/faults/test_own_streams.py
}
