/* Goal: memory is zeroed, counted, and can be made to fail at any request.
 * Method: ask for it. */

#include <string.h>

#include "base/heap.h"

#include "tests/lib/nv_test.h"

static void memory_is_zeroed(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 10; round++) {
        uint8_t *const memory = (uint8_t *)nv_heap_alloc(1000);
        assert_non_null(memory);
        for (uint32_t i = 0; i < 1000; i++) {
            assert_int_equal(memory[i], 0);
        }
        memset(memory, 0xff, 1000);
        nv_heap_free(memory);
    }
    nv_heap_free(NULL);
    void *const nothing = nv_heap_alloc(0);
    assert_non_null(nothing);
    nv_heap_free(nothing);
}

static void a_reservation_reads_as_zero(void **state)
{
    (void)state;
    size_t const size = (size_t)1 << 33; /* more than the machine need have */
    uint8_t *const memory = (uint8_t *)nv_heap_reserve(size);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 4096, 0);
    assert_int_equal(memory[0] | memory[size / 2] | memory[size - 1], 0);
    memory[size / 2] = 1;
    assert_int_equal(memory[size / 2], 1);
    nv_heap_unreserve(memory, size);
    nv_heap_unreserve(NULL, size);
}

static void what_cannot_be_had_is_refused(void **state)
{
    (void)state;
    assert_null(nv_heap_reserve(SIZE_MAX - 8192));
}

static void the_nth_request_fails(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 4; n++) {
        uint64_t const before = nv_heap_taken();
        void *memory[4];
        nv_heap_fail_at(n);
        for (uint32_t i = 0; i < 4; i++) {
            memory[i] = i % 2 == 0 ? nv_heap_alloc(8) : nv_heap_reserve(4096);
            assert_int_equal(memory[i] == NULL, i + 1 == n);
        }
        for (uint32_t i = 0; i < 4; i++) {
            if (i % 2 == 0) {
                nv_heap_free(memory[i]);
            } else {
                nv_heap_unreserve(memory[i], 4096);
            }
        }
        assert_int_equal(nv_heap_taken() - before, 4);
    }
    nv_heap_fail_at(1);
    nv_heap_fail_at(0);
    void *const memory = nv_heap_alloc(8);
    assert_non_null(memory);
    nv_heap_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed),
        cmocka_unit_test(a_reservation_reads_as_zero),
        cmocka_unit_test(what_cannot_be_had_is_refused),
        cmocka_unit_test(the_nth_request_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
