/* Goal: an overlay that was emptied holds nothing, however many rows it had.
 * Method: random rows, from none to as many as fit, sorted or not, in one overlay again
 * and again; each time every row is there once and then no slot is in use. */

#include <stdlib.h>

#include "storage/overlay.h"
#include "tests/lib/nv_test.h"

#define ROWS   1024u
#define ROUNDS 400u

static struct st_overlay overlay;
static struct nv_row rows[ROWS];
static uint8_t value[4];

static void add(struct nv_test_rng *rng, uint32_t count)
{
    static const struct st_head head;
    for (uint32_t i = 0; i < count; i++) {
        nv_test_fill(rng, rows[i].key.bytes, sizeof rows[i].key.bytes);
        rows[i].value = nv_view_of(value, sizeof value);
    }
    struct st_block const block = {.height = 1, .writes = rows, .write_count = count};
    st__overlay_add(&overlay, &block, &head);
}

static void emptied_it_holds_nothing(void **state)
{
    (void)state;
    struct st_limits const limits = {.rows_max = ROWS,
                                     .versions_max = 2,
                                     .writes_max = ROWS,
                                     .dirty_max = ROWS,
                                     .dirty_bytes_max = (uint64_t)ROWS * NV_ROW_VALUE_MAX,
                                     .blocks_max = 4,
                                     .txs_max = 4};
    struct nv_test_rng rng = {7};
    size_t const size = st__overlay_footprint(&limits);
    void *const memory = calloc(1, size);
    struct nv_arena arena;
    nv_arena_init_zeroed(&arena, memory, size);
    st__overlay_init(&overlay, &arena, &limits);
    uint32_t const most[] = {4, 127, 200, ROWS};
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t const count = (uint32_t)nv_test_below(&rng, most[round % 4] + 1);
        add(&rng, count);
        assert_int_equal(overlay.row_count, count);
        if (nv_test_below(&rng, 2) == 0) {
            st__overlay_sort(&overlay);
        }
        st__overlay_clear(&overlay);
        assert_int_equal(overlay.row_count, 0);
        for (uint32_t i = 0; i <= overlay.slot_mask; i++) {
            assert_int_equal(overlay.slots[i], 0);
        }
    }
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(emptied_it_holds_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
