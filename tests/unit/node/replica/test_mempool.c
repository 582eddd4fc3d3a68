/* test_mempool.c - the waiting transactions against a plain list.
 *
 * Method: random adds, removes and expiries on a small pool and on a list that
 * knows nothing of buckets and indexes; after each step both hold the same in
 * the same order, and the bounds hold.  Then session keys that send all they can,
 * and what is left for others. */

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

/* of_sessions counts what the account's session keys have signed, or the one of `key`. */
static uint32_t of_sessions(const struct nv_address *account, const struct nv_pubkey *key)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct node_signer *const s = &list[i].signer;
        bool const theirs = memcmp(&s->account, account, sizeof *account) == 0 && s->scopes != 0;
        found += theirs && (key == NULL || memcmp(&s->key, key, sizeof *key) == 0) ? 1u : 0u;
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
    if (tx->signer.scopes != 0 && of_sessions(&tx->signer.account, &tx->signer.key) +
                                          of_sessions(&tx->signer.account, NULL) >=
                                      ACCOUNT_MAX / 2) {
        return NODE_MEMPOOL_SESSION_FULL;
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
    tx.signer.scopes = nv_test_below(rng, 2);
    tx.signer.key.bytes[3] = (uint8_t)nv_test_below(rng, 3); /* of several accounts */
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

/* ---- session keys ---- */

#define PLACES 64u /* of one account */

static struct node_mempool *pool;
static uint32_t sent;

static int open_wide(void **state)
{
    (void)state;
    struct node_mempool_limits const limits = {1000, PLACES, 1u << 20};
    sent = 0;
    assert_int_equal(node_mempool_open(&pool, &limits), NV_OK);
    return 0;
}

static int close_pool(void **state)
{
    (void)state;
    node_mempool_close(pool);
    return 0;
}

/* hand_in hands in one more transaction of an account, by one of its session keys from 1 on, or
 * by its own key, 0. */
static enum node_mempool_verdict hand_in(uint8_t account, uint8_t key)
{
    struct node_mempool_tx tx = {.expires_ms = 1700000060000, .bytes = nv_view_of("x", 1)};
    sent++;
    memcpy(tx.hash.bytes, &sent, sizeof sent);
    tx.signer.account.bytes[0] = account;
    tx.signer.key.bytes[0] = key;
    tx.signer.scopes = key == 0 ? 0 : 1;
    return node_mempool_add(pool, &tx);
}

/* fill hands in until it is refused, and returns how many were taken. */
static uint32_t fill(uint8_t account, uint8_t key, enum node_mempool_verdict refusal)
{
    uint32_t taken = 0;
    enum node_mempool_verdict verdict = hand_in(account, key);
    while (verdict == NODE_MEMPOOL_ADDED) {
        taken++;
        verdict = hand_in(account, key);
    }
    assert_int_equal(verdict, refusal);
    return taken;
}

static void one_session_key_takes_a_quarter(void **state)
{
    (void)state;
    assert_int_equal(fill(1, 1, NODE_MEMPOOL_SESSION_FULL), PLACES / 4);
    assert_int_equal(fill(2, 1, NODE_MEMPOOL_SESSION_FULL), PLACES / 4); /* another's account */
    assert_int_equal(fill(1, 0, NODE_MEMPOOL_ACCOUNT_FULL), PLACES - PLACES / 4);
    assert_int_equal(hand_in(1, 2), NODE_MEMPOOL_ACCOUNT_FULL);
    assert_int_equal(hand_in(2, 2), NODE_MEMPOOL_ADDED);
}

static void session_keys_together_leave_half_and_something_for_one_more(void **state)
{
    (void)state;
    static uint32_t const by_turns[] = {0, 16, 10, 8, 6, 5, 4, 4};
    for (uint8_t keys = 1; keys <= 7; keys++) {
        uint32_t of_each[8] = {0};
        for (uint32_t round = 0; round < PLACES; round++) {
            for (uint8_t key = 1; key <= keys; key++) {
                of_each[key] += hand_in(keys, key) == NODE_MEMPOOL_ADDED ? 1u : 0u;
            }
        }
        for (uint8_t key = 1; key <= keys; key++) {
            assert_in_range(of_each[key], by_turns[keys], by_turns[keys] + 1);
        }
        assert_int_equal(hand_in(keys, 100), NODE_MEMPOOL_ADDED);
        assert_true(fill(keys, 0, NODE_MEMPOOL_ACCOUNT_FULL) >= PLACES / 2);
    }
}

static void places_come_back_with_what_leaves(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(fill(1, 1, NODE_MEMPOOL_SESSION_FULL), PLACES / 4);
        struct nv_hash hash;
        uint32_t left = PLACES / 4;
        if (i % 2 == 0) {
            while (node_mempool_expire(pool, 1700000060000, &hash)) {
                left--;
            }
        }
        uint32_t cursor = NODE_MEMPOOL_START;
        struct node_mempool_tx tx;
        while (node_mempool_next(pool, &cursor, &tx)) {
            hash = tx.hash;
            assert_true(node_mempool_remove(pool, &hash));
            cursor = NODE_MEMPOOL_START;
            left--;
        }
        assert_int_equal(left, 0);
    }
}

static void few_places_are_halved_too(void **state)
{
    (void)state;
    static uint32_t const sessions[] = {0, 0, 1, 1, 1, 1, 2};
    for (uint32_t places = 1; places <= 6; places++) {
        struct node_mempool_limits const limits = {100, places, 1000};
        assert_int_equal(node_mempool_open(&pool, &limits), NV_OK);
        assert_int_equal(fill(1, 1, NODE_MEMPOOL_SESSION_FULL), sessions[places]);
        assert_int_equal(fill(1, 0, NODE_MEMPOOL_ACCOUNT_FULL), places - sessions[places]);
        node_mempool_close(pool);
    }
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, open_wide, close_pool)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_list),
        CASE(one_session_key_takes_a_quarter),
        CASE(session_keys_together_leave_half_and_something_for_one_more),
        CASE(places_come_back_with_what_leaves),
        cmocka_unit_test(few_places_are_halved_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
