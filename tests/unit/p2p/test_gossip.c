/* Goal: every transaction reaches every connected peer that lacks it, once, in bounded memory, and
 * the bytes are the ones that were given.
 * Method: each rule alone; then random traffic with a small store that wraps often, where each peer's
 * own account of what it has must never see a repetition or a wrong byte, and what is lost is counted
 * exactly. */

#include "base/heap.h"

#include "p2p/gossip.h"
#include "tests/lib/nv_test.h"

#define BATCH P2P_TRANSACTION_MAX + 4u

static uint8_t batch[BATCH];

static struct p2p__gossip *make(uint32_t seen_max, uint32_t count_max)
{
    struct p2p__gossip_limits const limits = {
        .seen_max = seen_max, .count_max = count_max, .bytes_max = P2P_TRANSACTION_MAX};
    struct p2p__gossip *gossip = p2p__gossip_open(&limits);
    assert_non_null(gossip);
    return gossip;
}

/* Transaction i is `size` bytes that begin with i. */
static struct nv_view transaction(uint32_t i, uint32_t size, struct nv_hash *hash)
{
    static uint8_t bytes[P2P_TRANSACTION_MAX];
    memset(bytes, (int)(i % 251), size);
    nv_be32_store(bytes, i);
    struct nv_view const view = nv_view_of(bytes, size);
    nv_sha256(hash, view);
    return view;
}

static bool add(struct p2p__gossip *gossip, uint32_t i, uint32_t size)
{
    struct nv_hash hash;
    struct nv_view const view = transaction(i, size, &hash);
    return p2p__gossip_add(gossip, &hash, view);
}

static bool came(struct p2p__gossip *gossip, uint32_t i, uint32_t size, uint32_t slot)
{
    struct nv_hash hash;
    (void)transaction(i, size, &hash);
    return p2p__gossip_came(gossip, &hash, slot);
}

/* offered takes one batch for `slot`, checks its bytes, and writes the numbers in it. */
static uint32_t offered(struct p2p__gossip *gossip, uint32_t slot, uint32_t *numbers, uint32_t max)
{
    uint32_t const size = p2p__gossip_batch(gossip, slot, batch, BATCH);
    if (size == 0) {
        return 0;
    }
    struct nv_reader reader;
    nv_reader_init(&reader, nv_view_of(batch, size));
    for (uint32_t count = 0;; count++) {
        struct nv_view view;
        assert_int_equal(p2p__batch_next(&view, &reader), NV_OK);
        if (view.size == 0) {
            return count;
        }
        assert_true(count < max);
        struct nv_hash hash;
        numbers[count] = nv_be32_load(view.bytes);
        assert_true(nv_view_eq(view, transaction(numbers[count], view.size, &hash)));
    }
}

static void test_passed_on_once_to_who_lacks_it(void **state)
{
    (void)state;
    struct p2p__gossip *gossip = make(100, 100);
    uint32_t got[8];
    assert_true(came(gossip, 1, 200, 5));
    assert_false(came(gossip, 1, 200, 6)); /* a second peer sends the same */
    assert_true(add(gossip, 1, 200));
    assert_false(add(gossip, 1, 200));
    assert_true(add(gossip, 2, 200)); /* our own client's */
    assert_int_equal(offered(gossip, 5, got, 8), 1);
    assert_int_equal(got[0], 2);
    assert_int_equal(offered(gossip, 6, got, 8), 1);
    assert_int_equal(offered(gossip, 7, got, 8), 2);
    assert_int_equal(offered(gossip, 7, got, 8), 0);
    assert_false(p2p__gossip_waits(gossip, 7));

    assert_true(add(gossip, 3, 200));
    assert_false(came(gossip, 3, 200, 7)); /* it crosses on the way: 7 has it now */
    assert_true(p2p__gossip_waits(gossip, 7));
    assert_int_equal(offered(gossip, 7, got, 8), 0);
    assert_int_equal(offered(gossip, 6, got, 8), 1);
    p2p__gossip_close(gossip);
}

static void test_a_new_link_starts_anew(void **state)
{
    (void)state;
    struct p2p__gossip *gossip = make(100, 100);
    uint32_t got[8];
    assert_true(add(gossip, 1, 50));
    assert_true(came(gossip, 2, 50, 9));
    assert_true(add(gossip, 2, 50));
    assert_int_equal(offered(gossip, 9, got, 8), 1);
    p2p__gossip_reset(gossip, 9);
    assert_int_equal(offered(gossip, 9, got, 8), 2);
    p2p__gossip_close(gossip);
}

static void test_forgotten_means_new_again(void **state)
{
    (void)state;
    struct p2p__gossip *gossip = make(4, 4);
    struct nv_hash hash;
    (void)transaction(1, 50, &hash);
    for (uint32_t round = 0; round < 10; round++) {
        assert_true(came(gossip, 1, 50, 1));
        assert_false(came(gossip, 1, 50, 1));
        p2p__gossip_forget(gossip, &hash);
    }
    p2p__gossip_forget(gossip, &hash); /* unknown: nothing happens */
    p2p__gossip_close(gossip);
}

static void test_memory_of_hashes_is_a_ring(void **state)
{
    (void)state;
    struct p2p__gossip *gossip = make(8, 8);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(came(gossip, i, 40, 3));
        for (uint32_t back = 0; back < 8 && back <= i; back++) {
            assert_false(came(gossip, i - back, 40, 3));
        }
    }
    assert_true(came(gossip, 1, 40, 3));
    p2p__gossip_close(gossip);
}

