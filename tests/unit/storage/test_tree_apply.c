/* Goal: versions of the tree are what the page says of the rows they hold: root,
 * reads and proofs, for as long as they are kept; and no node is lost.
 * Method: random write sets against the slow model of rows, one copy of the model
 * for each version kept. Three kinds of keys: dense, random, and a comb of single
 * bits that makes the deepest trees. After each step all versions are compared. */

#include "base/codec.h"
#include "base/heap.h"

#include "storage/tree.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/row_model.h"

#define VERSIONS   4u
#define WRITES_MAX 128u
#define ROWS_MAX   600u

enum keys { KEYS_DENSE, KEYS_RANDOM, KEYS_COMB };

static struct st__tree tree;
static void *memory;
static size_t memory_size;
static struct row_model models[VERSIONS]; /* by height modulo VERSIONS */
static uint8_t expected[1u << 20];
static uint8_t got[1u << 20];
static uint8_t values[WRITES_MAX][NV_ROW_VALUE_MAX];

static void tree_new(const struct st_limits *limits)
{
    struct nv_arena arena;
    memory_size = st__tree_footprint(limits);
    memory = nv_heap_reserve(memory_size);
    assert_non_null(memory);
    nv_arena_init_zeroed(&arena, memory, memory_size);
    st__tree_init(&tree, &arena, limits);
}

static void tree_free(void)
{
    nv_heap_unreserve(memory, memory_size);
}

static void make_key(struct nv_test_rng *rng, struct nv_row_key *key, enum keys keys)
{
    memset(key, 0, sizeof *key);
    if (keys == KEYS_DENSE) {
        key->bytes[0] = (uint8_t)nv_test_below(rng, 3);
        key->bytes[15] = (uint8_t)nv_test_below(rng, 16);
        key->bytes[31] = (uint8_t)nv_test_below(rng, 8);
    } else if (keys == KEYS_RANDOM) {
        nv_test_fill(rng, key, sizeof *key);
    } else {
        uint32_t const bit = nv_test_below(rng, 257);
        if (bit < 256) {
            key->bytes[bit / 8] = (uint8_t)(0x80u >> (bit % 8));
        }
    }
}

static void make_value(struct nv_test_rng *rng, struct nv_view *value, uint8_t *bytes)
{
    uint32_t const most = nv_test_below(rng, 10) == 0 ? NV_ROW_VALUE_MAX : 70;
    *value = nv_view_of(bytes, nv_test_below(rng, most + 1));
    nv_test_fill(rng, bytes, value->size);
}

/* make_writes makes a sorted write set; `removals` of 8 writes remove. */
static uint32_t make_writes(struct nv_test_rng *rng,
                            struct nv_row *writes,
                            enum keys keys,
                            const struct row_model *model,
                            uint32_t removals)
{
    uint32_t const want =
        nv_test_below(rng, 4) == 0 ? nv_test_below(rng, WRITES_MAX + 1) : nv_test_below(rng, 12);
    static struct row_model sorter; /* a model sorts and drops what is twice */
    sorter.count = 0;
    for (uint32_t i = 0; i < want; i++) {
        struct nv_row row = {.value = nv_view_of("", 0)};
        make_key(rng, &row.key, keys);
        if (model->count > 0 && nv_test_below(rng, 2) == 0) {
            row.key = model->rows[nv_test_below(rng, model->count)].key;
        }
        assert_true(model_put(&sorter, &row));
    }
    for (uint32_t i = 0; i < sorter.count; i++) {
        writes[i].key = sorter.rows[i].key;
        make_value(rng, &writes[i].value, values[i]);
        if (nv_test_below(rng, 8) < removals) {
            writes[i].value = nv_view_of(NULL, 0);
        }
    }
    return sorter.count;
}

static void model_apply(struct row_model *model, const struct nv_row *writes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (writes[i].value.bytes == NULL) {
            (void)model_remove(model, &writes[i].key);
        } else {
            assert_true(model_put(model, &writes[i]));
        }
    }
}

