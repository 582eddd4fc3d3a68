#!/bin/sh
# Goal: private headers stay private, a library stays behind its door, pure code sees no system.
# Method: one bad include at a time, under the project's own table.
. "$(dirname "$0")/tree"
table doors.txt

echo '#include <lmdb.h>' | file storage/lmdb_rows.c
echo '#include "vm/vm.h"' | file node/replica/replica.c
echo '#include "tx.pb-c.h"' | file vm/wire/tx.c
echo '#include "vm/state/slab.h"' | file tests/unit/vm/test_slab.c
passes "public headers, libraries behind their doors, tests anywhere"

echo '#include "vm/state/slab.h"' | file node/replica/replica.c
fails "a private header from outside" '^node/replica/replica.c:1: vm/state/slab.h is private'
rm "$NV_LINT_ROOT/node/replica/replica.c"

printf '\n#include <lmdb.h>\n' | file storage/tree.c
fails "a library in another file" '^storage/tree.c:2: <lmdb.h> belongs to'
rm "$NV_LINT_ROOT/storage/tree.c"

echo '#include "tx.pb-c.h"' | file rpc/tx.c
fails "generated code elsewhere" '^rpc/tx.c:1: tx.pb-c.h is generated'
rm "$NV_LINT_ROOT/rpc/tx.c"

echo '#include <uv.h>' | file p2p/p2p.h
fails "a library in a public header" '^p2p/p2p.h:1: a public header'
rm "$NV_LINT_ROOT/p2p/p2p.h"

echo '#include <stdio.h>' | file consensus/tally.c
fails "a system header in pure code" '^consensus/tally.c:1: <stdio.h> is not for pure code'
exit $bad
