/* Goal: the public face of the rows in memory: versions by height, reads, proofs
 * that the verifier accepts, back-pressure, and overlays that add up.
 * Method: short histories, most of them with one key whose value is the height;
 * overlays are folded into a map and compared with the state. */

#include "base/heap.h"
#include "base/proof.h"

#include "storage/overlay.h"
#include "storage/storage.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/row_model.h"

#define WRITES_MAX 16u

static struct st_limits small(void)
{
    return (struct st_limits){.rows_max = 100,
                              .versions_max = 4,
                              .writes_max = WRITES_MAX,
                              .dirty_max = 20,
                              .dirty_bytes_max = WRITES_MAX * NV_ROW_VALUE_MAX,
                              .blocks_max = 10,
                              .txs_max = 12};
}

static struct st_state *new_state(void)
{
    struct st_limits const limits = small();
    struct st_state *state = NULL;
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    return state;
}

static struct nv_row number_row(uint8_t number, const uint64_t *value)
{
    struct nv_row row = {.value = nv_view_of(value, value != NULL ? sizeof *value : 0)};
    memset(&row.key, 0, sizeof row.key);
    row.key.bytes[31] = number;
    return row;
}

static enum nv_err
apply(struct st_state *state, uint64_t height, const struct nv_row *writes, uint32_t count)
{
    struct st_block const block = {.height = height,
                                   .block_hash = {{(uint8_t)height}},
                                   .writes = writes,
                                   .write_count = count};
    return st_apply(state, &block);
}

static void versions_are_read_by_height(void **unused)
{
    (void)unused;
    struct st_state *const state = new_state();
    for (uint64_t height = 0; height < 10; height++) {
        struct nv_row const row = number_row(1, &height);
        assert_int_equal(apply(state, 2 * height, &row, 1), NV_OK);
    }
    struct nv_row const row = number_row(1, NULL);
    struct nv_row const other = number_row(2, NULL);
    struct nv_view value;
    assert_int_equal(st_newest(state)->height, 18);
    assert_int_equal(st_newest(state)->block_hash.bytes[0], 18);
    for (uint64_t height = 0; height < 20; height++) {
        bool const kept = height >= 12 && height % 2 == 0;
        assert_int_equal(st_version(state, height) != NULL, kept);
        enum nv_err const got = st_get(state, &value, height, &row.key);
        assert_int_equal(got, kept ? NV_OK : NV_ERR_RANGE);
        if (kept) {
            uint64_t const want = height / 2;
            assert_true(nv_view_eq(value, nv_view_of(&want, sizeof want)));
            assert_int_equal(st_get(state, &value, height, &other.key), NV_ERR_NOT_FOUND);
        }
    }
    st_state_close(state);
}

static void genesis_takes_the_place_of_nothing(void **unused)
{
    (void)unused;
    struct st_state *const state = new_state();
    uint64_t const number = 5;
    struct nv_row const row = number_row(1, &number);
    struct nv_view value;
    assert_int_equal(st_newest(state)->row_count, 0);
    assert_int_equal(apply(state, 0, &row, 1), NV_OK);
    assert_int_equal(st_newest(state)->row_count, 1);
    assert_int_equal(st_get(state, &value, 0, &row.key), NV_OK);
    assert_int_equal(st_version(state, 0)->row_count, 1);
    st_state_close(state);
}

