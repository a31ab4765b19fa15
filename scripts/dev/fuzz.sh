# shellcheck shell=bash
# ./dev fuzz: what the parsers make of what no test sends.

# fuzz_target NAME SECONDS: new inputs go into the build directory; one that fails is a crash file there.
fuzz_target() {
    local name=$1 seconds=$2 found=build-fuzz/found/$1
    say "fuzzing $name for $seconds s"
    mkdir -p "$found"
    (cd "$found" && "$root/build-fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 -dict="$root/tests/fuzz/fuzz_$name.dict" \
        . "$root/tests/fuzz/corpus/$name")
}

cmd_fuzz() {
    local minutes=10 wanted= name names=() bad=0
    install=yes
    while [[ $# -gt 0 ]]; do
        case $1 in
            --minutes | --target) [[ $# -ge 2 ]] || die "$1 needs a value" ;;&
            --minutes) minutes=$2; shift ;;
            --target) wanted=$2; shift ;;
            --no-install) install=no ;;
            *) die "fuzz: unknown option '$1'; ./dev tells which there are" ;;
        esac
        shift
    done
    [[ $minutes =~ ^[1-9][0-9]{0,4}$ ]] || die "--minutes: '$minutes' is no number of minutes"
    install_packages "${packages_run[@]}" "${packages_fuzz[@]}"
    build_tree build-fuzz clang --enable-libfuzzer >&2 || die "the build failed"
    for name in tests/fuzz/fuzz_*.c; do
        name=${name##*/fuzz_} name=${name%.c}
        [[ -n $wanted && $wanted != "$name" ]] || names+=("$name")
    done
    [[ ${#names[@]} -gt 0 ]] || die "--target: there is no tests/fuzz/fuzz_$wanted.c"
    make -C build-fuzz -j"$(nproc)" "${names[@]/#/tests/fuzz/fuzz_}" >&2 || die "the build failed"
    for name in "${names[@]}"; do
        fuzz_target "$name" $((minutes * 60 / ${#names[@]})) || { bad=1; say "FAILED: $name, see build-fuzz/found/$name"; }
    done
    return "$bad"
}
