#!/bin/sh
# Shows that each lint passes a small tree that is in order and fails it with one thing wrong, saying
# where: a lint that cannot fail protects nothing.
lints=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
tree=$work/tree
checked=0
failed=0

# Add lines to a file of the tree, which may be new.
add()
{
    mkdir -p "$(dirname "$tree/$1")"
    cat >> "$tree/$1"
}

# Change a file of the tree with a sed script.
edit()
{
    sed "$2" "$tree/$1" > "$work/edited" && mv "$work/edited" "$tree/$1"
}

# A tree that every lint passes.
begin()
{
    rm -rf "$tree"
    mkdir -p "$tree"
    add mod_grip_chat/base/gc_json.c << 'EOF'
#include "gc_json.h"
#include <jansson.h>
/* sprintf("GC0101: in a comment") is no call */
static const char hex[] = "0123";
void gc_log_line(const gc_log_t *log, const char *format, ...)
{
    puts("call exit(1) or strcpy(a, b)");
}
EOF
    add mod_grip_chat/base/gc_json.h << 'EOF'
#include <apr.h>
EOF
    add mod_grip_chat/base/gc_clock.h << 'EOF'
#include <apr_time.h>
EOF
    add mod_grip_chat/httpd/process/process_keeper.c << 'EOF'
#include "keeper_loop.h"
#include "process_keeper.h"
#include "stream_child.h"
EOF
    add mod_grip_chat/grip/grip_transport_curl.c << 'EOF'
#include <curl/curl.h>
#include "gc_json.h"
EOF
    add mod_grip_chat/grip/grip_crypto_openssl.c << 'EOF'
#include <openssl/evp.h>
EOF
    add mod_grip_chat/chat/chat_database_dbd.c << 'EOF'
#include <apr_dbd.h>
#include "gc_json.h"
EOF
    add mod_grip_chat/chat/chat_database_sqlite.c << 'EOF'
#include <sqlite3.h>
EOF
    add mod_grip_chat/ipc/ipc_frame.h << 'EOF'
/* The frames between two processes.
 * Lives in both. */
EOF
    add mod_grip_chat/ipc/ipc_frame.c << 'EOF'
#include "chat_codec.h"
EOF
    add mod_grip_chat/keeper/keeper_loop.c << 'EOF'
#include "chat_store.h"
#include "ipc_frame.h"
#include "grip_item.h"
void keeper_loop_run(void)
{
    gc_log_line(log, GC_LOG_ERR, rv, "GC0101: stopped");
    _exit(1);
}
EOF
    add mod_grip_chat/httpd/mod_grip_chat.c << 'EOF'
#include <httpd.h>
#include "request_handler.h"
static int state;
static void bridge(const char *line)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, "%s", line);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, rv, r,
                  "GC0201: %s", text);
}
EOF
    add mod_grip_chat/httpd/conf/conf_server.h << 'EOF'
#define LIMIT_MAX (2 * LIMIT_HALF)
#define LIMIT_HALF 500
typedef struct conf_settings_t {
    apr_uint64_t written; /**< bits; of rows */
    const char *site;     /**< name; of the site */
    const char *driver;
    apr_array_header_t
        *params; /**< of driver */
    apr_int64_t hold;
    apr_int64_t limit;
    apr_int64_t size;
    apr_interval_time_t pause;
    apr_int64_t rate;
    apr_int64_t burst;
    apr_int64_t most;
} conf_settings_t;
EOF
    add mod_grip_chat/httpd/conf/conf_directives.c << 'EOF'
#define NUMBER(name, scope, member, min, max, fallback, text) \
    AP_INIT_TAKE1(name, conf_row_number, ONE(scope, member), text)
