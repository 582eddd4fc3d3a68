#!/bin/sh
# simscore.sh N SIM...: how many of the seeded bugs the simulator notices within N seeds, and how soon.
#
# Each SIM is build/bug/<number>/sim, a simulator with that bug of consensus/bug.h compiled in.  It is
# noticed when a batch of seeds makes the program fail.
#   simscore.sh --numbers   the bugs there are
#   simscore.sh --sources   the sources that mention one
set -u
case $1 in
--numbers)
    sed -n 's/^ *XX(\([0-9]*\),.*/\1/p' consensus/bug.h
    exit
    ;;
--sources)
    grep -lE 'CS_BUG\(|NV_BUG' consensus/*.c node/*/*.c vm/*.c vm/*/*.c storage/*.c
    exit
    ;;
esac
seeds=$1
shift
batch=10
found=0
missed=0
for sim in "$@"; do
    number=$(basename "$(dirname "$sim")")
    name=$(sed -n "s/^ *XX($number, *\([A-Z_]*\), *\"\(.*\)\").*/\1: \2/p" consensus/bug.h)
    seed=1
    noticed=
    while [ -z "$noticed" ] && [ "$seed" -le "$seeds" ]; do
        timeout 120 "$sim" --seed "$seed" --count $batch >/dev/null 2>&1 || noticed=yes
        seed=$((seed + batch))
    done
    if [ -n "$noticed" ]; then
        found=$((found + 1))
        printf 'bug %2d  within %4d seeds  %s\n' "$number" $((seed - 1)) "$name"
    else
        missed=$((missed + 1))
        printf 'bug %2d  MISSED            %s\n' "$number" "$name"
    fi
done
echo "$found passed, $missed failed"
[ $missed -eq 0 ]