static void check_reads(struct nv_test_rng *rng, uint32_t root, const struct row_model *model)
{
    static struct nv_row rows[ROWS_MAX];
    struct nv_row_range range;
    make_key(rng, &range.first, KEYS_DENSE);
    if (model->count > 0) {
        range.first = model->rows[nv_test_below(rng, model->count)].key;
        range.first.bytes[31] = (uint8_t)(range.first.bytes[31] ^ nv_test_below(rng, 2));
    }
    memset(&range.last, 0xff, sizeof range.last);
    const struct model_row *const row = model_get(model, &range.first);
    const struct st__leaf *const leaf = st__tree_find(&tree, root, &range.first);
    assert_int_equal(leaf != NULL, row != NULL);
    if (row != NULL) {
        struct nv_view const value = st__leaf_value(&tree, leaf);
        assert_true(nv_view_eq(value, nv_view_of(row->value, row->size)));
        assert_non_null(value.bytes);
    }
    uint32_t const most = nv_test_below(rng, 20);
    uint32_t at = model_find(model, &range.first);
    uint32_t const count = st__tree_rows(&tree, rows, root, &range, most);
    assert_int_equal(count, model->count - at < most ? model->count - at : most);
    for (uint32_t i = 0; i < count; i++, at++) {
        assert_memory_equal(&rows[i].key, &model->rows[at].key, 32);
        assert_true(
            nv_view_eq(rows[i].value, nv_view_of(model->rows[at].value, model->rows[at].size)));
    }
}

static void check_proof(struct nv_test_rng *rng, uint32_t root, const struct row_model *model)
{
    struct nv_row_range ranges[3];
    struct nv_writer want;
    struct nv_writer have;
    uint32_t count = 0;
    while (count < 3) {
        make_key(rng, &ranges[count].first, KEYS_DENSE);
        make_key(rng, &ranges[count].last, KEYS_DENSE);
        if (nv_test_below(rng, 2) == 0) {
            ranges[count].last = ranges[count].first;
        }
        if (nv_row_key_cmp(&ranges[count].first, &ranges[count].last) > 0) {
            continue;
        }
        if (count > 0 && nv_row_key_cmp(&ranges[count - 1].last, &ranges[count].first) >= 0) {
            break;
        }
        count++;
    }
    nv_writer_init(&want, expected, sizeof expected);
    nv_writer_init(&have, got, sizeof got);
    model_prove(&want, model, ranges, count);
    assert_int_equal(st__tree_prove(&tree, &have, root, ranges, count), NV_OK);
    assert_true(nv_view_eq(nv_writer_view(&want), nv_writer_view(&have)));
}

/* check_versions compares all versions kept; heights count from 0. */
static void check_versions(struct nv_test_rng *rng, uint64_t newest)
{
    uint64_t const oldest = newest + 1 > VERSIONS ? newest + 1 - VERSIONS : 0;
    assert_int_equal(tree.version_count, newest - oldest + 1);
    if (oldest > 0) {
        assert_null(st__tree_version(&tree, oldest - 1));
    }
    assert_null(st__tree_version(&tree, newest + 1));
    for (uint64_t height = oldest; height <= newest; height++) {
        const struct st__version *const version = st__tree_version(&tree, height);
        const struct row_model *const model = &models[height % VERSIONS];
        struct nv_hash root;
        assert_non_null(version);
        assert_int_equal(version->head.height, height);
        assert_int_equal(version->head.row_count, model->count);
        model_root(&root, model);
        assert_memory_equal(&version->head.root, &root, 32);
        check_reads(rng, version->root, model);
        check_proof(rng, version->root, model);
    }
}

static uint32_t held(const struct st__slab *slab)
{
    return slab->cap - st__slab_left(slab);
}

