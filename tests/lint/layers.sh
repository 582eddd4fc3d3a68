#!/bin/sh
# Goal: an include that goes up, or sideways where the table has no edge, is refused.
# Method: a small tree under the project's own table, one bad include at a time.
. "$(dirname "$0")/tree"
table layers.txt

echo '#include "base/err.h"' | file consensus/tally.c
echo '#include "vm/vm.h"' | file vm/rows.c
passes "down and within a folder"

echo '#include "vm/vm.h"' | file base/err.c
fails "up" '^base/err.c:1: base may not include vm/vm.h'
echo '#include "base/err.h"' | file base/err.c

printf 'int x;\n#include "storage/storage.h"\n' | file vm/number/money.c
fails "sideways, with the longest folder's rule" '^vm/number/money.c:2: vm/number may not include storage'
echo '#include "vm/vm.h"' | file vm/number/money.c
fails "what the outer folder may, the inner may not" '^vm/number/money.c:1:'
rm "$NV_LINT_ROOT/vm/number/money.c"

echo '#include "vm/tx.h"' | file vm/state/slab.c
passes "headers directly in a folder"
echo '#include "vm/block/block.h"' | file vm/state/slab.c
fails "but not those below it" '^vm/state/slab.c:1:'
rm "$NV_LINT_ROOT/vm/state/slab.c"

echo 'int x;' | file extra/x.c
fails "a folder without a line" '^extra/x.c:1: no line'
exit $bad
