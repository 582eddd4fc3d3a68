#ifndef NV_VM_TX_H
#define NV_VM_TX_H

/* tx.h - a transaction as the VM sees it: decoded, fixed structs, no protobuf.
 *
 * vm/wire turns received bytes into these (strictly) and back.  A vm_tx borrows
 * from the arena it was decoded into.  Normative: docs/spec/transactions.md. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/key.h"

#include "vm/number/units.h"

#define VM_ACTIONS_MAX       64u    /* actions a transaction */
#define VM_CLOSES_MAX        64u    /* closes in a keeper's plan */
#define VM_BLOCK_TXS_MAX     16384u /* transactions of a block */
#define VM_BLOCK_ACTIONS_MAX 65536u /* actions of all its transactions */
#define VM_CLOSES_TX_MAX     256u   /* closes in all plans of a transaction */
#define VM_TX_SIZE_MAX       16512u /* bytes of one transaction as received */
#define VM_BODY_SIZE_MAX     16384u /* of its body */
#define VM_EXPIRY_MAX_MS     60000u /* how far ahead of the block's time a transaction may expire */

/* Ranges of fields as decoded; beyond them a transaction is not one. */
#define VM_MARKET_MAX 65535u
#define VM_FEED_MAX   65535u
#define VM_SIZE_MAX   INT64_C(0x7fffffff)       /* lots of an order or a close */
#define VM_TICKS_MAX  ((INT64_C(1) << 53) - 1)  /* magnitude of a price */
#define VM_AMOUNT_MAX ((INT64_C(1) << 61))      /* micro */
#define VM_TIME_MAX   ((UINT64_C(1) << 53) - 1) /* UTC ms */

enum vm_side { VM_BUY = 1, VM_SELL = 2 };
enum vm_time_in_force { VM_GTC = 1, VM_GTT = 2, VM_IOC = 3 };

enum vm_action_kind {
    VM_ACTION_PLACE = 1,
    VM_ACTION_CANCEL = 2,
    VM_ACTION_CANCEL_CLIENT = 3,
    VM_ACTION_CANCEL_ALL = 4,
    VM_ACTION_DEPOSIT = 5,
    VM_ACTION_WITHDRAW = 6,
    VM_ACTION_TRANSFER = 7,
    VM_ACTION_FAUCET = 8,
    VM_ACTION_SESSION_SET = 9,
    VM_ACTION_SESSION_REVOKE = 10,
    VM_ACTION_REPORT = 11,
    VM_ACTION_KEEPER_CLOSE = 12,
    VM_ACTION_BOND = 13,
    VM_ACTION_DELEGATE = 14,
    VM_ACTION_UNDELEGATE = 15,
    VM_ACTION_WITHDRAW_STAKE = 16,
    VM_ACTION_CLAIM = 17,
    VM_ACTION_SET_COMMISSION = 18,
    VM_ACTION_UNJAIL = 19,
};

/* Scopes of a session key, a bit set. */
#define VM_SCOPE_TRADE    1u
#define VM_SCOPE_TRANSFER 2u
#define VM_SCOPE_WITHDRAW 4u
#define VM_SCOPE_REPORT   8u
#define VM_SCOPE_STAKE    16u
#define VM_SCOPES_ALL     31u

struct vm_place {
    uint32_t market;
    uint8_t side;          /* enum vm_side */
    uint8_t time_in_force; /* enum vm_time_in_force */
    bool post_only;
    bool reduce_only;
    struct vm_price price;
    struct vm_lots lots; /* > 0 */
    uint64_t expires_ms; /* GTT, else 0 */
    uint64_t client_id;  /* 0: none */
};

struct vm_cancel_client {
    uint32_t market;
    uint64_t client_id;
};

struct vm_cancel_all {
    uint32_t market;
    bool every_market;
};

struct vm_send {
    struct nv_address to;
    struct vm_money amount; /* > 0 */
};

struct vm_session_set {
    struct nv_pubkey key;
    uint32_t scopes;
    uint64_t expires_ms;
};

struct vm_report {
    uint32_t feed;
    struct vm_money price;      /* micro of the settlement currency per unit of the underlying */
    struct vm_money confidence; /* half-width, same unit */
    uint64_t time_ms;
};

struct vm_close {
    uint32_t market;
    struct vm_lots lots; /* > 0: how much of the position to close */
};

struct vm_keeper_close {
    struct nv_address account;
    uint32_t close_count;
    const struct vm_close *closes;
};

/* Becoming a validator.  The proofs are signatures of `key` over `claim` and of
 * `node_key` over `node_claim`, which decoding makes from chain and account; they
 * are checked with the transaction's. */
struct vm_bond {
    struct nv_pubkey key;      /* signs votes */
    struct nv_pubkey node_key; /* signs p2p handshakes */
    struct vm_ratio commission;
    struct vm_money amount; /* > 0: the self-stake */
    struct nv_sig proof;
    struct nv_sig node_proof;
    struct nv_hash claim;      /* TH("novate/bond/v1", chain_id || account) */
    struct nv_hash node_claim; /* TH("novate/bond-node/v1", chain_id || account) */
};

struct vm_delegate {
    struct nv_address validator; /* its operator */
    struct vm_money amount;      /* > 0 */
};

struct vm_action {
    uint8_t kind; /* enum vm_action_kind */
    union {
        struct vm_place place;
        uint64_t cancel_order; /* handle */
        struct vm_cancel_client cancel_client;
        struct vm_cancel_all cancel_all;
        struct vm_money amount; /* deposit, withdraw */
        struct vm_send send;    /* transfer, faucet */
        struct vm_session_set session_set;
        struct nv_pubkey session_revoke;
        struct vm_report report;
        struct vm_keeper_close keeper_close;
        const struct vm_bond *bond;
        struct vm_delegate delegate; /* delegate, undelegate */
        struct nv_address validator; /* withdraw stake */
        struct vm_ratio commission;  /* set commission */
    };
};

struct vm_tx {
    struct nv_hash hash; /* TH("novate/tx/v1", chain_id || key || body) */
    struct nv_address account;
    struct nv_pubkey key;
    struct nv_sig signature;
    uint64_t expires_ms;
    uint64_t salt;
    uint32_t action_count;
    const struct vm_action *actions;
    struct nv_view bytes; /* as received; borrowed */
};

#endif /* NV_VM_TX_H */
