/* Goal: integers have their big-endian bytes; neither reader nor writer ever
 * leaves its bytes, whatever is asked of them.
 * Method: known bytes; then random lists of values written and read back, cut
 * at every length and with bytes left over. */

#include "base/codec.h"

#include "tests/lib/nv_test.h"

static void integers_have_these_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0xab, 0x12, 0x34, 0x89, 0xab, 0xcd, 0xef, 0x01,
                                       0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 'x'};
    uint8_t bytes[sizeof expected];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    nv_put_u8(&w, 0xab);
    nv_put_u16(&w, 0x1234);
    nv_put_u32(&w, 0x89abcdef);
    nv_put_u64(&w, 0x0123456789abcdef);
    nv_put_i64(&w, -2);
    nv_put_bytes(&w, "x", 1);
    assert_false(w.overflow);
    assert_true(nv_view_eq(nv_writer_view(&w), nv_view_of(expected, sizeof expected)));

    struct nv_reader r;
    nv_reader_init(&r, nv_writer_view(&w));
    assert_int_equal(nv_get_u8(&r), 0xab);
    assert_int_equal(nv_get_u16(&r), 0x1234);
    assert_int_equal(nv_get_u32(&r), 0x89abcdef);
    assert_int_equal(nv_get_u64(&r), 0x0123456789abcdef);
    assert_int_equal(nv_get_i64(&r), -2);
    assert_int_equal(nv_reader_left(&r), 1);
    assert_int_equal(nv_reader_end(&r), NV_ERR_TRAILING);
    assert_int_equal(nv_get_view(&r, 1).bytes[0], 'x');
    assert_int_equal(nv_reader_end(&r), NV_OK);
}

static void loads_and_stores_are_inverse(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    uint8_t bytes[9];
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t const value = nv_test_next(&rng);
        uint8_t *const odd = bytes + i % 2; /* at any alignment */
        nv_be64_store(odd, value);
        assert_true(nv_be64_load(odd) == value);
        nv_be32_store(odd, (uint32_t)value);
        assert_true(nv_be32_load(odd) == (uint32_t)value);
        nv_be16_store(odd, (uint16_t)value);
        assert_true(nv_be16_load(odd) == (uint16_t)value);
    }
}

/* The order of stored numbers is that of their bytes. */
static void byte_order_is_number_order(void **state)
{
    (void)state;
    struct nv_test_rng rng = {2};
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t const a = nv_test_next(&rng) >> nv_test_below(&rng, 64);
        uint64_t const b = nv_test_next(&rng) >> nv_test_below(&rng, 64);
        uint8_t left[8];
        uint8_t right[8];
        nv_be64_store(left, a);
        nv_be64_store(right, b);
        assert_int_equal(nv_bytes_cmp(left, right, 8) < 0, a < b);
    }
}

#define FIELDS 12u

/* A random list of fields; the kind says the width, 0 being bytes. */
struct list {
    uint32_t kind[FIELDS];
    uint64_t value[FIELDS];
    uint8_t bytes[5];
};

static void list_make(struct list *list, struct nv_test_rng *rng)
{
    static const uint32_t kinds[] = {0, 1, 2, 4, 8};
    nv_test_fill(rng, list->bytes, sizeof list->bytes);
    for (uint32_t i = 0; i < FIELDS; i++) {
        uint32_t const kind = kinds[nv_test_below(rng, 5)];
        list->kind[i] = kind;
        list->value[i] = nv_test_next(rng) >> (kind == 0 ? 0 : 64 - 8 * kind);
    }
}

static void list_put(struct nv_writer *w, const struct list *list)
{
    for (uint32_t i = 0; i < FIELDS; i++) {
        switch (list->kind[i]) {
        case 1: nv_put_u8(w, (uint8_t)list->value[i]); break;
        case 2: nv_put_u16(w, (uint16_t)list->value[i]); break;
        case 4: nv_put_u32(w, (uint32_t)list->value[i]); break;
        case 8: nv_put_u64(w, list->value[i]); break;
        default: nv_put_bytes(w, list->bytes, sizeof list->bytes); break;
        }
    }
}

static bool field_same(struct nv_reader *r, const struct list *list, uint32_t i)
{
    uint8_t bytes[sizeof list->bytes];
    switch (list->kind[i]) {
    case 1: return nv_get_u8(r) == list->value[i];
    case 2: return nv_get_u16(r) == list->value[i];
    case 4: return nv_get_u32(r) == list->value[i];
    case 8: return nv_get_u64(r) == list->value[i];
    default: nv_get_bytes(r, bytes, sizeof bytes); return memcmp(bytes, list->bytes, 5) == 0;
    }
}

static uint32_t list_same(struct nv_reader *r, const struct list *list)
{
    uint32_t same = 0;
    for (uint32_t i = 0; i < FIELDS; i++) {
        same += field_same(r, list, i) ? 1 : 0;
    }
    return same;
}

