#ifndef NV_VM_ROWS_H
#define NV_VM_ROWS_H

/* rows.h - every row of state: its key, its struct, its codec.
 *
 * A key is 32 bytes: the table, then big-endian fields, then zeros, so that a
 * range of keys means something (all positions of an account, the top of a
 * book).  A value is canonical: decode refuses any other spelling, and
 * encode(decode(bytes)) == bytes.  Layouts: docs/spec/rows.md.
 *
 * Pure; used by the VM, by RPC, by tools that audit. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/row.h"

#include "vm/number/units.h"
#include "vm/rows_stake.h"

#define VM_ROW_SIZE_MAX     1900u
#define VM_SYMBOL_SIZE      24u /* NUL-padded ASCII */
#define VM_PROGRAM_SIZE_MAX 620u
#define VM_LEVEL_TICKS      64u        /* ticks a level page */
#define VM_ORDER_PAGE       16u        /* orders an order page */
#define VM_RING             4096u      /* block results and roots kept */
#define VM_MARKETS_END      (1u << 16) /* market ids are 16 bits in a handle */

enum vm_table {
    VM_TABLE_ACCOUNT = 0x01,      /* account u64 */
    VM_TABLE_POSITION = 0x02,     /* account u64, market u32 */
    VM_TABLE_MARKET = 0x03,       /* market u32: the listing */
    VM_TABLE_LEVEL = 0x04,        /* market u32, side u8, page u64 (bids complemented) */
    VM_TABLE_ADDRESS = 0x05,      /* 20-byte address */
    VM_TABLE_SESSION = 0x06,      /* account u64, first 16 bytes of the key's SHA-256 */
    VM_TABLE_ORDERS = 0x07,       /* market u32, account u64, page u8 */
    VM_TABLE_FEED = 0x08,         /* feed u32 */
    VM_TABLE_REPORT = 0x09,       /* feed u32, reporter u16 */
    VM_TABLE_PARAM = 0x0a,        /* parameter u16 */
    VM_TABLE_CHAIN = 0x0b,        /* one row */
    VM_TABLE_BLOCK_RESULT = 0x0c, /* height mod VM_RING u32 */
    VM_TABLE_ROOT = 0x0d,         /* height mod VM_RING u32 */
    VM_TABLE_TOMBSTONE = 0x0e,    /* market u32, account u64, client id u64 */
    VM_TABLE_REPORTER = 0x0f,     /* reporter u16 */
    VM_TABLE_MARKET_STATE = 0x10, /* market u32: what moves */
    VM_TABLE_STAKING = 0x11,      /* one row */
    VM_TABLE_VALIDATOR = 0x12,    /* account u64 */
    VM_TABLE_DELEGATION = 0x13,   /* account u64, validator's account u64 */
    VM_TABLE_BATCH = 0x14,        /* validator's account u64, epoch u64 */
    VM_TABLE_UNBONDING = 0x15,    /* account u64, validator's account u64, epoch u64 */
    VM_TABLE_SET = 0x16,          /* set u8, page u8 */
    VM_TABLE_UPTIME = 0x17,       /* one row */
    VM_TABLE_LAST = VM_TABLE_UPTIME,
};

/* How far the protection of an account has gone (docs/spec/protection.md). */
enum vm_stage {
    VM_STAGE_SAFE = 0,
    VM_STAGE_CLOSING = 1,    /* closing into the auction, keepers welcome */
    VM_STAGE_INSURED = 2,    /* insurance covers */
    VM_STAGE_DELEVERAGE = 3, /* the winning side takes the rest */
};

enum vm_market_status {
    VM_MARKET_OPEN = 1,
    VM_MARKET_SETTLING = 2, /* expired, waiting for coverage of its settlement average */
    VM_MARKET_SETTLED = 3,
    VM_MARKET_QUARANTINED = 4,
};

