/* Goal: chain_* answer from what the node gives, wait for heights, and say
 * clearly when there is nothing.
 *
 * Method: calls over loopback; the node is a model whose blocks and rows are
 * known. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/proof.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"
#include "vm/params.h"
#include "vm/rows.h"

static struct rpc_world world;

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world_open(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static const char *call(const char *method, const char *params)
{
    static char body[4096];
    snprintf(body,
             sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
             method,
             params);
    return world_post(&world, body);
}

static void genesis_is_told_as_it_was_hashed(void **state)
{
    (void)state;
    const char *answer = call("chain_genesis", "{}");
    world_has(answer, "\"text\":\"{\\\"chain\\\":\\\"test\\\"}\"");
    world_has(answer, "\"chain_id\":\"0x00");
}

static void the_head_is_the_newest_published_block(void **state)
{
    (void)state;
    world_has(call("chain_head", "{}"), "\"height\":\"1\"");
    world_publish(&world);
    world_has(call("chain_head", "{}"), "\"height\":\"2\"");
}

static void a_block_is_found_by_height(void **state)
{
    (void)state;
    world_has(call("chain_block", "{\"height\":\"1\"}"), "\"header\":\"0x686561646572\"");
    world_has(call("chain_block", "{}"), "\"height\":\"1\"");
    for (int i = 0; i < 10; i++) {
        world_publish(&world);
    }
    world_has(call("chain_block", "{\"height\":\"0\"}"), "\"message\":\"not_held\"");
    world_has(call("chain_block", "{\"height\":\"99\"}"), "\"message\":\"height_in_future\"");
    world.unwritten = 2; /* executed, and not in the journal yet */
    world_has(call("chain_block", "{\"height\":\"11\"}"), "\"retry_after_ms\":100");
    world_has(call("chain_block", "{}"), "\"height\":\"9\"");
    world_has(call("chain_block", "{\"height\":1}"), "\"field\":\"height\"");
}

static void blocks_come_as_far_as_they_are_held(void **state)
{
    (void)state;
    world_publish(&world);
    const char *answer = call("chain_blocks", "{\"from\":\"1\",\"count\":50}");
    world_has(answer, "\"next\":\"3\"");
    world_has(call("chain_blocks", "{\"from\":\"18446744073709551615\"}"), "\"blocks\":[]");
}

static void a_certificate_comes_with_its_header(void **state)
{
    (void)state;
    world_has(call("chain_certificate", "{\"height\":\"1\"}"), "\"certificate\":\"0x6365");
    world_has(call("chain_certificate", "{}"), "\"got\":\"nothing\"");
}

static void an_epoch_has_ended_or_not(void **state)
{
    (void)state;
    world_has(call("chain_epoch", "{\"epoch\":\"1\"}"), "\"message\":\"unsupported\"");
    world_close(&world);
    memset(&world, 0, sizeof world);
    world.epoch = 3;
    world_open(&world);
    world_has(call("chain_epoch", "{\"epoch\":\"2\"}"),
              "\",\"header\":\"0x686561646572\",\"certificate\":\"0x6365");
    world_has(call("chain_epoch", "{\"epoch\":\"2\"}"),
              "{\"epoch\":\"2\",\"block_hash\":\"0x0702000000");
    world_has(call("chain_epoch", "{\"epoch\":\"2\"}"), "\"next_validators\":\"0x736574\"");
    world_has(call("chain_epoch", "{\"epoch\":\"3\"}"), "\"message\":\"not_held\"");
    world_has(call("chain_epoch", "{}"), "\"got\":\"nothing\"");
}

static void validators_are_summed(void **state)
{
    (void)state;
    world_has(call("chain_validators", "{}"), "{\"epoch\":\"");
    world_has(call("chain_validators", "{}"), "\"power\":\"7\"");
}

static void put_param(uint16_t number, int64_t value)
{
    uint8_t bytes[16];
    struct nv_writer writer;
    struct nv_row row;
    struct vm_param_row const param = {.value = value};
    nv_writer_init(&writer, bytes, sizeof bytes);
    vm_param_row_encode(&writer, &param);
    vm_key_param(&row.key, number);
    row.value = nv_writer_view(&writer);
    assert_true(model_put(&world.rows, &row));
}

static void parameters_are_read_from_rows(void **state)
{
    (void)state;
    put_param(VM_PARAM_TX_FEE, 123);
    world_publish(&world);
    const char *answer = call("chain_params", "{\"meta\":true}");
    world_has(answer, "\"name\":\"TX_FEE\",\"unit\":\"micro\",\"value\":\"123\"");
    world_has(answer, "\"meta\":{\"height\":\"2\"");
}

/* The proof in the answer is opened against the model's own root and shows the
 * very row. */
