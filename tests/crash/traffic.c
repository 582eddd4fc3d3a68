#include "tests/crash/traffic.h"

#include "base/assert.h"
#include "base/fmt.h"
#include "base/key.h"

#include "vm/wire/wire.h"

#define ACCOUNTS 4u

static void key_of(uint32_t account, struct nv_seckey *secret, struct nv_address *address)
{
    uint8_t seed[32] = {(uint8_t)(account + 1), 7};
    struct nv_pubkey key;
    enum nv_err const err = nv_key_from_seed(secret, &key, seed);
    NV_ASSERT(err == NV_OK);
    nv_address_of_key(address, &key);
}

void traffic_genesis(FILE *file, const char *validator, const char *node)
{
    (void)fprintf(
        file,
        "{\"format\": \"novate-genesis-1\", \"name\": \"crash\", \"devnet\": true,\n"
        "\"salt\": \"0x0000000000000000000000000000000000000000000000000000000000000001\",\n"
        "\"time_ms\": 1700000000000, \"consensus\": {\"delta_ms\": 100, \"idle_ms\": 200,\n"
        "\"interval_min_ms\": 0, \"epoch_ms\": 0, \"body_bytes_max\": 65536},\n"
        "\"validators\": [{\"name\": \"v\", \"key\": \"%s\", \"node_key\": \"%s\",\n"
        "\"stake\": \"1\"}],\n"
        "\"fee_account\": \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\",\n"
        "\"insurance_account\": \"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\",\n"
        "\"accounts\": [",
        validator,
        node);
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        struct nv_seckey secret;
        struct nv_address address;
        char text[NV_ADDRESS_TEXT];
        key_of(i, &secret, &address);
        nv_address_format(text, &address);
        (void)fprintf(
            file, "%s{\"address\": \"%s\", \"cash\": \"1000000\"}", i == 0 ? "" : ", ", text);
    }
    (void)fprintf(
        file,
        "],\n\"reporters\": [{\"address\": \"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb\",\n"
        "\"stake\": \"1\"}], \"feeds\": [{\"symbol\": \"BTC\", \"range_initial\": \"0.08\",\n"
        "\"range_maintenance\": \"0.04\"}],\n"
        "\"markets\": [{\"symbol\": \"BTC-PERP\", \"feed\": \"BTC\", \"tick\": \"0.1\",\n"
        "\"lots_per_unit\": 1000, \"expires_ms\": 0, \"settle_window_ms\": 0,\n"
        "\"funding_interval_ms\": 3600000, \"order_lots_max\": \"100000\",\n"
        "\"open_interest_max\": \"10000000\", \"program\": \"linear\"}], \"params\": {}}\n");
}

/* send moves money, now and then to somebody new. */
static struct vm_action send(struct nv_test_rng *rng)
{
    struct nv_seckey secret;
    struct vm_action action = {.kind = VM_ACTION_TRANSFER};
    action.send.amount = vm_money(1000000 + (int64_t)nv_test_below(rng, 5000000));
    key_of(nv_test_below(rng, ACCOUNTS * 4), &secret, &action.send.to);
    return action;
}

static struct vm_action delegate(struct nv_test_rng *rng, uint64_t wall_ms)
{
    uint8_t seed[32] = {(uint8_t)nv_test_below(rng, 8), 9, 1};
    struct nv_seckey secret;
    struct vm_action action = {.kind = VM_ACTION_SESSION_SET};
    action.session_set.scopes = 1;
    action.session_set.expires_ms = wall_ms + 3600000;
    enum nv_err const err = nv_key_from_seed(&secret, &action.session_set.key, seed);
    NV_ASSERT(err == NV_OK);
    return action;
}

uint32_t
traffic_tx(uint8_t *out, struct nv_test_rng *rng, const struct nv_hash *chain_id, uint64_t wall_ms)
{
    struct nv_seckey secret;
    uint32_t size = 0;
    struct vm_action const action = nv_test_below(rng, 4) == 0 ? delegate(rng, wall_ms) : send(rng);
    struct vm_tx tx = {
        .expires_ms = wall_ms + 20000,
        .salt = nv_test_next(rng),
        .action_count = 1,
        .actions = &action,
    };
    key_of(nv_test_below(rng, ACCOUNTS), &secret, &tx.account);
    enum nv_err const err = vm_tx_encode(&tx, out, &size, chain_id, &secret);
    NV_ASSERT(err == NV_OK);
    return size;
}
