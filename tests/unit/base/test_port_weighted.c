/* Goal: the sums are what 64-bit arithmetic gives, entry by entry, in either form.
 * Method: the defining loop as the model; extremes of entries, weights and signs,
 * then random ones, of no items up to many. */

#include "base/cpu.h"
#include "base/weighted.h"

#include "tests/lib/nv_test.h"

#define WIDTH     48u
#define ITEMS_MAX 70u

static int32_t rows[ITEMS_MAX][WIDTH];
static struct nv_weighted items[ITEMS_MAX];

static uint64_t model(uint32_t column, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t j = 0; j < count; j++) {
        sum += (uint64_t)(int64_t)items[j].weight * (uint64_t)(int64_t)items[j].row[column];
    }
    return sum;
}

static void check(uint32_t count)
{
    for (uint32_t wide = 0; wide <= (nv_cpu_wide() ? 1u : 0u); wide++) {
        int64_t sums[WIDTH];
        nv_weighted_sums(sums, WIDTH, items, count, wide != 0);
        for (uint32_t i = 0; i < WIDTH; i++) {
            assert_int_equal((uint64_t)sums[i], model(i, count));
        }
    }
}

static void extremes(void **state)
{
    (void)state;
    static const int32_t entry[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT32_MIN + 1, 1 << 29, -12345};
    static const int32_t weight[] = {
        0, 1, 2, INT32_MAX, INT32_MIN, INT32_MIN + 1, 65536, 12345, -1, -2, -65536, -12345};
    for (uint32_t j = 0; j < 16; j++) {
        for (uint32_t i = 0; i < WIDTH; i++) {
            rows[j][i] = entry[(i + j) % 8];
        }
        items[j] = (struct nv_weighted){rows[j], weight[j % 12]};
    }
    for (uint32_t count = 0; count <= 16; count++) {
        check(count);
        for (uint32_t j = 0; j < count; j++) {
            items[j].weight = weight[(j + count) % 12];
        }
        check(count);
    }
}

static void random_rows(void **state)
{
    (void)state;
    struct nv_test_rng rng = {.state = 7};
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t const count = (uint32_t)nv_test_below(&rng, ITEMS_MAX + 1);
        for (uint32_t j = 0; j < count; j++) {
            for (uint32_t i = 0; i < WIDTH; i++) {
                rows[j][i] = (int32_t)(uint32_t)nv_test_next(&rng);
            }
            items[j] = (struct nv_weighted){rows[j], (int32_t)(uint32_t)nv_test_next(&rng)};
        }
        check(count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extremes),
        cmocka_unit_test(random_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
