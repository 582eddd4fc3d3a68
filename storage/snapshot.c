#include "storage/snapshot.h"

#include <string.h>
#include <zstd.h>

#include "base/assert.h"
#include "base/codec.h"

#include "storage/snapshot_parts.h"

/* Rows that are written often compress little more at higher levels. */
#define ZSTD_LEVEL 1
#define PACK_HEAD  4u

_Static_assert(ST_CHUNK_PACKED_MAX >= PACK_HEAD + ST_CHUNK_SIZE_MAX + (ST_CHUNK_SIZE_MAX >> 8),
               "zstd adds at most a 256th to a megabyte");

enum nv_err st__chunk_pack(struct nv_view *out, struct nv_view chunk, uint8_t *memory)
{
    NV_ASSERT(chunk.size > 0 && chunk.size <= ST_CHUNK_SIZE_MAX);
    nv_be32_store(memory, chunk.size);
    ZSTD_CCtx *const zstd = ZSTD_createCCtx();
    if (zstd == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    size_t const size = ZSTD_compress2(
        zstd, memory + PACK_HEAD, ST_CHUNK_PACKED_MAX - PACK_HEAD, chunk.bytes, chunk.size);
    (void)ZSTD_freeCCtx(zstd);
    if (ZSTD_isError(size) != 0) {
        return NV_ERR_NO_MEMORY;
    }
    *out = nv_view_of(memory, (uint32_t)size + PACK_HEAD);
    return NV_OK;
}

/* unpack writes the contents of a packed chunk into `memory`. */
static enum nv_err unpack(struct nv_view *out, struct nv_view packed, uint8_t *memory)
{
    if (packed.size <= PACK_HEAD) {
        return NV_ERR_TRUNCATED;
    }
    if (packed.size > ST_CHUNK_PACKED_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    const uint8_t *const frame = packed.bytes + PACK_HEAD;
    size_t const frame_size = packed.size - PACK_HEAD;
    uint32_t const size = nv_be32_load(packed.bytes);
    if (size == 0 || size > ST_CHUNK_SIZE_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    bool const checksum = frame_size > 4 && (frame[4] & 4u) != 0; /* RFC 8878 3.1.1.1.1 */
    if (!checksum || ZSTD_getFrameContentSize(frame, frame_size) != size ||
        ZSTD_findFrameCompressedSize(frame, frame_size) != frame_size) {
        return NV_ERR_MALFORMED;
    }
    if (ZSTD_decompress(memory, size, frame, frame_size) != size) {
        return NV_ERR_MALFORMED;
    }
    *out = nv_view_of(memory, size);
    return NV_OK;
}

enum nv_err st_chunk_reopen(struct nv_proof *out,
                            const struct st_manifest *manifest,
                            struct nv_view packed,
                            uint8_t *memory)
{
    out->root = manifest->head.root;
    return unpack(&out->bytes, packed, memory);
}

enum nv_err st_chunk_open(struct nv_proof *out,
                          const struct st_manifest *manifest,
                          uint32_t index,
                          struct nv_view packed,
                          uint8_t *memory)
{
    struct nv_row_range range;
    struct nv_hash hash;
    nv_sha256(&hash, packed);
    st_manifest_range(manifest, &range, index);
    if (memcmp(hash.bytes, manifest->chunks.bytes + 64u * index + 32u, sizeof hash.bytes) != 0) {
        return NV_ERR_REFUSED;
    }
    NV_TRY(st_chunk_reopen(out, manifest, packed, memory));
    NV_TRY(nv_proof_open(out, &manifest->head.root, out->bytes));
    return nv_proof_covers(out, &range) ? NV_OK : NV_ERR_RANGE;
}
