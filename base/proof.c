#include "base/proof.h"

#include "base/assert.h"
#include "base/codec.h"

#include "base/pure.h"

/* What is known of a finished subtree. */
struct side {
    struct nv_hash hash;          /* only when the walk hashes */
    const struct nv_row_key *key; /* one key below it; NULL: the subtree is cut */
};

/* An inner node on the way from the root to where the walk is. */
struct frame {
    struct side left;
    uint8_t depth;
    bool left_done;
};

/* A walk over a proof's nodes in the order of its bytes. */
struct walk {
    struct nv_reader reader;
    bool hashes;                      /* compute hashes */
    const struct nv_row_range *range; /* look for what is hidden of it; or NULL */
    bool hidden;                      /* something of the range is not shown */
    uint32_t height;                  /* frames in use; depths ascend, so 256 are enough */
    struct frame frames[NV_ROW_KEY_BITS];
};

static bool range_has(const struct nv_row_range *range, const struct nv_row_key *key)
{
    return nv_row_key_cmp(&range->first, key) <= 0 && nv_row_key_cmp(key, &range->last) <= 0;
}

/* reach_meets returns whether a range holds a key that agrees with `near` in
 * the bits before `depth` and differs from it there. */
static bool
reach_meets(const struct nv_row_range *range, const struct nv_row_key *near, uint32_t depth)
{
    struct nv_row_range reach;
    nv_row_key_reach(&reach, near, depth, !nv_row_key_bit(near, depth));
    return nv_row_key_cmp(&reach.first, &range->last) <= 0 &&
           nv_row_key_cmp(&range->first, &reach.last) <= 0;
}

static const struct nv_row_key *get_key(struct nv_reader *r)
{
    struct nv_view const view = nv_get_view(r, NV_ROW_KEY_SIZE);
    _Static_assert(_Alignof(struct nv_row_key) == 1, "a key may lie anywhere");
    return view.size == NV_ROW_KEY_SIZE ? (const struct nv_row_key *)view.bytes : NULL;
}

/* get_row reads the fields of a row after its kind. */
static enum nv_err get_row(struct nv_reader *r, struct nv_row *row)
{
    const struct nv_row_key *const key = get_key(r);
    uint32_t const size = nv_get_u16(r);
    row->value = nv_get_view(r, size);
    if (key == NULL || r->failed) {
        return NV_ERR_TRUNCATED;
    }
    row->key = *key;
    return size > NV_ROW_VALUE_MAX ? NV_ERR_MALFORMED : NV_OK;
}

static enum nv_err walk_row(struct walk *w, struct side *side)
{
    struct nv_row row;
    side->key = (const struct nv_row_key *)(w->reader.bytes + w->reader.at);
    NV_TRY(get_row(&w->reader, &row));
    if (w->hashes) {
        struct nv_hash value_hash;
        nv_sha256(&value_hash, row.value);
        nv_row_leaf_hash(&side->hash, side->key, &value_hash);
    }
    return NV_OK;
}

static enum nv_err walk_key(struct walk *w, struct side *side)
{
    struct nv_hash value_hash;
    side->key = get_key(&w->reader);
    nv_get_bytes(&w->reader, value_hash.bytes, NV_HASH_SIZE);
    if (side->key == NULL || w->reader.failed) {
        return NV_ERR_TRUNCATED;
    }
    if (w->range != NULL && range_has(w->range, side->key)) {
        w->hidden = true;
    }
    if (w->hashes) {
        nv_row_leaf_hash(&side->hash, side->key, &value_hash);
    }
    return NV_OK;
}

static enum nv_err walk_cut(struct walk *w, struct side *side)
{
    side->key = NULL;
    nv_get_bytes(&w->reader, side->hash.bytes, NV_HASH_SIZE);
    if (w->reader.failed) {
        return NV_ERR_TRUNCATED;
    }
    /* SPEC state 3: "a cut node is not the whole tree" */
    return w->height == 0 ? NV_ERR_MALFORMED : NV_OK;
}

/* walk_down enters an inner node. */
static enum nv_err walk_down(struct walk *w)
{
    uint8_t const depth = nv_get_u8(&w->reader);
    if (w->reader.failed) {
        return NV_ERR_TRUNCATED;
    }
    if (w->height > 0 && depth <= w->frames[w->height - 1].depth) {
        return NV_ERR_MALFORMED;
    }
    NV_ASSERT(w->height < NV_ROW_KEY_BITS);
    struct frame *const frame = &w->frames[w->height++];
    frame->depth = depth;
    frame->left_done = false;
    return NV_OK;
}

/* join makes of the two sides of an inner node the side that it is itself, in
 * `*right`. */
static enum nv_err join(struct walk *w, const struct frame *frame, struct side *right)
{
    const struct side *const left = &frame->left;
    uint32_t const depth = frame->depth;
    if (left->key == NULL && right->key == NULL) {
        return NV_ERR_MALFORMED;
    }
    if ((left->key != NULL && nv_row_key_bit(left->key, depth)) ||
        (right->key != NULL && !nv_row_key_bit(right->key, depth))) {
        return NV_ERR_MALFORMED;
    }
    const struct nv_row_key *const near = left->key != NULL ? left->key : right->key;
    bool const both = left->key != NULL && right->key != NULL;
    /* All keys of a side agree in more bits than this, so one speaks for all. */
    if (both && nv_row_key_diff(left->key, right->key) != depth) {
        return NV_ERR_MALFORMED;
    }
    if (!both && w->range != NULL && reach_meets(w->range, near, depth)) {
        w->hidden = true;
    }
    if (w->hashes) {
        nv_row_inner_hash(&right->hash, frame->depth, &left->hash, &right->hash);
    }
    right->key = near;
    return NV_OK;
}

