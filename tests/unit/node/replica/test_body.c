/* test_body.c - a body is put together from chunks, and decoded whole or not.
 *
 * Method: bodies of real signed transactions, in order, cut into chunks that
 * come in any order, twice, wrong or before the header; and bodies that break
 * one rule each. */

#include <string.h>

#include "base/heap.h"
#include "base/sort.h"

#include "node/replica/body.h"
#include "tests/lib/nv_test.h"
#include "vm/wire/wire.h"

#define TIME_MS UINT64_C(1700000000000)
#define TXS_MAX 1100u

static struct nv_hash const chain_id = {.bytes = {7}};

struct made {
    struct nv_hash hash;
    uint8_t bytes[2048];
    uint32_t size;
};

static struct made made[TXS_MAX];
static struct made scratch[TXS_MAX];
static uint8_t whole[CS_BODY_SIZE_MAX];
static struct cs_header header;

static int made_cmp(const void *a, const void *b)
{
    const struct made *const left = a;
    const struct made *const right = b;
    return nv_hash_cmp(&left->hash, &right->hash);
}

/* make fills `whole` and `header` with `count` transactions of `actions` each. */
static void make(uint32_t count, uint32_t actions, uint64_t expires_ms)
{
    static struct vm_action list[VM_ACTIONS_MAX];
    struct nv_writer w;
    for (uint32_t i = 0; i < VM_ACTIONS_MAX; i++) {
        list[i] = (struct vm_action){.kind = VM_ACTION_CANCEL, .cancel_order = i + 1};
    }
    for (uint32_t i = 0; i < count; i++) {
        struct nv_seckey secret;
        struct nv_pubkey key;
        uint8_t const seed[32] = {1};
        assert_int_equal(nv_key_from_seed(&secret, &key, seed), NV_OK);
        struct vm_tx tx = {
            .expires_ms = expires_ms, .salt = i + 1, .action_count = actions, .actions = list};
        nv_address_of_key(&tx.account, &key);
        assert_int_equal(vm_tx_encode(&tx, made[i].bytes, &made[i].size, &chain_id, &secret),
                         NV_OK);
        assert_true(made[i].size <= sizeof made[i].bytes);
        made[i].hash = tx.hash;
    }
    nv_sort(made, count, sizeof made[0], made_cmp, scratch);
    nv_writer_init(&w, whole, sizeof whole);
    for (uint32_t i = 0; i < count; i++) {
        cs_body_put(&w, nv_view_of(made[i].bytes, made[i].size));
    }
    assert_false(w.overflow);
    header = (struct cs_header){.time_ms = TIME_MS, .body_size = w.size, .tx_count = count};
    cs_body_root(&header.body_root, nv_view_of(whole, w.size));
}

static struct cs_chunk chunk_of(uint32_t index)
{
    struct nv_view const body = nv_view_of(whole, header.body_size);
    struct cs_chunk chunk = {.index = index, .bytes = cs_body_chunk(body, index)};
    cs_body_path(&chunk.path, body, index);
    return chunk;
}

static void open_body(struct node_body *body)
{
    struct nv_hash hash;
    cs_header_hash(&hash, &header);
    node_body_init(body, &hash);
}

/* decode fills a body from `whole` and decodes it. */
static enum nv_err decode(void)
{
    struct node_body body;
    open_body(&body);
    assert_int_equal(node_body_set_header(&body, &header), NV_OK);
    assert_int_equal(node_body_fill(&body, nv_view_of(whole, header.body_size)), NV_OK);
    enum nv_err const err = node_body_decode(&body, &chain_id);
    if (err == NV_OK) {
        assert_int_equal(body.tx_count, header.tx_count);
        assert_memory_equal(&body.txs[0].hash, &made[0].hash, 32);
    }
    node_body_deinit(&body);
    return err;
}

