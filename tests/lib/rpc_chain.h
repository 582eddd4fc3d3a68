#ifndef NV_TESTS_LIB_RPC_CHAIN_H
#define NV_TESTS_LIB_RPC_CHAIN_H

/* rpc_chain.h - an RPC world whose state is that of the real settlement VM: a
 * small chain with two markets, a few funded accounts and one reporter, on
 * which a test executes blocks and publishes them.
 *
 * Markets: BTC-PERP (tick 0.1, 1000 lots a unit), ETH-PERP (tick 0.01, 100
 * lots). Accounts are numbered: 0 reports prices, the others trade. */

#include <stdint.h>

#include "tests/lib/rpc_world.h"
#include "vm/tx.h"
#include "vm/vm.h"

#define CHAIN_ACCOUNTS   4u
#define CHAIN_VALIDATORS 2u
#define CHAIN_TXS_MAX    64u

struct rpc_chain {
    struct rpc_world world;
    struct vm *vm;
    void *memory;
    size_t memory_size;
    struct nv_pubkey keys[CHAIN_ACCOUNTS];
    struct nv_address addresses[CHAIN_ACCOUNTS];
    struct vm_tx txs[CHAIN_TXS_MAX]; /* of the block being made */
    struct vm_action actions[CHAIN_TXS_MAX];
    uint32_t tx_count;
    uint64_t serial;       /* makes transactions differ */
    struct nv_hash newest; /* hash of the transaction added last */
    struct vm_result result;
};

/* chain_open makes the chain, opens the server and publishes the genesis and
 * one block with prices. chain_close ends it. */
void chain_open(struct rpc_chain *chain);
void chain_close(struct rpc_chain *chain);

/* chain_add adds one action of an account to the next block. */
void chain_add(struct rpc_chain *chain, uint32_t account, const struct vm_action *action);

/* Shorthands for actions: a good-till-cancel order, cancelling all, a price
 * report by account 0, in whole units of money. */
void chain_place(
    struct rpc_chain *chain, uint32_t account, uint8_t side, int64_t ticks, int64_t lots);
void chain_cancel_all(struct rpc_chain *chain, uint32_t account);
void chain_report(struct rpc_chain *chain, uint32_t feed, int64_t price);

/* chain_stake makes two blocks: account 3 trusts 7.5 to the validator of account 1,
 * and takes 3 of it back. */
void chain_stake(struct rpc_chain *chain);

/* chain_add_validators writes rows of validators that the machine knows nothing of,
 * in no set, until there are `count`; the next block shows them. */
void chain_add_validators(struct rpc_chain *chain, uint32_t count);

/* chain_add_stakes writes rows by which an account has a stake with each of the validators
 * that chain_add_validators has written, up to `count`, and as much that waits. */
void chain_add_stakes(struct rpc_chain *chain, uint32_t account, uint32_t count);

/* chain_execute executes and publishes the block; chain_execute_only leaves the
 * publishing to chain_publish, as an executor that is ahead does. */
void chain_execute(struct rpc_chain *chain);
void chain_execute_only(struct rpc_chain *chain);
void chain_publish(struct rpc_chain *chain);

/* chain_call calls a method with parameters and returns the answer. */
const char *chain_call(struct rpc_chain *chain, const char *method, const char *params);

/* chain_of returns `{"address":"0x..."` of an account, without the closing
 * brace, for parameters. */
const char *chain_of(const struct rpc_chain *chain, uint32_t account);

#endif /* NV_TESTS_LIB_RPC_CHAIN_H */