const command_rec conf_directives[] = {
    VALUE("GripChatSite", HOST, site, "a name"),
    CUSTOM("GripChatDatabase", HOST, TAKE2, database, "two (in a way), of which", TEXT, driver,
           params),
    FLAG("GripChatHold", HOST, hold, 1, "on or off"),
    NUMBER(
        "GripChatLimit", SITE, limit, 1, LIMIT_MAX, 50, "how many"),
    BYTES_OR_OFF("GripChatSize", MAIN, size, 64 * 1024, APR_INT64_C(64) * 1024 * 1024 * 1024,
                 128 * 1024, "how large"),
    TIME("GripChatPause", SITE, pause, apr_time_from_sec(1), apr_time_from_sec(3600),
         apr_time_from_sec(20), "how long"),
    CUSTOM("GripChatRate", SITE, TAKE12, rate, "how often", NUMBERS, rate, burst, .min = 1,
           .max = 1000, .fallback = {4, 5}),
    NUMBER_OR_NONE("GripChatMost", MAIN, most, 1, 9, 3, "no default"),
#ifdef CONF_DIRECTIVES_OF_TESTS
    NUMBER("GripChatTestNumber", LOCATION, test_number, 1, 1000, 7, "of tests"),
#endif
    {NULL},
};
EOF
    add docs/manual.md << 'EOF'
# mod_grip_chat
## GripChatSite
| Context | server config, virtual host |
## GripChatDatabase
| Context | server config, virtual host |
### GripChatHold
| Default | `GripChatHold On` |
| Context | server config, virtual host |
## GripChatLimit
| Default | `GripChatLimit 50` |
| Context | server config, virtual host |

It is not large. From 1 to 1000.
## GripChatSize
| Default | `GripChatSize 128K` |
| Context | server config |

From 64K to 64G; K counts.
## GripChatPause
| Default | `GripChatPause 20s` |
| Context | server config, virtual host |

From `1s` to `1h`.
## GripChatRate
| Default | `GripChatRate 4 5` |
| Context | server config, virtual host |

Both from 1
to 1000.
## GripChatMost
| Default | as many as fit |
| Context | server config |

From 1 to 9.
# Limits
| list | `GripChatLimit`, 50 messages; at most 1,000; `GripChatSize`, 128 KiB; one is alone |
EOF
    add README.md << 'EOF'
# What it is
The module keeps rooms.
EOF
    add conf/grip_chat.conf << 'EOF'
GripChatSite demo
#GripChatDatabase sqlite3 /x
#   GripChatHold On

# Both (1 to 1000), and this
# one (64K to 64G, or Off).
#GripChatLimit 50
#GripChatSize 128K

# A time, or two.
#GripChatPause 20s
#GripChatMost 3

# How often (1 to
# 1000).
#GripChatRate 4 5
EOF
    add tests/unit/base/test_gc_json.c << 'EOF'
static int pool_setup(void **state)
{
}
static void reads_text(void **state)
{
}
static void reads_numbers(void **state)
{
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            reads_text, pool_setup, pool_teardown),
        POOL_TEST(reads_numbers),
    };
}
EOF
    add dev << 'EOF'
#!/bin/sh
. scripts/run.sh
run "$@"
EOF
    add scripts/run.sh << 'EOF'
# shellcheck shell=sh
run()
{
    # shellcheck disable=SC2086 # several words
    make $OPTIONS "$@"
}
EOF
    add tests/sources.mk << 'EOF'
check_PROGRAMS = tests/unit/base/test_gc_json
EOF
}

# $1 lint, $2 what is tried, $3 the exit status wanted, $4 what it must say
run()
{
    output=$(sh "$lints/$1.sh" "$tree" 2>&1)
    status=$?
    checked=$((checked + 1))
    if test "$status" != "$3" || { test -n "$4" && ! printf '%s\n' "$output" | grep -q "$4"; }; then
        printf '%s: %s: wanted status %s and "%s", got status %s:\n%s\n' "$1" "$2" "$3" "$4" \
            "$status" "$output"
        failed=$((failed + 1))
    fi
}

passes()
{
    run "$1" "$2" 0 ''
}

fails()
{
    run "$1" "$2" 1 "$3"
}

# Add one line to a file of a fresh tree, and see the lint name the file.
fails_on_line()
{
    begin
    printf '%s\n' "$3" | add "$2"
    fails "$1" "$3" "^$2:[0-9][0-9]*: "
}

all='check_layers check_vendor check_size check_banned check_logno check_tests_registered
check_directives_documented check_heads check_paths check_clock check_english'
if command -v shellcheck > /dev/null; then
    all="$all check_shell"
fi

for lint in $all; do
    begin
    passes "$lint" 'a tree in order'
    rm -rf "$tree"
    mkdir -p "$tree"
    fails "$lint" 'an empty tree' 'nothing to look at'
done

