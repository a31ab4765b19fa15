# shellcheck shell=bash
# ./dev soak: every fault in its long form.

cmd_soak() {
    local hours=1 only=()
    install=yes
    while [[ $# -gt 0 ]]; do
        case $1 in
            --hours | -k) [[ $# -ge 2 ]] || die "$1 needs a value" ;;&
            --hours) hours=$2; shift ;;
            -k) only=(-k "$2"); shift ;;
            --no-install) install=no ;;
            *) die "soak: unknown option '$1'; ./dev tells which there are" ;;
        esac
        shift
    done
    [[ $hours =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "--hours: '$hours' is no number"
    PATH=$PATH:/usr/sbin:/sbin
    install_packages "${packages_run[@]}" "${packages_check[@]}"
    find_pushpin
    build_tree build gcc >&2 || die "the build failed"
    # One after the other: they measure.
    GRIP_CHAT_SOAK=1 GRIP_CHAT_SOAK_HOURS=$hours PYTHONDONTWRITEBYTECODE=1 \
        /usr/bin/python3 -m pytest -p no:cacheprovider "${only[@]}" tests/faults
}
