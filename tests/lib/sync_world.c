#include "tests/lib/sync_world.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "storage/snapshot_parts.h"
#include "tests/lib/nv_test.h"
#include "vm/rows.h"

#define ROWS       1000u
#define VALUE_SIZE 1500u
#define TICK_MS    100u
#define EPOCH_AT   41 /* of a header's epoch: its lowest byte */

/* ---- the snapshot ---- */

/* with_root makes a state of the one row that says what the root was. */
static struct st_state *with_root(uint64_t height, const struct nv_hash *root)
{
    static struct st_limits const limits = {.rows_max = 4,
                                            .versions_max = 1,
                                            .writes_max = 1,
                                            .dirty_max = 1,
                                            .dirty_bytes_max = NV_ROW_VALUE_MAX,
                                            .blocks_max = 1,
                                            .txs_max = 1};
    struct st_state *state = NULL;
    struct vm_root_row const ring = {.height = height, .root = *root};
    uint8_t bytes[64];
    struct nv_writer w;
    struct nv_row row;
    nv_writer_init(&w, bytes, sizeof bytes);
    vm_root_row_encode(&w, &ring);
    vm_key_root(&row.key, height);
    row.value = nv_writer_view(&w);
    struct st_block const block = {.height = height + 1, .writes = &row, .write_count = 1};
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    assert_int_equal(st_apply(state, &block), NV_OK);
    return state;
}

/* seal makes the world's header one of this height, and final. */
static void
seal(struct sync_world *w, uint64_t height, uint64_t executed, const struct nv_hash *root)
{
    light_world_final(&w->chain, root, executed, 0);
    w->chain.header.height = height;
    light_world_seal(&w->chain, 0);
}

uint32_t sync_world_anchor(struct sync_world *w,
                           uint8_t *out,
                           uint32_t cap,
                           uint64_t height,
                           uint64_t later,
                           const struct nv_hash *root,
                           struct nv_hash *block_hash)
{
    static uint8_t block[2 * CS_CERTIFICATE_SIZE_MAX];
    static uint8_t final[CS_CERTIFICATE_SIZE_MAX];
    uint8_t proof[1024];
    struct nv_writer blocks;
    struct nv_writer proofs;
    struct nv_writer anchors;
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct cs_ballot const parent =
        cs_build_ballot(CS_NOTARIZE, height, height - 1, cs_build_hash(1));
    struct cs_block whole = {.has_justify = true};
    whole.justify = cs_build_quorum(&w->chain.net, sigs, &parent);
    light_world_final(&w->chain, root, height - 2, 0);
    w->chain.header.height = height;
    cs_certificate_hash(&w->chain.header.justify_hash, &whole.justify);
    light_world_seal(&w->chain, 0);
    whole.header = w->chain.header;
    cs_header_hash(block_hash, &whole.header);
    nv_writer_init(&blocks, block, sizeof block);
    cs_block_put(&blocks, &whole);
    uint32_t const final_size = w->chain.certificate_size;
    memcpy(final, w->chain.certificate_bytes, final_size);

    nv_writer_init(&proofs, proof, sizeof proof);
    if (later > height) {
        struct st_state *const state = with_root(height, root);
        struct nv_row_range range;
        vm_key_root(&range.first, height);
        range.last = range.first;
        assert_int_equal(st_prove(state, &proofs, height + 1, &range, 1), NV_OK);
        seal(w, later + 2, later, &st_newest(state)->root);
        st_state_close(state);
    } else {
        seal(w, height + 2, later, root);
    }
    struct sync_anchor const anchor = {
        .block = nv_writer_view(&blocks),
        .final = nv_view_of(final, final_size),
        .later_header = light_world_header(&w->chain),
        .later_final = light_world_certificate(&w->chain),
        .proof = nv_writer_view(&proofs),
    };
    nv_writer_init(&anchors, out, cap);
    sync_anchor_put(&anchors, &anchor);
    NV_ASSERT(!anchors.overflow);
    return anchors.size;
}

/* rows_at makes a state of the height, of the block that an anchor names. */
static struct st_state *rows_at(uint64_t height, const struct nv_hash *block_hash)
{
    static struct st_limits const limits = {.rows_max = ROWS + 1,
                                            .versions_max = 1,
                                            .writes_max = ROWS,
                                            .dirty_max = ROWS,
                                            .dirty_bytes_max = ROWS * NV_ROW_VALUE_MAX,
                                            .blocks_max = 1,
                                            .txs_max = 1};
    static struct nv_row rows[ROWS];
    static uint8_t noise[VALUE_SIZE + ROWS];
    struct nv_test_rng rng = {height};
    struct st_state *state = NULL;
    nv_test_fill(&rng, noise, sizeof noise);
    for (uint32_t i = 0; i < ROWS; i++) {
        rows[i].key.bytes[3] = (uint8_t)(i >> 4);
        rows[i].key.bytes[20] = (uint8_t)(i & 15u);
        rows[i].value = nv_view_of(noise + i, VALUE_SIZE);
    }
    struct st_block const block = {
        .height = height, .block_hash = *block_hash, .writes = rows, .write_count = ROWS};
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    assert_int_equal(st_apply(state, &block), NV_OK);
    return state;
}

