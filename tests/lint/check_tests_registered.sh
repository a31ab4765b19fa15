#!/bin/sh
# A test that is not in the list of its file, or a file that is not in tests/sources.mk, never runs.
. "$(dirname "$0")/lint.sh"

lint_need tests/unit tests/sources.mk
files=$(find tests/unit -name 'test_*.c' | sort)
test -n "$files" || {
    lint_report "tests/unit:1: holds no test; check_tests_registered.sh has nothing to look at"
    lint_end
}
for file in $files; do
    name=${file%.c}
    grep -q "$name\([^A-Za-z0-9_]\|\$\)" tests/sources.mk ||
        lint_report "$file:1: is not in tests/sources.mk; add it to check_PROGRAMS"
done
# shellcheck disable=SC2086 # names without spaces
lint_strip code $files | awk '
    function file_end(    i, registered) {
        if (file == "")
            return
        if (!tests)
            print file ":1: has no test"
        for (i = 1; i <= tests; i++) {
            registered = "(cmocka_unit_test[a-z_]*|[A-Z_]*TEST)\\( *" test[i] " *[,)]"
            if (whole !~ registered)
                print place[i] " " test[i] " never runs; add it to the tests of main"
        }
    }
    {
        match($0, /^[^:]*:[0-9]+:/)
        at = substr($0, 1, RLENGTH)
        text = substr($0, RLENGTH + 1)
        name = at
        sub(/:.*/, "", name)
    }
    name != file {
        file_end()
        file = name
        whole = ""
        tests = 0
    }
    { whole = whole " " text }
    text ~ /^(static )?void [a-zA-Z0-9_]+\(void \*\*/ && text !~ /(setup|teardown)\(/ && text !~ /;/ {
        sub(/^(static )?void /, "", text)
        sub(/\(.*/, "", text)
        test[++tests] = text
        place[tests] = at
    }
    END { file_end() }' | {
    lint_report_all
    lint_end
}
