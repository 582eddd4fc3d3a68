#!/bin/sh
# coverage.sh BUILD: prints, for each folder, how many lines of its sources the last runs reached.
set -eu
find "$1/obj" -name '*.gcno' ! -path '*/tests/*' | while read -r counts; do
    gcov -n -o "$(dirname "$counts")" "$counts" 2>/dev/null
done | awk -v root="$PWD" '
    /^File / { file = $2; gsub(/\047/, "", file) }
    /^Lines executed/ && file ~ /\.c$/ {
        split($0, part, /[:% ]+/)
        percent = part[3]
        lines = $NF
        folder = file
        if (index(folder, root "/") == 1) folder = substr(folder, length(root) + 2)
        sub(/\/[^\/]*$/, "", folder)
        total[folder] += lines
        reached[folder] += lines * percent / 100
        file = ""
    }
    END {
        for (f in total) printf "%-16s %5d of %5d lines  %3.0f %%\n", f, reached[f], total[f], 100 * reached[f] / total[f]
    }' | sort
