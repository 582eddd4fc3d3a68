#include "storage/state.h"

#include "base/assert.h"
#include "base/heap.h"

size_t st_state_footprint(const struct st_limits *limits)
{
    return sizeof(struct st_state) + 64 + st__tree_footprint(limits) +
           2 * st__overlay_footprint(limits);
}

enum nv_err st_state_open(struct st_state **out, const struct st_limits *limits)
{
    size_t const size = st_state_footprint(limits);
    void *const memory = nv_heap_reserve(size);
    if (memory == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct nv_arena arena;
    nv_arena_init_zeroed(&arena, memory, size);
    struct st_state *const state = NV_ARENA_NEW(&arena, struct st_state, 1);
    state->size = size;
    st__tree_init(&state->tree, &arena, limits);
    for (uint32_t i = 0; i < 2; i++) {
        st__overlay_init(&state->overlays[i], &arena, limits);
    }
    *out = state;
    return NV_OK;
}

void st_state_close(struct st_state *state)
{
    if (state != NULL) {
        nv_heap_unreserve(state, state->size);
    }
}

enum nv_err st_apply(struct st_state *state, const struct st_block *block)
{
    const struct st_head *const newest = st_newest(state);
    bool const genesis = newest->height == 0 && newest->row_count == 0 && block->height == 0;
    NV_ASSERT(block->height > newest->height || genesis);
    NV_ASSERT(block->write_count <= state->tree.limits.writes_max);
    NV_ASSERT(block->tx_count <= state->tree.limits.txs_max);
    struct st_overlay *const active = &state->overlays[state->active];
    if (!st__overlay_fits(active, block)) {
        return NV_ERR_BUSY;
    }
    struct st_head const head = {.height = block->height, .block_hash = block->block_hash};
    NV_TRY(st__tree_apply(&state->tree, &head, block->writes, block->write_count));
    st__overlay_add(active, block, st_newest(state));
    return NV_OK;
}

const struct st_head *st_newest(const struct st_state *state)
{
    return &st__tree_newest(&state->tree)->head;
}

const struct st_head *st_version(const struct st_state *state, uint64_t height)
{
    const struct st__version *const version = st__tree_version(&state->tree, height);
    return version != NULL ? &version->head : NULL;
}

enum nv_err st_get(const struct st_state *state,
                   struct nv_view *value,
                   uint64_t height,
                   const struct nv_row_key *key)
{
    const struct st__version *const version = st__tree_version(&state->tree, height);
    if (version == NULL) {
        return NV_ERR_RANGE;
    }
    const struct st__leaf *const leaf = st__tree_find(&state->tree, version->root, key);
    if (leaf == NULL) {
        return NV_ERR_NOT_FOUND;
    }
    *value = st__leaf_value(&state->tree, leaf);
    return NV_OK;
}

enum nv_err st_rows(const struct st_state *state,
                    struct nv_row *rows,
                    uint32_t *count,
                    uint64_t height,
                    const struct nv_row_range *range,
                    uint32_t rows_max)
{
    const struct st__version *const version = st__tree_version(&state->tree, height);
    if (version == NULL) {
        return NV_ERR_RANGE;
    }
    *count = st__tree_rows(&state->tree, rows, version->root, range, rows_max);
    return NV_OK;
}

enum nv_err st_prove(const struct st_state *state,
                     struct nv_writer *proof,
                     uint64_t height,
                     const struct nv_row_range *ranges,
                     uint32_t range_count)
{
    const struct st__version *const version = st__tree_version(&state->tree, height);
    if (version == NULL) {
        return NV_ERR_RANGE;
    }
    return st__tree_prove(&state->tree, proof, version->root, ranges, range_count);
}

uint32_t st_dirty(const struct st_state *state)
{
    return state->overlays[state->active].row_count;
}

struct st_overlay *st_freeze(struct st_state *state)
{
    struct st_overlay *const overlay = &state->overlays[state->active];
    if (state->frozen || !overlay->applied) {
        return NULL;
    }
    state->frozen = true;
    state->active = 1 - state->active;
    state->overlays[state->active].base = overlay->head;
    return overlay;
}

void st_thaw(struct st_state *state, struct st_overlay *overlay)
{
    NV_ASSERT(state->frozen && overlay == &state->overlays[1 - state->active]);
    st__overlay_clear(overlay);
    state->frozen = false;
}

const struct st_head *st_overlay_head(const struct st_overlay *overlay)
{
    NV_ASSERT(overlay->applied);
    return &overlay->head;
}

void st_overlay_place(struct st_overlay *overlay, uint64_t height, struct st_place place)
{
    uint32_t first = 0;
    uint32_t count = overlay->block_count;
    while (count > 1) { /* the entries ascend */
        uint32_t const half = count / 2;
        bool const above = overlay->blocks[first + half].height <= height;
        first += above ? half : 0;
        count = above ? count - half : half;
    }
    NV_ASSERT(count == 1 && overlay->blocks[first].height == height);
    overlay->blocks[first].place = place;
}

bool st_overlay_epoch(struct st_overlay *overlay, uint64_t epoch, struct nv_view bytes)
{
    uint32_t const at = overlay->epoch_count;
    NV_ASSERT(bytes.size > 0 && bytes.size <= ST_EPOCH_SIZE_MAX);
    if (at == ST_EPOCHS_AT_ONCE) {
        return false;
    }
    memcpy(overlay->epoch_bytes + (size_t)at * ST_EPOCH_SIZE_MAX, bytes.bytes, bytes.size);
    overlay->epoch[at] = (struct st__epoch_entry){.epoch = epoch, .size = bytes.size};
    overlay->epoch_count++;
    return true;
}

const struct nv_row *st_overlay_rows(struct st_overlay *overlay, uint32_t *count)
{
    st__overlay_sort(overlay);
    *count = overlay->row_count;
    return overlay->rows;
}