# --- check_layers
fails_on_line check_layers mod_grip_chat/base/gc_json.h '#include "grip_item.h"'
fails_on_line check_layers mod_grip_chat/base/gc_json.h '#include <chat_types.h>'
fails_on_line check_layers mod_grip_chat/chat/chat_database_dbd.c '#include "../grip/grip_item.h"'
fails_on_line check_layers mod_grip_chat/grip/grip_transport_curl.c '# include "chat_types.h"'
fails_on_line check_layers mod_grip_chat/grip/grip_transport_curl.c '#include "ipc_frame.h"'
fails_on_line check_layers mod_grip_chat/ipc/ipc_frame.c '#include "keeper_loop.h"'
fails_on_line check_layers mod_grip_chat/keeper/write/write_thread.c '#include "publish_proxy.h"'
fails_on_line check_layers mod_grip_chat/keeper/write/write_thread.c '#include "keeper_loop.h"'
begin
echo '#include "keeper_task.h"' | add mod_grip_chat/keeper/write/write_thread.c
passes check_layers 'the floor under the writer'
for header in httpd http_log ap_config util_filter mod_status scoreboard unixd; do
    fails_on_line check_layers mod_grip_chat/keeper/keeper_loop.c "#include <$header.h>"
done
fails_on_line check_layers mod_grip_chat/keeper/keeper_loop.c '#include "conf_server.h"'
for include in room/room_view.c:conf_site.h conf/conf_server.c:stream_child.h \
    stream/stream_child.c:process_hooks.h process/process_keeper.c:request_handler.h \
    request/request_handler.c:keeper_loop.h; do
    fails_on_line check_layers "mod_grip_chat/httpd/${include%:*}" "#include \"${include#*:}\""
done
fails_on_line check_layers mod_grip_chat/httpd/request/request_handler.c '#include "stream_connection.h"'
fails_on_line check_layers mod_grip_chat/httpd/stream/stream_pieces.c '#include "stream_connection.h"'
fails_on_line check_layers mod_grip_chat/httpd/stream/stream_ledger.c '#include <ap_mpm.h>'
fails_on_line check_layers mod_grip_chat/httpd/request/request_events.c '#include "stream_pieces.h"'
fails_on_line check_layers tests/unit/stream/test_stream_quota.c '#include "stream_quota.h"'
begin
echo '#include "stream_pieces.h"' | add tests/unit/stream/test_stream_pieces.c
passes check_layers 'a test of a part of streams'
fails_on_line check_layers mod_grip_chat/stray.c 'int x;'
fails_on_line check_layers tests/unit/base/test_gc_json.c '#include <http_core.h>'

# --- check_heads
for folder in ipc keeper keeper/write httpd/stream; do
    begin
    printf '%s\n' '/* A thing. */' '/* Lives in a comment behind the first. */' | add "mod_grip_chat/$folder/new.h"
    fails check_heads "a header of $folder that does not say where it lives" "^mod_grip_chat/$folder/new.h:1: "
done

# --- check_vendor
fails_on_line check_vendor mod_grip_chat/httpd/mod_grip_chat.c '#include <curl/curl.h>'
fails_on_line check_vendor mod_grip_chat/grip/grip_sig.h '#include <openssl/hmac.h>'
fails_on_line check_vendor mod_grip_chat/chat/chat_codec.c '#include "jansson.h"'
fails_on_line check_vendor mod_grip_chat/keeper/keeper_loop.c '#include <apr_dbd.h>'
fails_on_line check_vendor mod_grip_chat/chat/chat_database_dbd.c '#include <sqlite3.h>'
begin
: > "$tree/mod_grip_chat/base/gc_json.c"
fails check_vendor 'the one file without its header' '^mod_grip_chat/base/gc_json.c:1: '

# --- check_size
for lines in 500 501; do
    begin
    awk -v n=$lines 'BEGIN { while (n--) print "int x;" }' | add mod_grip_chat/base/gc_long.c
    test $lines = 500 && passes check_size "a file of 500 lines"
done
fails check_size 'a file of 501 lines' '^mod_grip_chat/base/gc_long.c:501: '
for lines in 58 59; do
    begin
    {
        echo 'void f(void)'
        echo '{'
        awk -v n=$lines 'BEGIN { while (n--) print "    x++;" }'
        echo '}'
    } | add tests/unit/base/test_long.c
    test $lines = 58 && passes check_size "a function of 60 lines"
done
fails check_size 'a function of 61 lines' '^tests/unit/base/test_long.c:2: '

