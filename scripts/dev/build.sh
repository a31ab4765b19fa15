# shellcheck shell=bash
# Builds of the module and of the edge app.

# build_tree DIR COMPILER [OPTION...]: a build outside the source tree, with warnings as errors, and with
# assertions unless an option says otherwise. A tree that was built with other options is built anew.
build_tree() {
    local dir=$1 compiler=$2
    shift 2
    local options=(--enable-werror --enable-assertions CC="$compiler" "$@")
    if [[ ! -x configure || configure.ac -nt configure ]]; then
        ./autogen.sh || return
    fi
    mkdir -p "$dir"
    if [[ ! -f $dir/Makefile || $(cat "$dir/options" 2>/dev/null) != "${options[*]}" ]]; then
        (cd "$dir" && ../configure "${options[@]}" && make clean) || return
        printf '%s\n' "${options[*]}" >"$dir/options"
    fi
    make -C "$dir" -j"$(nproc)"
}

build_edge() {
    [[ -f edge/bin/main.wasm &&
        -z $(find edge/build.sh edge/src edge/resources -newer edge/bin/main.wasm -print -quit) ]] ||
        edge/build.sh
}