void sync_world_add(struct sync_world *w, uint64_t height)
{
    static uint8_t anchor[ST_ANCHOR_SIZE_MAX];
    struct nv_hash block_hash = {{0}};
    struct st_state *state = rows_at(height, &block_hash);
    struct nv_hash const root = st_newest(state)->root; /* it does not depend on the block */
    st_state_close(state);
    uint32_t const size =
        sync_world_anchor(w, anchor, sizeof anchor, height, height, &root, &block_hash);
    state = rows_at(height, &block_hash);
    assert_int_equal(st_snapshot_export(&w->have, state, nv_view_of(anchor, size)), NV_OK);
    st_state_close(state);
    sync_server_look(&w->server);
    w->root = root;
}

/* forge makes a manifest whose chunks have the hash of an empty text. */
static void forge(struct sync_world *w)
{
    static uint8_t bytes[ST_MANIFEST_SIZE_MAX];
    struct nv_view view;
    struct st_manifest manifest;
    struct nv_writer out;
    struct nv_row_key last;
    assert_int_equal(
        st_snapshot_get(
            &w->have, &view, SYNC_HEIGHT, ST_SNAPSHOT_DONE, ST_PART_MANIFEST, bytes, sizeof bytes),
        NV_OK);
    assert_int_equal(st_manifest_decode(&manifest, view), NV_OK);
    nv_writer_init(&out, w->forged_manifest, sizeof w->forged_manifest);
    memset(&last, 0xff, sizeof last);
    st__manifest_begin(&out, &manifest.head);
    st__manifest_add(&out, &last, nv_view_of_text("forged"));
    st__manifest_end(&out, 1);
    w->forged_size = out.size;
}

void sync_world_end_epoch(struct sync_world *w, uint64_t height)
{
    uint64_t const epoch = w->chain.epoch;
    struct sync_end *const end = &w->end[epoch];
    uint8_t set_bytes[CS_VALSET_SIZE_MAX];
    struct cs_net next;
    struct nv_hash const root = cs_build_hash(5);
    struct nv_reader r;
    struct nv_writer out;
    assert_true(epoch < SYNC_WORLD_EPOCHS);
    cs_net_init_at(&next, NULL, 4, (uint32_t)(10 * epoch));
    light_world_final(&w->chain, &root, 0, 0);
    w->chain.header.height = height;
    w->chain.header.next_valset_hash = next.set.hash;
    light_world_seal(&w->chain, 0);
    struct cs_handover handover = {
        .header = w->chain.header,
        .set = nv_view_of(set_bytes, cs_valset_encode(&next.set, set_bytes)),
    };
    nv_reader_init(&r, light_world_certificate(&w->chain));
    assert_int_equal(cs_certificate_get(&r, &handover.final), NV_OK);
    nv_writer_init(&out, end->bytes, sizeof end->bytes);
    cs_handover_put(&out, &handover);
    assert_false(out.overflow);
    end->size = out.size;
    cs_header_hash(&w->boundary[epoch], &handover.header);
    memset(&w->chain.header.next_valset_hash, 0, sizeof w->chain.header.next_valset_hash);
    light_world_follow(&w->chain, &next);
}

void sync_world_open(struct sync_world *w, const enum sync_manner *manners, uint32_t count)
{
    sync_world_later(w, manners, count, 0);
}

void sync_world_later(struct sync_world *w,
                      const enum sync_manner *manners,
                      uint32_t count,
                      uint32_t epochs)
{
    memset(w, 0, sizeof *w);
    temp_dir_new(w->dir);
    temp_dir_new(w->from);
    w->at = (struct st_snapshots){.files = st_files_system(), .dir = w->dir};
    w->have = (struct st_snapshots){.files = st_files_system(), .dir = w->from};
    light_world_init(&w->chain, NULL, 4);
    cs_light_init(&w->light, &w->chain.net.chain_id, LIGHT_TIME_MS, 0, &w->chain.net.set);
    sync_server_open(&w->server, &w->have);
    w->time = (struct sync_time){.now_ms = 1000, .wall_ms = LIGHT_TIME_MS + 100000};
    for (uint32_t i = 0; i < count; i++) {
        w->peer[i].manner = manners[i];
    }
    w->peer_count = count;
    while (epochs-- > 0) {
        sync_world_end_epoch(w, w->chain.epoch); /* at its number as height */
    }
    sync_world_add(w, SYNC_HEIGHT);
    forge(w);
}

