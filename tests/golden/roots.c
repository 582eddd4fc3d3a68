/* roots.c - prints the roots of a chain of random trading, one line each: height, name, hash.
 *
 * Goal: what the VM decides depends on nothing but the blocks: not on the compiler, its optimisation,
 * what the processor can do, or whether the VM lived on or was loaded from rows.
 * Method: fixed seeds and many blocks.  roots.txt is what was printed when the rules last changed;
 * `make golden` compares with it, `make repro` does in every build.  With the word `wide` the VM uses
 * what this processor has more than others. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"

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

static void run(uint64_t seed, bool wide)
{
    struct vm_trade trade;
    vm_trade_start(&trade, seed);
    vm_world_open(&world);
    world.limits.wide = wide; /* from the first reload on */
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

int main(int argc, char **argv)
{
    bool const wide = argc > 1 && strcmp(argv[1], "wide") == 0 && nv_cpu_wide();
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(seed, wide);
    }
    return 0;
}
