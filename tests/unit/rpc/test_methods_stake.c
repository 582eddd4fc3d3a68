/* Goal: who validates and what accounts have with them is told, and can be proved.
 * Method: on the real VM, two validators of genesis, a delegation, some of it taken
 * back; the answers with and without a proof, whole and page by page. */

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_chain.h"

static struct rpc_chain chain;

static int setup(void **state)
{
    (void)state;
    memset(&chain, 0, sizeof chain);
    chain_open(&chain);
    chain_stake(&chain);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    chain_close(&chain);
    return 0;
}

static const char *of(const char *method, uint32_t account, const char *more)
{
    char address[NV_ADDRESS_TEXT];
    static char params[256];
    nv_address_format(address, &chain.addresses[account]);
    (void)snprintf(params, sizeof params, "{\"address\":\"%s\"%s}", address, more);
    return chain_call(&chain, method, params);
}

static void validators_are_told(void **state)
{
    (void)state;
    char address[NV_ADDRESS_TEXT];
    const char *const answer = chain_call(&chain, "stake_validators", "{}");
    nv_address_format(address, &chain.addresses[1]);
    world_has(answer, address);
    world_has(answer, "\"epoch\":\"1\",\"epoch_height\":\"0\",\"blocks\":0,\"staked\":\"9007.5\"");
    world_has(answer, "\"status\":\"active\",\"stake\":\"5004.5\",\"shares\":\"5004500000\"");
    world_has(answer, "\"commission\":\"0.1\",\"jailed_epoch\":\"0\",\"slashes\":0,\"index\":0");
    world_has(answer, "\"index\":1,\"power\":\"4000000000\",\"signed\":0");
    world_has(chain_call(&chain, "stake_validators", "{\"proof\":true}"), "\"ranges\":[");
}

/* The end of an answer, from its cursor on. */
static const char *cursor_of(const char *answer)
{
    const char *const cursor = strstr(answer, "\"cursor\":");
    assert_non_null(cursor);
    return cursor;
}

static void validators_are_told_in_pages(void **state)
{
    (void)state;
    char first[NV_ADDRESS_TEXT];
    char second[NV_ADDRESS_TEXT];
    char params[64];
    unsigned next = 0;
    nv_address_format(first, &chain.addresses[1]);
    nv_address_format(second, &chain.addresses[2]);
    const char *answer = chain_call(&chain, "stake_validators", "{\"limit\":1}");
    world_has(answer, first);
    world_lacks(answer, second);
    assert_int_equal(sscanf(cursor_of(answer), "\"cursor\":\"%u\"", &next), 1);
    (void)snprintf(params, sizeof params, "{\"limit\":1,\"cursor\":\"%u\"}", next);
    answer = chain_call(&chain, "stake_validators", params);
    world_has(answer, second);
    world_lacks(answer, first);
    world_has(cursor_of(answer), "\"cursor\":null");
    /* A page of nobody, and one of none at all, which is taken for one of one. */
    world_has(chain_call(&chain, "stake_validators", "{\"cursor\":\"18446744073709551615\"}"),
              "\"validators\":[],\"cursor\":null");
    world_has(chain_call(&chain, "stake_validators", "{\"limit\":0}"), first);
}

static void stakes_are_told(void **state)
{
    (void)state;
    const char *answer = of("stake_get", 3, "");
    world_has(answer, "\"status\":\"active\",\"shares\":\"4500000\",\"worth\":\"4.5\"");
    world_has(answer, "\"epoch\":\"1\",\"worth\":\"3\",\"release_ms\":");
    answer = of("stake_get", 0, "");
    world_has(answer, "\"stakes\":[],\"waiting\":[]");
    world_has(of("stake_get", 3, ",\"proof\":true"), "\"ranges\":[");
    world_has(chain_call(&chain,
                         "stake_get",
                         "{\"address\":\"0x00000000000000000000000000000000000000aB\"}"),
              "\"error\"");
}

static void stakes_are_told_in_pages(void **state)
{
    (void)state;
    char cursor[NV_BYTES_TEXT(32)];
    char more[NV_BYTES_TEXT(32) + 64];
    const char *answer = of("stake_get", 3, ",\"limit\":1");
    world_has(answer, "\"worth\":\"4.5\"");
    world_has(answer, "\"waiting\":[]");
    assert_int_equal(sscanf(cursor_of(answer), "\"cursor\":\"%66[0-9a-fx]\"", cursor), 1);
    (void)snprintf(more, sizeof more, ",\"limit\":1,\"cursor\":\"%s\"", cursor);
    answer = of("stake_get", 3, more);
    world_has(answer, "\"stakes\":[]");
    world_has(answer, "\"epoch\":\"1\",\"worth\":\"3\",\"release_ms\":");
    world_has(cursor_of(answer), "\"cursor\":null");
    world_has(of("stake_get", 2, more), "the cursor of a page of this account");
    world_has(of("stake_get", 3, ",\"cursor\":\"7\""), "\"error\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(validators_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(validators_are_told_in_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(stakes_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(stakes_are_told_in_pages, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
