#!/bin/sh
# Goal: a file that is not formatted is refused, also when an older form of it was accepted.
# Method: one file, well formatted, then badly, then well again.
. "$(dirname "$0")/tree"
cp "$source_root/.clang-format" "$NV_LINT_ROOT/"

echo 'int x;' | file a.c
passes "formatted"
printf 'int y;\n  int   x;\n' | file a.c
fails "not formatted" '^a.c:1: not formatted'
fails "not formatted, again" '^a.c:1: not formatted'
echo 'int x;' | file a.c
passes "formatted, from the cache"
exit $bad
