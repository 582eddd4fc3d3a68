/* Goal: an account that protection is at work on is named to keepers with the
 * numbers that decide, and the stream of liquidations tells what is done.
 *
 * Method: on the real VM, a heavy position and a fall of the index. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_chain.h"

static struct rpc_chain chain;

static int setup(void **state)
{
    (void)state;
    memset(&chain, 0, sizeof chain);
    chain_open(&chain);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    chain_close(&chain);
    return 0;
}

/* 20 units at 50,000 against an equity of 100,000, then a fall of 8 %. */
static void fall(void)
{
    chain_place(&chain, 3, VM_BUY, 500000, 20000);
    chain_place(&chain, 1, VM_SELL, 500000, 20000);
    chain_execute(&chain);
    chain_report(&chain, 0, 46000);
    chain_execute(&chain);
}

static void candidates_are_named(void **state)
{
    (void)state;
    char address[NV_ADDRESS_TEXT];
    world_has(chain_call(&chain, "liq_candidates", "{}"), "\"candidates\":[]");
    fall();
    const char *answer = chain_call(&chain, "liq_candidates", "{}");
    nv_address_format(address, &chain.addresses[3]);
    world_has(answer, address);
    world_has(answer, "\"stage\":\"closing\",\"stage_height\":\"3\"");
    world_has(answer, "\"health\":\"0.");
    nv_address_format(address, &chain.addresses[1]);
    world_lacks(answer, address);
    world_has(chain_call(&chain, "liq_candidates", "{\"cursor\":\"1000000\"}"),
              "\"candidates\":[],\"cursor\":null");
    world_has(chain_call(&chain, "liq_candidates", "{\"proof\":true}"),
              "\"message\":\"unsupported\"");
}

static void liquidations_are_streamed(void **state)
{
    (void)state;
    uint8_t opcode = 0;
    int const fd = world_ws(&chain.world);
    world_ws_say(&chain.world,
                 fd,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sub_subscribe\","
                 "\"params\":{\"channels\":[\"liquidations\"]}}");
    world_has(world_ws_hear(&chain.world, fd, &opcode), "\"result\"");
    fall();
    const char *text = world_ws_hear(&chain.world, fd, &opcode);
    world_has(text, "\"event\":\"protection\"");
    world_has(text, "\"stage\":\"closing\"");
    world_has(text, "\"seq\":\"3:");
    close(fd);
}

static void margin_grows_with_the_position(void **state)
{
    (void)state;
    char params[160];
    snprintf(params, sizeof params, "%s}", chain_of(&chain, 3));
    world_has(chain_call(&chain, "account_get", params),
              "\"initial_margin\":\"0\",\"maintenance_margin\":\"0\",\"health\":null");
    fall();
    const char *answer = chain_call(&chain, "risk_margin", params);
    world_has(answer, "\"stage\":\"closing\"");
    world_lacks(answer, "\"maintenance\":\"0\"");
    snprintf(params, sizeof params, "%s,\"proof\":true}", chain_of(&chain, 3));
    world_has(chain_call(&chain, "risk_margin", params), "\"message\":\"unsupported\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(candidates_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(liquidations_are_streamed, setup, teardown),
        cmocka_unit_test_setup_teardown(margin_grows_with_the_position, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
