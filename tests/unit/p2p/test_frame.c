/* Goal: bytes cut anywhere give the same frames; nothing above its bound is ever allocated for.
 * Method: one stream of frames fed in pieces of every small size; heads at and beyond each bound,
 * watching how often memory was taken. */

#include "base/codec.h"
#include "base/heap.h"

#include "p2p/envelope.h"
#include "p2p/frame.h"
#include "p2p/p2p.h"
#include "p2p/types.h"
#include "tests/lib/nv_test.h"

/* put_frame appends a frame whose payload is `size` bytes of `fill`. */
static void put_frame(struct nv_writer *w, uint8_t type, uint32_t size, uint8_t fill)
{
    static uint8_t payload[P2P__PAYLOAD_MAX];
    memset(payload, fill, size);
    uint32_t const envelope = p2p__envelope_size(type, size);
    nv_put_u32(w, envelope);
    assert_true(w->cap - w->size >= envelope);
    p2p__envelope_encode(w->bytes + w->size, type, nv_view_of(payload, size));
    w->size += envelope;
}

/* feed gives `bytes` to the reader, `piece` at a time, until a frame is ready or
 * all is consumed; returns how many were consumed. */
static uint32_t
feed(struct p2p__frame *frame, struct nv_view bytes, uint32_t piece, enum nv_err *err)
{
    uint32_t at = 0;
    *err = NV_OK;
    while (at < bytes.size && *err == NV_OK && !p2p__frame_ready(frame)) {
        uint8_t *into = NULL;
        uint32_t room = 0;
        p2p__frame_want(frame, &into, &room);
        assert_true(room >= 1);
        uint32_t now = room < piece ? room : piece;
        now = now < bytes.size - at ? now : bytes.size - at;
        memcpy(into, bytes.bytes + at, now);
        at += now;
        *err = p2p__frame_took(frame, now);
    }
    return at;
}

static void test_any_pieces_give_the_same_frames(void **state)
{
    (void)state;
    static uint8_t stream[4096];
    static const uint32_t sizes[] = {0, 1, 2, 160, 100, 0, 1024};
    static const uint8_t types[] = {
        P2P__TYPE_PONG, P2P__TYPE_REFUSE, P2P__TYPE_PING, 17, 19, 19, 20};
    struct nv_writer w;
    nv_writer_init(&w, stream, sizeof(stream));
    for (uint32_t i = 0; i < 7; i++) {
        put_frame(&w, types[i], sizes[i], (uint8_t)(i + 1));
    }
    for (uint32_t piece = 1; piece <= w.size; piece++) {
        struct p2p__frame frame;
        p2p__frame_init(&frame);
        p2p__frame_prove(&frame, P2P_LANE_0);
        uint32_t at = 0;
        for (uint32_t i = 0; i < 7; i++) {
            enum nv_err err = NV_OK;
            at += feed(&frame, nv_view_of(stream + at, w.size - at), piece, &err);
            assert_int_equal(err, NV_OK);
            assert_true(p2p__frame_ready(&frame));
            struct nv_view const envelope = p2p__frame_envelope(&frame);
            assert_int_equal(envelope.size, p2p__envelope_size(types[i], sizes[i]));
            assert_memory_equal(envelope.bytes, stream + at - envelope.size, envelope.size);
            p2p__frame_next(&frame);
        }
        assert_int_equal(at, w.size);
        p2p__frame_deinit(&frame);
    }
}

/* head feeds the six bytes of a head and returns what the reader says. */
static enum nv_err
head(uint32_t size, uint8_t tag, uint8_t type, uint8_t lane, bool proven, bool *took_memory)
{
    uint8_t bytes[P2P__FRAME_HEAD];
    nv_be32_store(bytes, size);
    bytes[4] = tag;
    bytes[5] = type;
    struct p2p__frame frame;
    p2p__frame_init(&frame);
    if (proven) {
        p2p__frame_prove(&frame, lane);
    }
    enum nv_err err = NV_OK;
    uint64_t const taken = nv_heap_taken();
    (void)feed(&frame, nv_view_of(bytes, sizeof(bytes)), 1, &err);
    *took_memory = nv_heap_taken() != taken;
    p2p__frame_deinit(&frame);
    return err;
}

