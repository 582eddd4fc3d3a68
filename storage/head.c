#include "base/assert.h"
#include "base/codec.h"

#include "storage/db.h"

#define HEAD_VERSION 1u

void st__head_encode(uint8_t *out, const struct st_head *head)
{
    struct nv_writer w;
    struct nv_hash checksum;
    nv_writer_init(&w, out, ST__HEAD_SIZE);
    nv_put_u32(&w, HEAD_VERSION);
    nv_put_u64(&w, head->height);
    nv_put_bytes(&w, head->block_hash.bytes, NV_HASH_SIZE);
    nv_put_bytes(&w, head->root.bytes, NV_HASH_SIZE);
    nv_put_u64(&w, head->row_count);
    nv_sha256(&checksum, nv_writer_view(&w));
    nv_put_bytes(&w, checksum.bytes, NV_HASH_SIZE);
    NV_ASSERT(!w.overflow && w.size == ST__HEAD_SIZE);
}

enum nv_err st__head_decode(struct st_head *head, struct nv_view bytes)
{
    struct nv_reader r;
    struct nv_hash checksum;
    struct nv_hash stored;
    nv_reader_init(&r, bytes);
    uint32_t const version = nv_get_u32(&r);
    if (!r.failed && version != HEAD_VERSION) {
        return NV_ERR_VERSION; /* its length and fields may be others */
    }
    head->height = nv_get_u64(&r);
    nv_get_bytes(&r, head->block_hash.bytes, NV_HASH_SIZE);
    nv_get_bytes(&r, head->root.bytes, NV_HASH_SIZE);
    head->row_count = nv_get_u64(&r);
    nv_sha256(&checksum, nv_view_of(bytes.bytes, r.at));
    nv_get_bytes(&r, stored.bytes, NV_HASH_SIZE);
    bool const whole = nv_reader_end(&r) == NV_OK && nv_hash_eq(&checksum, &stored);
    return whole ? NV_OK : NV_ERR_CORRUPT;
}
