/* Goal: no body harms the server, and every answer is JSON.
 * Method: the input is a body for a server over the real settlement machine,
 * dispatched with its jobs; what still waits afterwards is given up. The same
 * bytes are also read as an HTTP head. */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/exchange.h"
#include "rpc/http.h"
#include "tests/lib/rpc_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct rpc_chain chain;

static void finished(struct rpc_exchange *exchange)
{
    (void)exchange; /* it is looked at below */
}

static void check_answer(const struct rpc_exchange *exchange)
{
    json_error_t error;
    struct nv_view const text = rpc__json_view(&exchange->answer);
    if (exchange->silent) {
        return;
    }
    struct json_t *answer = json_loadb((const char *)text.bytes, text.size, 0, &error);
    if (answer == NULL) {
        abort();
    }
    json_decref(answer);
}

static void run_body(struct nv_view body)
{
    struct rpc_exchange *exchange = rpc__exchange_new(chain.world.rpc, NULL);
    if (exchange == NULL) {
        abort();
    }
    exchange->finished = finished;
    rpc__exchange_run(exchange, body);
    for (int i = 0; i < 200 && !exchange->ready && chain.world.job_count > 0; i++) {
        world_turn(&chain.world);
    }
    chain.world.ticket_count = 0;
    if (chain.world.page != NULL) {
        struct rpc_rows *page = chain.world.page;
        chain.world.page = NULL;
        page->end = true;
        rpc_rows_done(chain.world.rpc, page);
    }
    if (exchange->ready) {
        check_answer(exchange);
    }
    rpc__exchange_abandon(exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct rpc_http_head head;
    struct nv_view const input = nv_view_of(bytes, (uint32_t)size);
    if (chain.vm == NULL) {
        chain.world.config.devnet = true;
        chain.world.config.limits.calls_per_second = UINT32_MAX;
        chain.world.config.limits.calls_burst = UINT32_MAX;
        chain_open(&chain);
    }
    uint32_t const head_size = rpc__http_head_size(input, 0);
    if (head_size > 0) {
        (void)rpc__http_head(&head, nv_view_of(bytes, head_size));
    }
    run_body(input);
    return 0;
}
