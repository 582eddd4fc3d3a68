#!/bin/sh
# Goal: a quote of the specification that is no longer there, or elsewhere, is refused.
# Method: one page with headings and numbered paragraphs; quotes of each kind.
. "$(dirname "$0")/tree"

cat <<'END' | file docs/spec/page.md
# A page
## 2 Second
Some words
of a sentence.
2.1 A numbered one.
## 3 Third
Other words.
END
cat <<'END' | file a.c
/* SPEC page 2: "Some words of a sentence." */
int x; /* SPEC page 2.1: "A numbered
        * one." */
END
passes "verbatim, over line ends"

printf '\n/* SPEC page 2: "Some words of a phrase." */\n' | file a.c
fails "other words" '^a.c:2: docs/spec/page.md does not say'
echo '/* SPEC page 2: "Other words." */' | file a.c
fails "another section" '^a.c:1: .* but in 3'
echo '/* SPEC other 2: "Other words." */' | file a.c
fails "another page" '^a.c:1: there is no docs/spec/other.md'
echo '/* SPEC page 2 says so */' | file a.c
fails "a mention that is no quote" '^a.c:1: write it as'
exit $bad
