#include "base/assert.h"
#include "base/proof.h"

#include "storage/tree.h"

/* Cuts the proof of docs/spec/state.md section 3 out of a version. */
struct cutter {
    const struct st__tree *tree;
    struct nv_writer *out;
    const struct nv_row_range *ranges; /* ascending, apart */
};

/* A subtree to be written. */
struct part {
    uint32_t ref;
    const struct nv_row_key *near; /* a key below it */
    uint32_t lo;                   /* the ranges that may meet it: from here */
    uint32_t hi;                   /* to before here */
};

/* narrow leaves in [lo, hi) the ranges that meet `reach`. */
static void narrow(const struct cutter *c, struct part *part, const struct nv_row_range *reach)
{
    while (part->lo < part->hi && nv_row_key_cmp(&c->ranges[part->lo].last, &reach->first) < 0) {
        part->lo++;
    }
    while (part->lo < part->hi &&
           nv_row_key_cmp(&c->ranges[part->hi - 1].first, &reach->last) > 0) {
        part->hi--;
    }
}

static const struct nv_row_key *
key_below(const struct st__tree *tree, uint32_t ref, const struct nv_row_key *toward)
{
    while (!st__is_leaf(ref)) {
        const struct st__inner *const node = st__inner_at(tree, ref);
        ref = node->child[nv_row_key_bit(toward, node->depth) ? 1 : 0];
    }
    return &st__leaf_at(tree, ref)->key;
}

static void put_leaf(const struct cutter *c, const struct part *part)
{
    const struct st__leaf *const leaf = st__leaf_at(c->tree, part->ref);
    struct nv_view const value = st__leaf_value(c->tree, leaf);
    struct part own = *part;
    struct nv_row_range const reach = {leaf->key, leaf->key};
    narrow(c, &own, &reach);
    bool const asked = own.lo < own.hi;
    nv_put_u8(c->out, asked ? NV_PROOF_ROW : NV_PROOF_KEY);
    nv_put_bytes(c->out, leaf->key.bytes, NV_ROW_KEY_SIZE);
    if (asked) {
        nv_put_u16(c->out, (uint16_t)value.size);
        nv_put_bytes(c->out, value.bytes, value.size);
    } else {
        struct nv_hash hash;
        nv_sha256(&hash, value);
        nv_put_bytes(c->out, hash.bytes, NV_HASH_SIZE);
    }
}

static void put_cut(const struct cutter *c, const uint8_t *hash32)
{
    nv_put_u8(c->out, NV_PROOF_CUT);
    nv_put_bytes(c->out, hash32, NV_HASH_SIZE);
}

static void put_inner(const struct cutter *c, const struct st__inner *node)
{
    nv_put_u8(c->out, NV_PROOF_INNER);
    nv_put_u8(c->out, node->depth);
}

/* put_least writes a subtree of which only the least row is shown. */
static void put_least(const struct cutter *c, const struct part *part)
{
    const uint8_t *cuts[NV_ROW_KEY_BITS];
    uint32_t count = 0;
    struct part least = *part;
    while (!st__is_leaf(least.ref)) {
        const struct st__inner *const node = st__inner_at(c->tree, least.ref);
        put_inner(c, node);
        NV_ASSERT(count < NV_ROW_KEY_BITS);
        cuts[count++] = node->hash[1];
        least.ref = node->child[0];
    }
    put_leaf(c, &least);
    while (count > 0) {
        put_cut(c, cuts[--count]);
    }
}

/* put_node writes a subtree; it goes at most NV_ROW_KEY_BITS deep.  The writer
 * remembers when it is full. */
static void put_node(const struct cutter *c, const struct part *part)
{
    if (st__is_leaf(part->ref)) {
        put_leaf(c, part);
        return;
    }
    const struct st__inner *const node = st__inner_at(c->tree, part->ref);
    uint32_t const near_side = nv_row_key_bit(part->near, node->depth) ? 1 : 0;
    struct part side[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct nv_row_range reach;
        side[i] = *part;
        side[i].ref = node->child[i];
        nv_row_key_reach(&reach, part->near, node->depth, i == 1);
        narrow(c, &side[i], &reach);
    }
    put_inner(c, node);
    bool const neither = side[0].lo == side[0].hi && side[1].lo == side[1].hi;
    for (uint32_t i = 0; i < 2 && !c->out->overflow; i++) {
        if (side[i].lo < side[i].hi) {
            side[i].near = i == near_side
                               ? part->near
                               : key_below(c->tree, side[i].ref, &c->ranges[side[i].lo].first);
            put_node(c, &side[i]);
        } else if (neither && i == 0) {
            put_least(c, &side[i]);
        } else {
            put_cut(c, node->hash[i]);
        }
    }
}

enum nv_err st__tree_prove(const struct st__tree *tree,
                           struct nv_writer *proof,
                           uint32_t root,
                           const struct nv_row_range *ranges,
                           uint32_t range_count)
{
    NV_ASSERT(range_count >= 1);
    for (uint32_t i = 0; i < range_count; i++) {
        NV_ASSERT(nv_row_key_cmp(&ranges[i].first, &ranges[i].last) <= 0);
        NV_ASSERT(i == 0 || nv_row_key_cmp(&ranges[i - 1].last, &ranges[i].first) < 0);
    }
    uint32_t const begin = proof->size;
    struct cutter const c = {.tree = tree, .out = proof, .ranges = ranges};
    nv_put_u8(proof, NV_PROOF_VERSION);
    if (root == 0) {
        nv_put_u8(proof, NV_PROOF_EMPTY);
    } else {
        struct part const all = {.ref = root,
                                 .near = key_below(tree, root, &ranges[0].first),
                                 .lo = 0,
                                 .hi = range_count};
        put_node(&c, &all);
    }
    bool const large = proof->overflow || proof->size - begin > NV_PROOF_SIZE_MAX;
    return large ? NV_ERR_TOO_LARGE : NV_OK;
}
