/* Clients: traders, reporters of prices, keepers, and some who send what nobody
 * should take.  A price walks, and now and then leaps so that accounts fail. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"
#include "vm/wire/wire.h"

#define UNIT     INT64_C(1000000)
#define PEOPLE   6u /* traders with much cash */
#define ACTS_MAX 3u

/* ---- the register of transactions ---- */

static uint32_t *bucket_of(struct ns *ns, const struct nv_hash *hash)
{
    uint32_t const count = sizeof ns->tx_bucket / sizeof ns->tx_bucket[0];
    return &ns->tx_bucket[((uint32_t)hash->bytes[0] << 8 | hash->bytes[1]) % count];
}

struct ns_tx *ns_tx_find(struct ns *ns, const struct nv_hash *hash)
{
    for (uint32_t at = *bucket_of(ns, hash); at != 0; at = ns->tx[at - 1].next) {
        if (nv_hash_eq(&ns->tx[at - 1].hash, hash)) {
            return &ns->tx[at - 1];
        }
    }
    return NULL;
}

static struct ns_tx *note(struct ns *ns, const struct vm_tx *tx, struct ns_bytes *bytes, bool good)
{
    struct ns_tx *const found = ns_tx_find(ns, &tx->hash);
    if (found != NULL || ns->tx_count == NS_TXS_MAX) {
        return NULL;
    }
    uint32_t *const bucket = bucket_of(ns, &tx->hash);
    struct ns_tx *const noted = &ns->tx[ns->tx_count++];
    *noted = (struct ns_tx){
        .hash = tx->hash,
        .expires_ms = tx->expires_ms,
        .good = good,
        .next = *bucket,
        .bytes = bytes,
    };
    bytes->refs++;
    *bucket = ns->tx_count;
    return noted;
}

/* ---- sending ---- */

/* submit hands a transaction to a node, as a client does. */
static void submit(struct ns *ns, uint32_t host, struct ns_bytes *bytes)
{
    struct ns_item *const item = ns_push(ns, ns_between(ns, 100, 2000) * 1000, NS_TX, host);
    item->a = CS_NOBODY;
    item->b = ns->salt;
    item->bytes = bytes;
    bytes->refs++;
}

/* somebody returns a node that clients can reach; one that lies seldom. */
static uint32_t somebody(struct ns *ns)
{
    for (;;) {
        uint32_t const i = nv_test_below(&ns->rng, ns->validators);
        if (ns->host[i].honest || ns_chance(ns, 200000)) {
            return i;
        }
    }
}

/* sign makes a transaction of an account that a key signs; NULL: there is no room to
 * note it. */
static struct ns_tx *sign(struct ns *ns,
                          uint32_t account,
                          uint32_t key,
                          const struct vm_action *actions,
                          uint32_t count,
                          bool good)
{
    static uint8_t memory[VM_TX_SIZE_MAX];
    uint32_t size = 0;
    uint64_t const life_ms = ns_chance(ns, 100000) ? 300 : ns_between(ns, 2000, 30000);
    struct vm_tx tx = {
        .account = ns_key(account)->address,
        .expires_ms = ns_wall_ms(ns) + life_ms,
        .salt = ++ns->salt,
        .action_count = count,
        .actions = actions,
    };
    enum nv_err const err =
        vm_tx_encode(&tx, memory, &size, &ns_genesis()->chain_id, &ns_key(key)->secret);
    if (err != NV_OK) {
        ns_fail(ns, "a client cannot make a transaction: %s", nv_err_name(err));
        return NULL;
    }
    struct ns_bytes *const bytes = ns_bytes_new(nv_view_of(memory, size));
    struct ns_tx *const noted = note(ns, &tx, bytes, good);
    ns_bytes_drop(bytes);
    return noted;
}

/* send signs, and submits. */
static void send(struct ns *ns,
                 uint32_t account,
                 uint32_t key,
                 const struct vm_action *actions,
                 uint32_t count,
                 bool good)
{
    const struct ns_tx *const tx = sign(ns, account, key, actions, count, good);
    if (tx != NULL) {
        submit(ns, somebody(ns), tx->bytes);
        if (ns_chance(ns, 100000)) { /* and to another */
            submit(ns, somebody(ns), tx->bytes);
        }
    }
}

void ns_work_send(struct ns *ns, uint32_t account, const struct vm_action *action, bool good)
{
    send(ns, account, account, action, 1, good);
}

/* ---- traders ---- */

static int64_t tick_near(struct ns *ns, uint32_t market)
{
    int64_t const tick = (int64_t)(ns->price[market == 1 ? 1 : 0] / 100000);
    return tick + (int64_t)ns_between(ns, 0, (uint64_t)tick / 50) - tick / 100;
}