struct vm_account_row {
    struct nv_address address;
    struct vm_money cash;   /* collateral inside the clearing; negative is a realised loss */
    struct vm_money wallet; /* outside the clearing; >= 0 */
    uint8_t stage;          /* enum vm_stage */
    uint64_t stage_height;  /* height at which it entered the stage */
    uint64_t created_height;
};

/* Position value = lots × (market mark - market carry) + cost. */
struct vm_position_row {
    struct vm_lots lots;
    struct vm_money cost;
};

/* What is listed: data, never code paths.  instrument id = TH("novate/instrument/v1", row bytes). */
struct vm_market_row {
    char symbol[VM_SYMBOL_SIZE];
    uint32_t feed;
    uint64_t tick_micro;          /* micro per unit of the underlying */
    uint32_t lots_per_unit;       /* lots in one unit of the underlying */
    struct vm_money tick_value;   /* tick_micro / lots_per_unit, whole, >= 1 */
    uint64_t expires_ms;          /* 0: never */
    uint64_t settle_window_ms;    /* average of the index before expiry */
    uint64_t funding_interval_ms; /* 0: none */
    struct vm_lots order_lots_max;
    struct vm_lots open_interest_max;
    uint16_t program_size;
    uint8_t program[VM_PROGRAM_SIZE_MAX]; /* payoff per unit of the underlying (vm/payoff) */
};

#define VM_VWAP_BUCKETS 6u /* of 5 s each */

struct vm_vwap_bucket {
    uint64_t start_ms;
    struct vm_lots lots;
    struct vm_money value; /* Σ lots × price × tick_value */
};

struct vm_market_state_row {
    uint8_t status;      /* enum vm_market_status */
    uint64_t status_ms;  /* block time when it entered the status */
    uint32_t generation; /* next order's generation */
    /* ledger: running sums, both laws are checked on them every block */
    struct vm_money carry;    /* cumulative funding a long lot has paid, micro per lot */
    struct vm_money realised; /* Σ cost + realised = 0 */
    struct vm_money cost_sum;
    struct vm_lots lots_sum;      /* = 0 */
    struct vm_lots open_interest; /* Σ long lots */
    struct vm_lots scrub_lots;    /* re-addition under way (docs/spec/ledger.md) */
    struct vm_money scrub_cost;
    /* marks, micro per lot */
    struct vm_money mark;
    struct vm_money index_value; /* payoff of the index, micro per lot */
    struct vm_money basis;       /* smoothed mark - index */
    struct vm_price last_price;  /* last auction; 0 before the first */
    uint64_t last_trade_ms;
    struct vm_vwap_bucket vwap[VM_VWAP_BUCKETS];
    uint64_t mid_rested_ms; /* time-weighted mid of resting depth, 30 s half-life */
    struct vm_money mid;
    /* auction bands (docs/spec/auction.md section 6) */
    uint64_t extended_from_ms;  /* 0: not extended */
    uint64_t extension_last_ms; /* when the last extension began, 0: never */
    uint32_t waiting_ioc;       /* open immediate-or-cancel orders, only while extended */
    /* funding (docs/spec/ledger.md section 5) */
    uint64_t funding_next_ms; /* 0: not begun */
    uint64_t premium_at_ms;   /* the sum below is complete up to here */
    struct vm_money premium;  /* mark - index_value in force since then */
    int64_t premium_sum_hi;   /* Σ premium × ms as 128 bits */
    uint64_t premium_sum_lo;
    /* settlement average of the index, micro per unit of the underlying (section 6) */
    uint64_t average_at_ms;       /* last sample, 0: none */
    struct vm_money average_last; /* index in force since then */
    uint64_t average_ms;          /* covered milliseconds */
    int64_t average_sum_hi;       /* Σ index × ms as 128 bits */
    uint64_t average_sum_lo;
    struct vm_money settlement; /* micro per lot, once settled */
    /* what the risk vector was built from (docs/spec/margin.md) */
    struct vm_money risk_index;
    struct vm_ratio risk_range;
};

