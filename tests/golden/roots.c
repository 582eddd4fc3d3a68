/* roots.c - prints the roots of a chain of random trading, one line each: height, name, hash.
 *
 * Goal: what the VM decides depends on nothing but the blocks: not on the compiler, its optimisation,
 * or whether the VM lived on or was loaded from rows.
 * Method: a fixed seed and many blocks; `make repro` compares the output of every build. */

#include <inttypes.h>
#include <stdio.h>

#include "tests/lib/vm_trade.h"

#define SEEDS       3u
#define HEIGHTS     200u
#define PRINT_EVERY 10u
#define RELOAD_AT   7u /* every so many blocks the VM is loaded anew */

static void print_hash(uint64_t seed, uint64_t height, const char *name, const struct nv_hash *hash)
{
    printf("%" PRIu64 " %" PRIu64 " %s ", seed, height, name);
    for (uint32_t i = 0; i < sizeof hash->bytes; i++) {
        printf("%02x", hash->bytes[i]);
    }
    printf("\n");
}

static struct vm_world world;

static void run(uint64_t seed)
{
    struct vm_trade trade;
    vm_trade_start(&trade, seed);
    vm_world_open(&world);
    for (uint64_t height = 1; height <= HEIGHTS; height++) {
        vm_trade_block(&world, &trade);
        if (height % RELOAD_AT == 0) {
            vm_world_reload(&world);
        }
        vm_world_block(&world, 200 + vm_trade_below(&trade, 2000));
        if (height % PRINT_EVERY == 0) {
            print_hash(seed, height, "state", &world.root);
            print_hash(seed, height, "receipts", &world.result.receipts_root);
            print_hash(seed, height, "events", &world.result.events_root);
        }
    }
    vm_world_close(&world);
}

int main(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(seed);
    }
    return 0;
}
