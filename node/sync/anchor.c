#include "node/sync/anchor.h"

#include "base/proof.h"

#include "consensus/certificate.h"
#include "consensus/message.h"
#include "vm/rows.h"

#define ANCHOR_VERSION 1u

static void put_sized(struct nv_writer *w, struct nv_view bytes)
{
    nv_put_u32(w, bytes.size);
    nv_put_bytes(w, bytes.bytes, bytes.size);
}

static struct nv_view get_sized(struct nv_reader *r)
{
    return nv_get_view(r, nv_get_u32(r));
}

void sync_anchor_put(struct nv_writer *w, const struct sync_anchor *anchor)
{
    nv_put_u32(w, ANCHOR_VERSION);
    put_sized(w, anchor->block);
    put_sized(w, anchor->final);
    nv_put_bytes(w, anchor->later_header.bytes, anchor->later_header.size);
    put_sized(w, anchor->later_final);
    put_sized(w, anchor->proof);
}

enum nv_err sync_anchor_get(struct sync_anchor *out, struct nv_view bytes)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    uint32_t const version = nv_get_u32(&r);
    if (!r.failed && version != ANCHOR_VERSION) {
        return NV_ERR_VERSION;
    }
    out->block = get_sized(&r);
    out->final = get_sized(&r);
    out->later_header = nv_get_view(&r, CS_HEADER_SIZE);
    out->later_final = get_sized(&r);
    out->proof = get_sized(&r);
    return nv_reader_end(&r);
}

/* block_right returns whether the block's parts belong together. */
static bool block_right(const struct sync_anchor *anchor)
{
    struct nv_reader r;
    struct cs_block block;
    struct nv_hash justify;
    nv_reader_init(&r, anchor->block);
    if (cs_block_get(&r, &block) != NV_OK || nv_reader_end(&r) != NV_OK) {
        return false;
    }
    if (!block.has_justify) {
        return block.header.height == 1;
    }
    cs_certificate_hash(&justify, &block.justify);
    return nv_hash_eq(&justify, &block.header.justify_hash);
}

/* root_of finds the root of `height` in the state that a final header names. */
static bool root_of(struct nv_hash *root,
                    const struct sync_anchor *anchor,
                    const struct cs_light_final *later,
                    uint64_t height)
{
    struct nv_proof proof;
    struct nv_row_key key;
    struct nv_view value;
    struct vm_root_row row;
    if (later->header.executed_height == height) {
        *root = later->header.state_root;
        return anchor->proof.size == 0;
    }
    vm_key_root(&key, height);
    if (later->header.executed_height < height ||
        cs_light_open(&proof, later, anchor->proof) != CS_LIGHT_OK ||
        nv_proof_find(&proof, &key, &value) != NV_SHOWN_PRESENT ||
        vm_root_row_decode(&row, value) != NV_OK || row.height != height) {
        return false;
    }
    *root = row.root;
    return true;
}

/* header_of returns the header's bytes of the anchor's block, none if it has none. */
static struct nv_view header_of(const struct sync_anchor *anchor)
{
    return nv_view_of(anchor->block.bytes,
                      anchor->block.size < CS_HEADER_SIZE ? 0 : CS_HEADER_SIZE);
}

static uint64_t epoch_of(struct nv_view header_bytes)
{
    struct nv_reader r;
    struct cs_header header;
    nv_reader_init(&r, header_bytes);
    return cs_header_get(&r, &header) == NV_OK ? header.epoch : 0;
}

bool sync_anchor_epochs(const struct sync_anchor *anchor, uint64_t *of_block, uint64_t *of_later)
{
    *of_block = epoch_of(header_of(anchor));
    *of_later = epoch_of(anchor->later_header);
    return *of_block > 0 && *of_later >= *of_block && *of_later - *of_block <= SYNC_EPOCHS_APART;
}

bool sync_anchor_check(struct sync_base *out,
                       const struct sync_anchor *anchor,
                       const struct cs_light *of_block,
                       const struct cs_light *of_later,
                       uint64_t now_ms,
                       uint64_t height)
{
    struct cs_light_final final;
    struct cs_light_final later;
    struct cs_light_block const block = {header_of(anchor), anchor->final};
    struct cs_light_block const above = {anchor->later_header, anchor->later_final};
    if (!block_right(anchor) || cs_light_final(&final, of_block, now_ms, &block) != CS_LIGHT_OK ||
        final.header.height != height ||
        cs_light_final(&later, of_later, now_ms, &above) != CS_LIGHT_OK) {
        return false;
    }
    out->header = final.header;
    out->hash = final.hash;
    return root_of(&out->root, anchor, &later, height);
}
