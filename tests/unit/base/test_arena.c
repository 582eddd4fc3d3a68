/* Goal: allocations are zeroed, aligned and apart; memory known to be zero is
 * not touched before it is handed out.
 * Method: random requests that are filled and checked; a sparse reservation
 * whose resident pages are counted. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/heap.h"

#include "tests/lib/nv_test.h"

static bool all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* fill_up makes random requests until one does not fit.  It checks that what
 * is given is zero, aligned, behind the last and inside. */
static uint32_t fill_up(struct nv_arena *arena, struct nv_test_rng *rng)
{
    const uint8_t *const end = arena->memory + arena->size;
    const uint8_t *last = arena->memory;
    uint32_t count = 0;
    for (;;) {
        size_t const size = nv_test_below(rng, 100);
        size_t const align = (size_t)1 << nv_test_below(rng, 8);
        uint8_t *const got = (uint8_t *)nv_arena_try(arena, size, align);
        if (got == NULL) {
            return count;
        }
        assert_int_equal((uintptr_t)got % align, 0);
        assert_true(got >= last && got + size <= end);
        assert_true(all_zero(got, size));
        memset(got, 0xee, size);
        last = got + size;
        count++;
    }
}

static void allocations_are_zero_aligned_and_apart(void **state)
{
    (void)state;
    static uint8_t memory[4099];
    struct nv_test_rng rng = {1};
    memset(memory, 0xaa, sizeof memory);
    for (uint32_t round = 0; round < 100; round++) {
        struct nv_arena arena;
        size_t const offset = nv_test_below(&rng, 64);
        nv_arena_init(&arena, memory + offset, sizeof memory - offset);
        for (uint32_t again = 0; again < 5; again++) {
            assert_true(fill_up(&arena, &rng) > 10);
            nv_arena_release(&arena, nv_test_below(&rng, (uint32_t)arena.used + 1));
            (void)fill_up(&arena, &rng);
            nv_arena_reset(&arena);
            assert_int_equal(nv_arena_left(&arena), sizeof memory - offset);
        }
    }
}

static void memory_that_is_zero_is_cleared_when_used_again(void **state)
{
    (void)state;
    static uint8_t memory[4096];
    struct nv_test_rng rng = {2};
    struct nv_arena arena;
    memset(memory, 0, sizeof memory);
    nv_arena_init_zeroed(&arena, memory, sizeof memory);
    for (uint32_t round = 0; round < 100; round++) {
        (void)fill_up(&arena, &rng);
        nv_arena_release(&arena, nv_test_below(&rng, (uint32_t)arena.used + 1));
    }
}

#define SPARSE ((size_t)64 << 20)

static size_t resident_pages(void *memory, size_t size, size_t page)
{
    static unsigned char map[SPARSE / 4096];
    assert_true(size / page <= sizeof map);
    assert_int_equal(mincore(memory, size, map), 0);
    size_t count = 0;
    for (size_t i = 0; i < size / page; i++) {
        count += map[i] & 1u;
    }
    return count;
}

static void a_sparse_reservation_stays_sparse(void **state)
{
    (void)state;
    size_t const page = (size_t)sysconf(_SC_PAGESIZE);
    struct nv_arena arena;
    void *const memory = nv_heap_reserve(SPARSE);
    assert_non_null(memory);
    (void)madvise(memory, SPARSE, MADV_NOHUGEPAGE);
    nv_arena_init_zeroed(&arena, memory, SPARSE);
    uint8_t *const table = NV_ARENA_NEW(&arena, uint8_t, SPARSE / 2);
    table[0] = 1;
    assert_true(resident_pages(memory, SPARSE, page) <= 2);
    nv_heap_unreserve(memory, SPARSE);
}

static void marks_give_back_the_same_place(void **state)
{
    (void)state;
    static uint64_t memory[8];
    struct nv_arena arena;
    nv_arena_init(&arena, memory, sizeof memory);
    uint64_t *const kept = NV_ARENA_NEW(&arena, uint64_t, 1);
    size_t const mark = nv_arena_mark(&arena);
    uint64_t *const first = NV_ARENA_NEW(&arena, uint64_t, 2);
    *kept = 1;
    *first = 2;
    nv_arena_release(&arena, mark);
    uint64_t *const second = NV_ARENA_NEW(&arena, uint64_t, 2);
    assert_ptr_equal(first, second);
    assert_int_equal(*second, 0);
    assert_int_equal(*kept, 1);
}

static void sizes_do_not_wrap(void **state)
{
    (void)state;
    static uint8_t memory[64];
    struct nv_arena arena;
    nv_arena_init(&arena, memory + 1, sizeof memory - 1);
    assert_null(nv_arena_try(&arena, SIZE_MAX, 1));
    assert_null(nv_arena_try(&arena, SIZE_MAX - 8, 64));
    assert_null(nv_arena_try(&arena, 64, 1));
    assert_non_null(nv_arena_try(&arena, 63, 1));
    assert_non_null(nv_arena_try(&arena, 0, 1));
    assert_null(nv_arena_try(&arena, 1, 1));
}

static void asks_too_much(void *ctx)
{
    (void)NV_ARENA_NEW((struct nv_arena *)ctx, uint64_t, 3);
}

static void asks_what_wraps(void *ctx)
{
    (void)NV_ARENA_NEW((struct nv_arena *)ctx, uint64_t, SIZE_MAX / 4);
}

static void aligns_oddly(void *ctx)
{
    (void)!nv_arena_try((struct nv_arena *)ctx, 1, 3);
}

static void releases_ahead(void *ctx)
{
    nv_arena_release((struct nv_arena *)ctx, 1);
}

static void mistakes_end_the_process(void **state)
{
    (void)state;
    static uint64_t memory[2];
    struct nv_arena arena;
    nv_arena_init(&arena, memory, sizeof memory);
    NV_TEST_DIES(asks_too_much, &arena);
    NV_TEST_DIES(asks_what_wraps, &arena);
    NV_TEST_DIES(aligns_oddly, &arena);
    NV_TEST_DIES(releases_ahead, &arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_zero_aligned_and_apart),
        cmocka_unit_test(memory_that_is_zero_is_cleared_when_used_again),
        cmocka_unit_test(a_sparse_reservation_stays_sparse),
        cmocka_unit_test(marks_give_back_the_same_place),
        cmocka_unit_test(sizes_do_not_wrap),
        cmocka_unit_test(mistakes_end_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
