#!/bin/sh
# The module has its assertions where configure was told to build them, and else not even their texts.
module=.libs/mod_grip_chat.so
test -f $module || {
    echo "$module is missing; check_assertions.sh has nothing to look at"
    exit 1
}
has=no
if grep -q 'GC_ASSERT(' $module || nm $module 2>/dev/null | grep -q ' gc_\(assert\|owner\)_'; then
    has=yes
fi
case $GC_ASSERT_CPPFLAGS:$has in
*-DGC_ASSERTIONS*:yes | :no) exit 0 ;;
*)
    echo "$module has assertions: $has; configure asked for: '$GC_ASSERT_CPPFLAGS'"
    exit 1
    ;;
esac