/* check_nothing_lost leaves one version and counts its nodes. */
static void check_nothing_lost(const struct row_model *model)
{
    uint32_t with_value = 0;
    uint32_t values_held = 0;
    while (tree.version_count > 1) {
        st__tree_release(&tree);
    }
    for (uint32_t i = 0; i < model->count; i++) {
        with_value += model->rows[i].size > 0 ? 1 : 0;
    }
    for (uint32_t i = 0; i < ST__VALUE_CLASSES; i++) {
        values_held += held(&tree.values[i]);
    }
    assert_int_equal(held(&tree.leaves), model->count);
    assert_int_equal(held(&tree.inners), model->count > 0 ? model->count - 1 : 0);
    assert_int_equal(values_held, with_value);
}

static void run(uint64_t seed, enum keys keys)
{
    struct nv_test_rng rng = {seed};
    struct nv_row writes[WRITES_MAX];
    struct st_limits const limits = {
        .rows_max = ROWS_MAX, .versions_max = VERSIONS, .writes_max = WRITES_MAX};
    tree_new(&limits);
    models[0].count = 0;
    uint64_t height = 0;
    for (uint32_t step = 0; step < 120; step++) {
        const struct row_model *const before = &models[height % VERSIONS];
        bool const full = before->count + WRITES_MAX > ROWS_MAX;
        uint32_t const removals = full ? 8 : nv_test_below(&rng, 9);
        uint32_t const count = make_writes(&rng, writes, keys, before, removals);
        struct st_head const head = {.height = height + 1};
        assert_int_equal(st__tree_apply(&tree, &head, writes, count), NV_OK);
        height++;
        models[height % VERSIONS] = *before;
        model_apply(&models[height % VERSIONS], writes, count);
        check_versions(&rng, height);
    }
    check_nothing_lost(&models[height % VERSIONS]);
    tree_free();
}

static void dense_keys(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run(seed, KEYS_DENSE);
    }
}

static void random_keys(void **state)
{
    (void)state;
    run(11, KEYS_RANDOM);
    run(12, KEYS_RANDOM);
}

static void the_deepest_trees(void **state)
{
    (void)state;
    run(21, KEYS_COMB);
    run(22, KEYS_COMB);
}

/* Everything goes at once, and comes again. */
static void all_rows_removed(void **state)
{
    (void)state;
    struct nv_test_rng rng = {31};
    struct nv_row writes[WRITES_MAX];
    struct nv_hash empty;
    struct st_limits const limits = {
        .rows_max = ROWS_MAX, .versions_max = VERSIONS, .writes_max = WRITES_MAX};
    nv_row_empty_root(&empty);
    tree_new(&limits);
    for (uint64_t height = 1; height < 20; height++) {
        struct row_model *const model = &models[0];
        model->count = 0;
        uint32_t const count = make_writes(&rng, writes, KEYS_COMB, model, 0);
        struct st_head const head = {.height = 2 * height};
        struct st_head const next = {.height = 2 * height + 1};
        assert_int_equal(st__tree_apply(&tree, &head, writes, count), NV_OK);
        for (uint32_t i = 0; i < count; i++) {
            writes[i].value = nv_view_of(NULL, 0);
        }
        assert_int_equal(st__tree_apply(&tree, &next, writes, count), NV_OK);
        assert_memory_equal(&st__tree_newest(&tree)->head.root, &empty, 32);
        assert_int_equal(st__tree_newest(&tree)->root, 0);
    }
    models[0].count = 0;
    check_nothing_lost(&models[0]);
    tree_free();
}

static void more_rows_than_allowed(void **state)
{
    (void)state;
    struct nv_row writes[4];
    struct st_limits const limits = {.rows_max = 3, .versions_max = 8, .writes_max = 4};
    struct st_head head = {.height = 1};
    tree_new(&limits);
    memset(writes, 0, sizeof writes);
    for (uint32_t i = 0; i < 4; i++) {
        writes[i].key.bytes[31] = (uint8_t)i;
        writes[i].value = nv_view_of("value", 5);
    }
    assert_int_equal(st__tree_apply(&tree, &head, writes, 4), NV_ERR_NO_MEMORY);
    assert_int_equal(st__tree_newest(&tree)->head.height, 0);
    assert_int_equal(st__tree_apply(&tree, &head, writes, 3), NV_OK);
    head.height = 2;
    struct nv_hash const root = st__tree_newest(&tree)->head.root;
    assert_int_equal(st__tree_apply(&tree, &head, writes, 4), NV_ERR_NO_MEMORY);
    assert_memory_equal(&st__tree_newest(&tree)->head.root, &root, 32);
    writes[1].value = nv_view_of(NULL, 0); /* one goes, one comes: it fits */
    assert_int_equal(st__tree_apply(&tree, &head, writes, 4), NV_OK);
    assert_int_equal(st__tree_newest(&tree)->head.row_count, 3);
    tree_free();
}

