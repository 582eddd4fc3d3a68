#!/bin/sh
# bugscore.sh SECONDS JOBS SIM...: how many of the seeded bugs of base/bug.h a simulator notices, and how soon.
#
# Each SIM is build/bug/<number>/sim or nodesim, with that bug compiled in.  It runs seeds from 1 on until
# one fails, for SECONDS at most.
#   bugscore.sh --numbers sim      the bugs that are sim's to find, or nodesim's
#   bugscore.sh --sources N        the sources that mention bug N
#   bugscore.sh --one SECONDS SIM
set -u
first_of_nodes=41

# bugs prints a line "NUMBER NAME TEXT" for each.
bugs() {
    sed -n 's/^ *XX(\([0-9]*\), \([A-Z_]*\), "\(.*\)").*/\1 \2 \3/p' base/bug.h
}

case $1 in
--numbers)
    bugs | awk -v of="$2" -v first=$first_of_nodes '($1 < first) == (of == "sim") { print $1 }'
    exit
    ;;
--sources)
    name=$(bugs | sed -n "s/^$2 \([A-Z_]*\) .*/\1/p")
    grep -l "NV_SEEDED($name)" consensus/*.c node/*/*.c vm/*.c vm/*/*.c storage/*.c
    exit
    ;;
--one)
    sim=$3
    number=$(basename "$(dirname "$sim")")
    log=$(dirname "$sim")/log
    text=$(bugs | sed -n "s/^$number \([A-Z_]*\) \(.*\)/\1: \2/p")
    began=$(date +%s.%N)
    timeout "$2" "$sim" --seed 1 --count 1000000000 --jobs 1 --stop >"$log" 2>&1
    code=$?
    seeds=$(grep -c '^seed [0-9]' "$log")
    took=$(echo "$(date +%s.%N) $began" | awk '{printf "%.1f", $1 - $2}')
    why=$(grep -A 1 -E 'FAILED|expected=' "$log" | grep -oE 'FAILED: .*|expected=.*|^ +.*' | head -1 | sed 's/^ *//' | cut -c1-70)
    if [ $code -eq 0 ] || [ $code -eq 124 ]; then
        printf 'bug %2d  MISSED in %6d seeds, %6.1f s  %s\n' "$number" "$seeds" "$took" "$text"
    else
        printf 'bug %2d  found in %7d seeds, %6.1f s  %s  [%s]\n' "$number" "$seeds" "$took" "$text" "$why"
    fi
    exit
    ;;
esac
seconds=$1
jobs=$2
shift 2
out=build/bug/score.$$
printf '%s\n' "$@" | xargs -P "$jobs" -n 1 "$0" --one "$seconds" >"$out"
sort -k2n "$out"
found=$(grep -c '  found in ' "$out")
missed=$(grep -c '  MISSED in ' "$out")
echo "slowest: $(grep '  found in ' "$out" | sed 's/.*seeds, *\([0-9.]*\) s.*/\1/' | sort -n | tail -1) s"
echo "$found passed, $missed failed"
rm -f "$out"
[ "$missed" -eq 0 ]
