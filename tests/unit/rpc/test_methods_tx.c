/* Goal: a transaction's sender is told the truth at each step: refused, taken,
 * executed, dropped, or not known yet.
 *
 * Method: calls over loopback; the test plays the mempool and the executor. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/merkle.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"
#include "vm/receipt.h"
#include "vm/rows.h"

#define AB8      "abababababababab"
#define THE_HASH "{\"tx_hash\":\"0x" AB8 AB8 AB8 AB8 "\"}"

static struct rpc_world world;
static struct nv_hash hash;

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    memset(&hash, 0xab, sizeof hash);
    world.config.devnet = true;
    world_open(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* ask sends a call and leaves the answer to be read. */
static int ask(const char *method, const char *params)
{
    char body[512];
    snprintf(body,
             sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
             method,
             params);
    return world_ask(&world, body);
}

static const char *hear(int fd)
{
    uint32_t status = 0;
    const char *answer = world_answer(&world, fd, &status);
    close(fd);
    return answer;
}

static void verdict(enum rpc_submit_outcome outcome, uint32_t reason)
{
    struct rpc_verdict const said = {.outcome = outcome, .tx_hash = hash, .reason = reason};
    for (int i = 0; i < 1000 && world.ticket_count == 0; i++) {
        world_turn(&world);
    }
    assert_int_equal(world.ticket_count, 1);
    world.ticket_count = 0;
    rpc_submitted(world.rpc, world.tickets[0], &said);
}

static void execute(void)
{
    static uint8_t bytes[1024];
    struct nv_writer writer;
    struct vm_receipt receipt = {.tx_hash = hash, .account = 9, .outcome_count = 2};
    receipt.fee = vm_money(100);
    receipt.outcomes[0].result = 77;
    receipt.outcomes[1].code = VM_REJECT_MARGIN;
    nv_writer_init(&writer, bytes, sizeof bytes);
    vm_receipt_encode(&writer, &receipt);
    struct rpc_executed_tx const tx = {.hash = hash, .receipt = nv_writer_view(&writer)};
    struct rpc_executed const block = {
        .head = {.height = world.head.height + 1}, .txs = &tx, .tx_count = 1};
    world.head.height++;
    rpc_publish(world.rpc, &block);
}

static void an_accepted_transaction_is_answered_at_once(void **state)
{
    (void)state;
    int const fd = ask("tx_submit", "{\"transaction\":\"0x0102\"}");
    verdict(RPC_SUBMIT_ACCEPTED, 0);
    assert_int_equal(world.submitted_size, 2);
    assert_memory_equal(world.submitted, "\x01\x02", 2);
    const char *answer = hear(fd);
    world_has(answer, "\"tx_hash\":\"0xabab");
    world_has(answer, "\"state\":\"pending\"");
    world_has(answer, "\"duplicate\":false");
}

static void a_duplicate_says_so(void **state)
{
    (void)state;
    int const fd = ask("tx_submit", "{\"transaction\":\"0x0102\"}");
    verdict(RPC_SUBMIT_DUPLICATE, 0);
    world_has(hear(fd), "\"duplicate\":true");
}

static void a_refusal_names_the_reason(void **state)
{
    (void)state;
    int const fd = ask("tx_submit", "{\"transaction\":\"0x0102\"}");
    verdict(RPC_SUBMIT_REFUSED, VM_REJECT_EXPIRED);
    const char *answer = hear(fd);
    world_has(answer, "\"code\":6001,\"message\":\"transaction_expired\"");
    world_has(answer, "\"tx_hash\":\"0xabab");
}

static void final_is_answered_with_the_receipt(void **state)
{
    (void)state;
    int const fd = ask("tx_submit", "{\"transaction\":\"0x01\",\"wait\":\"finalised\"}");
    verdict(RPC_SUBMIT_ACCEPTED, 0);
    world_turn(&world);
    execute();
    const char *answer = hear(fd);
    world_has(answer, "\"state\":\"final\",\"height\":\"2\",\"index\":0");
    world_has(answer, "\"fee\":\"0.0001\"");
    world_has(answer, "{\"code\":0,\"reason\":null,\"result\":\"77\"}");
    world_has(answer, "{\"code\":3001,\"reason\":\"insufficient_margin\",\"result\":\"0\"}");
}

static void a_dropped_transaction_is_told(void **state)
{
    (void)state;
    int const fd = ask("tx_wait", THE_HASH);
    struct nv_hash alike = hash;
    alike.bytes[31] = 0; /* the same first bytes: not this one */
    world_turn(&world);
    rpc_dropped(world.rpc, &alike, VM_REJECT_FEE);
    world_turn(&world);
    rpc_dropped(world.rpc, &hash, VM_REJECT_EXPIRED);
    world_has(hear(fd), "\"message\":\"transaction_expired\"");
}

