#!/bin/sh
# Goal: what only clang complains about is refused, also when the cause is in a header.
# Method: an enum that holds none of its values, first in the source, then in what it includes.
. "$(dirname "$0")/tree"
printf 'print-flags:\n\t@echo all:-Wassign-enum -Werror -I.\n\t@echo base:-DBASE=1\n' | file Makefile

echo 'enum a { A = 1, B = 2 }; extern enum a a;' | file base/a.h
printf '#include "base/a.h"\nenum a a = BASE;\n' | file base/a.c
passes "a value of the enum, through the folder's flag"
printf '#include "base/a.h"\nenum a a = 3;\n' | file base/a.c
fails "another value" '^base/a.c:2: .*not in range'
printf '#include "base/a.h"\nenum a a = 2;\n' | file base/a.c
passes "a value again"
echo 'enum a { A = 1, B = 4 }; extern enum a a;' | file base/a.h
fails "a header that changed" '^base/a.c:2: .*not in range'
exit $bad
