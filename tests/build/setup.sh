#!/bin/sh
# Goal: tools/setup never installs twice, and without the right to install says what to paste.
# Method: dpkg-query, id, sudo and apt-get are replaced by ones that answer as told and leave a trace.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
count=0
bad=0

stub() { { echo '#!/bin/sh'; cat; } >"$tree/$1"; chmod +x "$tree/$1"; }
check() {
    count=$((count + 1))
    if eval "$2"; then echo "ok $count - $1"; else echo "not ok $count - $1"; echo "# $output"; bad=1; fi
}
run() {
    output=$(PATH="${path:-$tree:$PATH}" "$root/tools/setup" "$@" 2>&1)
    code=$?
}

# Everything is installed but what the file "lacks" names.
stub dpkg-query <<END
shift 3
for package; do grep -qx "\$package" $tree/lacks || echo "\$package installed"; done
END
stub apt-get <<END
echo "\$*" >>$tree/apt
END
stub node </dev/null
stub npm </dev/null
: >"$tree/lacks"

stub id <<'END'
echo 0
END
run
check "nothing missing: nothing done" '[ $code -eq 0 ] && [ -z "$output" ] && [ ! -e "$tree/apt" ]'

echo libuv1-dev >"$tree/lacks"
run
check "root installs what is missing, and only that" \
    '[ $code -eq 0 ] && grep -q "install .* libuv1-dev$" "$tree/apt" && ! grep -q clang "$tree/apt"'

rm "$tree/apt"
run --check
check "--check only tells" '[ $code -eq 1 ] && [ ! -e "$tree/apt" ]'

stub id <<'END'
echo 1000
END
stub sudo <<'END'
exit 1
END
run
check "without the right: the line to paste, and failure" \
    '[ $code -eq 1 ] && [ ! -e "$tree/apt" ] && echo "$output" | grep -q "^sudo .*apt-get install .* libuv1-dev.$"'

for tool in awk grep; do ln -s "$(command -v $tool)" "$tree/$tool"; done
stub git </dev/null
rm "$tree/sudo"
path=$tree run
check "without sudo on the machine: a line for su" \
    '[ $code -eq 1 ] && [ ! -e "$tree/apt" ] && echo "$output" | grep -q "^su - .*apt-get install .* libuv1-dev.$"'
exit $bad
