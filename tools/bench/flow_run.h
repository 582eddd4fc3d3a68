#ifndef NV_TOOLS_BENCH_FLOW_RUN_H
#define NV_TOOLS_BENCH_FLOW_RUN_H

/* flow_run.h - order flow through the whole VM. */

#include <stdint.h>

#include "base/key.h"

#include "tools/bench/flow.h"
#include "tools/say.h"
#include "vm/vm.h"

/* flow_run takes the flow over and runs it in blocks.  Then it calls `after`
 * with the state that came out and the addresses by account; with NULL it
 * reports vm_ops_s instead. */
enum tool_exit flow_run(struct flow *flow,
                        uint32_t block_ops,
                        void (*after)(const struct vm *vm, const struct nv_address *accounts));

#endif /* NV_TOOLS_BENCH_FLOW_RUN_H */
