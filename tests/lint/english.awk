# Prints for each file "file begins words long hard total asked": the sentences that begin with What or
# Who, the words and phrases of the list, the sentences over 30 and over 40 words, all words, and how
# often what, who, whoever or whose stands there. C files count by their comments and log lines, others
# as Markdown: prose, list items and the cells of tables; not code.
function row_end() {
    if (name != "")
        print name, begins, listed, long, hard, total, asked
    begins = listed = long = hard = total = asked = 0
}

# Does a sentence end between this word and the next?
function is_end(word, next_word) {
    sub(/[)"'*_\]]+$/, "", word)
    if (word !~ /[.!?]$/ || word ~ /(^|[(])(e\.g|i\.e|vs|cf|No)\.$/)
        return 0
    return next_word == "" || next_word !~ /^[a-z]/ || next_word ~ /_/
}

function sentence(text, first, count, question,    low) {
    total += count
    if (count > 30)
        long++
    if (count > 40)
        hard++
    if (show && count > show)
        print name ":" line_of ": " count " words: " text
    first = tolower(first)
    gsub(/[^a-z]/, "", first)
    if (first ~ /^(what|who|whoever|whatever)$/ && !question && !is_heading) {
        begins++
        if (show)
            print name ":" line_of ": begins: " text
    }
    low = " " tolower(text) " "
    gsub(/[^a-z']+/, "  ", low)
    asked += gsub(/ (what|who|whoever|whose) /, "&", low)
    count = gsub(/ (nobody|somebody|whoever|upon|lest|shall|for  ever|of  before) /, "&", low)
    listed += count
    if (show && count)
        print name ":" line_of ": word: " text
}

# Cut a unit (a paragraph, an item, a cell, a comment, a log line) into sentences and count them.
function unit_end(    i, n, word, text, first, count) {
    n = split(unit, word, /[ \t]+/)
    word[n + 1] = ""
    text = first = ""
    count = 0
    for (i = 1; i <= n; i++) {
        text = text " " word[i]
        if (word[i] ~ /[A-Za-z0-9]/) {
            count++
            if (first == "")
                first = word[i]
        }
        if (i == n || is_end(word[i], word[i + 1])) {
            if (count)
                sentence(text, first, count, word[i] ~ /\?/)
            text = first = ""
            count = 0
        }
    }
    unit = ""
    is_heading = 0
}

function unit_add(text) {
    if (unit == "")
        line_of = FNR
    unit = unit " " text
}

# One line of a comment, without its marks.
function comment_line(text) {
    sub(/^[ \t]*\**<?/, "", text)
    if (text ~ /^[ \t]*$/ || text ~ /[^ \t.!?:;]   +[^ \t]/ && text !~ /@/ || text ~ /^ *[-+|].*[-+|] *$/) {
        unit_end()
        return
    }
    sub(/^[ \t]+/, "", text)
    if (text ~ /^[-*] /)
        unit_end()
    if (text ~ /^@/) {
        unit_end()
        sub(/^@(param|retval)(\[[a-z,]*\])?[ \t]+[^ \t]+|^@[a-z]+/, "", text)
    }
    unit_add(text)
}

function c_line(line,    at, mark, closes) {
    # a log line: the literal with the id, and the literals that go on with it
    if (!in_comment && (line ~ /"GC[0-9][0-9][0-9][0-9]: / || in_log && line ~ /^[ \t]*"/)) {
        if (!in_log)
            unit_end()
        match(line, /"([^"\\]|\\.)*"/)
        mark = substr(line, RSTART + 1, RLENGTH - 2)
        sub(/^GC[0-9][0-9][0-9][0-9]: /, "", mark)
        unit_add(mark)
        in_log = 1
        return
    }
    if (in_log) {
        unit_end()
        in_log = 0
    }
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            closes = at > 0
            comment_line(closes ? substr(line, 1, at - 1) : line)
            if (!closes)
                return
            line = substr(line, at + 2)
            in_comment = 0
            unit_end()
            continue
        }
        if (!match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'/)) {
            if (line ~ /[^ \t]/)
                unit_end()
            return
        }
        mark = substr(line, RSTART, 2)
        at = RSTART + (mark == "/*" || mark == "//" ? 2 : RLENGTH)
        if (substr(line, 1, RSTART - 1) ~ /[^ \t]/)
            unit_end()
        line = substr(line, at)
        if (mark == "/*")
            in_comment = 1
        else if (mark == "//") {
            comment_line(line)
            return
        }
    }
}

function prose(text) {
    gsub(/\]\([^)]*\)/, "]", text)
    gsub(/``[^`]*``|`[^`]*`/, "X", text)
    return text
}

function md_line(line,    n, cell, i) {
    if (line ~ /^[ \t]*(```|~~~)/) {
        unit_end()
        in_fence = !in_fence
        return
    }
    if (in_fence)
        return
    if (line ~ /^[ \t]*$/ || line ~ /^[ \t]*[|][-:| ]+$/) {
        unit_end()
        was_blank = 1
        return
    }
    if (line ~ /^(    |\t)/ && (was_blank || in_code) && !in_item) {
        in_code = 1
        return
    }
    if (line !~ /^[ \t]/)
        in_item = 0
    in_code = was_blank = 0
    if (line ~ /^#/) {
        unit_end()
        is_heading = 1
        unit_add(line)
        unit_end()
        return
    }
    if (line ~ /^[ \t]*[|]/) {
        unit_end()
        n = split(prose(line), cell, /[|]/)
        for (i = 2; i < n; i++) {
            unit_add(cell[i])
            unit_end()
        }
        return
    }
    if (line ~ /^[ \t]*([-*+]|[0-9]+\.) /) {
        unit_end()
        in_item = 1
        sub(/^[ \t]*([-*+]|[0-9]+\.) /, "", line)
    }
    # code may span two lines
    unit = prose(unit " " line)
    if (line_of == 0)
        line_of = FNR
    line_of = FNR
}

FNR == 1 {
    unit_end()
    row_end()
    name = FILENAME
    in_comment = in_log = in_fence = in_code = in_item = 0
    was_blank = 1
}

{
    if (FILENAME ~ /\.[ch]$/)
        c_line($0)
    else
        md_line($0)
}

END {
    unit_end()
    row_end()
}
