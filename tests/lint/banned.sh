#!/bin/sh
# Goal: banned functions, marks of unfinished work, vague file names and stray #if are refused.
# Method: one of each; and the same words where they are harmless.
. "$(dirname "$0")/tree"
table banned.txt

cat <<'END' | file base/a.c
/* strcpy(a, b) in a comment, "strcpy(" in a literal: harmless. */
#ifdef NV_PARANOID
const char *text = "strcpy(a, b)";
#endif
static void run(void) { uv_sleep(1); self->free(self); XX(1) }
END
passes "harmless mentions"

for name in strcpy sprintf qsort malloc assert system atoi; do
    printf '\nvoid f(void) { %s(x); }\n' $name | file base/b.c
    fails "$name" "^base/b.c:2: $name: "
done
printf 'void f(void) { free (malloc(1)); }\n' | file base/heap.c
rm "$NV_LINT_ROOT/base/b.c"
passes "the heap in its own file"

echo '#include <assert.h>' | file base/b.c
fails "assert.h" '^base/b.c:1: assert.h'
printf '#if defined(__linux__)\n#endif\n' | file base/b.c
fails "#if on a system" '^base/b.c:1: #if'
rm "$NV_LINT_ROOT/base/b.c"

for mark in TO'DO' FIX'ME' XX'X'; do
    printf 'one\ntwo %s: later\n' $mark | file docs/a.md
    fails "$mark" "^docs/a.md:2: $mark"
done
rm "$NV_LINT_ROOT/docs/a.md"
echo 'int x;' | file vm/helpers.c
fails "a vague name" '^vm/helpers.c:1: '
exit $bad
