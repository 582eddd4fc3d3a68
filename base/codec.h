#ifndef NV_BASE_CODEC_H
#define NV_BASE_CODEC_H

/* codec.h - canonical bytes: fixed-width big-endian integers, and readers and
 * writers with a limit.
 *
 * Everything that Novate hashes, signs or stores and that is not received
 * bytes is written by these functions (docs/spec/bytes.md section 1).
 * Big-endian makes the order of the bytes the order of the numbers.
 *
 * Reader and writer remember their first failure, so a decoder is a straight
 * list of gets with one check at the end:
 *
 *     nv_reader_init(&r, view);
 *     out->height = nv_get_u64(&r);
 *     nv_get_bytes(&r, out->parent.bytes, 32);
 *     return nv_reader_end(&r);
 *
 * A reader accepts hostile bytes.  Pure; one thread at a time per object. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/err.h"

/* Loads and stores at any alignment. */

static inline uint16_t nv_be16_load(const uint8_t *p)
{
    return (uint16_t)(((uint32_t)p[0] << 8) | (uint32_t)p[1]);
}

static inline uint32_t nv_be32_load(const uint8_t *p)
{
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | (uint32_t)p[3];
}

static inline uint64_t nv_be64_load(const uint8_t *p)
{
    return ((uint64_t)nv_be32_load(p) << 32) | (uint64_t)nv_be32_load(p + 4);
}

static inline void nv_be16_store(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)(value & 0xffu);
}

static inline void nv_be32_store(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)((value >> 16) & 0xffu);
    p[2] = (uint8_t)((value >> 8) & 0xffu);
    p[3] = (uint8_t)(value & 0xffu);
}

static inline void nv_be64_store(uint8_t *p, uint64_t value)
{
    nv_be32_store(p, (uint32_t)(value >> 32));
    nv_be32_store(p + 4, (uint32_t)(value & 0xffffffffu));
}

/* A writer into `cap` bytes of the caller.  A put that does not fit writes
 * nothing and sets `overflow`, and from then on every put writes nothing. */
struct nv_writer {
    uint8_t *bytes; /* borrowed for the writer's life */
    uint32_t size;  /* written so far */
    uint32_t cap;
    bool overflow;
};

/* nv_writer_init makes an empty writer over `bytes`, which the caller owns. */
static inline void nv_writer_init(struct nv_writer *w, void *bytes, uint32_t cap)
{
    NV_ASSERT(bytes != NULL || cap == 0);
    *w = (struct nv_writer){.bytes = (uint8_t *)bytes, .cap = cap};
}

/* nv_writer_claim returns room for `size` bytes that the caller fills, or NULL
 * when there is none. */
static inline uint8_t *nv_writer_claim(struct nv_writer *w, uint32_t size)
{
    if (w->overflow || size > w->cap - w->size) {
        w->overflow = true;
        return NULL;
    }
    uint8_t *const room = w->bytes + w->size;
    w->size += size;
    return room;
}

static inline void nv_put_u8(struct nv_writer *w, uint8_t value)
{
    uint8_t *const room = nv_writer_claim(w, 1);
    if (room != NULL) {
        room[0] = value;
    }
}

static inline void nv_put_u16(struct nv_writer *w, uint16_t value)
{
    uint8_t *const room = nv_writer_claim(w, 2);
    if (room != NULL) {
        nv_be16_store(room, value);
    }
}

static inline void nv_put_u32(struct nv_writer *w, uint32_t value)
{
    uint8_t *const room = nv_writer_claim(w, 4);
    if (room != NULL) {
        nv_be32_store(room, value);
    }
}

static inline void nv_put_u64(struct nv_writer *w, uint64_t value)
{
    uint8_t *const room = nv_writer_claim(w, 8);
    if (room != NULL) {
        nv_be64_store(room, value);
    }
}

/* nv_put_i64 writes two's complement. */
static inline void nv_put_i64(struct nv_writer *w, int64_t value)
{
    nv_put_u64(w, (uint64_t)value);
}

void nv__put_many(struct nv_writer *w, const void *bytes, uint32_t size);

/* nv_put_bytes writes `size` bytes as they are, without a length. */
static inline void nv_put_bytes(struct nv_writer *w, const void *bytes, uint32_t size)
{
    if (size > 64) {
        nv__put_many(w, bytes, size);
        return;
    }
    uint8_t *const room = nv_writer_claim(w, size);
    if (room != NULL && size > 0) { /* an empty view may have no pointer */
        memcpy(room, bytes, size);
    }
}

/* nv_writer_view returns what was written; it lives as long as the writer's
 * bytes.  The writer must not have overflowed. */
struct nv_view nv_writer_view(const struct nv_writer *w);

/* A reader over borrowed bytes.  After the first get that does not fit, every
 * get gives zeros. */
struct nv_reader {
    const uint8_t *bytes; /* borrowed for the reader's life */
    uint32_t size;
    uint32_t at; /* bytes consumed; at most size */
    bool failed;
};

void nv_reader_init(struct nv_reader *r, struct nv_view view);

uint8_t nv_get_u8(struct nv_reader *r);
uint16_t nv_get_u16(struct nv_reader *r);
uint32_t nv_get_u32(struct nv_reader *r);
uint64_t nv_get_u64(struct nv_reader *r);
int64_t nv_get_i64(struct nv_reader *r);
/* nv_get_bytes copies `size` bytes to `out`, or zeros once failed. */
void nv_get_bytes(struct nv_reader *r, void *out, uint32_t size);
/* nv_get_view returns the next `size` bytes in place (size 0 once failed); it
 * lives as long as the reader's bytes. */
struct nv_view nv_get_view(struct nv_reader *r, uint32_t size);

/* nv_reader_left returns how many bytes are unread (0 once failed). */
uint32_t nv_reader_left(const struct nv_reader *r);

/* nv_reader_end judges the whole: NV_OK when every get fitted and nothing is
 * left, else NV_ERR_TRUNCATED or NV_ERR_TRAILING. */
NV_MUST_USE enum nv_err nv_reader_end(const struct nv_reader *r);

#endif /* NV_BASE_CODEC_H */
