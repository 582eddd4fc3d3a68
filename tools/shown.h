#ifndef NV_TOOLS_SHOWN_H
#define NV_TOOLS_SHOWN_H

/* shown.h - rows that a proof shows, by their meaning, and values as the node
 * writes them in JSON.
 *
 * NV_ERR_NOT_FOUND: the state has no such row.  NV_ERR_MISMATCH: the proof does
 * not tell.  Others: the row's bytes are none. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/proof.h"

#include "tools/grid.h"
#include "vm/read_stake.h"
#include "vm/rows.h"

struct json_t;

struct shown_account {
    struct nv_address address;
    uint64_t id;
    struct vm_account_row row;
};

struct shown_market {
    uint32_t id;
    struct vm_market_row row;
    struct vm_market_state_row state;
    struct vm_feed_row feed;
    struct tool_grid grid;
};

NV_MUST_USE enum nv_err
shown_value(const struct nv_proof *proof, const struct nv_row_key *key, struct nv_view *value);
NV_MUST_USE enum nv_err shown_account(const struct nv_proof *proof,
                                      const struct nv_address *address,
                                      struct shown_account *out);
NV_MUST_USE enum nv_err
shown_market(const struct nv_proof *proof, uint32_t id, struct shown_market *out);

/* shown_prefix makes the range of the keys that begin with the first `size`
 * bytes of `key`. */
void shown_prefix(struct nv_row_range *out, const struct nv_row_key *key, uint32_t size);

/* shown_range is that; NV_ERR_MISMATCH when the proof leaves rows of it out. */
NV_MUST_USE enum nv_err shown_range(struct nv_row_range *out,
                                    const struct nv_proof *proof,
                                    const struct nv_row_key *key,
                                    uint32_t size);

/* shown_next writes the next row of the range; false at the end.  `*cursor` is
 * 0 at first. */
bool shown_next(const struct nv_proof *proof,
                const struct nv_row_range *range,
                uint32_t *cursor,
                struct nv_row *row);

/* shown_source is what a proof shows as vm/read_stake.h reads it: a walk over rows of
 * which the proof leaves some out is NV_ERR_MISMATCH.  Borrows the proof. */
struct vm_row_source shown_source(const struct nv_proof *proof);

/* shown_position_value writes lots x (mark - carry) + cost; false when it
 * leaves 64 bits. */
bool shown_position_value(int64_t *micro,
                          const struct shown_market *market,
                          const struct vm_position_row *row);

/* get_hex reads a member that is bytes in hex into a piece of `out`; an empty
 * view when there is none, or no room for it. */
struct nv_view get_hex(const struct json_t *object, const char *key, uint8_t *out, uint32_t cap);

/* Members of a JSON object, in the node's spelling. */
void put_text(struct json_t *object, const char *key, const char *text);
void put_u64(struct json_t *object, const char *key, uint64_t value);
void put_i64(struct json_t *object, const char *key, int64_t value);
void put_count(struct json_t *object, const char *key, uint64_t value);
void put_count_or_null(struct json_t *object, const char *key, uint64_t value);
void put_bool(struct json_t *object, const char *key, bool value);
void put_null(struct json_t *object, const char *key);
void put_micro(struct json_t *object, const char *key, int64_t micro);
void put_hex(struct json_t *object, const char *key, const void *bytes, uint32_t size);
/* price_json and size_json make a value of a market's grid, null where it leaves
 * 64 bits. */
struct json_t *price_json(const struct tool_grid *grid, int64_t ticks);
struct json_t *size_json(const struct tool_grid *grid, int64_t lots);
void put_size(struct json_t *o, const char *key, const struct tool_grid *grid, int64_t lots);
void put_price(struct json_t *o, const char *key, const struct tool_grid *grid, int64_t ticks);
void put_per_lot(struct json_t *o, const char *key, const struct tool_grid *grid, int64_t micro);

#endif /* NV_TOOLS_SHOWN_H */
