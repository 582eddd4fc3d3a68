#include "tests/lib/row_model.h"

#include "base/proof.h"

uint32_t model_find(const struct row_model *model, const struct nv_row_key *key)
{
    uint32_t at = 0;
    while (at < model->count && memcmp(&model->rows[at].key, key, sizeof *key) < 0) {
        at++;
    }
    return at;
}

const struct model_row *model_get(const struct row_model *model, const struct nv_row_key *key)
{
    uint32_t const at = model_find(model, key);
    bool const there = at < model->count && memcmp(&model->rows[at].key, key, sizeof *key) == 0;
    return there ? &model->rows[at] : NULL;
}

bool model_put(struct row_model *model, const struct nv_row *row)
{
    uint32_t const at = model_find(model, &row->key);
    if (model_get(model, &row->key) == NULL) {
        if (model->count == MODEL_ROWS_MAX) {
            return false;
        }
        memmove(
            &model->rows[at + 1], &model->rows[at], (model->count - at) * sizeof model->rows[0]);
        model->count++;
    }
    model->rows[at].key = row->key;
    model->rows[at].size = (uint16_t)row->value.size;
    if (row->value.size > 0) {
        memcpy(model->rows[at].value, row->value.bytes, row->value.size);
    }
    return true;
}

bool model_remove(struct row_model *model, const struct nv_row_key *key)
{
    uint32_t const at = model_find(model, key);
    if (model_get(model, key) == NULL) {
        return false;
    }
    model->count--;
    memmove(&model->rows[at], &model->rows[at + 1], (model->count - at) * sizeof model->rows[0]);
    return true;
}

static uint32_t bit_of(const struct nv_row_key *key, uint32_t depth)
{
    return (uint32_t)key->bytes[depth / 8] >> (7 - depth % 8) & 1u;
}

/* The first bit in which not all of the rows [lo, hi) agree. */
static uint32_t depth_of(const struct model_row *rows, uint32_t lo, uint32_t hi)
{
    uint32_t depth = 0;
    while (bit_of(&rows[lo].key, depth) == bit_of(&rows[hi - 1].key, depth)) {
        depth++;
    }
    return depth;
}

/* The first of the rows [lo, hi) whose bit `depth` is 1. */
static uint32_t split_of(const struct model_row *rows, uint32_t lo, uint32_t hi, uint32_t depth)
{
    uint32_t at = lo;
    while (at < hi && bit_of(&rows[at].key, depth) == 0) {
        at++;
    }
    return at;
}

static void hash_of(struct nv_hash *out, const struct model_row *rows, uint32_t lo, uint32_t hi)
{
    uint8_t bytes[66];
    uint32_t size = 66;
    struct nv_hash part;
    if (hi - lo == 1) {
        size = 65;
        bytes[0] = 0;
        memcpy(bytes + 1, rows[lo].key.bytes, 32);
        nv_sha256(&part, nv_view_of(rows[lo].value, rows[lo].size));
        memcpy(bytes + 33, part.bytes, 32);
    } else {
        uint32_t const depth = depth_of(rows, lo, hi);
        uint32_t const split = split_of(rows, lo, hi, depth);
        bytes[0] = 1;
        bytes[1] = (uint8_t)depth;
        hash_of(&part, rows, lo, split);
        memcpy(bytes + 2, part.bytes, 32);
        hash_of(&part, rows, split, hi);
        memcpy(bytes + 34, part.bytes, 32);
    }
    nv_sha256(out, nv_view_of(bytes, size));
}

void model_root(struct nv_hash *root, const struct row_model *model)
{
    uint8_t const empty = 2;
    if (model->count == 0) {
        nv_sha256(root, nv_view_of(&empty, 1));
    } else {
        hash_of(root, model->rows, 0, model->count);
    }
}

/* What a proof is cut from and for. */
struct cutter {
    struct nv_writer *out;
    const struct model_row *rows;
    const struct nv_row_range *ranges;
    uint32_t range_count;
};

