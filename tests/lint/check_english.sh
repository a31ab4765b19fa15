#!/bin/sh
# The English of comments, log lines and docs gets plainer and never less plain. english.counts has a row
# for each file that is not yet plain: the sentences that begin with What or Who, the words of the list
# (nobody, somebody, whoever, upon, lest, shall, for ever, of before), the sentences of more than 30
# words, those of more than 40. A file without a row has none of them.
#   check_english.sh            compare the tree with english.counts
#   check_english.sh --counts   print the table as it should be
#   check_english.sh --show     print each such sentence with its place
#   check_english.sh --figures  print all words and each "what, who, whoever, whose" too
mode=compare
case ${1:-} in
--counts | --show | --figures)
    mode=${1#--}
    shift
    ;;
esac
. "$(dirname "$0")/lint.sh"

table=tests/lint/english.counts
lint_need mod_grip_chat README.md
# Without what a build in the tree leaves there.
files=$({
    find mod_grip_chat edge tests -name '*.[ch]' ! -path 'edge/bin/*' ! -path 'edge/pkg/*' 2>/dev/null
    find README.md CHANGES CONTRIBUTING.md SECURITY.md docs .github -type f \
        \( -name '*.md' -o -name CHANGES \) 2>/dev/null
} | sort)
show=0
test "$mode" != show || show=30

# shellcheck disable=SC2086 # names without spaces
rows=$(awk -v show=$show -f "$lint_dir/english.awk" $files)
case $mode in
counts)
    printf '%s\n' "$rows" | awk '$2 + $3 + $4 + $5 { print $1, $2, $3, $4, $5 }'
    exit
    ;;
show | figures)
    printf '%s\n' "$rows"
    exit
    ;;
esac

test -e $table || table=/dev/null
printf '%s\n' "$rows" | awk -v table=$table '
    function judge(i, what) {
        if (now[i] > was[i]) {
            print $1 ":1: has " now[i] " " what ", " was[i] + 0 " are allowed; check_english.sh --show names them"
            is_worse = 1
        }
    }
    BEGIN {
        while ((getline line < table) > 0) {
            n = split(line, was)
            allowed[was[1]] = line
        }
    }
    {
        split($0, now)
        split("", was)
        split(allowed[$1], was)
        seen[$1] = 1
        is_worse = 0
        judge(2, "sentences that begin with What or Who")
        judge(3, "words of the list (nobody, upon, shall ...)")
        judge(4, "sentences of more than 30 words")
        judge(5, "sentences of more than 40 words")
        row = $2 + $3 + $4 + $5 ? $1 " " $2 " " $3 " " $4 " " $5 : ""
        if (!is_worse && row != allowed[$1])
            print "tests/lint/english.counts:1: " $1 " is plainer now; " \
                (row == "" ? "remove its row" : "write its row as: " row)
    }
    END {
        for (file in allowed)
            if (!(file in seen))
                print "tests/lint/english.counts:1: " file " is not there; remove its row"
    }' | {
    lint_report_all
    lint_end
}
