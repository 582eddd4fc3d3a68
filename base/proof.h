#ifndef NV_BASE_PROOF_H
#define NV_BASE_PROOF_H

/* proof.h - proofs about rows against a state root (docs/spec/state.md
 * section 3).
 *
 * A proof is the tree of rows with everything cut off that nobody asked for: a
 * cut subtree is replaced by its hash.  What is left folds to the root, so all
 * kinds are one: a row with its path proves the row; a path that ends beside a
 * key proves its absence; several rows share their paths; and a range of keys
 * with nothing cut off inside proves that *all* its rows are shown.
 *
 *     nv_proof_open    does it fold to the root?     once
 *     nv_proof_find    is this key there, and with which value?
 *     nv_proof_covers  are all rows of this range shown?
 *     nv_proof_next    the rows shown, in order of their keys
 *
 * The bytes come from a stranger: any input is allowed.  The verifier needs no
 * memory but 15 KiB of stack, and time linear in the proof's size.  The root
 * must come from a header that is final; which height it belongs to is said
 * there and not in the proof.
 *
 * Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/row.h"

/* A longer proof is refused unread. */
#define NV_PROOF_SIZE_MAX (4u << 20)

/* The first byte of every proof: the version of the format. */
#define NV_PROOF_VERSION 1u

/* What the byte before each node says it is. */
enum nv_proof_node {
    NV_PROOF_ROW = 0,   /* key 32, value size u16, value */
    NV_PROOF_INNER = 1, /* depth u8, left node, right node */
    NV_PROOF_EMPTY = 2, /* nothing; only as the whole tree */
    NV_PROOF_CUT = 3,   /* hash 32 of a subtree that is not shown */
    NV_PROOF_KEY = 4,   /* key 32, hash 32 of the value: a row shown without its value */
};

/* A proof that holds.  Plain; borrows the bytes it was opened over. */
struct nv_proof {
    struct nv_view bytes;
    struct nv_hash root;
};

/* What a proof says about a key. */
enum nv_shown {
    NV_SHOWN_PRESENT = 1, /* the row is there, with this value */
    NV_SHOWN_ABSENT,      /* there is no row of this key */
    NV_SHOWN_NOT,         /* the proof does not tell */
};

/* nv_proof_open checks that `bytes` is a well-formed proof that folds to
 * `root`, and if so makes `*out` of it, which borrows `bytes`.
 * NV_ERR_TOO_LARGE, NV_ERR_VERSION, NV_ERR_TRUNCATED, NV_ERR_TRAILING and
 * NV_ERR_MALFORMED speak of the bytes alone, NV_ERR_MISMATCH says that they are
 * a proof of another root. */
NV_MUST_USE enum nv_err
nv_proof_open(struct nv_proof *out, const struct nv_hash *root, struct nv_view bytes);

/* nv_proof_find says what the proof shows about `key`; the value, which borrows
 * the proof's bytes, is written when it is NV_SHOWN_PRESENT only. */
NV_MUST_USE enum nv_shown
nv_proof_find(const struct nv_proof *proof, const struct nv_row_key *key, struct nv_view *value);

/* nv_proof_covers returns whether every row of the state whose key is in the
 * range is shown with its value: nothing was left out.  A range whose first
 * key is above its last is covered by every proof. */
NV_MUST_USE bool nv_proof_covers(const struct nv_proof *proof, const struct nv_row_range *range);

/* nv_proof_next writes the next row shown with its value, in order of keys.
 * `*cursor` is 0 at first and belongs to the function afterwards.  False at
 * the end. */
NV_MUST_USE bool nv_proof_next(const struct nv_proof *proof, uint32_t *cursor, struct nv_row *row);

#endif /* NV_BASE_PROOF_H */
