/* Goal: a queue never exceeds its bounds, lets go of the right frames, and never of half a frame.
 * Method: each rule alone, then random traffic against a slow model that keeps all frames of each
 * queue in a plain array. */

#include "base/codec.h"
#include "base/heap.h"

#include "p2p/queue.h"
#include "tests/lib/nv_test.h"

static struct p2p__packet *packet(uint8_t type, uint32_t payload_size, uint8_t fill)
{
    static uint8_t payload[70000];
    memset(payload, fill, payload_size);
    struct p2p__packet *made = p2p__packet_new(type, nv_view_of(payload, payload_size));
    assert_non_null(made);
    return made;
}

/* put queues a packet that nobody else holds. */
static enum p2p_sent put(struct p2p__queue *queue, uint8_t type, uint32_t size, uint8_t fill)
{
    struct p2p__packet *made = packet(type, size, fill);
    enum p2p_sent const sent = p2p__queue_put(queue, made);
    p2p__packet_release(made);
    return sent;
}

/* A vote of n payload bytes makes a frame of 4 + 2 + 2 + n bytes, n in [1, 127]. */
#define FRAME(n) ((n) + 8u)

/* next_fill takes one whole frame and returns the byte that its payload is made of. */
static uint8_t next_fill(struct p2p__queue *queue, uint32_t frame_size)
{
    uint8_t out[512];
    uint64_t finished = 0;
    assert_int_equal(p2p__queue_take(queue, out, frame_size, &finished), frame_size);
    assert_int_equal(finished, 1);
    assert_int_equal(nv_be32_load(out), frame_size - 4);
    return out[frame_size - 1];
}

static void test_lane_0_drops_the_oldest(void **state)
{
    (void)state;
    struct p2p__queue queue;
    assert_int_equal(p2p__queue_init(&queue, 0, 100, 3 * FRAME(10)), NV_OK);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 10, 1), P2P_SENT_QUEUED);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 10, 2), P2P_SENT_QUEUED);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 10, 3), P2P_SENT_QUEUED);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 10, 4), P2P_SENT_DROPPED_OLDER);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 20, 5), P2P_SENT_DROPPED_OLDER); /* two go */
    assert_int_equal(queue.dropped, 3);
    assert_int_equal(next_fill(&queue, FRAME(10)), 4);
    assert_int_equal(next_fill(&queue, FRAME(20)), 5);
    assert_int_equal(queue.bytes, 0);
    /* One that could never fit drops nothing. */
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 10, 6), P2P_SENT_QUEUED);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 100, 7), P2P_SENT_FULL);
    assert_int_equal(queue.count, 1);
    p2p__queue_deinit(&queue);
}

static void test_lane_0_keeps_a_frame_that_was_begun(void **state)
{
    (void)state;
    struct p2p__queue queue;
    assert_int_equal(p2p__queue_init(&queue, 0, 3, 1000), NV_OK);
    (void)put(&queue, P2P_TYPE_VOTE, 10, 1);
    (void)put(&queue, P2P_TYPE_VOTE, 10, 2);
    (void)put(&queue, P2P_TYPE_VOTE, 10, 3);
    uint8_t out[64];
    uint64_t finished = 0;
    assert_int_equal(p2p__queue_take(&queue, out, 5, &finished), 5);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 10, 4), P2P_SENT_DROPPED_OLDER);
    assert_int_equal(p2p__queue_take(&queue, out + 5, FRAME(10) - 5, &finished), FRAME(10) - 5);
    assert_int_equal(finished, 1);
    assert_int_equal(out[FRAME(10) - 1], 1);
    assert_int_equal(next_fill(&queue, FRAME(10)), 3);
    assert_int_equal(next_fill(&queue, FRAME(10)), 4);
    p2p__queue_deinit(&queue);
}

static void test_lane_1_refuses_the_newest(void **state)
{
    (void)state;
    struct p2p__queue queue;
    assert_int_equal(p2p__queue_init(&queue, 1, 2, 2 * FRAME(10)), NV_OK);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 10, 1), P2P_SENT_QUEUED);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 11, 2), P2P_SENT_FULL);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 9, 3), P2P_SENT_QUEUED);
    assert_int_equal(put(&queue, P2P_TYPE_VOTE, 1, 4), P2P_SENT_FULL); /* by count */
    assert_int_equal(queue.dropped, 2);
    assert_int_equal(next_fill(&queue, FRAME(10)), 1);
    assert_int_equal(next_fill(&queue, FRAME(9)), 3);
    p2p__queue_deinit(&queue);
}

static void test_a_status_replaces_a_status_that_waits(void **state)
{
    (void)state;
    struct p2p__queue queue;
    assert_int_equal(p2p__queue_init(&queue, 1, 4, 1000), NV_OK);
    (void)put(&queue, P2P_TYPE_STATUS, 10, 1);
    (void)put(&queue, P2P_TYPE_CERT, 10, 2);
    assert_int_equal(put(&queue, P2P_TYPE_STATUS, 10, 3), P2P_SENT_QUEUED);
    assert_int_equal(queue.count, 2);
    assert_int_equal(queue.dropped, 0);
    uint8_t out[64];
    uint64_t finished = 0;
    assert_int_equal(next_fill(&queue, FRAME(10)), 2);
    (void)p2p__queue_take(&queue, out, 1, &finished);
    (void)put(&queue, P2P_TYPE_STATUS, 10, 4); /* the one that was begun stays */
    assert_int_equal(queue.count, 2);
    p2p__queue_deinit(&queue);
}