static struct vm_action place(struct ns *ns, bool rich)
{
    uint32_t const market = nv_test_below(&ns->rng, NS_MARKETS);
    uint32_t const kind = nv_test_below(&ns->rng, 10);
    struct vm_action action = {
        .kind = VM_ACTION_PLACE,
        .place =
            {
                .market = market,
                .side = ns_chance(ns, 500000) ? VM_BUY : VM_SELL,
                .time_in_force = kind < 6   ? VM_GTC
                                 : kind < 8 ? VM_IOC
                                            : VM_GTT,
                .post_only = kind == 5,
                .reduce_only = kind == 4,
                .price = vm_price(tick_near(ns, market)),
                .lots = vm_lots((int64_t)ns_between(ns, 1, rich ? 3000 : 400)),
                .client_id = ns_chance(ns, 300000) ? ns_between(ns, 1, 20) : 0,
            },
    };
    if (action.place.time_in_force == VM_GTT) {
        action.place.expires_ms = ns_wall_ms(ns) + ns_between(ns, 100, 5000);
    }
    return action;
}

static struct vm_action cancel(struct ns *ns)
{
    struct vm_action action = {.kind = VM_ACTION_CANCEL_CLIENT};
    switch (nv_test_below(&ns->rng, 3)) {
    case 0:
        action.cancel_client.market = nv_test_below(&ns->rng, NS_MARKETS);
        action.cancel_client.client_id = ns_between(ns, 1, 20);
        break;
    case 1:
        action.kind = VM_ACTION_CANCEL;
        action.cancel_order = vm_order_handle(nv_test_below(&ns->rng, NS_MARKETS),
                                              nv_test_below(&ns->rng, 200),
                                              nv_test_below(&ns->rng, 200));
        break;
    default:
        action.kind = VM_ACTION_CANCEL_ALL;
        action.cancel_all.market = nv_test_below(&ns->rng, NS_MARKETS);
        action.cancel_all.every_market = false;
        break;
    }
    return action;
}

static struct vm_action move(struct ns *ns)
{
    struct vm_action action = {.kind = VM_ACTION_DEPOSIT};
    int64_t const micro = (int64_t)ns_between(ns, 1, 50) * UNIT;
    switch (nv_test_below(&ns->rng, 3)) {
    case 0: action.amount = vm_money(micro); break;
    case 1:
        action.kind = VM_ACTION_WITHDRAW;
        action.amount = vm_money(micro);
        break;
    default:
        action.kind = VM_ACTION_TRANSFER;
        action.send.to = ns_key(NS_KEY_TRADER + nv_test_below(&ns->rng, NS_TRADERS))->address;
        action.send.amount = vm_money(micro);
        break;
    }
    return action;
}

static struct vm_action session(struct ns *ns, uint32_t trader)
{
    struct vm_action action = {.kind = VM_ACTION_SESSION_SET};
    const struct nv_pubkey *const key = &ns_key(NS_KEY_SESSION + trader)->key;
    if (ns_chance(ns, 250000)) {
        action.kind = VM_ACTION_SESSION_REVOKE;
        action.session_revoke = *key;
        return action;
    }
    action.session_set.key = *key;
    action.session_set.scopes = 1 + nv_test_below(&ns->rng, VM_SCOPES_ALL);
    action.session_set.expires_ms = ns_wall_ms(ns) + ns_between(ns, 500, 20000);
    return action;
}

static void trade(struct ns *ns)
{
    struct vm_action actions[ACTS_MAX];
    uint32_t const trader = nv_test_below(&ns->rng, NS_TRADERS);
    uint32_t const count = 1 + nv_test_below(&ns->rng, ACTS_MAX);
    bool const by_session = ns_chance(ns, 80000);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t const kind = nv_test_below(&ns->rng, 20);
        actions[i] = kind < 14   ? place(ns, trader < PEOPLE)
                     : kind < 17 ? cancel(ns)
                     : kind < 19 ? move(ns)
                                 : session(ns, trader);
    }
    send(ns,
         NS_KEY_TRADER + trader,
         by_session ? NS_KEY_SESSION + trader : NS_KEY_TRADER + trader,
         actions,
         count,
         trader < PEOPLE && !by_session);
}

/* ---- reporters, keepers, the faucet ---- */

static void report(struct ns *ns)
{
    uint32_t const feed = nv_test_below(&ns->rng, NS_FEEDS);
    uint64_t *const price = &ns->price[feed];
    if (ns_chance(ns, ns->conf.move_ppm)) {
        uint64_t const by = *price / 100 * ns_between(ns, 5, 15);
        *price = ns_chance(ns, 500000) && *price > by * 4 ? *price - by : *price + by;
        ns_trace(ns, 0, "move", feed, *price);
    } else {
        *price = *price - *price / 500 + ns_between(ns, 0, *price / 250);
    }
    for (uint32_t i = 0; i < NS_REPORTERS; i++) {
        bool const lies = i == 0 && ns->conf.bad_reporter != 0;
        uint64_t const told = lies ? *price * ns_between(ns, 1, 300) / 100 : *price;
        struct vm_action const action = {
            .kind = VM_ACTION_REPORT,
            .report = {.feed = feed,
                       .price = vm_money((int64_t)told),
                       .confidence = vm_money((int64_t)told / 10000),
                       .time_ms = ns_wall_ms(ns) + (lies ? 1500 : 0)},
        };
        send(ns, NS_KEY_REPORTER + i, NS_KEY_REPORTER + i, &action, 1, false);
    }
}

