/* Goal: a block that is printed is its header and the transactions of the body
 * that the header names, and no others.
 *
 * Method: a block of three signed transactions; then one of them left out, one
 * twice, two in the other order, one that is no transaction, and no list at all. */

#include <jansson.h>
#include <string.h>

#include "consensus/body.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"
#include "tools/derive_block.h"
#include "tools/shown.h"
#include "vm/wire/wire.h"

#define COUNT 3u

static struct cs_light_final final;
static json_t *answer;

static void add_tx(json_t *list, struct nv_writer *body, uint32_t i, const struct nv_seckey *key)
{
    static uint8_t bytes[VM_TX_SIZE_MAX];
    uint32_t size = 0;
    struct vm_action const action = {.kind = VM_ACTION_CANCEL, .cancel_order = i + 1};
    struct vm_tx tx = {.salt = i, .expires_ms = 5, .action_count = 1, .actions = &action};
    assert_int_equal(vm_tx_encode(&tx, bytes, &size, &final.header.chain_id, key), NV_OK);
    cs_body_put(body, nv_view_of(bytes, size));
    json_t *const entry = json_object();
    put_hex(entry, "tx_hash", tx.hash.bytes, sizeof tx.hash.bytes);
    put_hex(entry, "bytes", bytes, size);
    put_null(entry, "receipt");
    assert_int_equal(json_array_append_new(list, entry), 0);
}

static int setup(void **state)
{
    (void)state;
    static uint8_t room[8192];
    struct nv_writer body;
    struct nv_seckey key;
    struct nv_pubkey public;
    struct nv_hash const seed = cs_build_hash(1);
    assert_int_equal(nv_key_from_seed(&key, &public, seed.bytes), NV_OK);
    final = (struct cs_light_final){
        .header = {.chain_id = cs_build_hash(2), .height = 7, .tx_count = COUNT},
        .hash = cs_build_hash(3),
    };
    json_t *const list = json_array();
    nv_writer_init(&body, room, sizeof room);
    for (uint32_t i = 0; i < COUNT; i++) {
        add_tx(list, &body, i, &key);
    }
    final.header.body_size = body.size;
    cs_body_root(&final.header.body_root, nv_writer_view(&body));
    answer = json_pack("{s:s, s:o}", "height", "7", "transactions", list);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(answer);
    return 0;
}

static json_t *transactions(void)
{
    return json_object_get(answer, "transactions");
}

static void test_the_block(void **state)
{
    (void)state;
    json_t *derived = NULL;
    assert_int_equal(derive_block(&derived, &final, answer), NV_OK);
    assert_string_equal(json_string_value(json_object_get(derived, "height")), "7");
    const json_t *const list = json_object_get(derived, "transactions");
    assert_int_equal(json_array_size(list), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const json_t *const one = json_array_get(list, i);
        const json_t *const other = json_array_get(transactions(), i);
        assert_true(json_equal(json_object_get(one, "tx_hash"), json_object_get(other, "tx_hash")));
        assert_null(json_object_get(one, "receipt"));
    }
    json_decref(derived);
    (void)json_object_set_new(answer, "transactions", json_null());
    assert_int_equal(derive_block(&derived, &final, answer), NV_OK);
    assert_true(json_is_null(json_object_get(derived, "transactions")));
    json_decref(derived);
}

static void refused(enum nv_err why)
{
    json_t *derived = NULL;
    assert_int_equal(derive_block(&derived, &final, answer), why);
    assert_null(derived);
}

static void test_left_out(void **state)
{
    (void)state;
    assert_int_equal(json_array_remove(transactions(), 1), 0);
    refused(NV_ERR_MISMATCH);
    assert_int_equal(json_array_clear(transactions()), 0);
    refused(NV_ERR_MISMATCH);
}

static void test_twice(void **state)
{
    (void)state;
    assert_int_equal(json_array_append(transactions(), json_array_get(transactions(), 0)), 0);
    refused(NV_ERR_MISMATCH);
}

static void test_another_order(void **state)
{
    (void)state;
    json_t *const first = json_incref(json_array_get(transactions(), 0));
    assert_int_equal(json_array_remove(transactions(), 0), 0);
    assert_int_equal(json_array_append_new(transactions(), first), 0);
    refused(NV_ERR_MISMATCH);
}

static void test_no_transaction(void **state)
{
    (void)state;
    json_t *const first = json_array_get(transactions(), 0);
    (void)json_object_set_new(first, "bytes", json_string("0xzz"));
    refused(NV_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_block, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_transaction, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
