#ifndef NV_RPC_JSON_WRITE_H
#define NV_RPC_JSON_WRITE_H

/* json_write.h - writes JSON text straight into a buffer that grows to a limit.
 *
 * Answers and notifications are written once, front to back, without a tree.
 * Every function takes the member's key, NULL inside an array or at the top;
 * commas are put where they belong. After the limit is passed, or no memory
 * is left, `failed` is set and nothing more is written: check it at the end.
 *
 *     rpc__json_object(&json, NULL);
 *     rpc__json_u64(&json, "height", 7);       {"height":"7",
 *     rpc__json_number(&json, "count", 2);      "count":2}
 *     rpc__json_end(&json, '}');
 *
 * Any thread, one at a time per writer. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/key.h"

struct rpc_json {
    uint8_t *bytes; /* owned */
    uint32_t size;
    uint32_t cap;
    uint32_t limit; /* bytes it may grow to */
    bool failed;
    bool comma; /* the next value is preceded by one */
};

void rpc__json_init(struct rpc_json *json, uint32_t limit);
void rpc__json_deinit(struct rpc_json *json);
/* rpc__json_reset empties the writer and keeps its memory. */
void rpc__json_reset(struct rpc_json *json);
struct nv_view rpc__json_view(const struct rpc_json *json);

/* rpc__json_bytes appends bytes as they are, without a comma or quotes. */
void rpc__json_bytes(struct rpc_json *json, const void *bytes, uint32_t size);

void rpc__json_object(struct rpc_json *json, const char *key);
void rpc__json_array(struct rpc_json *json, const char *key);
void rpc__json_end(struct rpc_json *json, char bracket); /* '}' or ']' */

/* rpc__json_raw writes a value that is JSON text already. */
void rpc__json_raw(struct rpc_json *json, const char *key, struct nv_view text);
/* rpc__json_string escapes; bytes that are not UTF-8 become '?'. */
void rpc__json_string(struct rpc_json *json, const char *key, struct nv_view text);
void rpc__json_text(struct rpc_json *json, const char *key, const char *text); /* NULL: null */
void rpc__json_number(struct rpc_json *json, const char *key, int64_t value);
void rpc__json_bool(struct rpc_json *json, const char *key, bool value);
void rpc__json_null(struct rpc_json *json, const char *key);
/* Whole numbers as strings of digits: heights, ids, sequence numbers. */
void rpc__json_u64(struct rpc_json *json, const char *key, uint64_t value);
void rpc__json_i64(struct rpc_json *json, const char *key, int64_t value);
/* rpc__json_decimal writes value / 10^places as a canonical decimal string. */
void rpc__json_decimal(struct rpc_json *json, const char *key, int64_t value, uint32_t places);
/* rpc__json_micro is rpc__json_decimal with six places. */
void rpc__json_micro(struct rpc_json *json, const char *key, int64_t micro);
/* rpc__json_hex writes "0x" and lower-case digits. */
void rpc__json_hex(struct rpc_json *json, const char *key, struct nv_view bytes);
void rpc__json_hash(struct rpc_json *json, const char *key, const struct nv_hash *hash);
void rpc__json_pubkey(struct rpc_json *json, const char *key, const struct nv_pubkey *pubkey);
void rpc__json_address(struct rpc_json *json, const char *key, const struct nv_address *address);

#endif /* NV_RPC_JSON_WRITE_H */
