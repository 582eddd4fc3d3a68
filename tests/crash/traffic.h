#ifndef NV_TESTS_CRASH_TRAFFIC_H
#define NV_TESTS_CRASH_TRAFFIC_H

/* traffic.h - a genesis with a few rich accounts, and what they do. */

#include <stdint.h>
#include <stdio.h>

#include "base/hash.h"

#include "tests/lib/nv_test.h"

/* traffic_genesis writes the genesis of a chain with one validator, whose keys
 * are given in hex. */
void traffic_genesis(FILE *file, const char *validator, const char *node);

/* traffic_tx makes a transaction of one of the accounts (VM_TX_SIZE_MAX bytes
 * of room) and returns its size. */
uint32_t
traffic_tx(uint8_t *out, struct nv_test_rng *rng, const struct nv_hash *chain_id, uint64_t wall_ms);

#endif /* NV_TESTS_CRASH_TRAFFIC_H */
