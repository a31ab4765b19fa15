# shellcheck shell=bash
# ./dev bench: what requests and streams take.

cmd_bench() {
    local options=()
    install=yes
    while [[ $# -gt 0 ]]; do
        case $1 in
            --runs | -k | --original) [[ $# -ge 2 ]] || die "$1 needs a value" ;;&
            --quick | --smoke | --long | --no-plots | --write) options+=("$1") ;;
            --runs | -k | --original) options+=("$1" "$2"); shift ;;
            --no-install) install=no ;;
            *) die "bench: unknown option '$1'; ./dev tells which there are" ;;
        esac
        shift
    done
    PATH=$PATH:/usr/sbin:/sbin
    install_packages "${packages_run[@]}" "${packages_bench[@]}"
    find_pushpin
    # Measured as it is installed: without assertions.
    build_tree build-bench gcc --disable-assertions >&2 || die "the build failed"
    GRIP_CHAT_BUILD=$root/build-bench PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests \
        /usr/bin/python3 -m bench "${options[@]}"
}
