# shellcheck shell=bash
# Builds of the module and of the edge app.

# build_tree DIR COMPILER [OPTION...]: a build outside the source tree, with warnings as errors.
build_tree() {
    local dir=$1 compiler=$2
    shift 2
    if [[ ! -x configure || configure.ac -nt configure ]]; then
        ./autogen.sh || return
    fi
    mkdir -p "$dir"
    if [[ ! -f $dir/Makefile ]]; then
        (cd "$dir" && ../configure --enable-werror CC="$compiler" "$@") || return
    fi
    make -C "$dir" -j"$(nproc)"
}

build_edge() {
    [[ -f edge/bin/main.wasm &&
        -z $(find edge/build.sh edge/src edge/resources -newer edge/bin/main.wasm -print -quit) ]] ||
        edge/build.sh
}
