#!/usr/bin/env bash
# steps.sh STEP...: runs make targets one after the other and adds up what they report.
#
# A step is the words of one make command, such as "FLAVOUR=asan unit".  Its last line of the form
# "N passed, N failed" counts; a step without one (a build, a lint) counts as one test.  A step that
# fails shows the end of its log; the others still run.  Closes with "N passed, N failed".
set -u
jobs=${JOBS:-$(nproc)}
logs=build/steps
mkdir -p "$logs"
all_passed=0
all_failed=0

for step in "$@"; do
    log=$logs/$(echo "$step" | tr -c 'A-Za-z0-9\n' '_').log
    began=$SECONDS
    # The words of a step are meant to be split.
    MAKEFLAGS= MAKELEVEL= ${MAKE:-make} -j"$jobs" $step >"$log" 2>&1
    code=$?
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -1)
    passed=0
    failed=0
    if [ -n "$counts" ]; then
        read -r passed _ failed _ <<<"$counts"
    elif [ $code -eq 0 ]; then
        passed=1
    fi
    if [ $code -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
    fi
    printf '%4d s  %-24s %d passed, %d failed\n' $((SECONDS - began)) "$step" "$passed" "$failed"
    if [ "$failed" -ne 0 ]; then
        grep -vE '^  (CC|AR|LINK|PROTO) ' "$log" | tail -60 | sed 's/^/        /'
        echo "        (whole log: $log)"
    fi
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
done

echo "$all_passed passed, $all_failed failed"
[ "$all_failed" -eq 0 ] && [ "$all_passed" -gt 0 ]
