#!/bin/sh
# Compiles the edge app to WebAssembly: ./build.sh [OUTPUT], bin/main.wasm if not given. It needs no
# network. On Debian 12: clang lld wasi-libc libclang-rt-14-dev-wasm32.
set -eu
cd "$(dirname "$0")"
output=${1:-bin/main.wasm}
mkdir -p "$(dirname "$output")"
# shellcheck disable=SC2086 # CFLAGS is several words
exec "${CLANG:-clang}" --target=wasm32-wasi -std=gnu11 -Oz -flto \
    -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Werror \
    ${CFLAGS-} -Wl,--strip-all -Wl,-z,stack-size=16384 -Wl,--stack-first \
    -o "$output" src/*.c src/edge_asset.S
