/* test_genesis.c - the genesis file is read whole or refused.
 *
 * Method: one good text is parsed and its fields looked at; then one thing at a
 * time is replaced in it by something wrong, and each must be refused. */

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "base/log.h"

#include "node/home/genesis.h"
#include "tests/lib/nv_test.h"
#include "vm/params.h"

#define KEY_A   "0xf9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define KEY_B   "0xdff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659"
#define KEY_C   "0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define KEY_D   "0xc6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define ADDRESS "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

static const char good[] =
    "{\"format\":\"novate-genesis-1\",\"name\":\"test\",\"salt\":"
    "\"0x0000000000000000000000000000000000000000000000000000000000000001\",\"devnet\":true,"
    "\"time_ms\":1700000000000,"
    "\"consensus\":{\"delta_ms\":400,\"idle_ms\":1000,\"interval_min_ms\":0,\"epoch_ms\":0,"
    "\"body_bytes_max\":1048576},"
    "\"validators\":[{\"name\":\"v0\",\"key\":\"" KEY_A "\",\"node_key\":\"" KEY_B
    "\",\"stake\":\"10\"},{\"name\":\"v1\",\"key\":\"" KEY_C "\",\"node_key\":\"" KEY_D
    "\",\"stake\":\"20\"}],"
    "\"fee_account\":\"" ADDRESS "\",\"insurance_account\":\"" ADDRESS "\","
    "\"faucet_account\":\"" ADDRESS "\","
    "\"accounts\":[{\"address\":\"" ADDRESS "\",\"cash\":\"1000.5\"}],"
    "\"reporters\":[{\"address\":\"" ADDRESS "\",\"stake\":\"1\"}],"
    "\"feeds\":[{\"symbol\":\"BTC\",\"range_initial\":\"0.08\",\"range_maintenance\":\"0.04\"}],"
    "\"markets\":[{\"symbol\":\"BTC-PERP\",\"feed\":\"BTC\",\"tick\":\"0.1\",\"lots_per_unit\":"
    "1000,"
    "\"expires_ms\":0,\"settle_window_ms\":0,\"funding_interval_ms\":3600000,"
    "\"order_lots_max\":\"100000\",\"open_interest_max\":\"10000000\",\"program\":\"linear\"}],"
    "\"params\":{\"TX_FEE\":\"7\"}}";

static enum nv_err parse(struct node_genesis *g, const char *text)
{
    return node_genesis_parse(g, nv_view_of(text, (uint32_t)strlen(text)));
}

static void test_good(void **state)
{
    (void)state;
    struct node_genesis g;
    assert_int_equal(parse(&g, good), NV_OK);
    struct nv_hash id;
    nv_sha256(&id, nv_view_of(good, sizeof good - 1));
    assert_memory_equal(g.chain_id.bytes, id.bytes, sizeof id.bytes);
    assert_true(g.devnet);
    assert_int_equal(g.validator_count, 2);
    assert_string_equal(g.validators[0].name, "v1"); /* the larger stake comes first */
    assert_int_equal(g.validators[1].stake, 10);
    assert_int_equal(g.vm.validator_count, 2); /* bonded by their keys' own accounts */
    struct nv_address own;
    nv_address_of_key(&own, &g.validators[0].key);
    assert_memory_equal(&g.vm.validators[0].operator, & own, sizeof own);
    assert_memory_equal(&g.vm.validators[0].key, &g.validators[0].key, sizeof g.validators[0].key);
    assert_int_equal(vm_money_raw(g.vm.validators[0].stake), 20);
    assert_int_equal(vm_ratio_raw(g.vm.validators[0].commission), 0);
    assert_int_equal(vm_money_raw(g.vm.accounts[0].cash), 1000500000);
    assert_int_equal(vm_ratio_raw(g.vm.feeds[0].range_initial), 80000000);
    assert_int_equal(vm_money_raw(g.vm.markets[0].tick_value), 100);
    assert_int_equal(g.vm.param_count, 1);
    assert_int_equal(g.vm.params[0].number, VM_PARAM_TX_FEE);
    assert_int_equal(g.vm.params[0].value, 7);
    node_genesis_deinit(&g);
}

/* replaced_in writes a text with the first `from` replaced by `to`. */
static void replaced_in(char *out, size_t size, const char *text, const char *from, const char *to)
{
    const char *const at = strstr(text, from);
    assert_non_null(at);
    int const written =
        snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_true(written > 0 && (size_t)written < size);
}

static void replaced(char *out, size_t size, const char *from, const char *to)
{
    replaced_in(out, size, good, from, to);
}

static void test_operator(void **state)
{
    (void)state;
    char text[4096];
    struct node_genesis g;
    struct nv_address operator;
    replaced(text,
             sizeof text,
             "\"stake\":\"10\"",
             "\"stake\":\"10\",\"operator\":\"" ADDRESS "\",\"commission\":\"0.07\"");
    assert_int_equal(parse(&g, text), NV_OK);
    assert_int_equal(nv_address_parse(&operator, nv_view_of_text(ADDRESS)), NV_OK);
    assert_memory_equal(&g.vm.validators[1].operator, & operator, sizeof operator);
    assert_int_equal(vm_ratio_raw(g.vm.validators[1].commission), 70000000);
    node_genesis_deinit(&g);
}

