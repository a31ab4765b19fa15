#!/bin/sh
# Nothing names a folder of one machine, and every note of something left to do has its issue.
. "$(dirname "$0")/lint.sh"

lint_need mod_grip_chat
# Sources have a "." in their names; what a build leaves beside them has not, or is named here.
files=$({
    find mod_grip_chat edge htdocs conf docs scripts tests -type f -name '*.*' ! -path '*/corpus/*' \
        ! -path 'edge/bin/*' ! -path 'edge/pkg/*' ! -path '*/__pycache__/*' ! -path '*/.libs/*' ! -path '*/.deps/*' \
        ! -name '*.o' ! -name '*.lo' ! -name '*.la' ! -name '*.log' ! -name '*.trs' 2>/dev/null
    find dev .ci .github README.md CONTRIBUTING.md SECURITY.md CHANGES LICENSE .env.template .gitignore Makefile.am configure.ac \
        autogen.sh -type f 2>/dev/null
} | sort)
test -n "$files" || {
    lint_report "mod_grip_chat:1: holds no file; check_paths.sh has nothing to look at"
    lint_end
}

# The brackets keep these expressions from finding themselves.
start='(^|[^A-Za-z0-9_.}/)-])'
# shellcheck disable=SC2086 # names without spaces
{
    grep -InE "$start/(wor[k]|roo[t])/|$start/hom[e]/[a-z]" /dev/null $files |
        sed 's|^\([^:]*:[0-9]*\):.*|\1: names a folder of one machine; use a relative or configured path|'
    grep -InE '\.\./share[d]' /dev/null $files |
        sed 's|^\([^:]*:[0-9]*\):.*|\1: names what lies outside of the repository; say it here instead|'
    grep -InE '(^|[^A-Za-z0-9_])(TOD[O]|FIXM[E])([^A-Za-z0-9_]|$)' /dev/null $files |
        grep -vE '\(#[0-9]+\)' |
        sed 's|^\([^:]*:[0-9]*\):.*|\1: a note without its issue; file one and write its number, (#7)|'
} | {
    lint_report_all
    lint_end
}