/* 64 ticks of one side: total resting lots per tick.  Page = floor(tick / 64)
 * in two's complement, so tick = (int64_t)(page * 64 + i) for any sign. */
struct vm_level_row {
    uint64_t occupied; /* bit i: tick page*64+i has lots */
    struct vm_lots lots[VM_LEVEL_TICKS];
};

struct vm_address_row {
    uint64_t account;
};

struct vm_session_row {
    struct nv_pubkey key;
    uint32_t scopes;
    uint64_t expires_ms;
};

#define VM_ORDER_POST_ONLY   1u
#define VM_ORDER_REDUCE_ONLY 2u
#define VM_ORDER_PROTECTIVE  4u
#define VM_ORDER_IOC         8u /* leaves after the auction it meets; rests only while that is extended */
#define VM_ORDER_FLAGS_ALL   15u

#define VM_SLOT_END       (1u << 24) /* slots and generations are 24 bits in a handle */
#define VM_GENERATION_END (1u << 24)
#define VM_LOTS_MAX       INT64_C(0x7fffffff) /* largest size of an order or position */

/* A resting order.  Handle = market:16 | generation:24 | slot:24 (docs/spec/rows.md). */
struct vm_order_row {
    uint32_t slot;
    uint32_t generation;
    uint8_t side;
    uint8_t flags;
    struct vm_price price;
    struct vm_lots lots;    /* remaining, > 0 */
    uint64_t placed_height; /* age in a marginal level */
    uint64_t expires_ms;    /* 0: until cancelled */
    uint64_t client_id;
    uint64_t tie; /* order of remainders (docs/spec/auction.md section 1) */
};

struct vm_orders_row {
    uint8_t count;                  /* 1..VM_ORDER_PAGE */
    uint8_t ordinal[VM_ORDER_PAGE]; /* place in the page, ascending */
    struct vm_order_row order[VM_ORDER_PAGE];
};

struct vm_feed_row {
    char symbol[VM_SYMBOL_SIZE]; /* "BTC" */
    struct vm_money index;       /* micro per unit; 0 before the first quorum */
    struct vm_money confidence;
    uint64_t index_ms;             /* block time of the last accepted median */
    uint64_t quorum_height;        /* height of the last fresh quorum */
    uint8_t fresh;                 /* 1 while a quorum of stake has fresh reports */
    uint64_t lost_ms;              /* block time since which it is not fresh, 0 if fresh */
    struct vm_ratio range_initial; /* scan ranges */
    struct vm_ratio range_maintenance;
};

struct vm_report_row {
    struct vm_money price;
    struct vm_money confidence;
    uint64_t time_ms;
};

struct vm_reporter_row {
    uint64_t account;
    uint64_t stake;
};

struct vm_param_row {
    int64_t value;
};

struct vm_chain_row {
    uint64_t height;
    uint64_t time_ms;
    struct vm_money vault;    /* Σ cash = vault + Σ realised */
    struct vm_money supply;   /* Σ wallet + vault = supply */
    struct vm_money cash_sum; /* running sums of the two laws */
    struct vm_money wallet_sum;
    struct vm_money realised_sum;
    struct vm_money scrub_cash; /* re-addition of the sums, under way */
    struct vm_money scrub_wallet;
    uint64_t next_account;
    uint64_t fee_account;
    uint64_t insurance_account;
    uint64_t faucet_account; /* 0: no faucet, not a devnet */
    uint8_t safe_mode;
    struct nv_hash params_hash;
};

/* A client id that was cancelled before it came (settlement: phase cancel). */
struct vm_tombstone_row {
    uint64_t expires_ms;
};

struct vm_block_result_row {
    uint64_t height;
    uint64_t time_ms;
    uint32_t tx_count;
    uint32_t event_count;
    struct nv_hash receipts_root;
    struct nv_hash events_root;
};

struct vm_root_row {
    uint64_t height;
    struct nv_hash root; /* state root after `height` */
};

