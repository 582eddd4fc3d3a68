/* Goal: an envelope has one spelling; whatever else a peer sends is refused, without the heap.
 * Method: round trips over the sizes where a length grows by a byte; every other spelling of the
 * same message, written out by hand; every prefix, and single-bit changes, of a good one. */

#include "base/arena.h"
#include "base/heap.h"

#include "p2p/envelope.h"
#include "p2p/types.h"
#include "tests/lib/nv_test.h"

#define SPACE (P2P__PAYLOAD_MAX + 65536u)

static uint8_t payload[P2P__PAYLOAD_MAX];
static uint8_t encoded[P2P__PAYLOAD_MAX + P2P__ENVELOPE_EXTRA];
static _Alignas(16) uint8_t memory[P2P__ENVELOPE_SCRATCH(SPACE)];

static enum nv_err decode(struct nv_view *out, uint8_t *type, const void *bytes, uint32_t size)
{
    static struct nv_arena arena;
    nv_arena_init(&arena, memory, P2P__ENVELOPE_SCRATCH(size));
    return p2p__envelope_decode(type, out, nv_view_of(bytes, size), &arena);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {
        0, 1, 2, 127, 128, 129, 16383, 16384, 65536, 131072, P2P__PAYLOAD_MAX};
    for (uint32_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (uint8_t)(i * 31u + (i >> 8));
    }
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint32_t type = 1; type <= 127; type += 63) {
            uint32_t const size = p2p__envelope_size((uint8_t)type, sizes[i]);
            assert_true(size <= sizes[i] + P2P__ENVELOPE_EXTRA);
            p2p__envelope_encode(encoded, (uint8_t)type, nv_view_of(payload, sizes[i]));

            uint8_t got = 0;
            struct nv_view view;
            uint64_t const taken = nv_heap_taken();
            assert_int_equal(decode(&view, &got, encoded, size), NV_OK);
            assert_int_equal(nv_heap_taken(), taken);
            assert_int_equal(got, type);
            assert_true(nv_view_eq(view, nv_view_of(payload, sizes[i])));
        }
    }
}

/* The canonical bytes of type 17 with payload "ab". */
static const uint8_t good[] = {0x08, 0x11, 0x12, 0x02, 'a', 'b'};

static void test_bytes_are_as_specified(void **state)
{
    (void)state;
    assert_int_equal(p2p__envelope_size(17, 2), sizeof(good));
    p2p__envelope_encode(encoded, 17, nv_view_of("ab", 2));
    assert_memory_equal(encoded, good, sizeof(good));
}

static void expect_malformed(const void *bytes, uint32_t size)
{
    uint8_t type = 0;
    struct nv_view view;
    assert_int_equal(decode(&view, &type, bytes, size), NV_ERR_MALFORMED);
}

static void test_other_spellings_are_refused(void **state)
{
    (void)state;
#define REFUSED(...)                                                                               \
    do {                                                                                           \
        static const uint8_t bytes[] = {__VA_ARGS__};                                              \
        expect_malformed(bytes, sizeof(bytes));                                                    \
    } while (0)
    REFUSED(0x12, 0x02, 'a', 'b', 0x08, 0x11);             /* the other order */
    REFUSED(0x08, 0x91, 0x00, 0x12, 0x02, 'a', 'b');       /* a long varint */
    REFUSED(0x88, 0x00, 0x11, 0x12, 0x02, 'a', 'b');       /* a long tag */
    REFUSED(0x08, 0x11, 0x12, 0x82, 0x00, 'a', 'b');       /* a long length */
    REFUSED(0x08, 0x11, 0x12, 0x00);                       /* a default written out */
    REFUSED(0x08, 0x11, 0x08, 0x11, 0x12, 0x02, 'a', 'b'); /* a field twice */
    REFUSED(0x08, 0x11, 0x12, 0x01, 'a', 0x12, 0x01, 'b'); /* the payload twice */
    REFUSED(0x08, 0x11, 0x12, 0x02, 'a', 'b', 0x18, 0x01); /* an unknown field */
    REFUSED(0x08, 0x11, 0x13, 0x14);                       /* a group */
    REFUSED(0x08, 0x00, 0x12, 0x02, 'a', 'b');             /* type 0 */
    REFUSED(0x08, 0x80, 0x01, 0x12, 0x02, 'a', 'b');       /* type 128 */
    REFUSED(0x08, 0x11, 0x08, 0x12);                       /* another type afterwards */
    REFUSED(0x08, 0x11, 0x12, 0x03, 'a', 'b');             /* a payload that runs out */
    REFUSED(0x08);
    REFUSED(0x0d, 0x11, 0x00, 0x00, 0x00); /* another wire type */
#undef REFUSED
    expect_malformed(good, 0);
    for (uint32_t size = 3; size < sizeof(good); size++) {
        expect_malformed(good, size);
    }
}

static void test_changed_bits_never_read_as_the_same_message(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 8 * sizeof(good); bit++) {
        uint8_t bytes[sizeof(good)];
        memcpy(bytes, good, sizeof(good));
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        uint8_t type = 0;
        struct nv_view view;
        if (decode(&view, &type, bytes, sizeof(bytes)) == NV_OK) {
            assert_true(type != 17 || !nv_view_eq(view, nv_view_of("ab", 2)));
        }
    }
}

/* 60,000 unknown fields: protobuf-c would take megabytes for them. */
static void test_a_flood_of_fields_meets_the_arena(void **state)
{
    (void)state;
    uint32_t const size = 60000;
    encoded[0] = 0x08;
    encoded[1] = 0x11;
    for (uint32_t i = 2; i < size; i += 2) {
        encoded[i] = 0x18;
        encoded[i + 1] = 0x01;
    }
    uint64_t const taken = nv_heap_taken();
    expect_malformed(encoded, size);
    assert_int_equal(nv_heap_taken(), taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes_are_as_specified),
        cmocka_unit_test(test_other_spellings_are_refused),
        cmocka_unit_test(test_changed_bits_never_read_as_the_same_message),
        cmocka_unit_test(test_a_flood_of_fields_meets_the_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