static void remove_all(const struct st_snapshots *at)
{
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    assert_int_equal(st_snapshot_tidy(at, 0), NV_OK);
    assert_int_equal(st_snapshot_list(at, heights, &count, ST_SNAPSHOT_DONE), NV_OK);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(st_snapshot_remove(at, heights[i], ST_SNAPSHOT_DONE), NV_OK);
    }
    temp_dir_remove(at->dir);
}

void sync_world_close(struct sync_world *w)
{
    sync_close(w->sync);
    remove_all(&w->at);
    remove_all(&w->have);
}

/* ---- peers ---- */

static enum nv_err get_end(void *ctx, uint64_t epoch, struct nv_view *out)
{
    const struct sync_world *const w = ctx;
    if (epoch >= SYNC_WORLD_EPOCHS || w->kept[epoch].size == 0) {
        return NV_ERR_NOT_FOUND;
    }
    *out = nv_view_of(w->kept[epoch].bytes, w->kept[epoch].size);
    return NV_OK;
}

static enum nv_err put_end(void *ctx, uint64_t epoch, struct nv_view bytes)
{
    struct sync_world *const w = ctx;
    if (w->ends_full) {
        return NV_ERR_DISK_FULL;
    }
    assert_true(epoch < SYNC_WORLD_EPOCHS && bytes.size <= CS_HANDOVER_SIZE_MAX);
    memcpy(w->kept[epoch].bytes, bytes.bytes, bytes.size);
    w->kept[epoch].size = bytes.size;
    return NV_OK;
}

void sync_world_join(struct sync_world *w, uint64_t height_least)
{
    struct sync_config const config = {
        .at = w->at,
        .light = w->light,
        .trust = w->trust,
        .epochs = {w, get_end, put_end},
        .height_least = height_least,
    };
    sync_close(w->sync);
    w->sync = NULL;
    assert_int_equal(sync_open(&w->sync, &config, w->time), NV_OK);
    for (uint32_t i = 0; i < w->peer_count; i++) {
        w->peer[i].up = !w->peer[i].banned;
        sync_link(w->sync, w->time, i, w->peer[i].up);
    }
}

static void spoil(struct sync_world *w, struct sync_peer *peer, struct sync_message *answer)
{
    static uint8_t bytes[ST_MANIFEST_SIZE_MAX];
    bool const part = answer->type == SYNC_PART;
    bool const chunk = part && answer->part.part < ST_CHUNKS_MAX;
    struct nv_view *const view = &answer->part.bytes;
    bool const flip =
        (peer->manner == SYNC_BAD_CHUNK && chunk) ||
        (peer->manner == SYNC_BAD_ANCHOR && part && answer->part.part == ST_PART_ANCHOR) ||
        (peer->manner == SYNC_BAD_MANIFEST && part && answer->part.part == ST_PART_MANIFEST);
    if (flip && view->size > 0) {
        memcpy(bytes, view->bytes, view->size);
        bytes[view->size / 2] ^= 4;
        *view = nv_view_of(bytes, view->size);
    }
    if (peer->manner == SYNC_FAR_EPOCH && part && answer->part.part == ST_PART_ANCHOR) {
        struct sync_anchor anchor;
        memcpy(bytes, view->bytes, view->size);
        *view = nv_view_of(bytes, view->size);
        assert_int_equal(sync_anchor_get(&anchor, *view), NV_OK);
        bytes[anchor.block.bytes - bytes + EPOCH_AT] += 3;
        bytes[anchor.later_header.bytes - bytes + EPOCH_AT] += 3;
    }
    if (peer->manner == SYNC_SHORT && chunk && view->size > 0) {
        view->size--;
    }
    if (peer->manner == SYNC_EMPTY && part) {
        view->size = 0;
    }
    if (peer->manner == SYNC_BAD_ROOT && !part) {
        answer->offers.offer[0].root.bytes[0] ^= 1;
    }
    if (peer->manner == SYNC_FORGER && !part) {
        struct nv_view const forged = nv_view_of(w->forged_manifest, w->forged_size);
        nv_sha256(&answer->offers.offer[0].manifest_hash, forged);
    }
    if (peer->manner == SYNC_FORGER && part && answer->part.part == ST_PART_MANIFEST) {
        *view = nv_view_of(w->forged_manifest, w->forged_size);
    }
    if (peer->manner == SYNC_FORGER && chunk) {
        *view = nv_view_of_text("forged");
    }
}