/* Keys.  Each writes all 32 bytes. */
void vm_key_account(struct nv_row_key *key, uint64_t account);
void vm_key_position(struct nv_row_key *key, uint64_t account, uint32_t market);
void vm_key_market(struct nv_row_key *key, uint32_t market);
void vm_key_market_state(struct nv_row_key *key, uint32_t market);
void vm_key_level(struct nv_row_key *key, uint32_t market, uint8_t side, uint64_t page);
/* vm_key_level_page gives back the page of such a key. */
uint64_t vm_key_level_page(const struct nv_row_key *key, uint8_t side);
void vm_key_address(struct nv_row_key *key, const struct nv_address *address);
void vm_key_session(struct nv_row_key *key, uint64_t account, const struct nv_pubkey *session);
void vm_key_orders(struct nv_row_key *key, uint32_t market, uint64_t account, uint8_t page);
void vm_key_feed(struct nv_row_key *key, uint32_t feed);
void vm_key_report(struct nv_row_key *key, uint32_t feed, uint16_t reporter);
void vm_key_reporter(struct nv_row_key *key, uint16_t reporter);
void vm_key_param(struct nv_row_key *key, uint16_t param);
void vm_key_chain(struct nv_row_key *key);
void vm_key_block_result(struct nv_row_key *key, uint64_t height);
void vm_key_root(struct nv_row_key *key, uint64_t height);
void vm_key_tombstone(struct nv_row_key *key, uint32_t market, uint64_t account, uint64_t client);

/* Codecs: for each table `x`, vm_x_row_encode appends the canonical value to a
 * writer and vm_x_row_decode reads a whole value (NV_ERR_TRUNCATED, _TRAILING,
 * _MALFORMED on anything else).  Adjacent pairs in vm/state/rows_*.c. */
#define VM_ROWS(XX)                                                                                \
    XX(account)                                                                                    \
    XX(position)                                                                                   \
    XX(market)                                                                                     \
    XX(market_state)                                                                               \
    XX(level)                                                                                      \
    XX(address)                                                                                    \
    XX(session)                                                                                    \
    XX(orders)                                                                                     \
    XX(feed)                                                                                       \
    XX(report)                                                                                     \
    XX(reporter)                                                                                   \
    XX(param)                                                                                      \
    XX(chain)                                                                                      \
    XX(tombstone)                                                                                  \
    XX(block_result)                                                                               \
    XX(root)                                                                                       \
    XX(staking)                                                                                    \
    XX(validator)                                                                                  \
    XX(delegation)                                                                                 \
    XX(batch)                                                                                      \
    XX(unbonding)                                                                                  \
    XX(set)                                                                                        \
    XX(uptime)

#define VM_ROW_DECLARE(x)                                                                          \
    void vm_##x##_row_encode(struct nv_writer *w, const struct vm_##x##_row *row);                 \
    NV_MUST_USE enum nv_err vm_##x##_row_decode(struct vm_##x##_row *row, struct nv_view value);
VM_ROWS(VM_ROW_DECLARE)
#undef VM_ROW_DECLARE

/* vm_page_of returns the page that a tick lies on, vm_page_tick the tick at
 * place `i` of a page.  Any sign. */
static inline uint64_t vm_page_of(struct vm_price price)
{
    uint64_t const biased = (uint64_t)vm_price_raw(price) ^ (UINT64_C(1) << 63);
    return (biased >> 6) - (UINT64_C(1) << 57);
}
static inline struct vm_price vm_page_tick(uint64_t page, uint32_t i)
{
    return vm_price((int64_t)(page * VM_LEVEL_TICKS + i));
}

/* vm_order_handle packs and unpacks an order's public id. */
uint64_t vm_order_handle(uint32_t market, uint32_t generation, uint32_t slot);
void vm_order_handle_split(uint64_t handle, uint32_t *market, uint32_t *generation, uint32_t *slot);

#endif /* NV_VM_ROWS_H */