static void every_cut_and_every_tail_is_refused(void **state)
{
    (void)state;
    struct nv_test_rng rng = {3};
    for (uint32_t round = 0; round < 200; round++) {
        uint8_t bytes[FIELDS * 8 + 1] = {0};
        struct list list;
        struct nv_writer w;
        struct nv_reader r;
        list_make(&list, &rng);
        nv_writer_init(&w, bytes, sizeof bytes);
        list_put(&w, &list);
        uint32_t const size = nv_writer_view(&w).size;

        nv_reader_init(&r, nv_view_of(bytes, size));
        assert_int_equal(list_same(&r, &list), FIELDS);
        assert_int_equal(nv_reader_end(&r), NV_OK);

        nv_reader_init(&r, nv_view_of(bytes, size + 1));
        assert_int_equal(list_same(&r, &list), FIELDS);
        assert_int_equal(nv_reader_end(&r), NV_ERR_TRAILING);

        for (uint32_t cut = 0; cut < size; cut++) {
            nv_reader_init(&r, nv_view_of(bytes, cut));
            (void)list_same(&r, &list);
            assert_int_equal(nv_reader_end(&r), NV_ERR_TRUNCATED);
            assert_int_equal(nv_reader_left(&r), 0);
        }
    }
}

static void a_failed_reader_gives_zeros(void **state)
{
    (void)state;
    uint8_t const bytes[3] = {1, 2, 3};
    uint8_t copy[2] = {9, 9};
    struct nv_reader r;
    nv_reader_init(&r, nv_view_of(bytes, sizeof bytes));
    assert_int_equal(nv_get_u32(&r), 0);
    /* The bytes are still there, but the reader has failed for good. */
    assert_int_equal(nv_get_u8(&r), 0);
    assert_int_equal(nv_get_u16(&r), 0);
    assert_int_equal(nv_get_u64(&r), 0);
    assert_int_equal(nv_get_i64(&r), 0);
    nv_get_bytes(&r, copy, sizeof copy);
    assert_int_equal(copy[0] | copy[1], 0);
    assert_int_equal(nv_get_view(&r, 1).size, 0);
    assert_null(nv_get_view(&r, 1).bytes);
    assert_int_equal(nv_reader_end(&r), NV_ERR_TRUNCATED);
}

static void huge_sizes_do_not_wrap(void **state)
{
    (void)state;
    uint8_t const bytes[4] = {1, 2, 3, 4};
    struct nv_reader r;
    nv_reader_init(&r, nv_view_of(bytes, sizeof bytes));
    assert_int_equal(nv_get_u8(&r), 1);
    assert_int_equal(nv_get_view(&r, UINT32_MAX).size, 0);
    assert_int_equal(nv_reader_end(&r), NV_ERR_TRUNCATED);

    uint8_t room[4] = {0};
    struct nv_writer w;
    nv_writer_init(&w, room, sizeof room);
    nv_put_u8(&w, 1);
    nv_put_bytes(&w, bytes, UINT32_MAX);
    assert_true(w.overflow);
    assert_int_equal(w.size, 1);
}

static void a_full_writer_writes_no_more(void **state)
{
    (void)state;
    uint8_t room[4] = {0, 0, 0, 0x77};
    struct nv_writer w;
    nv_writer_init(&w, room, 3);
    nv_put_u16(&w, 0x0102);
    nv_put_u16(&w, 0x0304);
    assert_true(w.overflow);
    nv_put_u8(&w, 5); /* would fit, but the whole has failed */
    assert_int_equal(w.size, 2);
    assert_int_equal(room[2], 0);
    assert_int_equal(room[3], 0x77);
}

static void nothing_needs_no_pointer(void **state)
{
    (void)state;
    struct nv_writer w;
    struct nv_reader r;
    nv_writer_init(&w, NULL, 0);
    nv_put_bytes(&w, NULL, 0);
    assert_false(w.overflow);
    nv_reader_init(&r, nv_view_of(NULL, 0));
    nv_get_bytes(&r, NULL, 0);
    assert_int_equal(nv_get_view(&r, 0).size, 0);
    assert_int_equal(nv_reader_end(&r), NV_OK);
}

static void view_of_overflowed(void *ctx)
{
    (void)nv_writer_view((const struct nv_writer *)ctx);
}

static void the_view_of_an_overflowed_writer_is_a_mistake(void **state)
{
    (void)state;
    struct nv_writer w;
    nv_writer_init(&w, NULL, 0);
    NV_TEST_SURVIVES(view_of_overflowed, &w);
    nv_put_u8(&w, 1);
    NV_TEST_DIES(view_of_overflowed, &w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_have_these_bytes),
        cmocka_unit_test(loads_and_stores_are_inverse),
        cmocka_unit_test(byte_order_is_number_order),
        cmocka_unit_test(every_cut_and_every_tail_is_refused),
        cmocka_unit_test(a_failed_reader_gives_zeros),
        cmocka_unit_test(huge_sizes_do_not_wrap),
        cmocka_unit_test(a_full_writer_writes_no_more),
        cmocka_unit_test(nothing_needs_no_pointer),
        cmocka_unit_test(the_view_of_an_overflowed_writer_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
