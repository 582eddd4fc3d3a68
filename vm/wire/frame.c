#include "vm/wire/frame.h"

#include "base/assert.h"
#include "base/codec.h"

#include "vm/tx.h"

#define TAG_BODY      0x0au
#define TAG_KEY       0x12u
#define TAG_SIGNATURE 0x1au

/* Reads a size as a varint in its shortest form, at most three bytes. */
static bool size_read(struct nv_reader *r, uint32_t *size)
{
    uint32_t value = 0;
    for (uint32_t shift = 0; shift < 21; shift += 7) {
        uint32_t const byte = nv_get_u8(r);
        value |= (byte & 0x7fu) << shift;
        if ((byte & 0x80u) == 0) {
            *size = value;
            return shift == 0 || byte != 0;
        }
    }
    return false;
}

enum nv_err vm_frame_read(struct vm_frame *frame, struct nv_view bytes)
{
    struct nv_reader r;
    uint32_t size = 0;
    if (bytes.size > VM_TX_SIZE_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    nv_reader_init(&r, bytes);
    bool ok = nv_get_u8(&r) == TAG_BODY && size_read(&r, &size) && size >= 1;
    if (ok && size > VM_BODY_SIZE_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    frame->body = nv_get_view(&r, size);
    ok = nv_get_u8(&r) == TAG_KEY && nv_get_u8(&r) == sizeof frame->key.bytes && ok;
    nv_get_bytes(&r, frame->key.bytes, sizeof frame->key.bytes);
    ok = nv_get_u8(&r) == TAG_SIGNATURE && nv_get_u8(&r) == sizeof frame->signature.bytes && ok;
    nv_get_bytes(&r, frame->signature.bytes, sizeof frame->signature.bytes);
    return nv_reader_end(&r) == NV_OK && ok ? NV_OK : NV_ERR_MALFORMED;
}

uint32_t vm_frame_write(uint8_t *out, const struct vm_frame *frame)
{
    NV_ASSERT(frame->body.size >= 1 && frame->body.size <= VM_BODY_SIZE_MAX);
    struct nv_writer w;
    nv_writer_init(&w, out, VM_TX_SIZE_MAX);
    nv_put_u8(&w, TAG_BODY);
    uint32_t left = frame->body.size;
    while (left >= 0x80u) {
        nv_put_u8(&w, (uint8_t)(left & 0x7fu) | 0x80u);
        left >>= 7;
    }
    nv_put_u8(&w, (uint8_t)left);
    nv_put_bytes(&w, frame->body.bytes, frame->body.size);
    nv_put_u8(&w, TAG_KEY);
    nv_put_u8(&w, sizeof frame->key.bytes);
    nv_put_bytes(&w, frame->key.bytes, sizeof frame->key.bytes);
    nv_put_u8(&w, TAG_SIGNATURE);
    nv_put_u8(&w, sizeof frame->signature.bytes);
    nv_put_bytes(&w, frame->signature.bytes, sizeof frame->signature.bytes);
    NV_ASSERT(!w.overflow);
    return w.size;
}

void vm_frame_hash(struct nv_hash *out,
                   const struct nv_hash *chain_id,
                   const struct nv_pubkey *key,
                   struct nv_view body)
{
    struct nv_view const parts[3] = {
        nv_hash_view(chain_id), nv_view_of(key->bytes, sizeof key->bytes), body};
    nv_tagged_hash(out, "novate/tx/v1", parts, 3);
}