/* meets returns whether a range holds a key that begins with the first `depth`
 * bits of `key` and then has the bit `bit`. */
static bool
meets(const struct cutter *c, const struct nv_row_key *key, uint32_t depth, uint32_t bit)
{
    struct nv_row_key first = *key;
    struct nv_row_key last = *key;
    for (uint32_t i = depth; i < 256; i++) {
        uint8_t const mask = (uint8_t)(0x80u >> (i % 8));
        bool const low = i == depth ? bit == 1 : false;
        bool const high = i == depth ? bit == 1 : true;
        first.bytes[i / 8] = (uint8_t)(first.bytes[i / 8] & ~mask);
        last.bytes[i / 8] = (uint8_t)(last.bytes[i / 8] & ~mask);
        first.bytes[i / 8] = (uint8_t)(first.bytes[i / 8] | (low ? mask : 0));
        last.bytes[i / 8] = (uint8_t)(last.bytes[i / 8] | (high ? mask : 0));
    }
    for (uint32_t i = 0; i < c->range_count; i++) {
        if (memcmp(&first, &c->ranges[i].last, 32) <= 0 &&
            memcmp(&c->ranges[i].first, &last, 32) <= 0) {
            return true;
        }
    }
    return false;
}

static void put_leaf(const struct cutter *c, const struct model_row *row)
{
    bool asked = false;
    for (uint32_t i = 0; i < c->range_count; i++) {
        asked = asked || (memcmp(&row->key, &c->ranges[i].last, 32) <= 0 &&
                          memcmp(&c->ranges[i].first, &row->key, 32) <= 0);
    }
    nv_put_u8(c->out, asked ? NV_PROOF_ROW : NV_PROOF_KEY);
    nv_put_bytes(c->out, row->key.bytes, 32);
    if (asked) {
        nv_put_u16(c->out, row->size);
        nv_put_bytes(c->out, row->value, row->size);
    } else {
        struct nv_hash hash;
        nv_sha256(&hash, nv_view_of(row->value, row->size));
        nv_put_bytes(c->out, hash.bytes, 32);
    }
}

static void put_cut(const struct cutter *c, uint32_t lo, uint32_t hi)
{
    struct nv_hash hash;
    hash_of(&hash, c->rows, lo, hi);
    nv_put_u8(c->out, NV_PROOF_CUT);
    nv_put_bytes(c->out, hash.bytes, 32);
}

/* put_node writes the rows [lo, hi); `least`: only their least, without value. */
static void put_node(const struct cutter *c, uint32_t lo, uint32_t hi, bool least)
{
    if (hi - lo == 1) {
        put_leaf(c, &c->rows[lo]);
        return;
    }
    uint32_t const depth = depth_of(c->rows, lo, hi);
    uint32_t const split = split_of(c->rows, lo, hi, depth);
    bool const left = !least && meets(c, &c->rows[lo].key, depth, 0);
    bool const right = !least && meets(c, &c->rows[lo].key, depth, 1);
    nv_put_u8(c->out, NV_PROOF_INNER);
    nv_put_u8(c->out, (uint8_t)depth);
    if (left || !right) {
        put_node(c, lo, split, !left);
    } else {
        put_cut(c, lo, split);
    }
    if (right) {
        put_node(c, split, hi, false);
    } else {
        put_cut(c, split, hi);
    }
}

void model_prove(struct nv_writer *out,
                 const struct row_model *model,
                 const struct nv_row_range *ranges,
                 uint32_t range_count)
{
    struct cutter const c = {
        .out = out, .rows = model->rows, .ranges = ranges, .range_count = range_count};
    nv_put_u8(out, NV_PROOF_VERSION);
    if (model->count == 0) {
        nv_put_u8(out, NV_PROOF_EMPTY);
    } else {
        put_node(&c, 0, model->count, false);
    }
}
