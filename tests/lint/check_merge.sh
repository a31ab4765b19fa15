#!/bin/sh
# A setting that the create or the merge function forgets is lost in virtual hosts and Locations.
. "$(dirname "$0")/lint.sh"

header=mod_grip_chat/httpd/conf/conf_server.h
source=mod_grip_chat/httpd/conf/conf_server.c
lint_need $header $source

# "line name" of each member of the struct
members=$(lint_strip code $header | awk '
    { sub(/^[^:]*:/, ""); match($0, /^[0-9]+/); line = substr($0, 1, RLENGTH); text = substr($0, RLENGTH + 2) }
    text ~ /struct conf_server_t *\{/ { inside = 1; next }
    inside && text ~ /^\}/ { inside = 0 }
    inside { whole = whole " " text }
    inside && text ~ /;/ {
        count = split(whole, piece, /[,;]/)
        for (i = 1; i <= count; i++) {
            name = piece[i]
            if (match(name, /\(\*[A-Za-z0-9_]+/))
                name = substr(name, RSTART + 2, RLENGTH - 2)
            sub(/[:(].*/, "", name)
            if (index(name, "["))
                name = substr(name, 1, index(name, "[") - 1)
            sub(/[ \t]+$/, "", name)
            sub(/.*[^A-Za-z0-9_]/, "", name)
            if (name != "")
                print line, name
        }
        whole = ""
    }')
test -n "$members" || {
    lint_report "$header:1: has no struct conf_server_t with members; check_merge.sh has nothing to look at"
    lint_end
}

# The bodies of the functions whose names begin with $1; long ones are split, so the rest may differ.
body()
{
    lint_strip code $source | sed 's/^[^:]*:[0-9]*://' | awk -v name="$1" '
        /^[a-z]/ { head = "" }
        /^[a-z]/ || head != "" { head = head $0 }
        /^\{/ { inside = head ~ ("[ *]" name "[a-z_]*\\("); head = "" }
        inside
        /^\}/ { inside = 0 }'
}

for function in conf_server_create conf_server_merge; do
    text=$(body $function)
    test -n "$text" || {
        lint_report "$source:1: has no function $function; check_merge.sh has nothing to look at"
        continue
    }
    findings=$(printf '%s\n' "$members" | while read -r line name; do
        printf '%s\n' "$text" | grep -Eq "(^|[^A-Za-z0-9_])$name([^A-Za-z0-9_]|\$)" ||
            printf '%s\n' "$header:$line: $name is not set in $function; add it there"
    done)
    test -z "$findings" || lint_report "$findings"
done
lint_end
