#include "base/codec.h"

#include "base/assert.h"

#include "base/pure.h"

void nv__put_many(struct nv_writer *w, const void *bytes, uint32_t size)
{
    uint8_t *const room = nv_writer_claim(w, size);
    if (room != NULL) {
        memcpy(room, bytes, size);
    }
}

struct nv_view nv_writer_view(const struct nv_writer *w)
{
    NV_ASSERT(!w->overflow);
    return nv_view_of(w->bytes, w->size);
}

void nv_reader_init(struct nv_reader *r, struct nv_view view)
{
    NV_ASSERT(view.bytes != NULL || view.size == 0);
    *r = (struct nv_reader){.bytes = view.bytes, .size = view.size};
}

/* next_bytes returns the next `size` bytes and consumes them, or NULL when
 * they are not there. */
static const uint8_t *next_bytes(struct nv_reader *r, uint32_t size)
{
    NV_ASSERT(r->at <= r->size);
    if (r->failed || size > r->size - r->at) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *const bytes = r->bytes + r->at;
    r->at += size;
    return bytes;
}

uint8_t nv_get_u8(struct nv_reader *r)
{
    const uint8_t *const bytes = next_bytes(r, 1);
    return bytes != NULL ? bytes[0] : 0;
}

uint16_t nv_get_u16(struct nv_reader *r)
{
    const uint8_t *const bytes = next_bytes(r, 2);
    return bytes != NULL ? nv_be16_load(bytes) : 0;
}

uint32_t nv_get_u32(struct nv_reader *r)
{
    const uint8_t *const bytes = next_bytes(r, 4);
    return bytes != NULL ? nv_be32_load(bytes) : 0;
}

uint64_t nv_get_u64(struct nv_reader *r)
{
    const uint8_t *const bytes = next_bytes(r, 8);
    return bytes != NULL ? nv_be64_load(bytes) : 0;
}

int64_t nv_get_i64(struct nv_reader *r)
{
    return (int64_t)nv_get_u64(r);
}

void nv_get_bytes(struct nv_reader *r, void *out, uint32_t size)
{
    if (size == 0) {
        return;
    }
    const uint8_t *const bytes = next_bytes(r, size);
    if (bytes != NULL) {
        memcpy(out, bytes, size);
    } else {
        memset(out, 0, size);
    }
}

struct nv_view nv_get_view(struct nv_reader *r, uint32_t size)
{
    if (size == 0) {
        return nv_view_of(NULL, 0);
    }
    const uint8_t *const bytes = next_bytes(r, size);
    return nv_view_of(bytes, bytes != NULL ? size : 0);
}

uint32_t nv_reader_left(const struct nv_reader *r)
{
    return r->failed ? 0 : r->size - r->at;
}

/* SPEC bytes 1.6: "A decoder MUST refuse an object that ends early and one that is followed by bytes
 * which belong to nothing." */
enum nv_err nv_reader_end(const struct nv_reader *r)
{
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    return r->at == r->size ? NV_OK : NV_ERR_TRAILING;
}