static void chunks_in_any_order(void **state)
{
    (void)state;
    struct node_body body;
    uint32_t first = 0;
    uint32_t count = 0;
    make(600, 64, TIME_MS + 1000);
    uint32_t const chunks = cs_body_chunk_count(header.body_size);
    assert_true(chunks > 3);
    open_body(&body);
    struct cs_chunk early = chunk_of(2); /* before the header is known */
    assert_true(node_body_add(&body, &early));
    assert_int_equal(node_body_set_header(&body, &header), NV_OK);
    assert_true(node_body_missing(&body, &first, &count));
    assert_int_equal(first, 0);
    assert_int_equal(count, 2);
    for (uint32_t i = chunks; i > 0; i--) {
        assert_false(node_body_complete(&body));
        struct cs_chunk chunk = chunk_of(i - 1);
        assert_true(node_body_add(&body, &chunk));
        assert_true(node_body_add(&body, &chunk)); /* again: no harm */
    }
    assert_true(node_body_complete(&body));
    assert_memory_equal(body.bytes, whole, header.body_size);
    node_body_deinit(&body);
}

static void wrong_chunks(void **state)
{
    (void)state;
    struct node_body body;
    make(600, 64, TIME_MS + 1000);
    open_body(&body);
    struct cs_chunk chunk = chunk_of(1);
    chunk.index = 0; /* loose: kept, and dropped when the header comes */
    assert_true(node_body_add(&body, &chunk));
    assert_int_equal(node_body_set_header(&body, &header), NV_OK);
    assert_int_equal(body.have, 0);
    assert_false(node_body_add(&body, &chunk));
    chunk = chunk_of(1);
    uint8_t copy[CS_CHUNK_SIZE];
    memcpy(copy, chunk.bytes.bytes, chunk.bytes.size);
    copy[9] ^= 1;
    chunk.bytes.bytes = copy;
    assert_false(node_body_add(&body, &chunk));
    assert_false(node_body_complete(&body));
    whole[0] ^= 1;
    assert_int_equal(node_body_fill(&body, nv_view_of(whole, header.body_size)), NV_ERR_MISMATCH);
    assert_int_equal(node_body_fill(&body, nv_view_of(whole, header.body_size - 1)),
                     NV_ERR_MISMATCH);
    node_body_deinit(&body);
}

static void rules_of_a_body(void **state)
{
    (void)state;
    make(3, 2, TIME_MS + VM_EXPIRY_MAX_MS);
    assert_int_equal(decode(), NV_OK);
    make(3, 2, TIME_MS + VM_EXPIRY_MAX_MS + 1);
    assert_int_equal(decode(), NV_ERR_RANGE);
    make(3, 2, TIME_MS);
    assert_int_equal(decode(), NV_ERR_RANGE);
    make(3, 2, TIME_MS + 1);
    header.tx_count = 2;
    assert_int_not_equal(decode(), NV_OK);
    header.tx_count = 4;
    assert_int_not_equal(decode(), NV_OK);
}

/* A body that holds the first transaction again, or two in the wrong order. */
static void order_and_repetition(void **state)
{
    (void)state;
    static const uint32_t orders[][2] = {{0, 0}, {1, 0}};
    for (uint32_t i = 0; i < 2; i++) {
        struct nv_writer w;
        make(2, 2, TIME_MS + 1);
        nv_writer_init(&w, whole, sizeof whole);
        for (uint32_t j = 0; j < 2; j++) {
            const struct made *const tx = &made[orders[i][j]];
            cs_body_put(&w, nv_view_of(tx->bytes, tx->size));
        }
        header.body_size = w.size;
        cs_body_root(&header.body_root, nv_view_of(whole, w.size));
        assert_int_equal(decode(), NV_ERR_MALFORMED);
    }
}

static void no_more_actions_than_a_block_may_hold(void **state)
{
    (void)state;
    make(VM_BLOCK_ACTIONS_MAX / VM_ACTIONS_MAX, VM_ACTIONS_MAX, TIME_MS + 1);
    assert_int_equal(decode(), NV_OK);
    make(VM_BLOCK_ACTIONS_MAX / VM_ACTIONS_MAX + 1, VM_ACTIONS_MAX, TIME_MS + 1);
    assert_int_not_equal(decode(), NV_OK);
    header.tx_count = VM_BLOCK_TXS_MAX + 1; /* before anything else is looked at */
    assert_int_not_equal(decode(), NV_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_in_any_order),
        cmocka_unit_test(wrong_chunks),
        cmocka_unit_test(rules_of_a_body),
        cmocka_unit_test(order_and_repetition),
        cmocka_unit_test(no_more_actions_than_a_block_may_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
