# shellcheck shell=bash
# ./dev analyze: what clang-tidy and gcc -fanalyzer find in the module.

# analyze JOBS: only what has changed since it had no finding; see analyze.mk.
analyze() {
    make -C build -f Makefile -f ../scripts/dev/analyze.mk -k -j"$1" analyze
}

cmd_analyze() {
    install=yes
    while [[ $# -gt 0 ]]; do
        case $1 in
            --no-install) install=no ;;
            *) die "analyze: unknown option '$1'; ./dev tells which there are" ;;
        esac
        shift
    done
    PATH=$PATH:/usr/sbin:/sbin
    install_packages "${packages_run[@]}" clang-tidy
    # Sources that do not compile have nothing to analyze.
    build_tree build gcc >&2 || die "the build failed"
    analyze "$(nproc)"
}