static void proofs_verify(void **unused)
{
    (void)unused;
    struct st_state *const state = new_state();
    struct nv_row rows[8];
    uint64_t numbers[8];
    uint8_t bytes[4096];
    struct nv_writer w;
    struct nv_proof proof;
    struct nv_view value;
    for (uint64_t height = 1; height <= 3; height++) {
        for (uint8_t i = 0; i < 8; i++) {
            numbers[i] = height * 100 + i;
            rows[i] = number_row((uint8_t)(2 * i), &numbers[i]);
        }
        assert_int_equal(apply(state, height, rows, 8), NV_OK);
    }
    struct nv_row_range const ranges[2] = {{rows[1].key, rows[1].key},
                                           {number_row(5, NULL).key, rows[5].key}};
    nv_writer_init(&w, bytes, sizeof bytes);
    assert_int_equal(st_prove(state, &w, 2, ranges, 2), NV_OK);
    assert_int_equal(nv_proof_open(&proof, &st_version(state, 3)->root, nv_writer_view(&w)),
                     NV_ERR_MISMATCH);
    assert_int_equal(nv_proof_open(&proof, &st_version(state, 2)->root, nv_writer_view(&w)), NV_OK);
    assert_int_equal(nv_proof_find(&proof, &rows[1].key, &value), NV_SHOWN_PRESENT);
    uint64_t const want = 201;
    assert_true(nv_view_eq(value, nv_view_of(&want, sizeof want)));
    assert_int_equal(nv_proof_find(&proof, &ranges[1].first, &value), NV_SHOWN_ABSENT);
    assert_true(nv_proof_covers(&proof, &ranges[1]));
    assert_int_equal(nv_proof_find(&proof, &rows[0].key, &value), NV_SHOWN_NOT);

    assert_int_equal(st_prove(state, &w, 9, ranges, 2), NV_ERR_RANGE);
    for (uint32_t cap = 0; cap < 100; cap++) {
        nv_writer_init(&w, bytes, cap);
        assert_int_equal(st_prove(state, &w, 2, ranges, 2), NV_ERR_TOO_LARGE);
    }
    st_state_close(state);
}

static void rows_are_paged(void **unused)
{
    (void)unused;
    struct st_state *const state = new_state();
    struct nv_row rows[10];
    uint64_t const number = 1;
    uint32_t count = 0;
    for (uint8_t i = 0; i < 10; i++) {
        rows[i] = number_row((uint8_t)(10 * i), &number);
    }
    assert_int_equal(apply(state, 1, rows, 10), NV_OK);
    struct nv_row_range range = {number_row(15, NULL).key, number_row(70, NULL).key};
    struct nv_row page[4];
    assert_int_equal(st_rows(state, page, &count, 1, &range, 4), NV_OK);
    assert_int_equal(count, 4);
    assert_int_equal(page[0].key.bytes[31], 20);
    range.first = page[3].key;
    range.first.bytes[31]++;
    assert_int_equal(st_rows(state, page, &count, 1, &range, 4), NV_OK);
    assert_int_equal(count, 2);
    assert_int_equal(page[1].key.bytes[31], 70);
    assert_int_equal(st_rows(state, page, &count, 2, &range, 4), NV_ERR_RANGE);
    st_state_close(state);
}

/* fold writes an overlay into the model as a checkpoint would into a disk. */
static void fold(struct row_model *model, struct st_overlay *overlay)
{
    uint32_t count = 0;
    const struct nv_row *const rows = st_overlay_rows(overlay, &count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(i == 0 || nv_row_key_cmp(&rows[i - 1].key, &rows[i].key) < 0);
        if (rows[i].value.bytes == NULL) {
            (void)model_remove(model, &rows[i].key);
        } else {
            assert_true(model_put(model, &rows[i]));
        }
    }
}

/* apply_random applies some writes of few keys. */
static enum nv_err apply_random(struct st_state *state, struct nv_test_rng *rng, uint64_t height)
{
    static uint8_t values[32][200];
    struct nv_row writes[32];
    uint32_t count = 0;
    for (uint8_t i = 0; i < 32; i++) {
        if (nv_test_below(rng, 6) > 0) {
            continue;
        }
        writes[count] = number_row(i, NULL);
        nv_test_fill(rng, values[i], sizeof values[i]);
        if (nv_test_below(rng, 4) > 0) {
            writes[count].value = nv_view_of(values[i], nv_test_below(rng, sizeof values[i]));
        }
        count++;
        if (count == WRITES_MAX) {
            break;
        }
    }
    return apply(state, height, writes, count);
}

