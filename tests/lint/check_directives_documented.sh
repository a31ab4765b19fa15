#!/bin/sh
# The rows of conf_directives.c, the fields of conf_settings_t, the manual and the sample configuration say the
# same: which directives there are, their defaults, their ranges, where they may stand.
. "$(dirname "$0")/lint.sh"

table=mod_grip_chat/httpd/conf/conf_directives.c
header=mod_grip_chat/httpd/conf/conf_server.h
manual=docs/manual.md
sample=conf/grip_chat.conf
lint_need $table $header $manual $sample
tab=$(printf '\t')

# A row is NUMBER("GripChatName", scope, field, min, max, default, text), or another macro with the same order; one of
# a directive with a handler of its own is CUSTOM("GripChatName", scope, arguments, handler, text, kind, first field,
# last field, .min = …, .max = …, .fallback = {…}).
rows=$(lint_strip text $table | awk '
    { sub(/^[^:]*:/, ""); line = $0; sub(/:.*/, "", line); sub(/^[0-9]*:/, "") }
    /^#if/ { hidden++ }
    !hidden && !/^[ \t]*#/ && !/\\$/ { all = all $0 "\n" }
    /^#endif/ { hidden-- }
    # Cut the text at commas that stand in no string, bracket or brace, up to the bracket that closes.
    function cut(text,    i, c, depth, quoted) {
        delete arg
        count = 1
        arg[1] = ""
        depth = 1
        for (i = 1; i <= length(text) && depth > 0; i++) {
            c = substr(text, i, 1)
            if (quoted) {
                if (c == "\\")
                    arg[count] = arg[count] substr(text, i++, 1)
                else if (c == "\"")
                    quoted = 0
            }
            else if (c == "\"")
                quoted = 1
            else if (c ~ /[({]/)
                depth++
            else if (c ~ /[)}]/)
                depth--
            if (depth == 1 && !quoted && c == ",")
                arg[++count] = ""
            else if (depth > 0 && c != "\n")
                arg[count] = arg[count] substr(text, i, 1)
        }
        for (i = 1; i <= count; i++)
            gsub(/^[ ]+|[ ]+$/, "", arg[i])
        return i
    }
    END {
        while (match(all, /[A-Z][A-Z0-9_]*\([ \n]*"GripChat[A-Za-z]+"/)) {
            kind = substr(all, RSTART, RLENGTH)
            all = substr(all, RSTART + index(kind, "("))
            sub(/\(.*/, "", kind)
            cut(all)
            name = arg[1]
            gsub(/"/, "", name)
            min = max = fallback = "-"
            first = last = arg[3]
            if (kind == "CUSTOM") {
                first = arg[7]
                last = arg[8]
                for (i = 9; i <= count; i++) {
                    value = arg[i]
                    sub(/^[^=]*= */, "", value)
                    gsub(/[{}]/, "", value)
                    if (arg[i] ~ /^\.min/) min = value
                    if (arg[i] ~ /^\.max/) max = value
                    if (arg[i] ~ /^\.fallback/) fallback = value
                }
            }
            else if (kind == "FLAG")
                fallback = arg[4]
            else if (kind != "VALUE") {
                min = arg[4]
                max = arg[5]
                if (kind != "NUMBER_OR_NONE")
                    fallback = arg[6]
            }
            print name "\t" kind "\t" arg[2] "\t" first "\t" last "\t" min "\t" max "\t" fallback
        }
    }')
test -n "$rows" || {
    lint_report "$table:1: has no row of a GripChat directive; check_directives_documented.sh has nothing to look at"
    lint_end
}

# --- names

taken=$(printf '%s\n' "$rows" | cut -f 1 | sort -u)
described=$(grep -E '^##+ GripChat[A-Za-z]*' $manual | grep -Eo 'GripChat[A-Za-z]*' | sort -u)
shown=$(sed -n 's/^[[:space:]#]*\(GripChat[A-Za-z][A-Za-z]*\).*/\1/p' $sample | sort -u)

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

# --- fields: one without a row has no default, and is lost in virtual hosts

fields=$(lint_strip code $header | awk '
    { sub(/^[^:]*:/, ""); line = $0; sub(/:.*/, "", line); sub(/^[0-9]*:/, "") }
    /typedef struct conf_settings_t *\{/ { inside = 1; next }
    inside && /^\}/ { inside = 0 }
    inside { whole = whole " " $0 }
    inside && /;/ {
        name = whole
        sub(/;.*/, "", name)
        sub(/[ \t]+$/, "", name)
        sub(/.*[^A-Za-z0-9_]/, "", name)
        if (name != "" && name != "written")
            print line, name
        whole = ""
    }')
test -n "$fields" ||
    lint_report "$header:1: has no struct conf_settings_t with fields; check_directives_documented.sh has nothing to look at"
findings=$(printf '%s\n' "$rows" | awk -F '\t' -v fields="$(printf '%s\n' "$fields" | tr '\n' ';')" -v header=$header '
    BEGIN {
        count = split(fields, field, ";") - 1
        for (i = 1; i <= count; i++) {
            line[i] = field[i]
            sub(/ .*/, "", line[i])
            sub(/.* /, "", field[i])
        }
    }
    {
        inside = 0
        for (i = 1; i <= count; i++) {
            inside = inside || field[i] == $4
            if (inside)
                rows[i]++
            if (field[i] == $5)
                inside = 0
        }
    }
    END {
        for (i = 1; i <= count; i++)
            if (rows[i] != 1)
                print header ":" line[i] ": " field[i] " is of " rows[i] + 0 " rows in conf_directives.c; write one"
    }')
test -z "$findings" || lint_report "$findings"

# --- defaults, ranges, places

# What the constants of rows are.
defines=$(find mod_grip_chat -name '*.h' -exec sed -n 's/^#define \([A-Z][A-Z0-9_]*\)  *\(.*\)/DEFINE	\1	\2/p' {} +)

# "name line default range-from range-to context" of each section of the manual, "-" for what is not there.
documented=$(awk '
    function flush() {
        if (name == "")
            return
        from = to = "-"
        gsub(/`/, "", text)
        if (match(text, /[Ff]rom [0-9]+[a-zA-Z]* to [0-9]+[a-zA-Z]*/)) {
            split(substr(text, RSTART, RLENGTH), word, " ")
            from = word[2]
            to = word[4]
        }
        print "MANUAL\t" name "\t" line "\t" fallback "\t" from "\t" to "\t" place
    }
    /^#/ { flush(); name = "" }
    /^##+ GripChat/ { name = $2; line = FNR; text = ""; fallback = place = "-" }
    /^\| Default \|/ {
        fallback = "-"
        if (match($0, /`GripChat[A-Za-z]+ [^`]+`/)) {
            fallback = substr($0, RSTART + 1, RLENGTH - 2)
            sub(/^[^ ]+ /, "", fallback)
        }
    }
    /^\| Context \|/ { place = $0; sub(/^\| Context \| */, "", place); sub(/ *\|$/, "", place) }
    name != "" { text = text $0 " " }
    END { flush() }' $manual)

# "name line default range-from range-to" of the directives of the sample that are comments: where a comment has as
# many ranges as directives follow it, each has its own.
shown=$(awk '
    function flush(    i, n) {
        n = 0
        while (match(text, /[0-9]+[KMGa-z]* to [0-9]+[KMGa-z]*/)) {
            ranges[++n] = substr(text, RSTART, RLENGTH)
            text = substr(text, RSTART + RLENGTH)
        }
        for (i = 1; i <= count; i++) {
            range = n == count ? ranges[i] : "- to -"
            split(range, word, " to ")
            print "SAMPLE\t" directive[i] "\t" word[1] "\t" word[2]
        }
        count = 0
        text = ""
    }
    /^#GripChat/ {
        rest = $0
        sub(/^[^ ]+ */, "", rest)
        name = substr($1, 2)
        if (!(name in seen))
            directive[++count] = name "\t" FNR "\t" rest
        seen[name] = 1
        next
    }
    count > 0 || !/^# / { flush() }
    /^# / { text = text substr($0, 2) }
    END { flush() }' $sample)

# "name line default most" of the table of limits.
limits=$(awk '
    {
        rest = $0
        while (match(rest, /`GripChat[A-Za-z]+`, [0-9,]+( KiB)?[^;|`]*(; at most [0-9,]+( KiB)?)?/)) {
            part = substr(rest, RSTART, RLENGTH)
            rest = substr(rest, RSTART + RLENGTH)
            gsub(/`/, "", part)
            while (match(part, /[0-9],[0-9][0-9][0-9]/))
                part = substr(part, 1, RSTART) substr(part, RSTART + 2)
            gsub(/ KiB/, "K", part)
            split(part, word, /[ ,;]+/)
            most = part
            if (!sub(/.*; at most /, "", most))
                most = "-"
            print "LIMIT\t" word[1] "\t" FNR "\t" word[2] "\t" most
        }
    }' $manual)

{
    printf '%s\n' "$defines" "$documented" "$shown" "$limits"
    printf '%s\n' "$rows" | sed "s/^/ROW$tab/"
} | awk -F '\t' -v table=$table -v manual=$manual -v sample=$sample '
    $1 == "DEFINE" { define[$2] = $3 }
    $1 == "MANUAL" || $1 == "SAMPLE" || $1 == "LIMIT" { said[$1, $2] = $0 }
    # The number that an expression of a row is, a product of numbers; times are in microseconds.
    function value_of(text,    word, i, count, part, value) {
        gsub(/APR_INT64_C/, "", text)
        for (i = 0; i < 20 && match(text, /[A-Z][A-Z0-9_]+/); i++) {
            word = substr(text, RSTART, RLENGTH)
            text = substr(text, 1, RSTART - 1) define[word] substr(text, RSTART + RLENGTH)
            gsub(/APR_INT64_C/, "", text)
        }
        gsub(/apr_time_from_sec/, "1000000 *", text)
        gsub(/[() ]/, "", text)
        if (text !~ /^[0-9]+(\*[0-9]+)*$/)
            return "a product of numbers"
        count = split(text, part, "*")
        value = 1
        for (i = 1; i <= count; i++)
            value *= part[i]
        return sprintf("%.0f", value)
    }
    # The number that a document writes: with K, M or G, or a unit of time, where the row has bytes or a time.
    function number_of(text, kind,    digits, unit, factor) {
        digits = unit = text
        sub(/[^0-9].*/, "", digits)
        sub(/^[0-9]*/, "", unit)
        factor["BYTES", "K"] = 1024
        factor["BYTES", "M"] = 1048576
        factor["BYTES", "G"] = 1073741824
        factor["TIME", "s"] = 1000000
        factor["TIME", "min"] = 60000000
        factor["TIME", "h"] = 3600000000
        sub(/_OR_.*/, "", kind)
        if (kind == "FLAG")
            return text == "On" ? 1 : text == "Off" ? 0 : text
        return (kind, unit) in factor ? sprintf("%.0f", digits * factor[kind, unit]) : text
    }
    function compare(at, name, kind, what, written, row,    i, count, part, wanted, found) {
        count = split(row, part, / *, */)
        for (i = 1; i <= count; i++)
            wanted = wanted " " value_of(part[i])
        count = split(written, part, / +/)
        for (i = 1; i <= count; i++)
            found = found " " number_of(part[i], kind)
        if (wanted != found)
            print at ": " name ": the " what " " written " is not that of its row in " table ", which is" wanted "; write the same in both"
    }
    $1 == "ROW" && ("MANUAL", $2) in said {
        name = $2
        kind = $3
        split(said["MANUAL", name], word, "\t")
        at = manual ":" word[3]
        place = $4 == "MAIN" ? "server config" : $4 == "LOCATION" ? "server config, virtual host, directory" : "server config, virtual host"
        if (word[7] != place)
            print at ": " name ": its row is for the context \047" place "\047; write that"
        if (kind == "NUMBER_OR_NONE" && word[4] != "-")
            print at ": " name " has no default in its row; do not write " word[4]
        if ($9 != "-")
            compare(at, name, kind, "default", word[4], $9)
        if ($7 != "-") {
            compare(at, name, kind, "least value", word[5], $7)
            compare(at, name, kind, "greatest value", word[6], $8)
        }
        if (("SAMPLE", name) in said) {
            split(said["SAMPLE", name], word, "\t")
            at = sample ":" word[3]
            if ($9 != "-")
                compare(at, name, kind, "default", word[4], $9)
            if ($7 != "-" && word[5] != "-") {
                compare(at, name, kind, "least value", word[5], $7)
                compare(at, name, kind, "greatest value", word[6], $8)
            }
        }
        if (("LIMIT", name) in said) {
            split(said["LIMIT", name], word, "\t")
            at = manual ":" word[3]
            compare(at, name, "BYTES", "default", word[4], $9)
            if (word[5] != "-")
                compare(at, name, "BYTES", "greatest value", word[5], $8)
        }
    }' | {
    lint_report_all
    lint_end
} || lint_failed=1
lint_end
