#!/bin/sh
# repro.sh FLAVOUR...: the golden roots and the simulator's traces must not depend on the build, nor the
# roots on what the processor can do.  Each flavour prints them; the roots must be those of
# tests/golden/roots.txt, and every output must equal the first's.
set -u
mkdir -p build/repro
first=
for flavour in "$@"; do
    words=$(echo "$flavour" | sed -e 's/clang//' -e 's/ //g')
    name=${words:-release}
    case $flavour in *clang*) name=$name-clang ;; esac
    out=build/repro/$name
    : >"$out"
    for program in golden sim; do
        ls tests/$program/*.c >/dev/null 2>&1 || continue
        ${MAKE:-make} -j"$(nproc)" FLAVOUR="$flavour" "build/$name/bin/$program" || exit 1
        case $program in
        golden)
            for form in narrow wide; do
                "build/$name/bin/golden" $form >"$out.$form" || exit 1
                diff tests/golden/roots.txt "$out.$form" >"$out.diff" && continue
                head -20 "$out.diff"
                echo "repro: roots of $name ($form) are not those of tests/golden/roots.txt"
                exit 1
            done
            cat "$out.narrow" >>"$out"
            ;;
        sim) "build/$name/bin/sim" --seed 1 --count 20 >>"$out" || exit 1 ;;
        esac
    done
    if [ -z "$first" ]; then
        first=$out
    elif ! diff "$first" "$out" >"$out.diff"; then
        head -20 "$out.diff"
        echo "repro: $name differs from $(basename "$first")"
        exit 1
    fi
done
[ -s "$first" ] || { echo "repro: nothing was compared"; exit 1; }
echo "repro: $(wc -l <"$first") lines alike in: $*"