/* answer_epoch lets a peer answer the question for the end of an epoch. */
static void answer_epoch(struct sync_world *w, uint32_t id, uint64_t epoch)
{
    static uint8_t bytes[CS_HANDOVER_SIZE_MAX];
    struct sync_peer *const peer = &w->peer[id];
    uint64_t const given = epoch + (peer->manner == SYNC_OTHER_EPOCH ? 1 : 0);
    peer->epochs_asked++;
    w->epochs_asked++;
    if (peer->manner == SYNC_MUTE || peer->manner == SYNC_NO_EPOCH || given >= SYNC_WORLD_EPOCHS ||
        w->end[given].size == 0) {
        return; /* who has it not says nothing */
    }
    memcpy(bytes, w->end[given].bytes, w->end[given].size);
    if (peer->manner == SYNC_BAD_EPOCH) {
        bytes[CS_HEADER_SIZE + 100] ^= 1; /* of the first signature */
    }
    sync_take(w->sync, w->time, id, CS_MSG_EPOCH_RESPONSE, nv_view_of(bytes, w->end[given].size));
}

/* answer lets a peer answer one message. */
static void answer(struct sync_world *w, uint32_t id, const struct sync_op *op)
{
    static uint8_t bytes[SYNC_PART_SIZE];
    struct sync_peer *const peer = &w->peer[id];
    const struct sync_message *given = NULL;
    struct nv_writer out;
    bool const part = op->type == SYNC_PART_REQ;
    if (peer->manner == SYNC_MUTE || (peer->manner == SYNC_SILENT && part)) {
        return;
    }
    /* The server's own limit is not what is tested here: time stands still for it. */
    if (sync_serve(&w->server,
                   &given,
                   id,
                   w->time.now_ms * 1000,
                   SYNC_HEIGHT + 10,
                   op->type,
                   nv_view_of(op->bytes, op->size)) != SYNC_SERVED_ANSWER) {
        return;
    }
    struct sync_message own = *given;
    spoil(w, peer, &own);
    nv_writer_init(&out, bytes, sizeof bytes);
    sync_encode(&out, &own);
    struct nv_view view = nv_writer_view(&out);
    view.size -= peer->manner == SYNC_GARBAGE ? 1 : 0;
    sync_take(w->sync, w->time, id, own.type, view);
}

/* cut_off returns whether the run is to end here. */
static bool cut_off(const struct sync_world *w)
{
    return (w->parts_stored_max != 0 && w->chunks_asked >= w->parts_stored_max) ||
           (w->epochs_asked_max != 0 && w->epochs_asked >= w->epochs_asked_max);
}

static void perform(struct sync_world *w)
{
    struct sync_op op;
    while (sync_next(w->sync, &op)) {
        struct sync_peer *const peer = &w->peer[op.peer];
        if (op.kind == SYNC_OP_BAN) {
            peer->banned = true;
            peer->up = false;
            sync_link(w->sync, w->time, op.peer, false);
            continue;
        }
        if (op.type == SYNC_PART_REQ) {
            peer->second_count++;
            peer->second_max =
                peer->second_count > peer->second_max ? peer->second_count : peer->second_max;
            bool const chunk = nv_be32_load(op.bytes + 8) < ST_CHUNKS_MAX;
            peer->chunks_asked += chunk ? 1 : 0;
            w->chunks_asked += chunk ? 1 : 0;
        }
        if (peer->up && op.type == CS_MSG_EPOCH_REQUEST) {
            answer_epoch(w, op.peer, nv_be64_load(op.bytes));
        } else if (peer->up) {
            answer(w, op.peer, &op);
        }
        if (cut_off(w)) {
            return;
        }
    }
}

enum sync_stage sync_world_run(struct sync_world *w, uint32_t seconds)
{
    struct sync_progress p;
    for (uint32_t i = 0; i < seconds * 1000 / TICK_MS; i++) {
        perform(w);
        sync_progress(w->sync, &p);
        if (p.stage >= SYNC_READY || cut_off(w)) {
            break;
        }
        w->time.now_ms += TICK_MS;
        w->time.wall_ms += TICK_MS;
        if (w->time.now_ms % 1000 == 0) {
            for (uint32_t k = 0; k < w->peer_count; k++) {
                w->peer[k].second_count = 0;
            }
        }
        sync_tick(w->sync, w->time);
    }
    sync_progress(w->sync, &p);
    return p.stage;
}
