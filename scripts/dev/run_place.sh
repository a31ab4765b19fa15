# shellcheck shell=bash
# ./dev run: the directory, the user and the ports.

run_user() { if [[ $EUID -eq 0 ]]; then echo www-data; else id -un; fi; }
run_group() { if [[ $EUID -eq 0 ]]; then echo www-data; else id -gn; fi; }

# Whether the user that Apache's children run as can pass through a directory.
run_user_can_enter() { as_run_user test -x "$1"; }

as_run_user() {
    if [[ $EUID -eq 0 ]]; then
        setpriv --reuid="$(run_user)" --regid="$(run_group)" --clear-groups "$@"
    else
        "$@"
    fi
}

# The address of a Unix socket holds 107 bytes, and Pushpin's longest name below a run
# directory takes 40 of them.
longest_run_dir=67

choose_run_dir() {
    local wanted=$1 fallback
    if [[ -n $wanted ]]; then
        mkdir -p "$wanted"
        run_dir=$(cd -P "$wanted" && pwd)
        [[ $run_dir != "$root" && $root != "$run_dir"/* ]] ||
            die "--dir: $run_dir holds the sources: name a directory for the run alone"
        run_user_can_enter "$run_dir" ||
            die "user $(run_user) cannot enter $run_dir: name another --dir, or chmod o+x its parents"
        [[ ${#run_dir} -le $longest_run_dir ]] ||
            die "$run_dir is too long for the Unix sockets in it ($longest_run_dir bytes): name a shorter --dir"
        return
    fi
    if run_user_can_enter "$root" && [[ $((${#root} + 4)) -le $longest_run_dir ]]; then
        mkdir -p "$root/run"
        run_dir=$root/run
        return
    fi
    # A clone in a home directory that nobody else may enter, or very deep.
    fallback=/var/tmp/grip-chat-$(printf '%s' "$root" | cksum | cut -d' ' -f1)
    mkdir -p "$fallback"
    [[ -O $fallback && ! -L $fallback ]] || die "$fallback is not ours: name another --dir"
    run_dir=$fallback
    say "user $(run_user) cannot use $root: running in $run_dir"
}

# Apache's children read the page themselves, so it must be where they can come.
choose_htdocs() {
    htdocs=$root/htdocs
    [[ -f $htdocs/index.html ]] || die "$htdocs/index.html is missing"
    as_run_user test -r "$htdocs/index.html" && return
    rm -rf "$run_dir/page-copy"
    cp -R "$htdocs" "$run_dir/page-copy"
    chmod -R a+rX "$run_dir/page-copy"
    htdocs=$run_dir/page-copy
    say "serving a copy of the page, $htdocs: start again to see changes to it"
}

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

check_port() {
    local port=$1 option=$2 hint=${3:-}
    [[ $port =~ ^[1-9][0-9]{0,4}$ && $port -le 65535 ]] ||
        die "$option: '$port' is no port number"
    if port_is_taken "$port"; then
        die "port $port is in use: free it or give another one with $option${hint:+ ($hint)}"
    fi
}
