# shellcheck shell=bash
# The Pushpin of this machine, or one of Debian's.

# The program, or nothing where there is none. GRIP_CHAT_PUSHPIN names another than the one on the PATH;
# `none` leaves it away.
pushpin=

# is_newer_pushpin PROGRAM: whether it is of 1.40 or newer, which does its requests to the origin itself.
is_newer_pushpin() {
    local version
    version=$("$1" --version 2>/dev/null | sed -nE 's/^pushpin v?([0-9]+\.[0-9]+).*/\1/p')
    [[ -n $version ]] && printf '1.40\n%s\n' "$version" | sort -V -C
}

apt_knows() { apt-cache show "$1" 2>/dev/null | grep -q '^Package:'; }

# Debian 12 has packages of it, Debian 13 none.
find_pushpin() {
    case ${GRIP_CHAT_PUSHPIN:-} in
        none) return 0 ;;
        '') pushpin=$(command -v pushpin || true) ;;
        *)
            pushpin=$(command -v "$GRIP_CHAT_PUSHPIN" || true)
            [[ -n $pushpin ]] || die "GRIP_CHAT_PUSHPIN: $GRIP_CHAT_PUSHPIN is no program"
            return 0
            ;;
    esac
    if [[ -n $pushpin ]] && is_newer_pushpin "$pushpin"; then
        return 0
    fi
    # The packages below are installed by now, so a list that does not know Pushpin is one without it.
    if command -v apt-cache >/dev/null && { [[ -n $pushpin ]] || apt_knows pushpin; }; then
        install_packages "${packages_pushpin[@]}"
    fi
    pushpin=$(command -v pushpin || true)
}

pushpin_services() {
    if is_newer_pushpin "$pushpin"; then
        echo connmgr,proxy,handler
    else
        echo condure,zurl,pushpin-proxy,pushpin-handler
    fi
}

# The file that a Pushpin was installed with.
pushpin_internal_conf() {
    local beside
    beside=$(dirname "$(dirname "$(readlink -f "$pushpin")")")/lib/pushpin/internal.conf
    if [[ -f $beside ]]; then echo "$beside"; else echo /usr/lib/pushpin/internal.conf; fi
}
