#ifndef NV_TESTS_LIB_RISK_WORLD_H
#define NV_TESTS_LIB_RISK_WORLD_H

/* risk_world.h - a small chain for tests of the VM: two underlyings, three
 * markets, some funded traders, four reporters, and blocks made of actions.
 *
 *     risk_world_open(&w); risk_world_prices(&w, 60000, 3000); risk_world_block(&w, 1000);
 *     risk_world_place(&w, 0, BTC_PERP, 10, 600000); risk_world_block(&w, 1000);
 *
 * Transactions are not signed: the VM does not look at signatures.  Anything
 * that should not fail is asserted. */

#include "vm/event.h"
#include "vm/genesis.h"
#include "vm/receipt.h"
#include "vm/state/state.h"
#include "vm/vm.h"

#define RISK_TRADERS   8u
#define RISK_REPORTERS 4u
#define RISK_TXS_MAX   256u

/* Feeds and markets of the world.  BTC: a tick is 0.1, a lot 0.001, so a tick
 * of a lot is 100 micro and a lot at 60,000 is worth 60.  ETH: 0.01 and 0.01. */
enum { RISK_BTC = 0, RISK_ETH = 1 };
enum { BTC_PERP = 0, ETH_PERP = 1, BTC_DATED = 2 };

#define RISK_START_MS   UINT64_C(1700000000000)
#define RISK_EXPIRES_MS (RISK_START_MS + 600000u) /* of BTC_DATED */

struct risk_world_tx {
    struct vm_tx tx;
    struct vm_action action[VM_ACTIONS_MAX];
    struct vm_close close[VM_CLOSES_MAX];
};

struct risk_world {
    struct vm *vm;
    void *memory;
    size_t size;
    struct vm_limits limits;
    struct nv_pubkey trader[RISK_TRADERS]; /* own keys */
    struct nv_pubkey reporter[RISK_REPORTERS];
    struct nv_pubkey insurance;
    struct nv_pubkey fees;
    uint64_t height;
    uint64_t time_ms;
    uint64_t salt;
    struct risk_world_tx pending[RISK_TXS_MAX];
    uint32_t pending_count;
    struct vm_tx txs[RISK_TXS_MAX]; /* of the last block, sorted */
    uint32_t tx_count;
    struct nv_hash hash[RISK_TXS_MAX]; /* of the last block's, in order of adding */
    uint32_t hash_count;
    struct vm_result result; /* of the last block or genesis */
};

/* What a world starts with; risk_world_open uses the defaults. */
struct risk_world_options {
    struct vm_money cash;           /* of every trader: 100,000 */
    struct vm_money insurance_cash; /* 1,000,000 */
    const struct vm_genesis_param *params;
    uint32_t param_count;
};

void risk_world_open(struct risk_world *w);
void risk_world_open_with(struct risk_world *w, const struct risk_world_options *options);
void risk_world_close(struct risk_world *w);

/* risk_world_address returns the address of a key. */
struct nv_address risk_world_address(const struct nv_pubkey *key);

/* risk_world_add adds a transaction of one action; returns its number in the block. */
uint32_t
risk_world_add(struct risk_world *w, const struct nv_pubkey *key, const struct vm_action *action);

/* A limit order: lots > 0 buys, < 0 sells; good till cancelled. */
uint32_t risk_world_place(
    struct risk_world *w, uint32_t trader, uint32_t market, int64_t lots, int64_t price);

/* All reporters report both feeds, in whole units of currency. */
void risk_world_prices(struct risk_world *w, int64_t btc, int64_t eth);

/* risk_world_block executes what was added, `elapsed_ms` after the last block. */
void risk_world_block(struct risk_world *w, uint64_t elapsed_ms);

/* Of the last block: the outcome of an action, by the number of its transaction. */
struct vm_receipt risk_world_receipt(const struct risk_world *w, uint32_t tx);
struct vm_outcome risk_world_outcome(const struct risk_world *w, uint32_t tx);

/* Looking into the state. */
struct vm_state *risk_world_state(const struct risk_world *w);
uint32_t risk_world_account(const struct risk_world *w, const struct nv_pubkey *key);
int64_t risk_world_cash(const struct risk_world *w, const struct nv_pubkey *key);
int64_t risk_world_lots(const struct risk_world *w, const struct nv_pubkey *key, uint32_t market);
const struct vm_market *risk_world_market(const struct risk_world *w, uint32_t market);

/* risk_world_laws adds up every account and position and fails unless both laws hold. */
void risk_world_laws(const struct risk_world *w);

#endif /* NV_TESTS_LIB_RISK_WORLD_H */