static void an_unknown_outcome_is_no_failure(void **state)
{
    (void)state;
    int const fd =
        ask("tx_submit", "{\"transaction\":\"0x01\",\"wait\":\"finalised\",\"timeout_ms\":1}");
    verdict(RPC_SUBMIT_ACCEPTED, 0);
    const char *answer = hear(fd);
    world_has(answer, "\"code\":6003,\"message\":\"outcome_unknown\"");
    world_has(answer, "\"tx_hash\":\"0xabab");
}

static void one_that_is_final_already_is_answered_at_once(void **state)
{
    (void)state;
    world.tx = (struct rpc_tx){.state = RPC_TX_FINAL, .height = 4, .index = 3};
    int fd = ask("tx_submit", "{\"transaction\":\"0x01\",\"wait\":\"finalised\"}");
    verdict(RPC_SUBMIT_DUPLICATE, 0);
    world_has(hear(fd), "\"height\":\"4\",\"index\":3");
    fd = ask("tx_get", THE_HASH);
    world_has(hear(fd), "\"height\":\"4\"");
}

/* Forty receipts of a block at height 4, of which one in the second leaf of three
 * is asked for, and the row that names their root. */
#define RECEIPTS 40u
#define ASKED    17u

static uint8_t leaf_bytes[3][512];
static struct nv_view leaf_data[3];

static void put_receipt(struct nv_writer *writer, uint32_t i)
{
    char text[16];
    struct nv_writer leaf;
    (void)snprintf(text, sizeof text, "receipt %u", i);
    struct nv_view const receipt = nv_view_of_text(text);
    nv_put_u32(writer, receipt.size);
    nv_put_bytes(writer, receipt.bytes, receipt.size);
    struct nv_view *const data = &leaf_data[i / 16];
    uint32_t const before = i % 16 == 0 ? 0 : data->size;
    nv_writer_init(&leaf, leaf_bytes[i / 16] + before, 512 - before);
    nv_put_u16(&leaf, (uint16_t)receipt.size);
    nv_put_bytes(&leaf, receipt.bytes, receipt.size);
    *data = nv_view_of(leaf_bytes[i / 16], before + leaf.size);
}

static void prove_at(uint64_t row_height)
{
    static uint8_t bytes[1024];
    uint8_t value[128];
    struct nv_writer writer;
    nv_writer_init(&writer, bytes, sizeof bytes);
    for (uint32_t i = 0; i < RECEIPTS; i++) {
        put_receipt(&writer, i);
    }
    struct vm_block_result_row row = {.height = row_height, .tx_count = RECEIPTS};
    nv_merkle_root(&row.receipts_root, leaf_data, 3);
    world.tx = (struct rpc_tx){.state = RPC_TX_FINAL,
                               .height = 4,
                               .index = ASKED,
                               .receipt = nv_view_of_text("receipt 17"),
                               .receipts = nv_writer_view(&writer),
                               .receipt_count = RECEIPTS};
    struct nv_row put;
    nv_writer_init(&writer, value, sizeof value);
    vm_block_result_row_encode(&writer, &row);
    vm_key_block_result(&put.key, 4);
    put.value = nv_writer_view(&writer);
    assert_true(model_put(&world.rows, &put));
    model_root(&world.head.state_root, &world.rows);
    world.head.height = 6;
}

#define WITH_PROOF "{\"tx_hash\":\"0x" AB8 AB8 AB8 AB8 "\",\"proof\":true}"

static void put_text(char *out, const struct nv_hash *hash_to_write)
{
    nv_bytes_format(out, hash_to_write->bytes, sizeof hash_to_write->bytes);
}

static void a_receipt_is_proved_with_its_group_its_path_and_its_block(void **state)
{
    (void)state;
    char first[NV_BYTES_TEXT(32)];
    char third[NV_BYTES_TEXT(32)];
    char group[NV_BYTES_TEXT(512)];
    char expected[2048];
    struct nv_hash leaf;
    prove_at(4);
    nv_merkle_leaf(&leaf, leaf_data[0]);
    put_text(first, &leaf);
    nv_merkle_leaf(&leaf, leaf_data[2]);
    put_text(third, &leaf);
    nv_bytes_format(group, leaf_data[1].bytes, leaf_data[1].size);
    snprintf(
        expected,
        sizeof expected,
        "\"receipt_proof\":{\"index\":17,\"count\":40,\"group\":\"%s\",\"path\":[\"%s\",\"%s\"]}",
        group,
        first,
        third);
    const char *answer = hear(ask("tx_get", WITH_PROOF));
    world_has(answer, "\"state\":\"final\",\"height\":\"4\",\"index\":17");
    world_has(answer, expected);
    world_has(answer, "\"ranges\":[{\"first\":\"0x0c00000004");
    world_has(answer, "\"header\":\"0x686561646572\"");
}

