#!/bin/sh
# Runs every fuzz target over its corpus: what was found once must not come back.
set -eu
: "${srcdir:=.}" # as make check sets it
for target in $FUZZ_TARGETS; do
    name=${target##*/fuzz_}
    "./$target" "$srcdir/tests/fuzz/corpus/$name"
done