static void test_epochs(void **state)
{
    (void)state;
    char text[4096];
    struct node_genesis g;
    replaced(text, sizeof text, "\"epoch_ms\":0", "\"epoch_ms\":86400000");
    assert_int_equal(parse(&g, text), NV_OK);
    assert_int_equal(g.epoch_ms, 86400000);
    assert_int_equal(node_genesis_param(&g, VM_PARAM_TX_FEE), 7);
    assert_int_equal(node_genesis_param(&g, VM_PARAM_EVIDENCE_EPOCHS), 48);
    assert_int_equal(node_genesis_trusting_ms(&g), 172800000); /* two days */
    node_genesis_deinit(&g);
    assert_int_equal(parse(&g, good), NV_OK);
    assert_int_equal(node_genesis_trusting_ms(&g), 0); /* the first epoch never ends */
    node_genesis_deinit(&g);
}

/* Stake is held back for longer than evidence is taken and an epoch lasts. */
static void test_times_of_stake(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        enum nv_err err;
    } cases[] = {
        {"\"EVIDENCE_TIME\":\"10000\",\"UNBOND_TIME\":\"15000\"", NV_OK},
        {"\"EVIDENCE_TIME\":\"9999\",\"UNBOND_TIME\":\"15000\"", NV_ERR_CONFIG},
        {"\"EVIDENCE_TIME\":\"10000\",\"UNBOND_TIME\":\"14999\"", NV_ERR_CONFIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char epochs[4096];
        char text[4096];
        struct node_genesis g;
        replaced(epochs, sizeof epochs, "\"epoch_ms\":0", "\"epoch_ms\":5000");
        replaced_in(text, sizeof text, epochs, "\"TX_FEE\":\"7\"", cases[i].params);
        assert_int_equal(parse(&g, text), cases[i].err);
        if (cases[i].err == NV_OK) {
            assert_int_equal(node_genesis_trusting_ms(&g), 10000);
            node_genesis_deinit(&g);
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"novate-genesis-1", "novate-genesis-2"},
        {"\"name\":\"test\"", "\"name\":\"\""},
        {"\"name\":\"test\"", "\"name\":\"test\",\"nmae\":1"},
        {"\"name\":\"test\"", "\"name\":\"test\",\"name\":\"test\""},
        {"\"devnet\":true", "\"devnet\":1"},
        {"\"devnet\":true", "\"devnet\":false"}, /* and yet a faucet */
        {"\"delta_ms\":400", "\"delta_ms\":9"},
        {"\"delta_ms\":400", "\"delta_ms\":400.5"},
        {"\"delta_ms\":400", "\"delta_ms\":-400"},
        {KEY_C, KEY_A},
        {KEY_D, KEY_B}, /* one node key for two */
        {KEY_A, "0x0000000000000000000000000000000000000000000000000000000000000000"},
        {KEY_A, "0xF9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"},
        {"\"stake\":\"10\"", "\"stake\":10"},
        {"\"stake\":\"10\"", "\"stake\":\"10\",\"commission\":\"1.1\""},
        {"\"stake\":\"10\"", "\"stake\":\"10\",\"operator\":\"0x00\""},
        {"\"stake\":\"10\"", "\"stake\":\"0\""},
        {"\"stake\":\"10\"", "\"stake\":\"010\""},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
         "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"},
        {"1000.5", "1000.50"},
        {"1000.5", "1000.0000001"},
        {"1000.5", "-1"},
        {"\"feed\":\"BTC\"", "\"feed\":\"ETH\""},
        {"\"tick\":\"0.1\"", "\"tick\":\"0.0001\""}, /* tick value below one micro */
        {"\"program\":\"linear\"", "\"program\":\"square\""},
        {"\"TX_FEE\":\"7\"", "\"TX_FEES\":\"7\""},
        {"\"TX_FEE\":\"7\"", "\"TX_FEE\":\"-7\""},
        {"\"params\":{", "\"params\":["},
        {"\"epoch_ms\":0", "\"epoch_ms\":-1"},
        {"\"epoch_ms\":0,", ""},
        {"\"epoch_ms\":0", "\"epoch_ms\":86400001"}, /* more than half of two days */
        {"\"TX_FEE\":\"7\"", "\"EVIDENCE_TIME\":\"604800000\""},
        {"\"TX_FEE\":\"7\"", "\"UNBOND_EPOCHS\":\"48\""},
        {"\"TX_FEE\":\"7\"", "\"VALIDATORS_MAX\":\"1\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[4096];
        struct node_genesis g;
        replaced(text, sizeof text, wrong[i][0], wrong[i][1]);
        if (parse(&g, text) != NV_ERR_CONFIG) {
            fail_msg("accepted: %s -> %s", wrong[i][0], wrong[i][1]);
        }
    }
}

static void test_truncated(void **state)
{
    (void)state;
    struct node_genesis g;
    for (uint32_t size = 0; size < sizeof good - 1; size++) {
        assert_int_equal(node_genesis_parse(&g, nv_view_of(good, size)), NV_ERR_CONFIG);
    }
}

static void test_missing_file(void **state)
{
    (void)state;
    struct node_genesis g;
    assert_int_equal(node_genesis_load(&g, "/nonexistent/genesis.json"), NV_ERR_NOT_FOUND);
}

int main(void)
{
    nv_log_set_level(NV_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_operator),
        cmocka_unit_test(test_times_of_stake),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
