/* Goal: a tree built from sorted rows is the tree that writing them would make,
 * and rows that are not sorted, too large or too many are refused.
 * Method: every prefix of sorted lists of three kinds of keys, against the slow
 * model; then one write set on top of a loaded tree. */

#include "base/heap.h"

#include "storage/tree.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/row_model.h"

#define ROWS_MAX 300u

static struct st__tree tree;
static struct st__loader loader;
static struct row_model model;
static void *memory;
static struct st_limits const limits = {.rows_max = ROWS_MAX, .versions_max = 3, .writes_max = 8};

static void begin(void)
{
    struct nv_arena arena;
    size_t const size = st__tree_footprint(&limits);
    if (memory != NULL) {
        nv_heap_unreserve(memory, size);
    }
    memory = nv_heap_reserve(size);
    assert_non_null(memory);
    nv_arena_init_zeroed(&arena, memory, size);
    st__tree_init(&tree, &arena, &limits);
    st__load_begin(&loader, &tree);
}

static int end(void **state)
{
    (void)state;
    nv_heap_unreserve(memory, st__tree_footprint(&limits));
    return 0;
}

static void put(uint32_t byte, uint32_t value, struct nv_view bytes)
{
    struct nv_row row = {.value = bytes};
    memset(&row.key, 0, sizeof row.key);
    row.key.bytes[byte] = (uint8_t)value;
    assert_true(model_put(&model, &row));
}

static struct nv_row row_at(uint32_t i)
{
    struct nv_row const row = {
        .key = model.rows[i].key,
        .value = nv_view_of(model.rows[i].value, model.rows[i].size),
    };
    return row;
}

static void check_prefixes(void)
{
    static struct row_model prefix; /* too large for the stack */
    for (uint32_t count = 0; count <= model.count; count++) {
        struct st_head head = {.height = 7};
        struct nv_hash root;
        begin();
        for (uint32_t i = 0; i < count; i++) {
            struct nv_row const row = row_at(i);
            assert_int_equal(st__load_row(&loader, &row), NV_OK);
        }
        st__load_end(&loader, &head);
        prefix.count = count;
        memcpy(prefix.rows, model.rows, count * sizeof model.rows[0]);
        model_root(&root, &prefix);
        assert_memory_equal(&head.root, &root, 32);
        assert_int_equal(head.row_count, count);
        assert_int_equal(st__tree_newest(&tree)->head.height, 7);
        assert_memory_equal(&st__tree_newest(&tree)->head.root, &root, 32);
    }
}

static void a_comb_of_single_bits(void **state)
{
    (void)state;
    model.count = 0;
    put(0, 0, nv_view_of("", 0));
    for (uint32_t i = 0; i < 256; i++) {
        put(i / 8, 0x80u >> (i % 8), nv_view_of(&i, sizeof i));
    }
    check_prefixes();
}

static void a_row_of_numbers(void **state)
{
    (void)state;
    model.count = 0;
    for (uint32_t i = 0; i < 200; i++) {
        put(31, i, nv_view_of(&i, sizeof i));
    }
    check_prefixes();
}

static void random_rows_and_a_write_set(void **state)
{
    (void)state;
    struct nv_test_rng rng = {5};
    static uint8_t value[NV_ROW_VALUE_MAX];
    model.count = 0;
    while (model.count < 100) {
        struct nv_row row = {.value = nv_view_of(value, nv_test_below(&rng, sizeof value + 1))};
        nv_test_fill(&rng, &row.key, sizeof row.key);
        nv_test_fill(&rng, value, row.value.size);
        assert_true(model_put(&model, &row));
    }
    check_prefixes();
    struct nv_row writes[2] = {row_at(3), row_at(50)};
    struct st_head const head = {.height = 8};
    struct nv_hash root;
    writes[0].value = nv_view_of(NULL, 0);
    writes[1].value = nv_view_of("new", 3);
    assert_int_equal(st__tree_apply(&tree, &head, writes, 2), NV_OK);
    assert_true(model_put(&model, &writes[1]));
    assert_true(model_remove(&model, &writes[0].key));
    model_root(&root, &model);
    assert_memory_equal(&st__tree_newest(&tree)->head.root, &root, 32);
}

static void bad_rows_are_refused(void **state)
{
    (void)state;
    static uint8_t value[NV_ROW_VALUE_MAX + 1];
    struct nv_row row = {.value = nv_view_of(value, sizeof value)};
    memset(&row.key, 1, sizeof row.key);
    begin();
    assert_int_equal(st__load_row(&loader, &row), NV_ERR_CORRUPT);
    row.value.size--;
    assert_int_equal(st__load_row(&loader, &row), NV_OK);
    assert_int_equal(st__load_row(&loader, &row), NV_ERR_CORRUPT);
    row.key.bytes[5] = 0;
    assert_int_equal(st__load_row(&loader, &row), NV_ERR_CORRUPT);
    for (uint32_t i = 1; i < ROWS_MAX; i++) {
        row.key.bytes[0] = (uint8_t)(2 + i / 256);
        row.key.bytes[1] = (uint8_t)i;
        assert_int_equal(st__load_row(&loader, &row), NV_OK);
    }
    row.key.bytes[0] = 9;
    assert_int_equal(st__load_row(&loader, &row), NV_ERR_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comb_of_single_bits),
        cmocka_unit_test(a_row_of_numbers),
        cmocka_unit_test(random_rows_and_a_write_set),
        cmocka_unit_test(bad_rows_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
