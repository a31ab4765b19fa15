# shellcheck shell=bash
# Debian's packages that a command needs, and their installation.

packages_run=(gcc make autoconf automake libtool pkg-config
    apache2-bin apache2-dev libapr1-dev libaprutil1-dev libaprutil1-dbd-sqlite3
    libcurl4-openssl-dev libssl-dev libjansson-dev libsqlite3-dev libcmocka-dev
    ca-certificates)
# Not in every Debian; see find_pushpin.
packages_pushpin=(pushpin condure zurl)
# clang's own runtimes, which libFuzzer is part of.
packages_fuzz=(clang libclang-rt-dev)
packages_edge=(clang lld wasi-libc libclang-rt-dev-wasm32 nodejs)
# A server of event streams that ours are measured beside.
packages_nchan=(nginx libnginx-mod-nchan)
# The page's browsers.
packages_browser=(python3-selenium chromium chromium-driver fonts-dejavu-core)
packages_check=(clang-format clang-tidy shellcheck faketime
    strace python3 python3-pytest python3-pytest-xdist wrk nghttp2-client python3-jwt python3-cryptography
    python3-requests curl haproxy "${packages_browser[@]}" "${packages_edge[@]}" "${packages_nchan[@]}")
packages_bench=(python3 python3-jwt python3-cryptography wrk nghttp2-client python3-matplotlib
    "${packages_browser[@]}" "${packages_nchan[@]}")

missing_packages() {
    local name
    for name in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] ||
            printf '%s\n' "$name"
    done
}

install_packages() {
    local missing name as_root=()
    command -v dpkg-query >/dev/null || {
        say "not a Debian machine: install by hand what the README lists"
        return 0
    }
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if [[ $install == no ]]; then
        die "missing packages, and --no-install was given: ${missing[*]}"
    fi
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null ||
            die "missing packages; as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q >&2
    for name in nginx haproxy; do
        [[ " ${missing[*]} " != *" $name "* ]] || install_stopped "$name" "${as_root[@]}"
    done
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# Tests and bench start servers of their own. The package's service must run neither now nor after the next
# boot: systemd finds it masked while it is installed; what another init has started is stopped.
install_stopped() {
    local name=$1
    shift
    local as_root=("$@") mask=/etc/systemd/system/$name.service masked=no
    if [[ -d /run/systemd/system && ! -e $mask && ! -L $mask ]]; then
        "${as_root[@]}" ln -s /dev/null "$mask"
        masked=yes
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$name" >&2 || say "$name could not be installed"
    if [[ $masked == yes ]]; then
        "${as_root[@]}" rm -f "$mask"
        "${as_root[@]}" systemctl daemon-reload
    fi
    [[ ! -e /run/$name.pid ]] || "${as_root[@]}" invoke-rc.d "$name" stop >&2
    "${as_root[@]}" update-rc.d "$name" disable >&2 || say "$name.service may start at the next boot"
}
