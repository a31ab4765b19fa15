# shellcheck shell=bash
# ./dev debian: build, run and test in another Debian.

# What is done there, in the sources' copy: the two ways to run it, of which the first installs what is
# missing, and the units against that Debian's libraries.
debian_steps() {
    cat <<'END'
set -e
cd /usr/local/src/mod_grip_chat
run() {
    local said=$1 tries pid status=
    shift
    echo "debian: ./dev run $*"
    : >/tmp/run.log
    ./dev run "$@" >>/tmp/run.log 2>&1 &
    pid=$!
    for ((tries = 0; tries < 12000; tries++)); do
        ! grep -q '^ready: ' /tmp/run.log || break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if grep -q '^ready: ' /tmp/run.log && grep -q "$said" /tmp/run.log; then
        exec 3<>"/dev/tcp/127.0.0.1/$port"
        printf 'GET /rooms/default/messages/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
        read -r -t 20 _ status _ <&3 || true
        exec 3>&-
    fi
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" || true
    [[ $status == 200 ]] || { tail -n 40 /tmp/run.log; exit 1; }
}
run 'ready: ' --no-proxy --origin-port "$port"
if apt-cache show pushpin >/dev/null 2>&1; then
    echo "debian: it has a package pushpin; see ./dev run"
else
    run 'there is no Pushpin here' --port "$port" --origin-port "$other_port"
fi
make -C build -j"$(nproc)" check TESTS=
make -C build check LINTS=
END
}

cmd_debian() {
    local name=trixie dir= port other_port mirror
    while [[ $# -gt 0 ]]; do
        case $1 in
            --name | --dir) [[ $# -ge 2 ]] || die "$1 needs a value" ;;&
            --name) name=$2; shift ;;
            --dir) dir=$2; shift ;;
            *) die "debian: unknown option '$1'; ./dev tells which there are" ;;
        esac
        shift
    done
    [[ $EUID -eq 0 ]] || die "debian: only root may change its root directory"
    [[ $name =~ ^[a-z]+$ ]] || die "--name: '$name' is no name of a Debian"
    PATH=$PATH:/usr/sbin:/sbin
    install=yes install_packages debootstrap
    dir=${dir:-/var/tmp/grip-chat-$name}
    if [[ ! -x $dir/usr/bin/apt-get ]]; then
        # From where this machine has its packages.
        # shellcheck disable=SC2016 # apt-get replaces it
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
            sed -n '/-security/!{p;q}')
        mkdir -p "$dir"
        debootstrap --variant=minbase "$name" "$dir" "$mirror" >&2
    fi
    # No package starts a service.
    printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
    chmod 755 "$dir/usr/sbin/policy-rc.d"
    mkdir -p "$dir/usr/local/src/mod_grip_chat"
    git ls-files -z | xargs -0 tar cf - -- | tar xf - -C "$dir/usr/local/src/mod_grip_chat"
    port=$((20000 + RANDOM % 10000)) other_port=$((30000 + RANDOM % 2000))
    # Its mounts end with it.
    # shellcheck disable=SC2016 # the inner shell replaces it
    debian_steps | unshare --mount --propagation private bash -c '
        mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/dev/shm" &&
            mount -t tmpfs tmpfs "$1/tmp" && chmod 1777 "$1/tmp" "$1/dev/shm" &&
            exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
                HOME=/root port="$2" other_port="$3" bash -s' _ "$dir" "$port" "$other_port"
}
