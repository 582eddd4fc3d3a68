#ifndef NV_VM_EVENT_H
#define NV_VM_EVENT_H

/* event.h - what happened in a block, in one deterministic order.
 *
 * Events feed subscriptions, histories and explanations; state is in rows.
 * An event's sequence is (height, index), the same on every node.
 * Layout: docs/spec/receipts.md. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"

#include "vm/number/units.h"

enum vm_event_kind {
    VM_EVENT_CASH = 1,       /* cash or wallet moved other than by trading */
    VM_EVENT_ORDER = 2,      /* an order came to rest, changed or left */
    VM_EVENT_FILL = 3,       /* one side of a fill */
    VM_EVENT_AUCTION = 4,    /* a market cleared */
    VM_EVENT_INDEX = 5,      /* a feed's index was updated, or became stale */
    VM_EVENT_MARK = 6,       /* a market's mark changed */
    VM_EVENT_FUNDING = 7,    /* a market's carry moved */
    VM_EVENT_PROTECTION = 8, /* an account's protection advanced; holds its inputs */
    VM_EVENT_SETTLEMENT = 9, /* a position was settled at expiry */
    VM_EVENT_MARKET = 10,    /* a market changed its status */
    VM_EVENT_SAFE_MODE = 11,
    VM_EVENT_VALIDATOR = 12, /* what happened to a validator */
    VM_EVENT_EPOCH = 13,     /* an epoch began */
};

enum vm_cash_reason {
    VM_CASH_DEPOSIT = 1,
    VM_CASH_WITHDRAW = 2,
    VM_CASH_TRANSFER_OUT = 3,
    VM_CASH_TRANSFER_IN = 4,
    VM_CASH_FAUCET = 5,
    VM_CASH_LIQUIDATION_FEE = 6,
    VM_CASH_KEEPER_REWARD = 7,
    VM_CASH_INSURANCE = 8,
    VM_CASH_STAKED = 9,
    VM_CASH_UNSTAKED = 10,
    VM_CASH_COMMISSION = 11,
    VM_CASH_SLASH = 12,
};

enum vm_order_change {
    VM_ORDER_RESTED = 1,
    VM_ORDER_FILLED = 2,    /* wholly */
    VM_ORDER_REDUCED = 3,   /* partly filled, rests */
    VM_ORDER_CANCELLED = 4, /* by its owner */
    VM_ORDER_EXPIRED = 5,
    VM_ORDER_IOC_REST = 6, /* unfilled rest of an immediate-or-cancel */
    VM_ORDER_SELF_CROSS = 7,
    VM_ORDER_MARGIN = 8,    /* removed: the account no longer supports it */
    VM_ORDER_PROTECTED = 9, /* removed by protection */
    VM_ORDER_MARKET_CLOSED = 10,
    VM_ORDER_BEYOND_BAND = 11,  /* crossed beyond the band's edge after a clamped auction */
    VM_ORDER_NOT_REDUCING = 12, /* reduce-only, and there was nothing left to reduce */
};

enum vm_validator_change {
    VM_VALIDATOR_BONDED = 1,
    VM_VALIDATOR_REWARDED = 2,
    VM_VALIDATOR_SLASHED = 3,
    VM_VALIDATOR_ABSENT = 4, /* jailed */
    VM_VALIDATOR_UNJAILED = 5,
    VM_VALIDATOR_COMMISSION = 6, /* amount: ppb */
    VM_VALIDATOR_DELEGATED = 7,
    VM_VALIDATOR_UNDELEGATED = 8,
    VM_VALIDATOR_FORGOTTEN = 9,
};

struct vm_event_cash {
    uint64_t account;
    uint8_t reason;         /* enum vm_cash_reason */
    struct vm_money amount; /* signed change of cash */
    uint64_t counterparty;  /* account id or 0 */
};
struct vm_event_order {
    uint64_t account;
    uint32_t market;
    uint64_t order;
    uint8_t change; /* enum vm_order_change */
    uint8_t side;
    struct vm_price price;
    struct vm_lots lots; /* left after the change; of one that leaves unfilled, what it had */
    uint64_t client_id;
};
struct vm_event_fill {
    uint64_t account;
    uint32_t market;
    uint64_t order; /* 0: deleveraging */
    uint8_t side;
    uint8_t maker;
    struct vm_price price;
    struct vm_lots lots; /* > 0 */
    struct vm_money fee;
    struct vm_money realised;
};
struct vm_event_auction {
    uint32_t market;
    struct vm_price price;
    struct vm_lots lots;
    struct vm_lots imbalance; /* bids left minus asks left at the price */
    uint8_t extended;
};
struct vm_event_index {
    uint32_t feed;
    struct vm_money index;
    struct vm_money confidence;
    uint8_t fresh;
};
struct vm_event_mark {
    uint32_t market;
    struct vm_money mark;
    struct vm_money index_value;
};
struct vm_event_funding {
    uint32_t market;
    struct vm_money carry_delta; /* micro per long lot */
    struct vm_ratio rate;
};
struct vm_event_protection {
    uint64_t account;
    uint8_t stage;
    uint32_t market;     /* UINT32_MAX: the account as a whole */
    struct vm_lots lots; /* closed, signed as the position was */
    struct vm_price price;
    struct vm_money equity;
    struct vm_money maintenance;
    struct vm_money amount; /* insurance paid, or cash moved by deleveraging */
    uint64_t keeper;        /* account id, 0 none */
};
struct vm_event_settlement {
    uint64_t account;
    uint32_t market;
    struct vm_lots lots;
    struct vm_money value; /* micro per lot */
    struct vm_money realised;
};
struct vm_event_market {
    uint32_t market;
    uint8_t status;
    uint8_t reason;
};

struct vm_event_validator {
    uint64_t account; /* its operator */
    uint8_t change;   /* enum vm_validator_change */
    struct vm_money amount;
    uint64_t epoch; /* in force; of a slash: of the offence */
};
struct vm_event_epoch {
    uint64_t epoch;
    uint32_t members;
    struct vm_money stake; /* of the members */
    struct vm_money paid;  /* for the epoch before */
};

struct vm_event {
    uint8_t kind;
    union {
        struct vm_event_cash cash;
        struct vm_event_order order;
        struct vm_event_fill fill;
        struct vm_event_auction auction;
        struct vm_event_index index;
        struct vm_event_mark mark;
        struct vm_event_funding funding;
        struct vm_event_protection protection;
        struct vm_event_settlement settlement;
        struct vm_event_market market;
        uint8_t safe_mode;
        struct vm_event_validator validator;
        struct vm_event_epoch epoch;
    };
};

void vm_event_encode(struct nv_writer *w, const struct vm_event *event);
NV_MUST_USE enum nv_err vm_event_decode(struct vm_event *event, struct nv_view bytes);

#endif /* NV_VM_EVENT_H */
