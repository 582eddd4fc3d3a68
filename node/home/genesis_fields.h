#ifndef NV_NODE_HOME_GENESIS_FIELDS_H
#define NV_NODE_HOME_GENESIS_FIELDS_H

/* genesis_fields.h - typed reading of the keys of a JSON object, for
 * genesis.c.  The first thing wrong is logged with its path ("markets[2].tick")
 * and what was expected; from then on every read is a no-op, so that a caller
 * reads all its fields and looks at `failed` once. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"

struct node_fields {
    const json_t *object;
    const char *where; /* "" or "markets[2]." */
    bool *failed;
};

void node_fields_fail(const struct node_fields *f, const char *key, const char *expected);

/* node_fields_only fails for a key that is not in `keys`, naming the known ones. */
void node_fields_only(const struct node_fields *f, const char *const *keys, uint32_t key_count);

const char *node_field_text(const struct node_fields *f, const char *key);
bool node_field_flag(const struct node_fields *f, const char *key);
uint64_t
node_field_number(const struct node_fields *f, const char *key, uint64_t min, uint64_t max);

/* A canonical decimal string, as value × 10^places, within [min, max]. */
int64_t node_field_decimal(
    const struct node_fields *f, const char *key, uint32_t places, int64_t min, int64_t max);

/* Bytes of exactly `size`, 0x and lower-case hex. */
void node_field_bytes(const struct node_fields *f, const char *key, void *out, uint32_t size);
void node_field_address(const struct node_fields *f, const char *key, struct nv_address *out);

/* An array of `min` to `max` objects; NULL once failed. */
const json_t *
node_field_array(const struct node_fields *f, const char *key, uint32_t min, uint32_t max);

#endif /* NV_NODE_HOME_GENESIS_FIELDS_H */
