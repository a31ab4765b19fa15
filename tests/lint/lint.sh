# shellcheck shell=sh
# What the lints share; they source it. A lint looks at the source folder that is its argument, or
# $srcdir as make check sets it, or this one, and ends with lint_end.
lint_dir=$(cd "$(dirname "$0")" && pwd)
cd "${1:-${srcdir:-.}}" || exit 1
LC_ALL=C
export LC_ALL
lint_failed=0

# Report one finding: "file:line: what to do".
lint_report()
{
    printf '%s\n' "$1"
    lint_failed=1
}

# Report the findings on standard input.
lint_report_all()
{
    lint_findings=$(cat)
    test -z "$lint_findings" || lint_report "$lint_findings"
}

# A lint that finds nothing to look at has lost its subject, and says so.
lint_need()
{
    for lint_file in "$@"; do
        test -e "$lint_file" || {
            lint_report "$lint_file:1: is missing; $(basename "$0") has nothing to look at"
            exit 1
        }
    done
}

# The C files below folders; the lint fails if there are none.
lint_c_files()
{
    lint_found=$(find "$@" -name '*.[ch]' 2>/dev/null | sort)
    test -n "$lint_found" || printf '%s\n' "$1:1: holds no C file; $(basename "$0") has nothing to look at" >&2
    printf '%s\n' "$lint_found"
}

# Print C files as "file:line:text" without comments; "code" empties literals, "text" keeps them.
lint_strip()
{
    lint_mode=$1
    shift
    awk -v mode="$lint_mode" -f "$lint_dir/strip_c.awk" "$@"
}

lint_end()
{
    exit $lint_failed
}
