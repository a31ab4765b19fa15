# shellcheck shell=bash
# ./dev run: its servers, from their start to their end.

apache_pid=
pushpin_pid=
edge_pid=
tail_pid=

# Ends a server that was started with setsid, and what is left of its process group, no other.
end_server() {
    local pid=$1 tries
    [[ -n $pid ]] || return 0
    kill -TERM "$pid" 2>/dev/null || true
    for ((tries = 0; tries < 100; tries++)); do
        kill -0 -- "-$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

end_run() {
    trap - EXIT
    trap '' INT TERM
    # What is in front first: Apache then has no streams of the proxy to answer any more.
    end_server "$edge_pid"
    end_server "$pushpin_pid"
    end_server "$apache_pid"
    if [[ -n $tail_pid ]]; then
        kill "$tail_pid" 2>/dev/null || true
    fi
}

# Each server is the leader of its own group (prefork signals its whole group), so that a Ctrl-C
# reaches this script alone, which then ends them in order. Should this script be killed, the
# kernel tells them.
start_apache() {
    setpriv --pdeathsig TERM setsid apache2 -DFOREGROUND -f "$run_dir/httpd.conf" </dev/null >>"$run_dir/error.log" 2>&1 &
    apache_pid=$!
}

# It finds the programs that it starts on the PATH alone, wherever it is itself.
start_pushpin() {
    PATH=$(dirname "$(readlink -f "$pushpin")"):$PATH \
        setpriv --pdeathsig TERM setsid "$pushpin" --config="$run_dir/pushpin/pushpin.conf" \
        </dev/null >>"$run_dir/pushpin/log/pushpin.log" 2>&1 &
    pushpin_pid=$!
}

start_edge() {
    local host
    if command -v viceroy >/dev/null; then
        say "the edge app runs in Viceroy"
        host=(viceroy --addr "127.0.0.1:$port" -C "$run_dir/fastly.toml"
            --local-pushpin-proxy-port "$pushpin_port" edge/bin/main.wasm)
    else
        say "viceroy is not installed: the edge app runs in its stand-in"
        host=(node --no-warnings edge/local/serve.mjs --port "$port" --origin "$origin_port"
            --pushpin "$pushpin_port")
    fi
    setpriv --pdeathsig TERM setsid "${host[@]}" </dev/null >>"$run_dir/edge.log" 2>&1 &
    edge_pid=$!
}

# answers PORT PATH: whether a GET gets a 200.
answers() {
    (
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
        read -r -t 2 _ status _ <&3
        [[ $status == 200 ]]
    ) 2>/dev/null
}

# Pushpin answers requests before it can hold streams; see conf/dev/routes.in.
apache_is_ready() { answers "$origin_port" /rooms/default/messages/; }
pushpin_is_ready() {
    answers "$pushpin_port" /.well-known/pushpin-is-ready/stream &&
        answers "$pushpin_port" /rooms/default/messages/
}
edge_is_ready() {
    answers "$port" /.well-known/fastly/demo-manifest && answers "$port" /rooms/default/messages/
}

wait_until_ready() {
    local what=$1 condition=$2 pid=$3 log=$4 tries
    for ((tries = 0; tries < 150; tries++)); do
        ! "$condition" || return 0
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    say "$what does not answer; the end of $log:"
    tail -n 20 "$log" >&2 || true
    exit 1
}

serve() {
    trap end_run EXIT
    # Ctrl-C is how a run is meant to end.
    trap 'exit 0' INT TERM
    : >"$run_dir/error.log"
    : >"$run_dir/pushpin/log/pushpin.log"
    : >"$run_dir/edge.log"
    tail --pid=$$ -q -n 0 -F "$run_dir/error.log" "$run_dir/pushpin/log/pushpin.log" "$run_dir/edge.log" \
        >&2 2>/dev/null &
    tail_pid=$!
    start_apache
    wait_until_ready Apache apache_is_ready "$apache_pid" "$run_dir/error.log"
    local ready_port=$origin_port
    if [[ $proxy == yes ]]; then
        start_pushpin
        wait_until_ready Pushpin pushpin_is_ready "$pushpin_pid" "$run_dir/pushpin/log/pushpin.log"
        ready_port=$port
    fi
    if [[ $edge == yes ]]; then
        start_edge
        wait_until_ready "the edge app" edge_is_ready "$edge_pid" "$run_dir/edge.log"
    fi
    printf 'ready: http://localhost:%s/\n' "$ready_port"
    wait -n "$apache_pid" ${pushpin_pid:+"$pushpin_pid"} ${edge_pid:+"$edge_pid"} || true
    die "a server ended by itself; its log is in $run_dir"
}
