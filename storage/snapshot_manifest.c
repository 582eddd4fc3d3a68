#include <string.h>

#include "base/assert.h"
#include "base/codec.h"

#include "storage/snapshot_parts.h"

#define MANIFEST_VERSION 1u
#define ENTRY_SIZE       64u

void st__manifest_begin(struct nv_writer *w, const struct st_head *head)
{
    nv_put_u32(w, MANIFEST_VERSION);
    nv_put_u64(w, head->height);
    nv_put_bytes(w, head->block_hash.bytes, NV_HASH_SIZE);
    nv_put_bytes(w, head->root.bytes, NV_HASH_SIZE);
    nv_put_u64(w, head->row_count);
    nv_put_u32(w, 0);
    NV_ASSERT(w->size == ST_MANIFEST_HEAD);
}

void st__manifest_add(struct nv_writer *w, const struct nv_row_key *last, struct nv_view packed)
{
    struct nv_hash hash;
    nv_sha256(&hash, packed);
    nv_put_bytes(w, last->bytes, NV_ROW_KEY_SIZE);
    nv_put_bytes(w, hash.bytes, NV_HASH_SIZE);
}

void st__manifest_end(struct nv_writer *w, uint32_t chunk_count)
{
    nv_be32_store(w->bytes + ST_MANIFEST_HEAD - 4u, chunk_count);
}

static struct nv_row_key last_key(const struct st_manifest *manifest, uint32_t index)
{
    struct nv_row_key key;
    memcpy(key.bytes, manifest->chunks.bytes + ENTRY_SIZE * index, sizeof key.bytes);
    return key;
}

/* keys_cut returns whether the last keys ascend to the last of all. */
static bool keys_cut(const struct st_manifest *manifest)
{
    struct nv_row_key before = last_key(manifest, 0);
    for (uint32_t i = 1; i < manifest->chunk_count; i++) {
        struct nv_row_key const key = last_key(manifest, i);
        if (nv_row_key_cmp(&before, &key) >= 0) {
            return false;
        }
        before = key;
    }
    return !nv_row_key_next(&before);
}

enum nv_err st_manifest_decode(struct st_manifest *out, struct nv_view bytes)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    uint32_t const version = nv_get_u32(&r);
    if (!r.failed && version != MANIFEST_VERSION) {
        return NV_ERR_VERSION;
    }
    out->head.height = nv_get_u64(&r);
    nv_get_bytes(&r, out->head.block_hash.bytes, NV_HASH_SIZE);
    nv_get_bytes(&r, out->head.root.bytes, NV_HASH_SIZE);
    out->head.row_count = nv_get_u64(&r);
    out->chunk_count = nv_get_u32(&r);
    if (!r.failed && (out->chunk_count == 0 || out->chunk_count > ST_CHUNKS_MAX)) {
        return NV_ERR_MALFORMED;
    }
    out->chunks = nv_get_view(&r, ENTRY_SIZE * (r.failed ? 0 : out->chunk_count));
    NV_TRY(nv_reader_end(&r));
    return keys_cut(out) ? NV_OK : NV_ERR_MALFORMED;
}

void st_manifest_range(const struct st_manifest *manifest, struct nv_row_range *out, uint32_t index)
{
    NV_ASSERT(index < manifest->chunk_count);
    memset(&out->first, 0, sizeof out->first);
    out->last = last_key(manifest, index);
    if (index > 0) {
        out->first = last_key(manifest, index - 1);
        bool const more = nv_row_key_next(&out->first);
        NV_ASSERT(more); /* the last keys ascend */
    }
}
