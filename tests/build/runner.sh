#!/bin/sh
# Goal: the counts that close a test run are true: nothing that failed is counted as passed or lost.
# Method: tests/run.sh and tests/steps.sh over tiny programs and targets that pass, fail, crash, hang,
# say nothing or do not exist.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree" || exit 1
count=0
bad=0

# expect WHAT LINE CODE COMMAND...: its last line and exit code.
expect() {
    what=$1 line=$2 code=$3
    shift 3
    count=$((count + 1))
    output=$("$@" 2>&1)
    got=$?
    if [ "$(echo "$output" | tail -1)" = "$line" ] && [ $got -eq "$code" ]; then
        echo "ok $count - $what"
    else
        echo "not ok $count - $what"
        echo "$output" | sed 's/^/# /'
        bad=1
    fi
}

program() { { echo '#!/bin/sh'; cat; } >"$1"; chmod +x "$1"; }
program good <<'END'
echo "1..3"; echo "ok 1 - a"; echo "ok 2 - b"; echo "not ok 3 # SKIP c"
END
program bad <<'END'
echo "ok 1 - a"; echo "not ok 2 - b"; exit 1
END
program crash <<'END'
echo "ok 1 - a"; kill -SEGV $$
END
program hang <<'END'
echo "ok 1 - a"; exec sleep 60
END
program silent </dev/null

expect "passes; a skipped case counts for neither" "2 passed, 0 failed" 0 "$root/tests/run.sh" ./good
expect "a failed case" "3 passed, 1 failed" 1 "$root/tests/run.sh" ./good ./bad
program worded <<'END'
[ "$*" = "a b" ] && echo "ok 1 - a"
END
expect "a program with arguments" "1 passed, 0 failed" 0 "$root/tests/run.sh" "./worded a b"
expect "a crash" "1 passed, 1 failed" 1 "$root/tests/run.sh" ./crash
expect "a hang" "1 passed, 1 failed" 1 env NV_TEST_TIMEOUT=1 "$root/tests/run.sh" ./hang
expect "no such program" "2 passed, 1 failed" 1 "$root/tests/run.sh" ./good ./none
expect "no case at all" "0 passed, 0 failed" 1 "$root/tests/run.sh" ./silent
expect "no program at all" "0 passed, 0 failed" 1 "$root/tests/run.sh"

cat >Makefile <<'END'
build:
	@echo made
some:
	@echo 3 passed, 0 failed
few:
	@echo 3 passed, 2 failed; false
broken:
	@false
liar:
	@echo 4 passed, 0 failed; false
END
expect "a build counts as one" "4 passed, 0 failed" 0 "$root/tests/steps.sh" build some
expect "failures add up, and later steps run" "7 passed, 2 failed" 1 "$root/tests/steps.sh" few build some
expect "a broken build" "3 passed, 1 failed" 1 "$root/tests/steps.sh" broken some
expect "a step that fails whatever it says" "4 passed, 1 failed" 1 "$root/tests/steps.sh" liar
exit $bad