/* With a full tree and many versions wanted, old versions go and the newest
 * always works. */
static void versions_go_when_nodes_run_out(void **state)
{
    (void)state;
    struct nv_test_rng rng = {41};
    struct nv_row writes[64];
    struct st_limits const limits = {.rows_max = 64, .versions_max = 1000, .writes_max = 64};
    struct row_model *const model = &models[0];
    uint32_t fewest = 1000;
    tree_new(&limits);
    model->count = 0;
    for (uint64_t height = 1; height <= 500; height++) {
        struct st_head const head = {.height = height};
        struct nv_hash root;
        memset(writes, 0, sizeof writes);
        for (uint32_t i = 0; i < 64; i++) {
            writes[i].key.bytes[0] = (uint8_t)(4 * i);
            make_value(&rng, &writes[i].value, values[i]);
        }
        model_apply(model, writes, 64);
        assert_int_equal(st__tree_apply(&tree, &head, writes, 64), NV_OK);
        model_root(&root, model);
        assert_memory_equal(&st__tree_newest(&tree)->head.root, &root, 32);
        fewest = height > 400 && tree.version_count < fewest ? tree.version_count : fewest;
    }
    assert_true(fewest >= 1 && fewest < 100);
    check_nothing_lost(model);
    tree_free();
}

/* One version kept: the tree needs no more than that. */
static void one_version_only(void **state)
{
    (void)state;
    struct nv_row writes[2];
    struct st_limits const limits = {.rows_max = 8, .versions_max = 1, .writes_max = 2};
    tree_new(&limits);
    memset(writes, 0, sizeof writes);
    for (uint64_t height = 1; height <= 100; height++) {
        struct st_head const head = {.height = height};
        writes[0].key.bytes[0] = (uint8_t)(height % 4);
        writes[0].value = nv_view_of(&height, sizeof height);
        assert_int_equal(st__tree_apply(&tree, &head, writes, 1), NV_OK);
        assert_int_equal(tree.version_count, 1);
        assert_null(st__tree_version(&tree, height - 1));
    }
    assert_int_equal(held(&tree.leaves), 4);
    tree_free();
}

static void apply_two(void *ctx)
{
    struct nv_row *const writes = (struct nv_row *)ctx;
    struct st_head const head = {.height = 1};
    assert_int_equal(st__tree_apply(&tree, &head, writes, 2), NV_OK);
}

static void unsorted_writes_are_a_mistake(void **state)
{
    (void)state;
    struct nv_row writes[2];
    struct st_limits const limits = {.rows_max = 8, .versions_max = 1, .writes_max = 2};
    tree_new(&limits);
    memset(writes, 0, sizeof writes);
    NV_TEST_DIES(apply_two, writes);
    writes[0].key.bytes[3] = 1;
    NV_TEST_DIES(apply_two, writes);
    writes[1].key.bytes[3] = 2;
    NV_TEST_SURVIVES(apply_two, writes);
    tree_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_keys),
        cmocka_unit_test(random_keys),
        cmocka_unit_test(the_deepest_trees),
        cmocka_unit_test(all_rows_removed),
        cmocka_unit_test(more_rows_than_allowed),
        cmocka_unit_test(versions_go_when_nodes_run_out),
        cmocka_unit_test(one_version_only),
        cmocka_unit_test(unsorted_writes_are_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
