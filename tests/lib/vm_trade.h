#ifndef NV_TESTS_LIB_VM_TRADE_H
#define NV_TESTS_LIB_VM_TRADE_H

/* vm_trade.h - random trading on the small chain of vm_world.h: orders, cancels,
 * money, session keys, keepers and moving prices, all from one seed. */

#include "tests/lib/vm_world.h"

struct vm_trade {
    struct nv_test_rng rng;
    int64_t btc; /* micro */
    int64_t eth;
};

void vm_trade_start(struct vm_trade *r, uint64_t seed);

/* vm_trade_below draws a number below `bound`. */
uint32_t vm_trade_below(struct vm_trade *r, uint32_t bound);

/* Actions, of the trader `number` where it matters whose they are. */
struct vm_action vm_trade_place(struct vm_trade *r);
struct vm_action vm_trade_cancel(struct vm_world *w, struct vm_trade *r, uint32_t number);
struct vm_action vm_trade_money(struct vm_trade *r);
struct vm_action vm_trade_session(struct vm_trade *r);
struct vm_action vm_trade_stake(struct vm_world *w, struct vm_trade *r);

/* vm_trade_facts makes up what consensus knows of the block to come: who signed,
 * now and then a boundary or an offence. */
void vm_trade_facts(struct vm_world *w, struct vm_trade *r);

/* vm_trade_prices moves the prices and reports them. */
void vm_trade_prices(struct vm_world *w, struct vm_trade *r);

/* vm_trade_block adds what a block of random trading holds. */
void vm_trade_block(struct vm_world *w, struct vm_trade *r);

#endif /* NV_TESTS_LIB_VM_TRADE_H */
