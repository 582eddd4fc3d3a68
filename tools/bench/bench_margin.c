/* bench_margin.c - margin of accounts with a position in each of 16 markets. */

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/cpu.h"
#include "base/weighted.h"

#include "tools/bench/bench.h"
#include "tools/bench/flow_run.h"
#include "vm/machine.h"
#include "vm/margin/margin.h"

#define MARKETS  16u
#define ACCOUNTS 256u
#define ROUNDS   2000u
#define PRICE    32768u

/* trades returns a flow in which account 2i buys of account 2i + 1 in every
 * market. */
static struct flow trades(void)
{
    struct flow flow = {.account_count = ACCOUNTS, .book_count = MARKETS};
    flow.cap = ACCOUNTS * MARKETS;
    flow.op = bench_memory(flow.cap * sizeof *flow.op);
    for (uint32_t market = 0; market < MARKETS; market++) {
        for (uint32_t account = 0; account < ACCOUNTS; account++) {
            flow.op[flow.count] = (struct flow_op){.account = account,
                                                   .id = flow.count + 1,
                                                   .book = (uint16_t)market,
                                                   .action = FLOW_ADD,
                                                   .buys = account % 2 == 0,
                                                   .price = PRICE,
                                                   .lots = 1 + account / 2 + market};
            flow.count++;
        }
    }
    flow.id_count = flow.count + 1;
    return flow;
}

/* bare_s measures what cannot be less: for each position, range and node of the
 * grid a multiplication and an addition, as wide as the machine does them. */
static double bare_s(void)
{
    static int32_t vector[MARKETS][VM_RANGES * VM_NODES];
    struct nv_weighted item[MARKETS];
    int64_t sums[VM_RANGES * VM_NODES];
    bench_fill(1, vector, sizeof vector);
    for (uint32_t market = 0; market < MARKETS; market++) {
        int32_t const weight = (int32_t)market * 1000 + 1;
        item[market] = (struct nv_weighted){vector[market], market % 2 != 0 ? -weight : weight};
    }
    bool const wide = nv_cpu_wide();
    double const begin = bench_cpu_s();
    for (uint32_t i = 0; i < ROUNDS * ACCOUNTS; i++) {
        nv_weighted_sums(sums, VM_RANGES * VM_NODES, item, MARKETS, wide);
        item[0].weight ^= (int32_t)(sums[0] & 1); /* or all would be one */
    }
    return (bench_cpu_s() - begin) / ((double)ROUNDS * ACCOUNTS);
}

static void measure(const struct vm *vm, const struct nv_address *accounts)
{
    char note[160];
    uint32_t index[ACCOUNTS];
    uint32_t positions = 0;
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        index[i] = vm_account_find(vm->state, &accounts[i]);
        NV_ASSERT(index[i] != VM_NONE);
        for (uint32_t market = 0; market < MARKETS; market++) {
            positions += vm_position_find(vm->state, index[i], market) != VM_NONE ? 1u : 0u;
        }
    }
    struct vm_requirement need;
    uint64_t good = 0;
    double const begin = bench_cpu_s();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < ACCOUNTS; i++) {
            good += vm_margin_account(vm->state, index[i], true, NULL, &need) ? 1u : 0u;
        }
    }
    double const took = (bench_cpu_s() - begin) / ((double)ROUNDS * ACCOUNTS);
    double const limit = 1 / bare_s();
    NV_ASSERT(good == (uint64_t)ROUNDS * ACCOUNTS);
    (void)snprintf(note,
                   sizeof note,
                   "%.1f positions an account, %u nodes, %.0f ns each on one core; limit: bare "
                   "multiply-adds; goal 4 M/s",
                   (double)positions / ACCOUNTS,
                   VM_NODES,
                   took * 1e9);
    bench_report("margin_checks_s", 1 / took, "1/s", limit, 1 / took / limit, note);
}

void bench_margin_checks_s(void)
{
    struct flow flow = trades();
    if (flow_run(&flow, ACCOUNTS, measure) != TOOL_OK) {
        bench_report("margin_checks_s", 0, "1/s", 0, 0, "the state could not be made");
    }
}