static void test_batches_are_filled_to_the_brim_and_no_further(void **state)
{
    (void)state;
    struct p2p__gossip *gossip = make(100, 100);
    uint32_t got[8];
    assert_true(add(gossip, 1, P2P_TRANSACTION_MAX));
    assert_int_equal(offered(gossip, 1, got, 8), 1); /* exactly one fits */
    assert_true(add(gossip, 2, P2P_TRANSACTION_MAX / 2));
    assert_true(add(gossip, 3, P2P_TRANSACTION_MAX / 2));
    assert_int_equal(offered(gossip, 1, got, 8), 1);
    assert_int_equal(got[0], 2);
    assert_int_equal(offered(gossip, 1, got, 8), 1);
    assert_int_equal(got[0], 3);
    p2p__gossip_close(gossip);
}

#define PEERS 4u
#define COUNT 20000u

static void test_random_traffic_never_repeats_and_counts_what_it_loses(void **state)
{
    (void)state;
    static uint8_t has[PEERS][COUNT];
    static uint32_t got[COUNT];
    memset(has, 0, sizeof(has));
    struct p2p__gossip *gossip = make(512, 64);
    struct nv_test_rng rng = {42};
    uint64_t received = 0;
    uint64_t given = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t const size = 4 + (uint32_t)(nv_test_next(&rng) % (i % 50 == 0 ? 30000 : 1500));
        if (nv_test_next(&rng) % 2 == 0) {
            uint32_t const from = (uint32_t)(nv_test_next(&rng) % PEERS);
            assert_true(came(gossip, i, size, from));
            has[from][i] = 1;
            given++;
        }
        assert_true(add(gossip, i, size));
        uint32_t const slot = (uint32_t)(nv_test_next(&rng) % (8 * PEERS));
        for (uint32_t n = slot < PEERS ? offered(gossip, slot, got, COUNT) : 0; n > 0; n--) {
            assert_int_equal(has[slot][got[n - 1]], 0);
            has[slot][got[n - 1]] = 1;
            received++;
        }
    }
    for (uint32_t slot = 0; slot < PEERS; slot++) {
        while (p2p__gossip_waits(gossip, slot)) {
            received += offered(gossip, slot, got, COUNT);
        }
    }
    struct p2p__gossip_counts const counts = p2p__gossip_counts(gossip);
    assert_int_equal(counts.sent, received);
    /* What was lost to a peer is whatever it neither got nor had sent, except that an entry which it
     * had sent itself counts as lost too when it left the store before the peer's turn. */
    uint64_t const missing = (uint64_t)PEERS * COUNT - received - given;
    assert_true(counts.lost >= missing);
    assert_true(counts.lost <= missing + given);
    assert_true(missing > 0); /* the store did wrap before slow peers */
    p2p__gossip_close(gossip);
}

static void test_nothing_is_lost_to_a_peer_that_keeps_up(void **state)
{
    (void)state;
    struct p2p__gossip *gossip = make(512, 64);
    uint32_t got[8];
    struct nv_test_rng rng = {7};
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(add(gossip, i, 4 + (uint32_t)(nv_test_next(&rng) % 60000)));
        assert_int_equal(offered(gossip, 191, got, 8), 1);
        assert_int_equal(got[0], i);
    }
    assert_int_equal(p2p__gossip_counts(gossip).lost, 0);
    p2p__gossip_close(gossip);
}

static void test_hostile_batches(void **state)
{
    (void)state;
    static uint8_t bytes[P2P_TRANSACTION_MAX + 16];
    struct nv_view view;
    struct nv_reader reader;
#define FIRST(size)                                                                                \
    (nv_reader_init(&reader, nv_view_of(bytes, (size))), p2p__batch_next(&view, &reader))
    assert_int_equal(FIRST(0), NV_ERR_MALFORMED);
    nv_be32_store(bytes, 0);
    assert_int_equal(FIRST(4), NV_ERR_RANGE);
    nv_be32_store(bytes, P2P_TRANSACTION_MAX + 1);
    assert_int_equal(FIRST(sizeof(bytes)), NV_ERR_RANGE);
    nv_be32_store(bytes, UINT32_MAX);
    assert_int_equal(FIRST(sizeof(bytes)), NV_ERR_RANGE);
    nv_be32_store(bytes, 5);
    for (uint32_t size = 1; size < 9; size++) {
        assert_int_equal(FIRST(size), NV_ERR_TRUNCATED);
    }
    assert_int_equal(FIRST(9), NV_OK);
    assert_int_equal(view.size, 5);
    assert_int_equal(p2p__batch_next(&view, &reader), NV_OK);
    assert_int_equal(view.size, 0);
    assert_int_equal(FIRST(10), NV_OK); /* trailing bytes are a transaction cut short */
    assert_int_equal(p2p__batch_next(&view, &reader), NV_ERR_TRUNCATED);
#undef FIRST
}

static void test_no_memory(void **state)
{
    (void)state;
    struct p2p__gossip_limits const limits = {8, 8, P2P_TRANSACTION_MAX};
    for (uint64_t n = 1; n <= 5; n++) {
        nv_heap_fail_at(n);
        struct p2p__gossip *gossip = p2p__gossip_open(&limits);
        nv_heap_fail_at(0);
        assert_null(gossip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passed_on_once_to_who_lacks_it),
        cmocka_unit_test(test_a_new_link_starts_anew),
        cmocka_unit_test(test_forgotten_means_new_again),
        cmocka_unit_test(test_memory_of_hashes_is_a_ring),
        cmocka_unit_test(test_batches_are_filled_to_the_brim_and_no_further),
        cmocka_unit_test(test_random_traffic_never_repeats_and_counts_what_it_loses),
        cmocka_unit_test(test_nothing_is_lost_to_a_peer_that_keeps_up),
        cmocka_unit_test(test_hostile_batches),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
