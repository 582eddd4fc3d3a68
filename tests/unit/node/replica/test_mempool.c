/* test_mempool.c - the waiting transactions against a plain list.
 *
 * Method: random adds, removes and expiries on a small pool and on a list that
 * knows nothing of buckets and indexes; after each step both hold the same in
 * the same order, and the bounds hold. */

#include <string.h>

#include "node/replica/mempool.h"
#include "tests/lib/nv_test.h"

#define COUNT_MAX   40u
#define ACCOUNT_MAX 9u
#define BYTES_MAX   1500u
#define ACCOUNTS    6u

static struct node_mempool_tx list[COUNT_MAX];
static uint8_t payload[COUNT_MAX][64];
static uint32_t count;

static uint32_t of_account(const struct nv_address *account)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        found += memcmp(&list[i].signer.account, account, sizeof *account) == 0 ? 1u : 0u;
    }
    return found;
}

static uint64_t all_bytes(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += list[i].bytes.size;
    }
    return sum;
}

static uint32_t find(const struct nv_hash *hash)
{
    for (uint32_t i = 0; i < count; i++) {
        if (nv_hash_eq(&list[i].hash, hash)) {
            return i;
        }
    }
    return count;
}

static void list_remove(uint32_t at)
{
    for (uint32_t i = at; i + 1 < count; i++) {
        list[i] = list[i + 1];
        memcpy(payload[i], payload[i + 1], sizeof payload[i]);
        list[i].bytes.bytes = payload[i];
    }
    count--;
}

static enum node_mempool_verdict list_add(const struct node_mempool_tx *tx)
{
    if (find(&tx->hash) < count) {
        return NODE_MEMPOOL_DUPLICATE;
    }
    if (of_account(&tx->signer.account) >= ACCOUNT_MAX) {
        return NODE_MEMPOOL_ACCOUNT_FULL;
    }
    if (count >= COUNT_MAX || all_bytes() + tx->bytes.size > BYTES_MAX) {
        return NODE_MEMPOOL_FULL;
    }
    list[count] = *tx;
    memcpy(payload[count], tx->bytes.bytes, tx->bytes.size);
    list[count].bytes.bytes = payload[count];
    count++;
    return NODE_MEMPOOL_ADDED;
}

static void same(const struct node_mempool *pool)
{
    uint32_t cursor = NODE_MEMPOOL_START;
    struct node_mempool_tx tx;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(node_mempool_next(pool, &cursor, &tx));
        assert_true(nv_hash_eq(&tx.hash, &list[i].hash));
        assert_int_equal(tx.expires_ms, list[i].expires_ms);
        assert_int_equal(tx.actions, list[i].actions);
        assert_true(nv_view_eq(tx.bytes, list[i].bytes));
    }
    assert_false(node_mempool_next(pool, &cursor, &tx));
    assert_int_equal(node_mempool_count(pool), count);
    assert_int_equal(node_mempool_bytes(pool), all_bytes());
}

static void add_random(struct node_mempool *pool, struct nv_test_rng *rng, uint64_t now_ms)
{
    uint8_t bytes[64];
    struct node_mempool_tx tx = {.expires_ms = now_ms + 1 + nv_test_below(rng, 60000),
                                 .actions = 1 + nv_test_below(rng, 64)};
    nv_test_fill(rng, bytes, sizeof bytes);
    tx.hash.bytes[0] = (uint8_t)nv_test_below(rng, 120); /* some come twice */
    tx.signer.account.bytes[7] = (uint8_t)nv_test_below(rng, ACCOUNTS);
    tx.bytes = nv_view_of(bytes, 1 + nv_test_below(rng, 64));
    assert_int_equal(node_mempool_add(pool, &tx), list_add(&tx));
}

static void expire(struct node_mempool *pool, uint64_t now_ms)
{
    struct nv_hash hash;
    while (node_mempool_expire(pool, now_ms, &hash)) {
        uint32_t const at = find(&hash);
        assert_true(at < count);
        assert_true(list[at].expires_ms <= now_ms);
        list_remove(at);
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_true(list[i].expires_ms > now_ms);
    }
}

static void it_is_a_list(void **state)
{
    (void)state;
    struct nv_test_rng rng = {11};
    struct node_mempool_limits const limits = {COUNT_MAX, ACCOUNT_MAX, BYTES_MAX};
    struct node_mempool *pool = NULL;
    uint64_t now_ms = 1700000000000;
    count = 0;
    assert_int_equal(node_mempool_open(&pool, &limits), NV_OK);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t const what = nv_test_below(&rng, 10);
        if (what < 6) {
            add_random(pool, &rng, now_ms);
        } else if (what < 9) {
            struct nv_hash hash = {{(uint8_t)nv_test_below(&rng, 120)}};
            uint32_t const at = find(&hash);
            assert_int_equal(node_mempool_has(pool, &hash, NULL), at < count);
            assert_int_equal(node_mempool_remove(pool, &hash), at < count);
            if (at < count) {
                list_remove(at);
            }
        } else {
            now_ms += nv_test_below(&rng, 4000);
            expire(pool, now_ms);
        }
        same(pool);
    }
    node_mempool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_a_list)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
