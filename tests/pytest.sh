#!/bin/sh
# pytest.sh ARGUMENT...: runs pytest on Debian's python, and says at the end "N passed, N failed".
set -u
log=build/pytest.log
# A home of its own: what a run before this one pinned or kept must not matter.
home=$PWD/build/home
rm -rf "$home"
mkdir -p "$home"
env -u NOVATE_HOME HOME="$home" PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/python3 -m pytest -q -p no:cacheprovider "$@" >"$log" 2>&1
code=$?
cat "$log"
# The summary reads "1 failed, 3 passed, 2 errors in 0.3s", in any order; an error is a failure.
tail -1 "$log" | awk -v code=$code '
    { for (i = 2; i <= NF; i++) {
          if ($i ~ /^passed/) passed = $(i - 1)
          if ($i ~ /^failed/ || $i ~ /^error/) failed += $(i - 1) } }
    END {
        if (code != 0 && failed == 0) failed = 1
        printf "%d passed, %d failed\n", passed, failed
    }'
exit $code