static void test_rewind_writes_the_frame_again_from_its_start(void **state)
{
    (void)state;
    struct p2p__queue queue;
    assert_int_equal(p2p__queue_init(&queue, 1, 4, 1000), NV_OK);
    (void)put(&queue, P2P_TYPE_CERT, 10, 1);
    uint8_t out[64];
    uint64_t finished = 0;
    (void)p2p__queue_take(&queue, out, FRAME(10) - 1, &finished);
    p2p__queue_rewind(&queue);
    assert_int_equal(next_fill(&queue, FRAME(10)), 1);
    p2p__queue_deinit(&queue);
}

static void test_a_packet_lives_until_its_last_queue_lets_go(void **state)
{
    (void)state;
    struct p2p__queue queues[3];
    struct p2p__packet *shared = packet(P2P_TYPE_CERT, 10, 9);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(p2p__queue_init(&queues[i], 1, 4, 1000), NV_OK);
        assert_int_equal(p2p__queue_put(&queues[i], shared), P2P_SENT_QUEUED);
    }
    assert_int_equal(shared->holders, 4);
    p2p__packet_release(shared);
    assert_int_equal(next_fill(&queues[0], FRAME(10)), 9);
    p2p__queue_deinit(&queues[1]);
    assert_int_equal(shared->holders, 1);
    assert_int_equal(next_fill(&queues[2], FRAME(10)),
                     9); /* a leak or a double free shows in asan */
    p2p__queue_deinit(&queues[0]);
    p2p__queue_deinit(&queues[2]);
}

#define MODEL_MAX 100000u

struct model {
    uint32_t sizes[MODEL_MAX];
    uint8_t fills[MODEL_MAX];
    uint32_t first, end, taken, bytes;
};

static void model_drop_oldest(struct model *model)
{
    uint32_t const index = model->first + (model->taken != 0 ? 1u : 0u);
    model->bytes -= model->sizes[index];
    if (index != model->first) {
        model->sizes[index] = model->sizes[model->first];
        model->fills[index] = model->fills[model->first];
    }
    model->first++;
}

static enum p2p_sent
model_put(struct model *model, bool drops, uint32_t size, uint8_t fill, uint32_t bytes_max)
{
    uint32_t const begun = model->taken != 0 ? model->sizes[model->first] : 0;
    enum p2p_sent sent = P2P_SENT_QUEUED;
    while (model->end - model->first == 16 || model->bytes + size > bytes_max) {
        if (!drops || begun + size > bytes_max) {
            return P2P_SENT_FULL;
        }
        model_drop_oldest(model);
        sent = P2P_SENT_DROPPED_OLDER;
    }
    model->sizes[model->end] = size;
    model->fills[model->end] = fill;
    model->end++;
    model->bytes += size;
    return sent;
}

static void model_expect(struct model *model, const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(model->first < model->end);
        uint32_t const size = model->sizes[model->first];
        if (model->taken >= 8) {
            assert_int_equal(bytes[i], model->fills[model->first]);
        } else if (model->taken == 3) {
            assert_int_equal(bytes[i], size - 4);
        }
        model->taken++;
        if (model->taken == size) {
            model->bytes -= size;
            model->taken = 0;
            model->first++;
        }
    }
}

static void run_against_model(uint8_t lane, uint64_t seed)
{
    struct nv_test_rng rng = {seed};
    static struct model model;
    memset(&model, 0, sizeof(model));
    struct p2p__queue queue;
    uint32_t const bytes_max = 700;
    assert_int_equal(p2p__queue_init(&queue, lane, 16, bytes_max), NV_OK);
    for (uint32_t i = 0; i < 20000; i++) {
        if (nv_test_next(&rng) % 3 != 0) {
            uint32_t const size = 1 + (uint32_t)(nv_test_next(&rng) % 127);
            uint8_t const fill = (uint8_t)nv_test_next(&rng);
            assert_int_equal(put(&queue, P2P_TYPE_VOTE, size, fill),
                             model_put(&model, lane == 0, FRAME(size), fill, bytes_max));
        } else {
            uint8_t out[300];
            uint64_t finished = 0;
            uint32_t const cap = (uint32_t)(nv_test_next(&rng) % sizeof(out));
            uint32_t const count = p2p__queue_take(&queue, out, cap, &finished);
            assert_true(count == cap || queue.count == 0);
            model_expect(&model, out, count);
        }
        assert_int_equal(queue.count, model.end - model.first);
        assert_int_equal(queue.bytes, model.bytes);
    }
    p2p__queue_deinit(&queue);
}

static void test_random_traffic_agrees_with_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        run_against_model(P2P_LANE_0, seed);
        run_against_model(P2P_LANE_1, seed);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    struct p2p__queue queue;
    nv_heap_fail_at(1);
    assert_int_equal(p2p__queue_init(&queue, 0, 4, 100), NV_ERR_NO_MEMORY);
    nv_heap_fail_at(1);
    assert_null(p2p__packet_new(P2P_TYPE_VOTE, nv_view_of("", 0)));
    nv_heap_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lane_0_drops_the_oldest),
        cmocka_unit_test(test_lane_0_keeps_a_frame_that_was_begun),
        cmocka_unit_test(test_lane_1_refuses_the_newest),
        cmocka_unit_test(test_a_status_replaces_a_status_that_waits),
        cmocka_unit_test(test_rewind_writes_the_frame_again_from_its_start),
        cmocka_unit_test(test_a_packet_lives_until_its_last_queue_lets_go),
        cmocka_unit_test(test_random_traffic_agrees_with_the_model),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
