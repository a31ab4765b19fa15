#!/bin/sh
# Each layer includes itself and what lies below it, and only httpd/ knows httpd. In keeper/ the loop and the
# sites stand on write/ and publish/, which know neither each other nor them, and these on four files that
# all need: the floor. In httpd/ each wing includes those before it: room, conf, stream, process, request. Of
# stream/ the others see three headers alone, and tests its three parts that need nothing of httpd.
. "$(dirname "$0")/lint.sh"

for layer in base grip chat ipc keeper httpd; do
    lint_need "mod_grip_chat/$layer"
    test -n "$(find "mod_grip_chat/$layer" -name '*.c')" ||
        lint_report "mod_grip_chat/$layer:1: holds no C file; check_layers.sh has nothing to look at"
done

# Not lint_c_files: the names decide which layer a file belongs to.
find mod_grip_chat tests/unit tests/fuzz -name '*.[ch]' 2>/dev/null | sort | while read -r file; do
    awk -v file="$file" '
        function layer_of(name) {
            if (name ~ /^gc_/) return "base"
            if (name ~ /^grip_/) return "grip"
            if (name ~ /^chat_/) return "chat"
            if (name ~ /^ipc_/) return "ipc"
            if (name ~ /^write_/) return "write"
            if (name ~ /^publish_/) return "publish"
            if (name ~ /^keeper_(config|poll|task|connection)\./) return "keeper-floor"
            if (name ~ /^keeper_/) return "keeper"
            if (name ~ /^mod_grip_chat\./) return "httpd"
            if (name ~ /^stream_(ledger|pieces|timeouts)\./) return "stream-part"
            if (name ~ /^(room|conf|stream|process|request)_/) {
                sub(/_.*/, "", name)
                return name
            }
            if (name ~ /^(httpd|http_[a-z0-9_]*|ap_[a-z0-9_]*|util_[a-z0-9_]*|mod_[a-z0-9_]*)\.h$/ ||
                name ~ /^(scoreboard|unixd|mpm_common|heartbeat|apache_noprobes|os)\.h$/) return "apache"
            return ""
        }
        BEGIN {
            allowed["base"] = " base "
            allowed["grip"] = " base grip "
            allowed["chat"] = " base chat "
            allowed["ipc"] = " base grip chat ipc "
            floor = " base grip chat ipc keeper-floor "
            allowed["keeper-floor"] = floor
            allowed["write"] = floor "write "
            allowed["publish"] = floor "publish "
            allowed["keeper"] = floor "write publish keeper "
            wing = " base grip chat ipc apache "
            allowed["room"] = wing = wing "room "
            allowed["conf"] = wing = wing "conf "
            allowed["stream-part"] = " base chat stream-part "
            allowed["stream"] = wing = wing "stream stream-part "
            allowed["process"] = wing = wing "process "
            allowed["request"] = wing = wing "request "
            allowed["httpd"] = wing "httpd "
            allowed["tests"] = floor "write publish keeper stream-part "
            n = split(file, part, "/")
            name = part[n]
            layer = part[1] == "tests" ? "tests" : n == 4 ? part[3] : part[2]
            if (layer_of(name) ~ /^(keeper-floor|stream-part)$/)
                layer = layer_of(name)
            if (!(layer in allowed)) {
                print file ":1: lies in no layer; put it in base, grip, chat, ipc, keeper or httpd"
                exit
            }
        }
        /^[ \t]*#[ \t]*include[ \t]*["<]/ {
            name = $0
            sub(/^[^"<]*["<]/, "", name)
            sub(/[">].*/, "", name)
            whole = name
            sub(/.*\//, "", name)
            to = layer_of(name)
            # The one place that forks the keeper.
            if (file == "mod_grip_chat/httpd/process/process_keeper.c" && name == "keeper_loop.h")
                next
            # The record, which every file logs by.
            if (name == "mod_grip_chat.h" && part[2] == "httpd")
                next
            if (to ~ /^stream/ && layer !~ /^(stream|stream-part|tests)$/ && name !~ /^stream_(child|capacity|quota)\.h$/)
                print file ":" FNR ": only httpd/stream may look into " name "; go by stream_child.h"
            if (to != "" && index(allowed[layer], " " to " ") == 0)
                print file ":" FNR ": " layer " must not include " whole ", which is of " to
        }' "$file"
done | {
    lint_report_all
    lint_end
}
