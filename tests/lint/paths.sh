#!/bin/sh
# Goal: no file names a folder of one machine.
# Method: such paths in prose and code; relative and web paths.
. "$(dirname "$0")/tree"

printf 'see docs/work/a.md, ~/.novate, https://example.org/root/x and build/home/x\n' | file a.md
passes "relative and web paths"
for path in work/x root/x home/me/x; do
    printf 'one\nsee /%s\n' "$path" | file a.md
    fails "$path" '^a.md:2: '
done
exit $bad
