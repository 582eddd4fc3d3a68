#include "base/heap.h"

#include "storage/snapshot.h"

/* Chunks read back from a folder. */
struct source {
    const struct st_snapshots *at;
    const struct st_manifest *manifest;
    enum st_snapshot_kind kind;
    uint32_t index; /* of the chunk being read */
    uint8_t packed[ST_CHUNK_PACKED_MAX];
    uint8_t chunk[ST_CHUNK_SIZE_MAX];
};

static enum nv_err next_chunk(void *ctx, struct nv_proof *proof, uint32_t index)
{
    struct source *const s = ctx;
    struct nv_view packed;
    s->index = index;
    NV_TRY(st_snapshot_get(
        s->at, &packed, s->manifest->head.height, s->kind, index, s->packed, sizeof s->packed));
    enum nv_err const err = st_chunk_reopen(proof, s->manifest, packed, s->chunk);
    return err == NV_OK ? NV_OK : NV_ERR_MISMATCH;
}

enum nv_err st_snapshot_load(const struct st_snapshots *at,
                             struct st_db *db,
                             const struct st_manifest *manifest,
                             enum st_snapshot_kind kind,
                             uint32_t *bad)
{
    struct source *const s = nv_heap_reserve(sizeof *s);
    if (s == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    s->at = at;
    s->manifest = manifest;
    s->kind = kind;
    enum nv_err const err = st_db_replace(db, manifest, next_chunk, s);
    *bad = s->index;
    nv_heap_unreserve(s, sizeof *s);
    return err;
}
