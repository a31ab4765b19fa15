# shellcheck shell=bash
# ./dev fmt: the layout of the C sources.

cmd_fmt() {
    local files mode=(-i)
    case ${1:-} in
        '') ;;
        --check) mode=(--dry-run -Werror) ;;
        *) die "fmt: unknown option '$1'; ./dev tells which there are" ;;
    esac
    command -v clang-format >/dev/null || die "clang-format is missing: apt-get install clang-format"
    mapfile -t files < <(find mod_grip_chat edge tests -name '*.[ch]' -type f | sort)
    [[ ${#files[@]} -gt 0 ]] || die "no C sources found"
    clang-format "${mode[@]}" -style=file "${files[@]}"
}
