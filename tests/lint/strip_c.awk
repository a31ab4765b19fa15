# Prints C sources as "file:line:text" without comments and, unless mode is "text", with literals
# emptied.
FNR == 1 {
    in_comment = 0
}

{
    line = $0
    out = ""
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (!at) {
                break
            }
            line = substr(line, at + 2)
            in_comment = 0
            continue
        }
        if (!match(line, /\/\*|\/\/|["']/)) {
            out = out line
            break
        }
        mark = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (mark == "/*") {
            in_comment = 1
        }
        else if (mark == "//") {
            break
        }
        else {
            out = out mark
            while (line != "") {
                c = substr(line, 1, 1)
                len = c == "\\" ? 2 : 1
                if (mode == "text" && c != mark) {
                    out = out substr(line, 1, len)
                }
                line = substr(line, len + 1)
                if (c == mark) {
                    break
                }
            }
            out = out mark
        }
    }
    print FILENAME ":" FNR ":" out
}
