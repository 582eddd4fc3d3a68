/* test_root_fold.c - the root of rows taken one by one equals the root of the
 * recursive model, for random sets and for keys with long common beginnings. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/row_model.h"
#include "tools/audit/root_fold.h"

static struct row_model model;

static void random_row(struct nv_test_rng *rng, struct nv_row *row, uint8_t value[16])
{
    memset(&row->key, 0, sizeof row->key);
    row->key.bytes[0] = (uint8_t)nv_test_below(rng, 3);
    row->key.bytes[8] = (uint8_t)nv_test_below(rng, 8);
    row->key.bytes[31] = (uint8_t)nv_test_below(rng, 256);
    nv_test_fill(rng, value, 16);
    row->value = nv_view_of(value, nv_test_below(rng, 17));
}

static void random_sets(void **state)
{
    (void)state;
    struct nv_test_rng rng = {5};
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t const wanted = nv_test_below(&rng, 60);
        model.count = 0;
        for (uint32_t i = 0; i < wanted; i++) {
            struct nv_row row;
            uint8_t value[16];
            random_row(&rng, &row, value);
            assert_true(model_put(&model, &row));
        }
        struct root_fold fold;
        struct nv_hash got;
        struct nv_hash expected;
        root_fold_init(&fold);
        for (uint32_t i = 0; i < model.count; i++) {
            struct nv_row const row = {model.rows[i].key,
                                       nv_view_of(model.rows[i].value, model.rows[i].size)};
            assert_true(root_fold_add(&fold, &row));
        }
        root_fold_finish(&got, &fold);
        model_root(&expected, &model);
        assert_true(nv_hash_eq(&got, &expected));
    }
}

static void keys_must_ascend(void **state)
{
    (void)state;
    struct root_fold fold;
    struct nv_row row = {{{1}}, nv_view_of("x", 1)};
    root_fold_init(&fold);
    assert_true(root_fold_add(&fold, &row));
    assert_false(root_fold_add(&fold, &row));
    row.key.bytes[0] = 0;
    assert_false(root_fold_add(&fold, &row));
    row.key.bytes[0] = 2;
    assert_true(root_fold_add(&fold, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sets),
        cmocka_unit_test(keys_must_ascend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
