#!/bin/sh
# Goal: long files, long functions, many parameters and deep nesting are refused; a reason exempts.
# Method: each limit at its edge (accepted) and one beyond (refused).
. "$(dirname "$0")/tree"

# body N: a function of N lines
body() { echo 'void f(void)'; echo '{'; yes '    g();' | head -n "$1"; echo '}'; }
params() { printf 'void f('; seq -s ', ' -f 'int p%g' "$1" | tr -d '\n'; printf ')\n{\n}\n'; }

{ body 70; params 7; } | file a.c
yes 'int x;' | head -n 300 | file a.h
yes '' | head -n 800 | file b.c
passes "at the limits"

body 71 | file a.c
fails "a long function" '^a.c:1: f has 71 lines'
{ echo '/* long: a table */'; body 71; } | file a.c
passes "a long function with its reason"
params 8 | file a.c
fails "many parameters" '^a.c:1: f takes 8 parameters'
yes 'int x;' | head -n 301 | file a.h
fails "a long header" '^a.h:1: 301 lines'
yes '/* words */' | head -n 400 | file a.h
rm "$NV_LINT_ROOT/a.c"
passes "comments do not count in a header"
yes '' | head -n 801 | file b.c
fails "a long file" '^b.c:1: 801 lines'
rm "$NV_LINT_ROOT/b.c"

cat <<'END' | file c.c
static void f(void)
{
    struct a a = {{{{1}}}};
    if (x) {
        while (y) {
            switch (z) {
            case 1: g((struct b){1}); break;
            }
        }
    }
}
END
passes "three levels and a nested initialiser"
deeper=$(sed 's/case 1: .*/case 1: if (w) {\n}/' "$NV_LINT_ROOT/c.c")
echo "$deeper" | file c.c
fails "four levels" '^c.c:7: f nests 4 levels'
exit $bad