static void keep(struct ns *ns)
{
    struct vm_close closes[2];
    uint32_t const trader = nv_test_below(&ns->rng, NS_TRADERS);
    uint32_t const count = 1 + nv_test_below(&ns->rng, 2);
    for (uint32_t i = 0; i < count; i++) {
        closes[i] = (struct vm_close){i, vm_lots((int64_t)ns_between(ns, 1, 500))};
    }
    struct vm_action const action = {
        .kind = VM_ACTION_KEEPER_CLOSE,
        .keeper_close = {ns_key(NS_KEY_TRADER + trader)->address, count, closes},
    };
    send(ns, NS_KEY_TRADER, NS_KEY_TRADER, &action, 1, false);
}

static void give(struct ns *ns)
{
    uint32_t const trader = nv_test_below(&ns->rng, NS_TRADERS);
    struct vm_action const action = {
        .kind = VM_ACTION_FAUCET,
        .send = {ns_key(NS_KEY_TRADER + trader)->address, vm_money(100 * UNIT)},
    };
    send(ns, NS_KEY_FAUCET, NS_KEY_FAUCET, &action, 1, false);
}

/* ---- the hostile ---- */

/* forge signs in the name of a trader with a key of the stranger's: one, or as many as
 * there are places for, with one of the trader's own behind them. */
static void forge(struct ns *ns)
{
    uint32_t const trader = NS_KEY_TRADER + nv_test_below(&ns->rng, PEOPLE);
    uint32_t const count = ns_chance(ns, 100000) ? NS_PLACES : 1;
    uint32_t const host = somebody(ns);
    for (uint32_t i = 0; i < count; i++) {
        struct vm_action const action = cancel(ns);
        struct ns_tx *const tx = sign(ns, trader, NS_KEY_STRANGER, &action, 1, false);
        if (tx != NULL) {
            tx->forged = true;
            submit(ns, host, tx->bytes);
        }
    }
    struct vm_action const own = cancel(ns);
    const struct ns_tx *const tx = sign(ns, trader, trader, &own, 1, true);
    if (tx != NULL) {
        submit(ns, host, tx->bytes);
    }
}

static void hostile(struct ns *ns)
{
    uint8_t bytes[512];
    struct vm_action const action = cancel(ns);
    ns_fault(ns, NS_FAULT_HOSTILE);
    switch (nv_test_below(&ns->rng, 4)) {
    case 0: send(ns, NS_KEY_STRANGER, NS_KEY_STRANGER, &action, 1, false); return;
    case 1: send(ns, NS_KEY_POOR, NS_KEY_POOR, &action, 1, false); return;
    case 2: forge(ns); return;
    default: break;
    }
    if (ns->tx_count == 0) {
        return;
    }
    /* One that was there before, again or changed. */
    const struct ns_tx *const old = &ns->tx[nv_test_below(&ns->rng, ns->tx_count)];
    if (old->bytes->size > sizeof bytes) {
        return;
    }
    memcpy(bytes, old->bytes->bytes, old->bytes->size);
    if (ns_chance(ns, 700000)) {
        bytes[nv_test_below(&ns->rng, old->bytes->size)] ^=
            (uint8_t)(1u << nv_test_below(&ns->rng, 8));
    }
    struct nv_hash hash;
    struct nv_view const view = nv_view_of(bytes, old->bytes->size);
    struct ns_bytes *const changed = ns_bytes_new(view);
    if (vm_tx_hash_of(&hash, view, &ns_genesis()->chain_id) == NV_OK) {
        struct vm_tx const tx = {.hash = hash, .expires_ms = old->expires_ms};
        (void)note(ns, &tx, changed, false);
    }
    submit(ns, somebody(ns), changed);
    ns_bytes_drop(changed);
}

void ns_work_start(struct ns *ns)
{
    ns->price[0] = UINT64_C(60000) * 1000000;
    ns->price[1] = UINT64_C(3000) * 1000000;
    (void)ns_push(ns, NS_MS, NS_WORK, 0);
}

void ns_work(struct ns *ns)
{
    uint32_t const kind = nv_test_below(&ns->rng, 100);
    if (ns_chance(ns, ns->conf.hostile_ppm)) {
        hostile(ns);
    } else if (ns_chance(ns, ns->conf.stake_ppm)) {
        ns_work_stake(ns);
    } else if (kind < 80) {
        trade(ns);
    } else if (kind < 92) {
        report(ns);
    } else if (kind < 97) {
        keep(ns);
    } else {
        give(ns);
    }
    /* While somebody who joins is waited for there is little else to be seen. */
    uint64_t const slow = ns->waits_ns > 0 && !ns->measured ? 50 : 1;
    (void)ns_push(ns, slow * ns_between(ns, 1, 2 * ns->conf.tx_us) * 1000, NS_WORK, 0);
}
