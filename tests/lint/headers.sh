#!/bin/sh
# Goal: a header that leans on another's includes, or has a wrong guard, is refused.
# Method: such headers; and a change in an included header that breaks the one above it.
. "$(dirname "$0")/tree"

guarded() { printf '#ifndef %s\n#define %s\n%s\n#endif\n' "$1" "$1" "$2"; }
guarded NV_BASE_A_H 'struct a { int x; };' | file base/a.h
guarded NV_BASE_B_H '#include "base/a.h"
struct b { struct a a; };' | file base/b.h
passes "self-contained"

guarded NV_BASE_A_H 'struct z { int x; };' | file base/a.h
fails "broken by what it includes" '^base/b.h:1: does not compile alone'
guarded NV_BASE_A_H 'struct a { uint8_t x; };' | file base/a.h
fails "a missing include" '^base/a.h:1: does not compile alone'
guarded NV_A_H 'struct a { int x; };' | file base/a.h
fails "another guard" '^base/a.h:1: the include guard is NV_BASE_A_H'
exit $bad