static void a_receipt_that_cannot_be_proved_says_why(void **state)
{
    (void)state;
    prove_at(4 + VM_RING); /* a later block's result stands in its place */
    world_has(hear(ask("tx_get", WITH_PROOF)), "\"message\":\"not_held\"");
    prove_at(4);
    world.head.height = 3; /* no final header names a root so new */
    world_has(hear(ask("tx_get", WITH_PROOF)), "\"message\":\"height_in_future\"");
    prove_at(4);
    world.tx.receipts.size--;
    world_has(hear(ask("tx_get", WITH_PROOF)), "\"error\"");
    prove_at(4);
    world.tx.receipts.size = 0;
    world_has(hear(ask("tx_get", WITH_PROOF)), "\"message\":\"busy\"");
    world.tx.receipt.size = 0;
    world_has(hear(ask("tx_get", WITH_PROOF)), "\"message\":\"not_held\"");
    world.tx.state = RPC_TX_PENDING;
    world_has(hear(ask("tx_get", WITH_PROOF)), "\"message\":\"height_in_future\"");
}

static void what_is_wrong_with_the_parameters_is_named(void **state)
{
    (void)state;
    world_has(hear(ask("tx_submit", "{\"transaction\":\"0102\"}")), "\"field\":\"transaction\"");
    world_has(hear(ask("tx_submit", "{\"transaction\":\"0x0g\"}")), "\"field\":\"transaction\"");
    world_has(hear(ask("tx_submit", "{\"transaction\":\"0x01\",\"wait\":\"for\"}")),
              "\"field\":\"wait\"");
    world_has(hear(ask("tx_get", "{\"tx_hash\":\"0x01\"}")), "\"field\":\"tx_hash\"");
    world_has(hear(ask("tx_get", "{\"hash\":\"0x01\"}")), "has no parameter \\\"hash\\\"");
    assert_int_equal(world.ticket_count, 0);
}

static void the_client_may_go_before_the_verdict(void **state)
{
    (void)state;
    int const fd = ask("tx_submit", "{\"transaction\":\"0x01\"}");
    for (int i = 0; i < 1000 && world.ticket_count == 0; i++) {
        world_turn(&world);
    }
    struct rpc_verdict const said = {.outcome = RPC_SUBMIT_ACCEPTED};
    close(fd);
    world_turn(&world);
    world_turn(&world);
    rpc_submitted(world.rpc, world.tickets[0], &said);
    rpc_submitted(world.rpc, world.tickets[0], &said);
    world_unharmed(&world);
}

static void the_faucet_is_a_transaction(void **state)
{
    (void)state;
    int const fd = ask("dev_faucet",
                       "{\"address\":\"0x0000000000000000000000000000000000000001\","
                       "\"amount\":\"2.5\"}");
    verdict(RPC_SUBMIT_ACCEPTED, 0);
    world_has(hear(fd), "\"state\":\"pending\"");
    assert_int_equal(world.fed_micro, 2500000);
    assert_int_equal(world.fed.bytes[19], 1);
    world_has(hear(ask("dev_faucet",
                       "{\"address\":\"0x0000000000000000000000000000000000000001\","
                       "\"amount\":\"2.50\"}")),
              "\"canonical\":\"2.5\"");
    world_has(hear(ask("dev_faucet",
                       "{\"address\":\"0x0000000000000000000000000000000000000001\","
                       "\"amount\":\"-1\"}")),
              "a number above 0");
}

static void a_price_is_set(void **state)
{
    (void)state;
    world_has(hear(ask("dev_setPrice", "{\"feed\":\"BTC\",\"price\":\"64000.5\"}")),
              "\"price\":\"64000.5\"");
    assert_string_equal(world.priced, "BTC");
    assert_int_equal(world.price_micro, 64000500000);
}

static void dev_methods_are_on_a_devnet_only(void **state)
{
    (void)state;
    static struct rpc_world real;
    memset(&real, 0, sizeof real);
    world_open(&real);
    world_has(world_post(&real,
                         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"dev_setPrice\","
                         "\"params\":{\"feed\":\"BTC\",\"price\":\"1\"}}"),
              "\"message\":\"dev_only\"");
    world_close(&real);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(an_accepted_transaction_is_answered_at_once),
        CASE(a_duplicate_says_so),
        CASE(a_refusal_names_the_reason),
        CASE(final_is_answered_with_the_receipt),
        CASE(a_dropped_transaction_is_told),
        CASE(an_unknown_outcome_is_no_failure),
        CASE(one_that_is_final_already_is_answered_at_once),
        CASE(a_receipt_is_proved_with_its_group_its_path_and_its_block),
        CASE(a_receipt_that_cannot_be_proved_says_why),
        CASE(what_is_wrong_with_the_parameters_is_named),
        CASE(the_client_may_go_before_the_verdict),
        CASE(the_faucet_is_a_transaction),
        CASE(a_price_is_set),
        CASE(dev_methods_are_on_a_devnet_only),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