static void
expect_head(uint32_t size, uint8_t type, uint8_t lane, bool proven, enum nv_err expected)
{
    bool took_memory = false;
    assert_int_equal(head(size, 0x08, type, lane, proven, &took_memory), expected);
    assert_int_equal(took_memory, expected == NV_OK);
}

static void test_every_type_has_its_bound_on_every_lane(void **state)
{
    (void)state;
    for (uint32_t type = 16; type <= 127; type++) {
        for (uint8_t lane = 0; lane < P2P_LANES; lane++) {
            uint32_t const payload_max = p2p_type_max((uint8_t)type, lane);
            uint32_t const size = p2p__envelope_size((uint8_t)type, payload_max);
            if (payload_max == 0) {
                expect_head(2, (uint8_t)type, lane, true, NV_ERR_MALFORMED);
                continue;
            }
            expect_head(size, (uint8_t)type, lane, true, NV_OK);
            expect_head(size + 1, (uint8_t)type, lane, true, NV_ERR_TOO_LARGE);
            expect_head(UINT32_MAX, (uint8_t)type, lane, true, NV_ERR_TOO_LARGE);
            expect_head(2, (uint8_t)type, lane, false, NV_ERR_MALFORMED);
        }
    }
}

static void test_a_stranger_may_authenticate_and_nothing_else(void **state)
{
    (void)state;
    uint32_t const auth = p2p__envelope_size(P2P__TYPE_AUTH, P2P__AUTH_SIZE);
    expect_head(auth, P2P__TYPE_AUTH, 0, false, NV_OK);
    expect_head(auth + 1, P2P__TYPE_AUTH, 0, false, NV_ERR_TOO_LARGE);
    expect_head(2, P2P__TYPE_PING, 1, false, NV_ERR_MALFORMED);
    expect_head(5, P2P__TYPE_REFUSE, 1, false, NV_OK);
    expect_head(6, P2P__TYPE_REFUSE, 1, false, NV_ERR_TOO_LARGE);
}

static void test_heads_that_are_no_heads(void **state)
{
    (void)state;
    bool took_memory = false;
    expect_head(0, 17, 0, true, NV_ERR_MALFORMED);
    expect_head(1, 17, 0, true, NV_ERR_MALFORMED);
    expect_head(100, 0, 0, true, NV_ERR_MALFORMED);
    expect_head(100, 128, 0, true, NV_ERR_MALFORMED);
    expect_head(100, 5, 0, true, NV_ERR_MALFORMED);
    assert_int_equal(head(100, 0x12, 17, 0, true, &took_memory), NV_ERR_MALFORMED);
    assert_false(took_memory);
    /* "GET / HTTP/1.1" */
    assert_int_equal(head(0x47455420, '/', ' ', 0, true, &took_memory), NV_ERR_MALFORMED);
    assert_false(took_memory);
}

static void test_large_buffers_are_given_back_and_failure_is_told(void **state)
{
    (void)state;
    static uint8_t stream[P2P__PAYLOAD_MAX + 64];
    struct nv_writer w;
    nv_writer_init(&w, stream, sizeof(stream));
    put_frame(&w, P2P_TYPE_CERT_RESP, P2P__PAYLOAD_MAX, 7);

    struct p2p__frame frame;
    p2p__frame_init(&frame);
    p2p__frame_prove(&frame, P2P_LANE_1);
    enum nv_err err = NV_OK;
    (void)feed(&frame, nv_view_of(stream, w.size), 16384, &err);
    assert_int_equal(err, NV_OK);
    assert_true(p2p__frame_ready(&frame));
    p2p__frame_next(&frame);
    assert_int_equal(frame.body_cap, 0);

    nv_heap_fail_at(1);
    (void)feed(&frame, nv_view_of(stream, w.size), 16384, &err);
    nv_heap_fail_at(0);
    assert_int_equal(err, NV_ERR_NO_MEMORY);
    p2p__frame_deinit(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_pieces_give_the_same_frames),
        cmocka_unit_test(test_every_type_has_its_bound_on_every_lane),
        cmocka_unit_test(test_a_stranger_may_authenticate_and_nothing_else),
        cmocka_unit_test(test_heads_that_are_no_heads),
        cmocka_unit_test(test_large_buffers_are_given_back_and_failure_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
