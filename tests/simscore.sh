#!/bin/sh
# simscore.sh SECONDS JOBS SIM...: how many of the seeded bugs the simulator notices, and how soon.
#
# Each SIM is build/bug/<number>/sim, a simulator with that bug of consensus/bug.h compiled in.  It
# runs seeds from 1 on until one fails, for SECONDS at most.
#   simscore.sh --numbers   the bugs there are
#   simscore.sh --sources N the sources that mention bug N
#   simscore.sh --one SECONDS SIM
set -u

# bugs prints a line "NUMBER NAME TEXT" for each.
bugs() {
    sed -n 's/^ *XX(\([0-9]*\), \([A-Z_]*\), "\(.*\)").*/\1 \2 \3/p' consensus/bug.h
}

case $1 in
--numbers)
    bugs | sed 's/ .*//'
    exit
    ;;
--sources)
    name=$(bugs | sed -n "s/^$2 \([A-Z_]*\) .*/\1/p")
    grep -l "CS_BUG($name)" consensus/*.c
    exit
    ;;
--one)
    sim=$3
    number=$(basename "$(dirname "$sim")")
    log=$(dirname "$sim")/log
    text=$(bugs | sed -n "s/^$number \([A-Z_]*\) \(.*\)/\1: \2/p")
    began=$(date +%s.%N)
    timeout "$2" "$sim" --seed 1 --count 1000000000 --stop >"$log" 2>&1
    code=$?
    seeds=$(grep -c '^seed [0-9]* ' "$log")
    took=$(echo "$(date +%s.%N) $began" | awk '{printf "%.1f", $1 - $2}')
    why=$(grep -oE 'FAILED: .*|expected=.*' "$log" | head -1 | cut -c1-70)
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
