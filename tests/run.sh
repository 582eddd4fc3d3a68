#!/usr/bin/env bash
# run.sh PROGRAM...: runs cmocka programs, shows the output of those that fail, and closes with one
# line "N passed, N failed" that counts test cases.
#
# A program that dies, hangs or exits badly without naming a failed case counts as one failed case.
# A PROGRAM may carry arguments: its words are split.  Fails when a case fails, and also when there is no case at all.
#   NV_TEST_TIMEOUT  seconds a program may take (120)
#   NV_TEST_JOBS     programs that run side by side (2)
set -u
limit=${NV_TEST_TIMEOUT:-120}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# One program: its TAP lines go to a file, and "passed failed name" to another.
run_one() {
    local program=$1 log=$2.log passed failed code
    CMOCKA_MESSAGE_OUTPUT=tap timeout -k 5 "$limit" $program >"$log" 2>&1
    code=$?
    passed=$(grep -c '^ok [0-9]' "$log")
    failed=$(grep '^not ok [0-9]' "$log" | grep -vc '# SKIP')
    if [ $code -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
        [ $code -eq 124 ] && echo "# took more than $limit s" >>"$log"
        [ $code -ge 128 ] && echo "# died of signal $((code - 128))" >>"$log"
    fi
    if [ "$failed" -ne 0 ]; then
        { echo "--- $program (exit code $code)"; cat "$log"; } >"$2.show"
    fi
    echo "$passed $failed" >"$2.count"
}
export -f run_one
export limit

index=0
for program in "$@"; do
    index=$((index + 1))
    printf '%s\0%s\0' "$program" "$out/$index"
done | xargs -0 -r -n 2 -P "${NV_TEST_JOBS:-2}" bash -c 'run_one "$@"' run_one

cat "$out"/*.show 2>/dev/null
cat "$out"/*.count 2>/dev/null | awk -v programs=$# '
    { passed += $1; failed += $2; counted++ }
    END {
        failed += programs - counted
        if (passed + failed == 0) print "no test was run"
        printf "%d passed, %d failed\n", passed, failed
        exit failed > 0 || passed == 0
    }'
