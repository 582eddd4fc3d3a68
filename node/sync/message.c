#include "node/sync/message.h"

static void put_offers(struct nv_writer *w, const struct sync_offers *offers)
{
    nv_put_u64(w, offers->executed_height);
    nv_put_u8(w, (uint8_t)offers->count);
    for (uint32_t i = 0; i < offers->count; i++) {
        nv_put_u64(w, offers->offer[i].height);
        nv_put_bytes(w, offers->offer[i].manifest_hash.bytes, NV_HASH_SIZE);
        nv_put_bytes(w, offers->offer[i].root.bytes, NV_HASH_SIZE);
    }
}

static enum nv_err get_offers(struct nv_reader *r, struct sync_offers *offers)
{
    offers->executed_height = nv_get_u64(r);
    offers->count = nv_get_u8(r);
    if (offers->count > SYNC_OFFERS_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    for (uint32_t i = 0; i < offers->count; i++) {
        offers->offer[i].height = nv_get_u64(r);
        nv_get_bytes(r, offers->offer[i].manifest_hash.bytes, NV_HASH_SIZE);
        nv_get_bytes(r, offers->offer[i].root.bytes, NV_HASH_SIZE);
        if (!r->failed && (offers->offer[i].height == 0 ||
                           (i > 0 && offers->offer[i].height >= offers->offer[i - 1].height))) {
            return NV_ERR_MALFORMED;
        }
    }
    return nv_reader_end(r);
}

void sync_encode(struct nv_writer *w, const struct sync_message *message)
{
    switch (message->type) {
    case SYNC_SNAPSHOTS_REQ: break;
    case SYNC_SNAPSHOTS: put_offers(w, &message->offers); break;
    case SYNC_PART_REQ:
    case SYNC_PART:
        nv_put_u64(w, message->part.height);
        nv_put_u32(w, message->part.part);
        nv_put_bytes(w, message->part.bytes.bytes, message->part.bytes.size);
        break;
    }
}

static enum nv_err get_part(struct nv_reader *r, struct sync_part *part, bool request)
{
    part->height = nv_get_u64(r);
    part->part = nv_get_u32(r);
    part->bytes = nv_get_view(r, request ? 0 : nv_reader_left(r));
    NV_TRY(nv_reader_end(r));
    bool const known = part->part < ST_CHUNKS_MAX || part->part == ST_PART_ANCHOR ||
                       part->part == ST_PART_MANIFEST;
    return known && part->height > 0 ? NV_OK : NV_ERR_MALFORMED;
}

enum nv_err sync_decode(struct sync_message *out, enum sync_type type, struct nv_view bytes)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    *out = (struct sync_message){.type = type};
    switch (type) {
    case SYNC_SNAPSHOTS_REQ: return nv_reader_end(&r);
    case SYNC_SNAPSHOTS: return get_offers(&r, &out->offers);
    case SYNC_PART_REQ: return get_part(&r, &out->part, true);
    case SYNC_PART: return get_part(&r, &out->part, false);
    }
    return NV_ERR_MALFORMED;
}
