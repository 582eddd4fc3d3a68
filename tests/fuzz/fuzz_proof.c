/* Goal: no byte sequence crashes the verifier of proofs, and a proof that holds does not contradict
 * itself.
 * Method: the input is a range of keys (64 bytes) and a proof. The root it would have is folded here,
 * recursively and without a check, so that inputs get past the comparison; then all that the proof
 * says of its own rows and of the range must agree. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/proof.h"

#define DEPTH_MAX 300u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void fold_leaf(struct nv_reader *r, struct nv_hash *out, uint8_t kind)
{
    struct nv_row_key key;
    struct nv_hash value_hash;
    nv_get_bytes(r, key.bytes, sizeof key.bytes);
    if (kind == NV_PROOF_ROW) {
        uint32_t const size = nv_get_u16(r);
        nv_sha256(&value_hash, nv_get_view(r, size));
    } else {
        nv_get_bytes(r, value_hash.bytes, sizeof value_hash.bytes);
    }
    nv_row_leaf_hash(out, &key, &value_hash);
}

/* fold writes the hash of the node at the reader, if it is one. */
static void fold(struct nv_reader *r, struct nv_hash *out, uint32_t depth)
{
    struct nv_hash left;
    struct nv_hash right;
    uint8_t const kind = nv_get_u8(r);
    memset(out, 0, sizeof *out);
    if (r->failed || depth > DEPTH_MAX) {
        return;
    }
    if (kind == NV_PROOF_ROW || kind == NV_PROOF_KEY) {
        fold_leaf(r, out, kind);
    } else if (kind == NV_PROOF_CUT) {
        nv_get_bytes(r, out->bytes, sizeof out->bytes);
    } else if (kind == NV_PROOF_EMPTY) {
        nv_row_empty_root(out);
    } else if (kind == NV_PROOF_INNER) {
        uint8_t const at = nv_get_u8(r);
        fold(r, &left, depth + 1);
        fold(r, &right, depth + 1);
        nv_row_inner_hash(out, at, &left, &right);
    }
}

/* check_key asks about a key and compares with the rows shown. */
static enum nv_shown check_key(const struct nv_proof *proof, const struct nv_row_key *key)
{
    struct nv_view value;
    struct nv_row row;
    bool listed = false;
    enum nv_shown const shown = nv_proof_find(proof, key, &value);
    for (uint32_t cursor = 0; nv_proof_next(proof, &cursor, &row);) {
        if (nv_row_key_cmp(&row.key, key) == 0) {
            NV_ASSERT(!listed && shown == NV_SHOWN_PRESENT && nv_view_eq(row.value, value));
            listed = true;
        }
    }
    NV_ASSERT(listed == (shown == NV_SHOWN_PRESENT));
    struct nv_row_range const one = {*key, *key};
    NV_ASSERT(nv_proof_covers(proof, &one) == (shown != NV_SHOWN_NOT));
    return shown;
}

static void check_proof(const struct nv_proof *proof, const struct nv_row_range *range)
{
    struct nv_row row;
    struct nv_row_key before;
    uint32_t count = 0;
    for (uint32_t cursor = 0; nv_proof_next(proof, &cursor, &row); count++) {
        NV_ASSERT(row.value.size <= NV_ROW_VALUE_MAX);
        NV_ASSERT(count == 0 || nv_row_key_cmp(&before, &row.key) < 0);
        before = row.key;
        if (count < 8) {
            NV_ASSERT(check_key(proof, &row.key) == NV_SHOWN_PRESENT);
        }
    }
    enum nv_shown const first = check_key(proof, &range->first);
    enum nv_shown const last = check_key(proof, &range->last);
    bool const some = nv_row_key_cmp(&range->first, &range->last) <= 0;
    if (some && nv_proof_covers(proof, range)) {
        NV_ASSERT(first != NV_SHOWN_NOT && last != NV_SHOWN_NOT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct nv_row_range range;
    struct nv_proof proof;
    struct nv_hash root;
    struct nv_reader r;
    if (size < sizeof range || size > NV_PROOF_SIZE_MAX) {
        return 0;
    }
    memcpy(&range, bytes, sizeof range);
    struct nv_view const view = nv_view_of(bytes + sizeof range, (uint32_t)(size - sizeof range));
    nv_reader_init(&r, view);
    (void)nv_get_u8(&r);
    fold(&r, &root, 0);
    enum nv_err const err = nv_proof_open(&proof, &root, view);
    NV_ASSERT(err != NV_ERR_MISMATCH); /* well-formed, so its root is this one */
    if (err == NV_OK) {
        check_proof(&proof, &range);
        root.bytes[0] ^= 1;
        NV_ASSERT(nv_proof_open(&proof, &root, view) == NV_ERR_MISMATCH);
    }
    return 0;
}
