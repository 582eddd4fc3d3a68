#!/bin/sh
# Goal: what kills a process at a named point (base/crash.h) is in no program that is shipped.
# Method: the symbol is looked for in the daemon and in its sibling that has it.
set -u
cd "$(dirname "$0")/../.." || exit 1
count=0
bad=0

has() { nm "$1" | grep -q nv_crash_point; }
check() {
    count=$((count + 1))
    if eval "$2"; then echo "ok $count - $1"; else echo "not ok $count - $1"; bad=1; fi
}

make -s build/bin/novated build/release/bin/novated-crash >/dev/null || exit 1
echo 1..2
check "the daemon of tests has crash points" "has build/release/bin/novated-crash"
check "novated has none" "! has build/bin/novated && ! strings build/bin/novated | grep -q NOVATE_CRASH"
exit $bad
