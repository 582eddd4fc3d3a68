#!/bin/sh
# Goal: what docs/ARCHITECTURE.md says of the light client's size is held true.
# Method: a light client of two files that calls one of two base files; right and wrong numbers.
. "$(dirname "$0")/tree"
NV_PLAIN=$NV_LINT_ROOT/plain
export NV_PLAIN
printf 'base/hash.c\nbase/other.c\n' | file tools/pure_symbols.txt
echo 'void nv_sha(void);' | file base/hash.h
printf '#include "base/hash.h"\nvoid nv_sha(void) {}\n' | file base/hash.c
printf 'int nv_other;\nint nv_more;\n' | file base/other.c
{
    printf '/* a comment\n * of two lines */\n#include "base/hash.h"\n\nvoid cs_light_final(void);\n'
    printf 'void cs_light_final(void) { nv_sha(); }\n'
} | file consensus/light_client.c
echo 'int cs_engine;' | file consensus/engine.c
(
    cd "$NV_LINT_ROOT"
    mkdir -p plain/obj/base
    gcc -I. -c -o plain/obj/base/hash.o base/hash.c
    gcc -I. -c -o plain/obj/base/other.o base/other.c
    gcc -I. -c -o plain/light_client.o consensus/light_client.c
    gcc -I. -c -o plain/engine.o consensus/engine.c
    ar rc plain/libconsensus.a plain/light_client.o plain/engine.o
)

echo 'All of it is 6 lines of C in 3 files.' | file docs/ARCHITECTURE.md
passes "the right numbers"
echo 'All of it is 8 lines of C in 3 files.' | file docs/ARCHITECTURE.md
fails "too many lines" 'is 6 lines of C in 3 files, not 8 in 3'
echo 'All of it is 6 lines of C in 4 files.' | file docs/ARCHITECTURE.md
fails "too many files" 'not 6 in 4'
echo 'It is small.' | file docs/ARCHITECTURE.md
fails "nothing said" 'not 0 in 0'
exit $bad
