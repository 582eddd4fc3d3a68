#include "tests/lib/vm_trade.h"

#include "vm/machine.h"
#include "vm/state/internal.h"
#include "vm/state/stake.h"

uint32_t vm_trade_below(struct vm_trade *r, uint32_t bound)
{
    return nv_test_below(&r->rng, bound);
}

struct vm_action vm_trade_place(struct vm_trade *r)
{
    uint32_t const market = vm_trade_below(r, WORLD_MARKETS);
    int64_t const index = market == WORLD_ETH_PERP ? r->eth : r->btc;
    int64_t const ticks = index / 100000;
    int64_t const offset = ((int64_t)vm_trade_below(r, 401) - 200) * ticks / 10000;
    uint32_t const force = vm_trade_below(r, 6);
    bool const gtt = force == 0;
    bool const ioc = force == 1;
    return (struct vm_action){
        .kind = VM_ACTION_PLACE,
        .place = {.market = market,
                  .side = vm_trade_below(r, 2) == 0 ? VM_BUY : VM_SELL,
                  .time_in_force = gtt   ? VM_GTT
                                   : ioc ? VM_IOC
                                         : VM_GTC,
                  .post_only = !ioc && vm_trade_below(r, 4) == 0,
                  .reduce_only = vm_trade_below(r, 8) == 0,
                  .price = vm_price(ticks + offset),
                  .lots = vm_lots(
                      1 + (int64_t)vm_trade_below(r, vm_trade_below(r, 10) == 0 ? 5000 : 200)),
                  .expires_ms = gtt ? UINT64_C(1760000000000) + vm_trade_below(r, 200000) : 0,
                  .client_id = vm_trade_below(r, 2) == 0 ? 1 + vm_trade_below(r, 50) : 0},
    };
}

/* The handle of some open order, mostly the account's own. */
static uint64_t some_order(struct vm_world *w, struct vm_trade *r, uint32_t number)
{
    const struct vm_state *const s = vm_world_state(w);
    uint32_t const start = vm_trade_below(r, w->limits.orders_max);
    for (uint32_t i = 0; i < w->limits.orders_max; i++) {
        uint32_t const slot = (start + i) % w->limits.orders_max;
        if (!vm__taken(s, VM_SLAB_ORDER, slot)) {
            continue;
        }
        const struct vm_order *const o = vm_order(s, slot);
        if (vm_position(s, o->position)->account - 1 == vm_world_account(w, number) ||
            vm_trade_below(r, 40) == 0) {
            return vm_order_handle(o->market, o->row.generation, slot);
        }
    }
    return 12345;
}

struct vm_action vm_trade_cancel(struct vm_world *w, struct vm_trade *r, uint32_t number)
{
    uint32_t const what = vm_trade_below(r, 8);
    if (what == 0) {
        return (struct vm_action){
            .kind = VM_ACTION_CANCEL_ALL,
            .cancel_all = {.market = vm_trade_below(r, 4), .every_market = false}};
    }
    if (what < 3) {
        return (struct vm_action){.kind = VM_ACTION_CANCEL_CLIENT,
                                  .cancel_client = {.market = vm_trade_below(r, 4),
                                                    .client_id = 1 + vm_trade_below(r, 50)}};
    }
    return (struct vm_action){.kind = VM_ACTION_CANCEL, .cancel_order = some_order(w, r, number)};
}

struct vm_action vm_trade_money(struct vm_trade *r)
{
    static const uint8_t kinds[] = {
        VM_ACTION_DEPOSIT, VM_ACTION_WITHDRAW, VM_ACTION_TRANSFER, VM_ACTION_FAUCET};
    struct vm_action a = {.kind = kinds[vm_trade_below(r, 4)]};
    int64_t const scale = vm_trade_below(r, 3) == 0 ? 10 : 1;
    struct vm_money const amount = vm_money(1 + scale * (int64_t)vm_trade_below(r, 2000000000));
    if (a.kind == VM_ACTION_TRANSFER || a.kind == VM_ACTION_FAUCET) {
        uint32_t const to = vm_trade_below(r, 6) == 0 ? WORLD_STRANGER + vm_trade_below(r, 30)
                                                      : vm_trade_below(r, WORLD_TRADERS);
        vm_world_address(&a.send.to, to);
        a.send.amount = amount;
    } else {
        a.amount = amount;
    }
    return a;
}

struct vm_action vm_trade_session(struct vm_trade *r)
{
    struct vm_action a = {.kind = VM_ACTION_SESSION_REVOKE};
    if (vm_trade_below(r, 3) != 0) {
        a.kind = VM_ACTION_SESSION_SET;
        a.session_set.scopes = 1 + vm_trade_below(r, 15);
        a.session_set.expires_ms = UINT64_C(1760000000000) + vm_trade_below(r, 300000);
        vm_world_key(&a.session_set.key, 400 + vm_trade_below(r, 20));
    } else {
        vm_world_key(&a.session_revoke, 400 + vm_trade_below(r, 20));
    }
    return a;
}

/* Of validators of genesis, traders that bonded, and others. */
static uint32_t some_validator(struct vm_trade *r)
{
    return vm_trade_below(r, 2) == 0 ? WORLD_VALIDATOR + vm_trade_below(r, WORLD_VALIDATORS)
                                     : vm_trade_below(r, WORLD_TRADERS);
}