/* The state as it is, from overlays alone; sometimes the checkpointer is slow. */
static void overlays_add_up(void **unused)
{
    (void)unused;
    struct nv_test_rng rng = {3};
    struct st_state *const state = new_state();
    static struct row_model model;
    struct st_overlay *out = NULL;
    uint32_t busy = 0;
    model.count = 0;
    for (uint64_t height = 1; height < 600;) {
        enum nv_err const err = apply_random(state, &rng, height);
        if (err == NV_OK) {
            height++;
        } else {
            assert_int_equal(err, NV_ERR_BUSY);
            assert_int_equal(st_newest(state)->height, height - 1);
            busy++;
        }
        bool const full = err == NV_ERR_BUSY;
        if (out != NULL && (full || nv_test_below(&rng, 4) == 0)) {
            struct nv_hash root;
            fold(&model, out);
            model_root(&root, &model);
            assert_memory_equal(&root, &st_overlay_head(out)->root, 32);
            assert_int_equal(st_overlay_head(out)->row_count, model.count);
            st_thaw(state, out);
            out = NULL;
        }
        if (out == NULL && (full || nv_test_below(&rng, 4) == 0)) {
            out = st_freeze(state);
            assert_true(out == NULL || st_dirty(state) == 0);
            assert_null(st_freeze(state));
        }
    }
    assert_true(busy > 5);
    st_state_close(state);
}

static void no_more_blocks_or_transactions_than_allowed(void **unused)
{
    (void)unused;
    struct st_state *const state = new_state();
    struct nv_hash const txs[12] = {{{1}}};
    struct st_block block = {.txs = txs, .place = {.segment = 1}};
    for (block.height = 1; block.height <= 10; block.height++) {
        assert_int_equal(st_apply(state, &block), NV_OK);
    }
    assert_int_equal(st_apply(state, &block), NV_ERR_BUSY);
    struct st_overlay *const first = st_freeze(state);
    assert_non_null(first);
    block.tx_count = 7;
    assert_int_equal(st_apply(state, &block), NV_OK);
    block.height++;
    assert_int_equal(st_apply(state, &block), NV_ERR_BUSY);
    assert_null(st_freeze(state));
    st_thaw(state, first);
    assert_non_null(st_freeze(state));
    block.tx_count = 12;
    assert_int_equal(st_apply(state, &block), NV_OK);
    st_state_close(state);
}

static void places_may_come_later(void **unused)
{
    (void)unused;
    struct st_state *const state = new_state();
    struct st_block block = {.height = 0};
    for (block.height = 1; block.height <= 9; block.height += 2) {
        block.place = (struct st_place){.segment = block.height == 5 ? 4 : 0};
        assert_int_equal(st_apply(state, &block), NV_OK);
    }
    struct st_overlay *const overlay = st_freeze(state);
    st_overlay_place(overlay, 1, (struct st_place){7, 1});
    st_overlay_place(overlay, 9, (struct st_place){7, 9});
    st_overlay_place(overlay, 3, (struct st_place){7, 3});
    uint32_t const segments[5] = {7, 7, 4, 0, 7};
    assert_int_equal(overlay->block_count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(overlay->blocks[i].height, 2 * i + 1);
        assert_int_equal(overlay->blocks[i].place.segment, segments[i]);
    }
    assert_int_equal(overlay->blocks[4].place.offset, 9);
    st_thaw(state, overlay);
    st_state_close(state);
}

static void the_same_height_again_run(void *ctx)
{
    assert_int_equal(apply((struct st_state *)ctx, 5, NULL, 0), NV_OK);
}

static void the_same_height_again(void **unused)
{
    (void)unused;
    struct st_state *const state = new_state();
    NV_TEST_SURVIVES(the_same_height_again_run, state);
    assert_int_equal(apply(state, 5, NULL, 0), NV_OK);
    NV_TEST_DIES(the_same_height_again_run, state);
    st_state_close(state);
}

static void no_address_space(void **unused)
{
    (void)unused;
    struct st_limits const limits = small();
    struct st_state *state = NULL;
    nv_heap_fail_at(1);
    assert_int_equal(st_state_open(&state, &limits), NV_ERR_NO_MEMORY);
    assert_null(state);
    st_state_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_read_by_height),
        cmocka_unit_test(genesis_takes_the_place_of_nothing),
        cmocka_unit_test(proofs_verify),
        cmocka_unit_test(rows_are_paged),
        cmocka_unit_test(overlays_add_up),
        cmocka_unit_test(no_more_blocks_or_transactions_than_allowed),
        cmocka_unit_test(places_may_come_later),
        cmocka_unit_test(the_same_height_again),
        cmocka_unit_test(no_address_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