# --- check_banned
for call in 'sprintf(a, b)' 'vsprintf(a, b, c)' 'strcpy(a, b)' 'strcat(a, b)' 'strncat(a, b, 1)' \
    'strtok(a, b)' 'atoi(a)' 'atol(a)' 'gets(a)' 'system(a)' 'strcasecmp(a, b)' \
    'strncasecmp(a, b, 1)' 'apr_base64_decode(a, b)' 'sqlite3_open(a, b)'; do
    fails_on_line check_banned mod_grip_chat/httpd/mod_grip_chat.c "    x = $call;"
done
fails_on_line check_banned tests/unit/base/test_gc_json.c 'sprintf(a, b);'
fails_on_line check_banned mod_grip_chat/base/gc_json.c '#include <sqlite3.h>'
for call in 'setlocale(LC_ALL, "")' 'exit(1)' 'abort()'; do
    fails_on_line check_banned mod_grip_chat/keeper/keeper_loop.c "    $call;"
done
for line in 'static int count;' 'static int table[4] = {f(0)};' 'static const char *current;' \
    '    static apr_pool_t *pool = NULL;'; do
    fails_on_line check_banned mod_grip_chat/grip/grip_transport_curl.c "$line"
done
begin
add mod_grip_chat/base/gc_json.c << 'EOF'
/* strcpy(a, b);
   static int count;
   atoi(a); */
static const char *const names[] = {"exit(1)", "a \" system(x)"}; // gets(a)
static int my_atoi(const char *text);
static inline int is_set(int x)
static const char *const sqlite3_checks[] = {"sqlite3_open(a)"};
EOF
passes check_banned 'comments, literals and longer names'

# --- check_clock
for line in 'gc_moment_t end = apr_time_now() + PATIENCE;' 'gettimeofday(&now, NULL);' \
    'clock_gettime(CLOCK_REALTIME, &now);' 'x = time(NULL);' \
    'apr_thread_cond_timedwait(a, b, 1);' 'rv = keeper_post(apr_time_now());'; do
    fails_on_line check_clock mod_grip_chat/keeper/keeper_loop.c "    $line"
done
fails_on_line check_clock mod_grip_chat/chat/chat_database_dbd.c '    x = apr_time_now();'
fails_on_line check_clock mod_grip_chat/chat/chat_database_dbd.c \
    '    return apr_time_now();'
fails_on_line check_clock mod_grip_chat/httpd/process/process_keeper.c '    x = apr_time_now();'
fails_on_line check_clock mod_grip_chat/keeper/write/write_thread.c '    x = apr_time_now();'
begin
add mod_grip_chat/keeper/write/write_thread.c << 'EOF'
    return apr_time_now();
EOF
add mod_grip_chat/keeper/keeper_loop.c << 'EOF'
    gc_log_line(log, GC_LOG_ERR, rv, "GC0102: another time (apr_time_now())"); /* apr_time_now() */
EOF
passes check_clock "a message's date, and words"

# --- check_logno
fails_on_line check_logno mod_grip_chat/keeper/keeper_loop.c \
    'gc_log_line(log, GC_LOG_ERR, rv, "GC0101: again");'
fails_on_line check_logno mod_grip_chat/keeper/keeper_loop.c \
    'gc_log_line(log, GC_LOG_ERR, rv, "without");'
for function in ap_log_error ap_log_rerror ap_log_perror ap_log_cerror; do
    fails_on_line check_logno mod_grip_chat/httpd/mod_grip_chat.c \
        "$function(APLOG_MARK, APLOG_ERR, rv, s, \"GC12: short\");"
done
begin
add mod_grip_chat/httpd/mod_grip_chat.c << 'EOF'
    ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                 "no id");
    ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, "GC0999: an id");
EOF
fails check_logno 'a call without an id before one with' '^mod_grip_chat/httpd/mod_grip_chat.c:'

# --- check_tests_registered
fails_on_line check_tests_registered tests/unit/base/test_gc_json.c \
    'static void forgotten(void **state)'
fails_on_line check_tests_registered tests/unit/base/test_gc_json.c \
    'static void reads(void **state)'
