#ifndef NV_TESTS_LIB_VM_WORLD_H
#define NV_TESTS_LIB_VM_WORLD_H

/* vm_world.h - a whole VM on a small chain: three markets, traders, reporters,
 * a faucet; transactions are made here, blocks executed, rows kept.
 *
 * Keys are made up (nobody checks signatures below the wire), so an account is
 * a small number: trader i has the key of 32 bytes derived from i. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/vm_rows.h"
#include "vm/genesis.h"
#include "vm/receipt.h"
#include "vm/vm.h"

#define WORLD_TRADERS    12u
#define WORLD_REPORTERS  4u
#define WORLD_FAUCET     100u /* key numbers */
#define WORLD_FEE        101u
#define WORLD_INSURANCE  102u
#define WORLD_REPORTER   200u /* 200, 201, … */
#define WORLD_VALIDATOR  500u /* 500, 501, … operators of genesis, their keys 600, … */
#define WORLD_VALIDATORS 3u
#define WORLD_KEY        600u
#define WORLD_STRANGER   300u /* 300, … have no account */

#define WORLD_BTC_PERP  0u
#define WORLD_ETH_PERP  1u
#define WORLD_BTC_DATED 2u
#define WORLD_MARKETS   3u

#define WORLD_TXS_MAX 512u

struct vm_world {
    void *memory;
    size_t size;
    struct vm *vm;
    struct vm_limits limits;
    struct vm_rows *rows; /* as committed, rings included */
    struct nv_hash root;  /* a hash of all writes: stands for the state root */
    uint64_t height;
    uint64_t time_ms;
    void *tx_memory;
    struct nv_arena tx_arena;
    struct vm_tx txs[WORLD_TXS_MAX]; /* of the block to come */
    uint32_t tx_count;
    uint64_t salt;
    struct vm_consensus facts; /* of the block to come */
    struct vm_result result;   /* of the block last executed */
};

/* vm_world_open makes the chain; vm_world_close gives its memory back. */
void vm_world_open(struct vm_world *w);
void vm_world_close(struct vm_world *w);

/* vm_world_state is the state inside; tests may break it. */
struct vm_state *vm_world_state(struct vm_world *w);

/* vm_world_account is the slab index of a key's account, or VM_NONE. */
uint32_t vm_world_account(const struct vm_world *w, uint32_t number);
void vm_world_key(struct nv_pubkey *key, uint32_t number);
void vm_world_address(struct nv_address *address, uint32_t number);

/* vm_world_tx adds a transaction of `number` to the block to come, with an
 * expiry that is right; returns it, so that a test can spoil it. */
struct vm_tx *
vm_world_tx(struct vm_world *w, uint32_t number, const struct vm_action *actions, uint32_t count);

/* Transactions of one action. */
struct vm_tx *vm_world_place(struct vm_world *w, uint32_t number, const struct vm_place *place);
void vm_world_report(struct vm_world *w, uint32_t feed, int64_t price_micro);
void vm_world_send(struct vm_world *w, uint32_t from, uint8_t kind, uint32_t to, int64_t micro);
void vm_world_amount(struct vm_world *w, uint32_t number, uint8_t kind, int64_t micro);

void vm_world_stake(
    struct vm_world *w, uint32_t number, uint8_t kind, uint32_t validator, int64_t micro);

/* vm_world_bond_action makes a bond of the key WORLD_KEY + key, kept in `bond`. */
struct vm_action vm_world_bond_action(struct vm_bond *bond, uint32_t key, int64_t micro);

/* vm_world_sort puts the transactions of the block to come in order. */
void vm_world_sort(struct vm_world *w);

/* vm_world_block executes the block to come `ms` later and keeps its writes,
 * which must be exact. */
void vm_world_block(struct vm_world *w, uint64_t ms);

/* vm_world_keep is the second half of that: applies w->result to the rows and
 * begins the next block. */
void vm_world_keep(struct vm_world *w);

/* vm_world_reload puts a VM loaded from the kept rows in the place of this one. */
void vm_world_reload(struct vm_world *w);

/* vm_world_receipt decodes the receipt of a transaction of the last block. */
void vm_world_receipt(const struct vm_world *w, const struct nv_hash *tx, struct vm_receipt *out);

#endif /* NV_TESTS_LIB_VM_WORLD_H */
