#!/bin/sh
# The directives that the module takes, those in the manual and those in the sample configuration are
# the same.
. "$(dirname "$0")/lint.sh"

manual=docs/manual.md
sample=conf/grip_chat.conf
lint_need mod_grip_chat/httpd $manual $sample
files=$(lint_c_files mod_grip_chat/httpd) || exit 1
test -n "$files" || exit 1

# shellcheck disable=SC2086 # names without spaces
taken=$(lint_strip text $files | sed 's/^[^:]*:[0-9]*://' | tr '\n' ' ' |
    grep -Eo 'AP_INIT_[A-Z0-9_]+ *\( *"GripChat[A-Za-z]+"' | grep -Eo 'GripChat[A-Za-z]+' | sort -u)
described=$(grep -E '^##+ GripChat[A-Za-z]*' $manual | grep -Eo 'GripChat[A-Za-z]*' | sort -u)
shown=$(sed -n 's/^[[:space:]#]*\(GripChat[A-Za-z][A-Za-z]*\).*/\1/p' $sample | sort -u)
test -n "$taken" ||
    lint_report "mod_grip_chat/httpd:1: has no AP_INIT_ of a GripChat directive; check_directives_documented.sh has nothing to look at"


for name in $taken; do
    printf '%s\n' "$described" | grep -qx "$name" ||
        lint_report "$manual:1: $name is missing; describe it under a heading '## $name'"
    printf '%s\n' "$shown" | grep -qx "$name" ||
        lint_report "$sample:1: $name is missing; show it, as a comment if it is optional"
done
for name in $described; do
    printf '%s\n' "$taken" | grep -qx "$name" ||
        lint_report "$manual:$(grep -nE "^##+ $name([^A-Za-z]|\$)" $manual | head -n 1 | cut -d: -f1): $name is no directive; remove or rename the heading"
done
for name in $shown; do
    printf '%s\n' "$taken" | grep -qx "$name" ||
        lint_report "$sample:$(grep -nE "^[[:space:]#]*$name([^A-Za-z]|\$)" $sample | head -n 1 | cut -d: -f1): $name is no directive; remove or rename it"
done
lint_end