/* walk_up hands a finished subtree to the inner nodes above it, and leaves the
 * largest that it completes in `*side`. */
static enum nv_err walk_up(struct walk *w, struct side *side)
{
    while (w->height > 0 && w->frames[w->height - 1].left_done) {
        NV_TRY(join(w, &w->frames[w->height - 1], side));
        w->height--;
    }
    if (w->height > 0) {
        w->frames[w->height - 1].left = *side;
        w->frames[w->height - 1].left_done = true;
    }
    return NV_OK;
}

/* walk_node reads the node at the reader. */
static enum nv_err walk_node(struct walk *w, struct side *side)
{
    uint8_t const kind = nv_get_u8(&w->reader);
    if (w->reader.failed) {
        return NV_ERR_TRUNCATED;
    }
    switch (kind) {
    case NV_PROOF_ROW: NV_TRY(walk_row(w, side)); break;
    case NV_PROOF_KEY: NV_TRY(walk_key(w, side)); break;
    case NV_PROOF_CUT: NV_TRY(walk_cut(w, side)); break;
    case NV_PROOF_INNER: return walk_down(w);
    case NV_PROOF_EMPTY:
        if (w->height > 0) {
            return NV_ERR_MALFORMED;
        }
        nv_row_empty_root(&side->hash);
        return NV_OK;
    default: return NV_ERR_MALFORMED;
    }
    return walk_up(w, side);
}

/* walk_all reads the whole tree and leaves its side in `*root`.  The walk ends:
 * every node takes at least one byte. */
static enum nv_err walk_all(struct walk *w, struct side *root)
{
    do {
        NV_TRY(walk_node(w, root));
    } while (w->height > 0);
    return nv_reader_end(&w->reader);
}

static void walk_init(struct walk *w, struct nv_view bytes)
{
    nv_reader_init(&w->reader, bytes);
    w->hashes = false;
    w->range = NULL;
    w->hidden = false;
    w->height = 0;
}

enum nv_err nv_proof_open(struct nv_proof *out, const struct nv_hash *root, struct nv_view bytes)
{
    if (bytes.size > NV_PROOF_SIZE_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    struct walk w;
    struct side top;
    walk_init(&w, bytes);
    w.hashes = true;
    uint8_t const version = nv_get_u8(&w.reader);
    if (w.reader.failed) {
        return NV_ERR_TRUNCATED;
    }
    if (version != NV_PROOF_VERSION) {
        return NV_ERR_VERSION;
    }
    NV_TRY(walk_all(&w, &top));
    if (!nv_hash_eq(&top.hash, root)) {
        return NV_ERR_MISMATCH;
    }
    out->bytes = bytes;
    out->root = *root;
    return NV_OK;
}

bool nv_proof_covers(const struct nv_proof *proof, const struct nv_row_range *range)
{
    if (nv_row_key_cmp(&range->first, &range->last) > 0) {
        return true;
    }
    struct walk w;
    struct side top;
    walk_init(&w, proof->bytes);
    w.range = range;
    (void)nv_get_u8(&w.reader);
    NV_ASSERT(walk_all(&w, &top) == NV_OK); /* nv_proof_open has seen these bytes */
    return !w.hidden;
}

/* Bytes after a node's kind, of the kinds where that is fixed. */
static const uint8_t fixed_size[] = {
    [NV_PROOF_INNER] = 1,
    [NV_PROOF_EMPTY] = 0,
    [NV_PROOF_CUT] = NV_HASH_SIZE,
    [NV_PROOF_KEY] = NV_ROW_KEY_SIZE + NV_HASH_SIZE,
};

bool nv_proof_next(const struct nv_proof *proof, uint32_t *cursor, struct nv_row *row)
{
    struct nv_reader r;
    nv_reader_init(&r, proof->bytes);
    (void)nv_get_view(&r, *cursor == 0 ? 1 : *cursor);
    while (nv_reader_left(&r) > 0) {
        uint8_t const kind = nv_get_u8(&r);
        if (kind == NV_PROOF_ROW) {
            NV_ASSERT(get_row(&r, row) == NV_OK);
            *cursor = r.at;
            return true;
        }
        NV_ASSERT(kind < sizeof fixed_size);
        (void)nv_get_view(&r, fixed_size[kind]);
    }
    *cursor = r.size;
    return false;
}

enum nv_shown
nv_proof_find(const struct nv_proof *proof, const struct nv_row_key *key, struct nv_view *value)
{
    struct nv_row row;
    for (uint32_t cursor = 0; nv_proof_next(proof, &cursor, &row);) {
        if (nv_row_key_cmp(&row.key, key) == 0) {
            *value = row.value;
            return NV_SHOWN_PRESENT;
        }
    }
    struct nv_row_range const range = {.first = *key, .last = *key};
    return nv_proof_covers(proof, &range) ? NV_SHOWN_ABSENT : NV_SHOWN_NOT;
}
