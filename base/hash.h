#ifndef NV_BASE_HASH_H
#define NV_BASE_HASH_H

/* hash.h - SHA-256 and the tagged hash (docs/spec/bytes.md section 2).
 *
 * Whatever is signed or identifies an object is a tagged hash, so that bytes
 * of one meaning never hash like bytes of another.
 *
 * The functions are pure: the same input gives the same output.  Any thread;
 * each thread keeps one context, made at its first hash and freed at its end.
 * A failure inside the cryptographic library ends the process. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

#define NV_HASH_SIZE 32u

struct nv_hash {
    uint8_t bytes[32];
};

_Static_assert(sizeof(struct nv_hash) == 32, "a hash is its bytes");

/* nv_sha256 writes SHA-256 of the view to `*out`, which may lie inside it. */
void nv_sha256(struct nv_hash *out, struct nv_view view);

/* nv_sha256_parts writes SHA-256 of the parts one after another, with nothing
 * between them. */
void nv_sha256_parts(struct nv_hash *out, const struct nv_view *parts, uint32_t count);

/* nv_tagged_hash writes SHA256(SHA256(tag) || SHA256(tag) || parts...), the
 * tagged hash of BIP-340.  `tag` is ASCII, such as "novate/header/v1". */
void nv_tagged_hash(struct nv_hash *out,
                    const char *tag,
                    const struct nv_view *parts,
                    uint32_t count);

/* nv_hash_view returns a view of the hash, which is borrowed. */
static inline struct nv_view nv_hash_view(const struct nv_hash *hash)
{
    return nv_view_of(hash->bytes, NV_HASH_SIZE);
}

/* nv_hash_eq returns whether two hashes are equal.  Not for secrets. */
static inline bool nv_hash_eq(const struct nv_hash *a, const struct nv_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* nv_hash_cmp orders hashes by their bytes. */
static inline int nv_hash_cmp(const struct nv_hash *a, const struct nv_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* nv_hash_is_zero returns whether all 32 bytes are 0, the form of "none". */
static inline bool nv_hash_is_zero(const struct nv_hash *hash)
{
    static const struct nv_hash zero = {{0}};
    return nv_hash_eq(hash, &zero);
}

#endif /* NV_BASE_HASH_H */
