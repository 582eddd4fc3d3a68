/* Goal: the result is sorted, stable, and the same for every order of calls.
 * Method: an insertion sort as the model, on all small sizes and random larger
 * ones with many equal keys, of several element sizes. */

#include <string.h>

#include "base/sort.h"

#include "tests/lib/nv_test.h"

#define COUNT_MAX 600u

/* Only `key` is compared; `place` tells where the element was. */
struct element {
    uint32_t key;
    uint32_t place;
};

static int by_key(const void *a, const void *b)
{
    uint32_t const left = ((const struct element *)a)->key;
    uint32_t const right = ((const struct element *)b)->key;
    return (left > right) - (left < right);
}

static void model_sort(struct element *elements, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct element const moving = elements[i];
        uint32_t at = i;
        while (at > 0 && elements[at - 1].key > moving.key) {
            elements[at] = elements[at - 1];
            at--;
        }
        elements[at] = moving;
    }
}

static void check(uint32_t count, uint32_t keys, struct nv_test_rng *rng)
{
    static struct element elements[COUNT_MAX + 1];
    static struct element expected[COUNT_MAX];
    static struct element scratch[COUNT_MAX + 1];
    for (uint32_t i = 0; i < count; i++) {
        elements[i] = (struct element){nv_test_below(rng, keys), i};
    }
    struct element const fence = {0xfe0ce, 0xfe0ce};
    elements[count] = fence;
    scratch[count] = fence;
    memcpy(expected, elements, count * sizeof *elements);
    model_sort(expected, count);
    nv_sort(elements, count, sizeof *elements, by_key, scratch);
    assert_memory_equal(elements, expected, count * sizeof *elements);
    assert_memory_equal(&elements[count], &fence, sizeof fence);
    assert_memory_equal(&scratch[count], &fence, sizeof fence);
}

static void sorts_stably(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    for (uint32_t count = 1; count <= 70; count++) {
        check(count, 1, &rng);
        check(count, 3, &rng);
        check(count, UINT32_MAX, &rng);
    }
    for (uint32_t round = 0; round < 100; round++) {
        check(1 + nv_test_below(&rng, COUNT_MAX), 1 + nv_test_below(&rng, 1000), &rng);
    }
    check(512, 100, &rng);
    check(513, 100, &rng);
}

static void sorted_and_reversed_input(void **state)
{
    (void)state;
    static struct element elements[COUNT_MAX];
    static struct element scratch[COUNT_MAX];
    for (uint32_t down = 0; down < 2; down++) {
        for (uint32_t i = 0; i < COUNT_MAX; i++) {
            elements[i].key = down != 0 ? COUNT_MAX - 1 - i : i;
        }
        nv_sort(elements, COUNT_MAX, sizeof *elements, by_key, scratch);
        for (uint32_t i = 0; i < COUNT_MAX; i++) {
            assert_int_equal(elements[i].key, i);
        }
    }
}

static int by_first_byte(const void *a, const void *b)
{
    return (int)*(const uint8_t *)a - (int)*(const uint8_t *)b;
}

static void elements_of_any_size(void **state)
{
    (void)state;
    struct nv_test_rng rng = {2};
    for (uint32_t size = 1; size <= 67; size += 11) {
        static uint8_t bytes[67 * 50];
        static uint8_t scratch[67 * 50];
        for (uint32_t i = 0; i < 50; i++) {
            memset(bytes + i * size, (int)nv_test_below(&rng, 256), size);
        }
        nv_sort(bytes, 50, size, by_first_byte, scratch);
        for (uint32_t i = 0; i < 50 * size; i++) {
            assert_int_equal(bytes[i], bytes[i / size * size]); /* elements stayed whole */
            assert_true(i < size || bytes[i] >= bytes[i - size]);
        }
    }
}

static int by_table(const void *ctx, const void *a, const void *b)
{
    const int32_t *const table = (const int32_t *)ctx;
    int32_t const left = table[*(const uint32_t *)a];
    int32_t const right = table[*(const uint32_t *)b];
    return (left > right) - (left < right);
}

static void an_order_may_have_a_context(void **state)
{
    (void)state;
    static const int32_t table[] = {5, -3, 5, 0, 9, -3};
    static const uint32_t expected[] = {1, 5, 3, 0, 2, 4};
    uint32_t indices[] = {0, 1, 2, 3, 4, 5};
    uint32_t scratch[6];
    struct nv_order const order = {by_table, table};
    nv_sort_with(indices, 6, sizeof indices[0], &order, scratch);
    assert_memory_equal(indices, expected, sizeof expected);
}

static void nothing_and_one_need_no_scratch(void **state)
{
    (void)state;
    struct element one = {1, 1};
    nv_sort(NULL, 0, sizeof one, by_key, NULL);
    nv_sort(&one, 1, sizeof one, by_key, NULL);
    assert_int_equal(one.key, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_stably),
        cmocka_unit_test(sorted_and_reversed_input),
        cmocka_unit_test(elements_of_any_size),
        cmocka_unit_test(an_order_may_have_a_context),
        cmocka_unit_test(nothing_and_one_need_no_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
