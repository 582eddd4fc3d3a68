#!/bin/sh
# Goal: impure code is refused, be it by its includes or by what it calls.
# Method: tiny archives that call an allowed symbol, a symbol of an allowed file, and others.
. "$(dirname "$0")/tree"
NV_PLAIN=$NV_LINT_ROOT/plain
export NV_PLAIN
printf 'memcpy\nbase/hash.c\n' | file tools/pure_symbols.txt

# build BODY: makes vm/a.c with the body, and the archives and objects of the plain build.
build() {
    rm -rf "$NV_PLAIN"
    mkdir -p "$NV_PLAIN/obj/base" "$NV_LINT_ROOT/base" "$NV_LINT_ROOT/consensus"
    echo | file base/pure.h
    echo 'void nv_sha(void); void nv_sha(void) {}' | file base/hash.c
    printf 'void *memcpy(void *, const void *, unsigned long);\nvoid nv_sha(void);\nlong clock(void);\n%s\n%s\n' \
        '#include "base/pure.h"' "$1" | file vm/a.c
    (
        cd "$NV_LINT_ROOT"
        gcc -c -o plain/obj/base/hash.o base/hash.c
        gcc -I. -c -o plain/a.o vm/a.c
        ar rc plain/libvm.a plain/a.o
        ar rc plain/libconsensus.a
    )
}

build 'void g(void); void g(void) {} void f(void) { nv_sha(); g(); }'
passes "its own, and the pure half of base"
build 'long f(void) { return clock(); }'
fails "a clock" '^a.o: pure code may not use clock'
build 'void f(void) { nv_sha(); }'
echo 'int x;' | file vm/b.c
fails "no pure.h" '^vm/b.c:0: include "base/pure.h" last'
printf '#include "base/pure.h"\n#include "vm/vm.h"\n' | file vm/b.c
fails "pure.h not last" '^vm/b.c:2: include "base/pure.h" last'
printf '#include "vm/wire/wire.h"\n#include "base/pure.h"\n' | file vm/b.c
fails "protobuf" '^vm/b.c: vm/wire calls'
exit $bad