struct vm_action vm_trade_stake(struct vm_world *w, struct vm_trade *r)
{
    static const uint8_t kinds[] = {VM_ACTION_BOND,
                                    VM_ACTION_DELEGATE,
                                    VM_ACTION_DELEGATE,
                                    VM_ACTION_UNDELEGATE,
                                    VM_ACTION_UNDELEGATE,
                                    VM_ACTION_WITHDRAW_STAKE,
                                    VM_ACTION_WITHDRAW_STAKE,
                                    VM_ACTION_CLAIM,
                                    VM_ACTION_SET_COMMISSION,
                                    VM_ACTION_UNJAIL};
    struct vm_action a = {.kind = kinds[vm_trade_below(r, sizeof kinds)]};
    if (a.kind == VM_ACTION_BOND) {
        struct vm_bond *const bond = NV_ARENA_NEW(&w->tx_arena, struct vm_bond, 1);
        uint32_t const key = WORLD_VALIDATORS + vm_trade_below(r, 8);
        return vm_world_bond_action(bond, key, INT64_C(900000000) + vm_trade_below(r, 500000000));
    }
    if (a.kind == VM_ACTION_DELEGATE || a.kind == VM_ACTION_UNDELEGATE) {
        vm_world_address(&a.delegate.validator, some_validator(r));
        a.delegate.amount = vm_money(1 + (int64_t)vm_trade_below(r, 300000000));
    } else if (a.kind == VM_ACTION_WITHDRAW_STAKE) {
        vm_world_address(&a.validator, some_validator(r));
    } else if (a.kind == VM_ACTION_SET_COMMISSION) {
        a.commission = vm_ratio(vm_trade_below(r, 200000000));
    }
    return a;
}

static struct vm_action random_action(struct vm_world *w, struct vm_trade *r, uint32_t number)
{
    uint32_t const what = vm_trade_below(r, 12);
    if (what < 6) {
        return vm_trade_place(r);
    }
    if (what < 8) {
        return vm_trade_cancel(w, r, number);
    }
    if (what >= 10) {
        return vm_trade_stake(w, r);
    }
    return what == 8 ? vm_trade_money(r) : vm_trade_session(r);
}

static void random_tx(struct vm_world *w, struct vm_trade *r)
{
    struct vm_action actions[8];
    static struct vm_close closes[2];
    uint32_t const number = vm_trade_below(r, WORLD_TRADERS);
    uint32_t const count = 1 + vm_trade_below(r, 8);
    for (uint32_t i = 0; i < count; i++) {
        actions[i] = random_action(w, r, number);
    }
    if (vm_trade_below(r, 6) == 0) {
        closes[0] =
            (struct vm_close){.market = 0, .lots = vm_lots(1 + (int64_t)vm_trade_below(r, 100))};
        closes[1] =
            (struct vm_close){.market = 1, .lots = vm_lots(1 + (int64_t)vm_trade_below(r, 100))};
        actions[0] = (struct vm_action){.kind = VM_ACTION_KEEPER_CLOSE,
                                        .keeper_close = {.close_count = 2, .closes = closes}};
        vm_world_address(&actions[0].keeper_close.account, vm_trade_below(r, WORLD_TRADERS));
    }
    struct vm_tx *const tx = vm_world_tx(w, number, actions, count);
    if (vm_trade_below(r, 5) == 0) {
        vm_world_key(&tx->key, 400 + vm_trade_below(r, 20)); /* a session key, perhaps */
    }
    if (vm_trade_below(r, 30) == 0) {
        tx->expires_ms = w->time_ms + (vm_trade_below(r, 2) == 0 ? 0 : 100000);
    }
}

void vm_trade_prices(struct vm_world *w, struct vm_trade *r)
{
    uint32_t const shock = vm_trade_below(r, 12);
    int64_t const step = shock == 0 ? 800 : 30; /* hundredths of a per cent */
    r->btc += ((int64_t)vm_trade_below(r, (uint32_t)(2 * step + 1)) - step) * r->btc / 10000;
    r->eth += ((int64_t)vm_trade_below(r, (uint32_t)(2 * step + 1)) - step) * r->eth / 10000;
    vm_world_report(w, 0, r->btc);
    if (vm_trade_below(r, 20) != 0) {
        vm_world_report(w, 1, r->eth);
    }
}

void vm_trade_facts(struct vm_world *w, struct vm_trade *r)
{
    uint64_t const epoch = vm_staking(vm_world_state(w))->epoch;
    struct vm_consensus *const f = &w->facts;
    f->epoch = epoch;
    f->signers_known = vm_trade_below(r, 8) != 0;
    f->signers[0] = (uint8_t)vm_trade_below(r, 256);
    f->signers[1] = (uint8_t)vm_trade_below(r, 256);
    f->boundary = vm_trade_below(r, 12) == 0;
    f->next_height = w->height - vm_trade_below(r, (uint32_t)(w->height < 9 ? w->height + 1 : 9));
    if (vm_trade_below(r, 40) == 0) {
        struct vm_offence *const offence = NV_ARENA_NEW(&w->tx_arena, struct vm_offence, 1);
        offence->epoch = epoch - vm_trade_below(r, (uint32_t)(epoch < 5 ? epoch : 5));
        offence->kind = 1;
        vm_world_key(&offence->key, WORLD_KEY + vm_trade_below(r, WORLD_VALIDATORS + 8));
        f->offences = offence;
        f->offence_count = 1;
    }
}

void vm_trade_block(struct vm_world *w, struct vm_trade *r)
{
    vm_trade_facts(w, r);
    if (vm_trade_below(r, 10) != 0) {
        vm_trade_prices(w, r);
    }
    for (uint32_t i = vm_trade_below(r, 25); i > 0; i--) {
        random_tx(w, r);
    }
    if (vm_trade_below(r, 4) == 0) {
        vm_world_send(
            w, WORLD_FAUCET, VM_ACTION_FAUCET, vm_trade_below(r, WORLD_TRADERS), 1000000000);
    }
}

void vm_trade_start(struct vm_trade *r, uint64_t seed)
{
    *r = (struct vm_trade){.rng = {seed}, .btc = INT64_C(60000000000), .eth = 3000000000};
}