static void a_proof_holds(void **state)
{
    (void)state;
    static uint8_t bytes[4096];
    char root[128];
    struct nv_row_key key;
    struct nv_proof proof;
    struct nv_view value;
    put_param(VM_PARAM_TX_FEE, 123);
    world_publish(&world);
    const char *answer = call("chain_params", "{\"proof\":true}");
    const char *at = strstr(answer, "\"ranges\":[{\"first\":\"0x0a00");
    assert_non_null(at);
    at = strstr(at, "\"proof\":\"0x");
    assert_non_null(at);
    uint32_t const size = (uint32_t)strcspn(at + 11, "\"") / 2;
    assert_int_equal(nv_hex_decode(bytes, size, nv_view_of(at + 11, 2 * size)), NV_OK);
    assert_int_equal(nv_proof_open(&proof, &world.head.state_root, nv_view_of(bytes, size)), NV_OK);
    vm_key_param(&key, VM_PARAM_TX_FEE);
    assert_int_equal(nv_proof_find(&proof, &key, &value), NV_SHOWN_PRESENT);
    snprintf(root, sizeof root, "\"header\":\"0x686561646572\"");
    world_has(answer, root);
}

static void any_row_is_proved_on_request(void **state)
{
    (void)state;
    put_param(VM_PARAM_TX_FEE, 123);
    world_publish(&world);
    const char *answer =
        call("chain_proof",
             "{\"keys\":[\"0x0a0001000000000000000000000000000000000000000000000000"
             "0000000000\",\"0x0b0000000000000000000000000000000000000000000000000000"
             "0000000000\"]}");
    world_has(answer, "\"value\":\"0x000000000000007b\"");
    world_has(answer, "\"value\":null");
    world_has(answer, "\"proof\":{\"height\":\"2\"");
    world_has(call("chain_proof", "{\"keys\":[\"0x12\"]}"), "\"message\":\"invalid_params\"");
}

static void a_height_is_waited_for(void **state)
{
    (void)state;
    uint32_t status = 0;
    int const fd = world_ask(&world,
                             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_waitHeight\","
                             "\"params\":{\"height\":\"3\"}}");
    world_publish(&world);
    world_turn(&world);
    world_publish(&world);
    world_has(world_answer(&world, fd, &status), "\"height\":\"3\"");
    close(fd);
    world_has(call("chain_waitHeight", "{\"height\":\"2\"}"), "\"height\":\"3\"");
    world_has(call("chain_waitHeight", "{\"height\":\"9\",\"timeout_ms\":1}"),
              "\"message\":\"timeout\"");
}

static void a_read_waits_for_its_min_height(void **state)
{
    (void)state;
    uint32_t status = 0;
    int const fd = world_ask(&world,
                             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_params\","
                             "\"params\":{\"min_height\":\"2\",\"meta\":true}}  ");
    world_turn(&world);
    world_publish(&world);
    world_has(world_answer(&world, fd, &status), "\"meta\":{\"height\":\"2\"");
    close(fd);
}

static void rows_come_page_by_page(void **state)
{
    (void)state;
    uint32_t status = 0;
    int const fd = world_ask(
        &world,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_rows\",\"params\":{\"limit\":2}}");
    for (int i = 0; i < 1000 && world.page == NULL; i++) {
        world_turn(&world);
    }
    assert_non_null(world.page);
    struct rpc_rows *page = world.page;
    assert_int_equal(page->max_rows, 2);
    assert_int_equal(page->pin, 0);
    memset(page->bytes, 0x11, 32);
    nv_be16_store(page->bytes + 32, 2);
    memcpy(page->bytes + 34, "ab", 2);
    page->size = 36;
    page->count = 1;
    page->pin = 77;
    page->head.height = 5;
    world.page = NULL;
    rpc_rows_done(world.rpc, page);
    const char *answer = world_answer(&world, fd, &status);
    world_has(answer, "\"rows\":[[\"0x1111");
    world_has(answer, "\",\"0x6162\"]]");
    world_has(answer, "\"cursor\":\"77.1111");
    world_has(answer, "\"height\":\"5\"");
    close(fd);
    world_has(call("chain_rows", "{\"cursor\":\"x\"}"), "\"field\":\"cursor\"");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(genesis_is_told_as_it_was_hashed),
        CASE(the_head_is_the_newest_published_block),
        CASE(a_block_is_found_by_height),
        CASE(blocks_come_as_far_as_they_are_held),
        CASE(a_certificate_comes_with_its_header),
        CASE(an_epoch_has_ended_or_not),
        CASE(validators_are_summed),
        CASE(parameters_are_read_from_rows),
        CASE(a_proof_holds),
        CASE(any_row_is_proved_on_request),
        CASE(a_height_is_waited_for),
        CASE(a_read_waits_for_its_min_height),
        CASE(rows_come_page_by_page),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
