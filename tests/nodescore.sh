#!/bin/sh
# nodescore.sh SECONDS SIM...: how many of the seeded bugs of base/bug.h whole nodes notice, and how soon.
#
# Each SIM is build/bug/<number>/nodesim, with that bug compiled in.  It runs seeds from 1 on until one
# fails, for SECONDS at most.
#   nodescore.sh --numbers     the bugs there are
#   nodescore.sh --sources N   the sources that mention bug N
set -u

# bugs prints a line "NUMBER NAME TEXT" for each.
bugs() {
    sed -n 's/^ *XX(\([0-9]*\), \([A-Z_]*\), "\(.*\)").*/\1 \2 \3/p' base/bug.h
}

case $1 in
--numbers)
    bugs | sed 's/ .*//'
    exit
    ;;
--sources)
    name=$(bugs | sed -n "s/^$2 \([A-Z_]*\) .*/\1/p")
    grep -l "NV_SEEDED($name)" node/*/*.c vm/*.c vm/*/*.c storage/*.c
    exit
    ;;
esac
seconds=$1
shift
found=0
missed=0
for sim in "$@"; do
    number=$(basename "$(dirname "$sim")")
    log=$(dirname "$sim")/log
    text=$(bugs | sed -n "s/^$number \([A-Z_]*\) \(.*\)/\1: \2/p")
    timeout "$seconds" "$sim" --seed 1 --count 100000 --jobs 1 --stop >"$log" 2>&1
    code=$?
    seed=$(sed -n 's/^seed \([0-9]*\): FAILED.*/\1/p' "$log" | head -1)
    why=$(sed -n '/FAILED/{n;s/^ *//;p;q;}' "$log" | cut -c1-70)
    if [ $code -ne 0 ] && [ -n "$seed" ]; then
        found=$((found + 1))
        printf 'bug %2d  found by seed %4d  %s  [%s]\n' "$number" "$seed" "$text" "$why"
    else
        missed=$((missed + 1))
        printf 'bug %2d  MISSED              %s\n' "$number" "$text"
    fi
done
echo "$found passed, $missed failed"
[ $missed -eq 0 ]
