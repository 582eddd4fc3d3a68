/* Goal: no manifest and no packed chunk crashes who reads it, and what is accepted
 * is what it says.
 * Method: the input is a packed chunk behind a manifest; the manifest's hash of the
 * chunk is put right, and its root too when the chunk unpacks to something, so that
 * inputs get past these comparisons. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"

#include "storage/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t manifest_bytes[ST_MANIFEST_HEAD + 2 * 64];
static uint8_t chunk[ST_CHUNK_SIZE_MAX];

/* check_rows looks at all that a chunk shows. */
static void check_rows(const struct nv_proof *proof)
{
    struct nv_row row;
    for (uint32_t cursor = 0; nv_proof_next(proof, &cursor, &row);) {
        NV_ASSERT(row.value.size <= NV_ROW_VALUE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct st_manifest manifest;
    struct nv_proof proof;
    struct nv_hash hash;
    if (size > 3 * ST_CHUNK_PACKED_MAX) {
        return 0;
    }
    enum nv_err err = st_manifest_decode(&manifest, nv_view_of(bytes, (uint32_t)size));
    if (err == NV_OK || size < sizeof manifest_bytes) {
        return 0;
    }
    memcpy(manifest_bytes, bytes, sizeof manifest_bytes);
    struct nv_view const packed =
        nv_view_of(bytes + sizeof manifest_bytes, (uint32_t)(size - sizeof manifest_bytes));
    nv_sha256(&hash, packed);
    memcpy(manifest_bytes + ST_MANIFEST_HEAD + 32, hash.bytes, sizeof hash.bytes);
    struct nv_view const view = nv_view_of(manifest_bytes, sizeof manifest_bytes);
    if (st_manifest_decode(&manifest, view) != NV_OK) {
        return 0;
    }
    err = st_chunk_open(&proof, &manifest, 0, packed, chunk);
    NV_ASSERT(err != NV_ERR_REFUSED);
    if (err == NV_OK) {
        check_rows(&proof);
        manifest_bytes[ST_MANIFEST_HEAD + 32] ^= 1;
        NV_ASSERT(st_chunk_open(&proof, &manifest, 0, packed, chunk) == NV_ERR_REFUSED);
    }
    return 0;
}