begin
mkdir -p "$tree/tests/unit/grip"
cp "$tree/tests/unit/base/test_gc_json.c" "$tree/tests/unit/grip/test_grip_url.c"
fails check_tests_registered 'a file that is not built' '^tests/unit/grip/test_grip_url.c:1: '
begin
: > "$tree/tests/unit/base/test_gc_json.c"
echo 'int x;' | add tests/unit/base/test_gc_json.c
fails check_tests_registered 'a file without a test' '^tests/unit/base/test_gc_json.c:1: has no test'

# --- check_directives_documented
table=mod_grip_chat/httpd/conf/conf_directives.c
header=mod_grip_chat/httpd/conf/conf_server.h
fails_on_line check_directives_documented docs/manual.md '## GripChatOld'
fails_on_line check_directives_documented conf/grip_chat.conf '# GripChatOld 1'
begin
edit $table 's/^    FLAG/    VALUE("GripChatNew", HOST, hold, "x"),\
    FLAG/'
fails check_directives_documented 'a directive that is not described' '^docs/manual.md:1: GripChatNew'
fails check_directives_documented 'a directive that is not shown' '^conf/grip_chat.conf:1: GripChatNew'
for file in docs/manual.md conf/grip_chat.conf $table $header; do
    begin
    rm "$tree/$file"
    fails check_directives_documented "no $file" "^$file:1: is missing"
done

# $1 a file, $2 how it is changed by sed, $3 what the lint says
fails_when()
{
    begin
    edit "$1" "$2"
    fails check_directives_documented "$2" "$3"
}

fails_when $table 's/"GripChat/"Other/' "^$table:1: has no row"
fails_when $header 's/conf_settings_t/other_t/' "^$header:1: has no struct conf_settings_t"
fails_when $header 's/^    apr_int64_t most;/&\
    const char *other; \/**< no row *\//' "^$header:[0-9]*: other is of 0 rows"
fails_when $table 's/SITE, limit/SITE, hold/' "^$header:[0-9]*: hold is of 2 rows"
fails_when $table 's/driver,$/params,/' "^$header:[0-9]*: driver is of 0 rows"
fails_when $table 's/HOST, site/MAIN, site/' "^docs/manual.md:2: GripChatSite: .*'server config'"
fails_when $table 's/HOST, site/LOCATION, site/' "^docs/manual.md:2: GripChatSite: .*, directory'"

# A sed script that changes a file, the directive and what of it the lint says.
while IFS=@ read -r file change name; do
    at=$file
    test "$file" != $table || at=docs/manual.md
    fails_when "$file" "$change" "^$at:[0-9]*: GripChat$name"
