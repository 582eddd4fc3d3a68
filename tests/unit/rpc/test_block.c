/* Goal: a block is told with what its header says and the hashes of its
 * transactions, and bytes that are no block do no harm.
 *
 * Method: a real header and body; then every way of cutting the body short. */

#include <string.h>

#include "base/fmt.h"

#include "consensus/body.h"
#include "consensus/header.h"
#include "rpc/block.h"
#include "rpc/server.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"
#include "vm/wire/wire.h"

static struct nv_hash const chain_id = {{0x42}};
static struct rpc rpc;
static struct rpc_json out;
static char text[16384];

static void status(void *ctx, struct rpc_status *into)
{
    (void)ctx;
    into->chain_id = chain_id;
}

static int setup(void **state)
{
    (void)state;
    memset(&rpc, 0, sizeof rpc);
    rpc.port.status = status;
    rpc__json_init(&out, sizeof text - 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rpc__json_deinit(&out);
    return 0;
}

static const char *written(void)
{
    assert_false(out.failed);
    memcpy(text, out.bytes, out.size);
    text[out.size] = '\0';
    return text;
}

/* transaction makes the bytes of a signed transaction. */
static uint32_t transaction(uint8_t *bytes, struct nv_hash *hash)
{
    struct nv_seckey secret;
    struct nv_pubkey key;
    uint8_t const seed[32] = {1};
    uint32_t size = 0;
    struct vm_action const action = {.kind = VM_ACTION_DEPOSIT, .amount = vm_money(5)};
    assert_int_equal(nv_key_from_seed(&secret, &key, seed), NV_OK);
    struct vm_tx tx = {.expires_ms = 1700000000000, .action_count = 1, .actions = &action};
    nv_address_of_key(&tx.account, &key);
    assert_int_equal(vm_tx_encode(&tx, bytes, &size, &chain_id, &secret), NV_OK);
    *hash = tx.hash;
    return size;
}

static void a_header_is_told(void **state)
{
    (void)state;
    uint8_t bytes[CS_HEADER_SIZE];
    struct nv_writer writer;
    struct cs_header const header = {.epoch = 1,
                                     .height = 9,
                                     .view = 11,
                                     .time_ms = 1700000000000,
                                     .executed_height = 7,
                                     .proposer = 2,
                                     .body_size = 33};
    nv_writer_init(&writer, bytes, sizeof bytes);
    cs_header_put(&writer, &header);
    struct rpc_block const block = {.header = nv_writer_view(&writer), .tx_count = 3};
    rpc__json_object(&out, NULL);
    rpc__block_write(&out, &block);
    rpc__json_end(&out, '}');
    world_has(written(), "\"tx_count\":3");
    world_has(text,
              "\"epoch\":\"1\",\"view\":\"11\",\"block_time_ms\":1700000000000,"
              "\"proposer\":2,\"body_size\":33,\"executed_height\":\"7\"");
    world_has(text, "\"certificate\":null");
}

static void transactions_are_named_by_their_hash(void **state)
{
    (void)state;
    uint8_t bytes[VM_TX_SIZE_MAX];
    uint8_t body[2048];
    char expected[NV_BYTES_TEXT(32)];
    struct nv_hash hash;
    struct nv_writer writer;
    uint32_t const size = transaction(bytes, &hash);
    nv_writer_init(&writer, body, sizeof body);
    cs_body_put(&writer, nv_view_of(bytes, size));
    struct rpc_block block = {.body = nv_writer_view(&writer), .tx_count = 1};
    rpc__block_write_transactions(&out, &rpc, &block);
    nv_bytes_format(expected, hash.bytes, sizeof hash.bytes);
    world_has(written(), expected);
    uint32_t const whole = block.body.size;
    for (uint32_t cut = 1; cut < whole; cut++) {
        rpc__json_reset(&out);
        block.body.size = cut;
        rpc__block_write_transactions(&out, &rpc, &block);
        assert_string_equal(written(), "\"transactions\":[]");
    }
}

static void a_body_that_is_not_held_is_null(void **state)
{
    (void)state;
    struct rpc_block const pruned = {.tx_count = 2};
    struct rpc_block const empty = {.tx_count = 0};
    rpc__block_write_transactions(&out, &rpc, &pruned);
    assert_string_equal(written(), "\"transactions\":null");
    rpc__json_reset(&out);
    rpc__block_write_transactions(&out, &rpc, &empty);
    assert_string_equal(written(), "\"transactions\":[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_header_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(transactions_are_named_by_their_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_that_is_not_held_is_null, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