done << EOF
$table@s/LIMIT_MAX, 50/LIMIT_MAX, 51/@Limit: the default
$table@s/limit, 1/limit, 2/@Limit: the least
$table@s/LIMIT_MAX/LIMIT_HALF/@Limit: the greatest
$table@s/128 \* 1024/127 * 1024/@Size: the default
$table@s/size, 64/size, 63/@Size: the least
$table@s/INT64_C(64)/INT64_C(32)/@Size: the greatest
$table@s/sec(20)/sec(21)/@Pause: the default
$table@s/sec(1)/sec(2)/@Pause: the least
$table@s/sec(3600)/sec(60)/@Pause: the greatest
$table@s/{4, 5}/{4, 6}/@Rate: the default
$table@s/max = 1000/max = 100/@Rate: the greatest
$table@s/hold, 1/hold, 0/@Hold: the default
$table@s/most, 1, 9/most, 1, 8/@Most: the greatest
conf/grip_chat.conf@s/#GripChatLimit 50/#GripChatLimit 5/@Limit: the default
conf/grip_chat.conf@s/(1 to 1000)/(0 to 1000)/@Limit: the least
conf/grip_chat.conf@s/(1 to 1000)/(1 to 999)/@Limit: the greatest
conf/grip_chat.conf@s/64K to/65K to/@Size: the least
conf/grip_chat.conf@s/#GripChatPause 20s/#GripChatPause 20/@Pause: the default
conf/grip_chat.conf@s/^# 1000)/# 1001)/@Rate: the greatest
conf/grip_chat.conf@s/Rate 4 5/Rate 4/@Rate: the default
docs/manual.md@s/, 50 messages/, 51 messages/@Limit: the default
docs/manual.md@s/at most 1,000/at most 1,001/@Limit: the greatest
docs/manual.md@s/128 KiB/129 KiB/@Size: the default
docs/manual.md@s/Default | as many as fit/Default | \`GripChatMost 3\`/@Most has no default
EOF

# --- check_paths; the names are put together here so that this file passes the lint itself
slash=/
for line in "cd ${slash}work/main" "see ${slash}root/x" "in ${slash}home/al/x" "as ..${slash}shared/x says" \
    'TO''DO: later' 'FIX''ME'; do
    fails_on_line check_paths docs/manual.md "$line"
done
begin
printf '%s\n' 'TO''DO(#12): later' "a frame${slash}work/of art" "\${dir}${slash}root/x" | add docs/manual.md
passes check_paths 'notes with an issue, and longer paths'

# --- check_english
ten='one two three four five six seven eight nine ten'
for line in 'What is new goes first.' 'Who reads it, polls.' 'It goes. Whoever, he polls.' \
    'So nobody reads it.' 'It must shall.' 'as in the file of before' "It reads $ten $ten $ten."; do
    begin
    printf '/** %s */\nint x;\n' "$line" | add mod_grip_chat/base/gc_json.h
    fails check_english "in a comment: $line" '^mod_grip_chat/base/gc_json.h:1: has 1 '
done
for line in '- Who reads it, polls.' 'It must shall.' "It reads $ten $ten $ten."; do
    begin
    printf '\n%s\n' "$line" | add README.md
    fails check_english "in Markdown: $line" '^README.md:1: has 1 '
done
begin
add mod_grip_chat/base/gc_json.h << 'EOF'
/**
 * The first line of two ends in of
 * before, which counts.
 * @param out   what is left
 */
EOF
fails check_english 'a phrase over two lines' 'gc_json.h:1: has 1 words of the list'
fails check_english 'a parameter' 'gc_json.h:1: has 1 sentences that begin'
begin
echo 'gc_log_line(log, GC_LOG_ERR, rv, "GC0102: nobody " "reads");' |
    add mod_grip_chat/keeper/keeper_loop.c
fails check_english 'a log line' '^mod_grip_chat/keeper/keeper_loop.c:1: has 1 words'
begin
printf '\n| a | Nobody reads it | It reads %s. |\n' "$ten $ten $ten" | add README.md
fails check_english 'a cell of a table' '^README.md:1: has 1 words of the list'
fails check_english 'another cell' '^README.md:1: has 1 sentences of more than 30'
begin
add README.md << EOF

    What is code, for ever nobody's: $ten $ten $ten

Who reads it? See \`nobody\` and [this](upon.md), it has $ten $ten end.
EOF
add mod_grip_chat/base/gc_json.h << EOF
static const char text[] = "What nobody reads";
/* It reads $ten one two. */
/* It reads $ten $ten. */
EOF
passes check_english 'code, questions, literals and two comments'
begin
printf '\nWhat is new goes first, nobody says.\n' | add README.md
echo 'README.md 1 1 0 0' | add tests/lint/english.counts
passes check_english 'a file with its row'
echo 'README.md 1 2 0 0' > "$tree/tests/lint/english.counts"
fails check_english 'a file plainer than its row' 'write its row as: README.md 1 1 0 0$'
echo 'README.md 1 0 0 0' > "$tree/tests/lint/english.counts"
fails check_english 'a file less plain than its row' '^README.md:1: has 1 words of the list.*, 0 are'
begin
echo 'README.md 1 1 0 0' | add tests/lint/english.counts
fails check_english 'a row of a file that is plain' 'README.md is plainer now; remove its row'
echo 'docs/gone.md 1 1 0 0' > "$tree/tests/lint/english.counts"
fails check_english 'a row of a file that is gone' 'docs/gone.md is not there; remove its row'

# --- check_shell
if command -v shellcheck > /dev/null; then
    # shellcheck disable=SC2016 # it is the scripts' text
    for file in dev scripts/run.sh; do
        fails_on_line check_shell $file 'rm $1'
    done
    # shellcheck disable=SC2016 # likewise
    fails_on_line check_shell edge/build.sh 'cd $(pwd)'
    fails_on_line check_shell scripts/run.sh '# shellcheck disab''le=SC2086'
    fails_on_line check_shell scripts/stray.sh '# shellcheck shell=sh'
fi

if test $failed != 0; then
    printf '%s of %s tries of the lints went wrong\n' $failed $checked
    exit 1
fi
printf '%s tries of the lints went as they should\n' $checked
