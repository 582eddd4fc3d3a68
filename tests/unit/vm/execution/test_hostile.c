/* Goal: no numbers in actions stop the VM, unbalance its ledger or put a market
 * or the chain out of trade.
 * Method: blocks of actions whose fields are drawn from the ends of their ranges
 * and from what the book holds, beside sane trading and moving prices; a VM that is
 * loaded from rows every few blocks comes to the same rows. */

#include "tests/lib/nv_test.h"
#include "tests/lib/vm_world.h"
#include "vm/state/stake.h"
#include "vm/state/state.h"

static struct vm_world world;
static struct vm_world again;

static const int64_t odd[] = {0,
                              1,
                              -1,
                              2,
                              63,
                              64,
                              599999,
                              600000,
                              600001,
                              999999,
                              1000000,
                              1000001,
                              INT64_C(0x7fffffff),
                              INT64_C(0x80000000),
                              INT64_C(1) << 40,
                              -(INT64_C(1) << 40),
                              INT64_MAX,
                              INT64_MAX - 1,
                              INT64_MIN,
                              INT64_MIN + 1};
#define ODDS (sizeof odd / sizeof odd[0])

static int64_t draw(struct nv_test_rng *rng)
{
    return odd[nv_test_below(rng, ODDS)];
}

/* Amounts are positive: the wire lets no others in. */
static struct vm_money draw_amount(struct nv_test_rng *rng)
{
    int64_t const amount = draw(rng);
    return vm_money(amount > 0 ? amount : 1);
}

static struct vm_action sane_place(struct nv_test_rng *rng)
{
    struct vm_action action = {.kind = VM_ACTION_PLACE};
    action.place = (struct vm_place){
        .market = nv_test_below(rng, 2) == 0 ? WORLD_BTC_PERP : WORLD_BTC_DATED,
        .side = (uint8_t)(VM_BUY + nv_test_below(rng, 2)),
        .time_in_force = nv_test_below(rng, 3) == 0 ? VM_IOC : VM_GTC,
        .price = vm_price(599000 + nv_test_below(rng, 2000)),
        .lots = vm_lots(1 + nv_test_below(rng, 50)),
        .client_id = nv_test_below(rng, 4),
    };
    return action;
}

static struct vm_action odd_place(struct nv_test_rng *rng)
{
    struct vm_action action = sane_place(rng);
    for (uint32_t i = 0; i < 2; i++) {
        switch (nv_test_below(rng, 8)) {
        case 0: action.place.market = (uint32_t)draw(rng); break;
        case 1: action.place.side = (uint8_t)draw(rng); break;
        case 2: action.place.time_in_force = (uint8_t)draw(rng); break;
        case 3: action.place.price = vm_price(draw(rng)); break;
        case 4: action.place.lots = vm_lots(draw(rng)); break;
        case 5: action.place.expires_ms = (uint64_t)draw(rng); break;
        case 6: action.place.client_id = (uint64_t)draw(rng); break;
        default: action.place.post_only = true; break;
        }
    }
    action.place.reduce_only = nv_test_below(rng, 4) == 0;
    return action;
}

/* A handle of the market's slots and generations in use, or anything. */
static uint64_t some_handle(struct nv_test_rng *rng)
{
    if (nv_test_below(rng, 4) == 0) {
        return nv_test_next(rng);
    }
    return vm_order_handle(nv_test_below(rng, 3), nv_test_below(rng, 400), nv_test_below(rng, 60));
}

/* Any validator that there is or is not, and amounts from all over. */
static struct vm_action odd_stake(struct nv_test_rng *rng)
{
    static struct vm_bond bonds[4]; /* by key; the amounts are what matters */
    struct vm_action action = {.kind = (uint8_t)(VM_ACTION_BOND + nv_test_below(rng, 7))};
    uint32_t const number = nv_test_below(rng, 2) == 0 ? WORLD_VALIDATOR + nv_test_below(rng, 4)
                                                       : nv_test_below(rng, WORLD_TRADERS);
    if (action.kind == VM_ACTION_BOND) {
        uint32_t const key = nv_test_below(rng, 4);
        int64_t const micro = nv_test_below(rng, 4) != 0 ? INT64_C(1000000000) + key : INT64_MAX;
        return vm_world_bond_action(&bonds[key], 2 + key, micro);
    }
    if (action.kind == VM_ACTION_SET_COMMISSION) {
        action.commission = vm_ratio(draw(rng));
    } else if (action.kind == VM_ACTION_WITHDRAW_STAKE) {
        vm_world_address(&action.validator, number);
    } else if (action.kind != VM_ACTION_CLAIM && action.kind != VM_ACTION_UNJAIL) {
        vm_world_address(&action.delegate.validator, number);
        action.delegate.amount = draw_amount(rng);
    }
    return action;
}

/* Facts of consensus, of any epoch and height. */
static void odd_facts(struct vm_world *w, struct nv_test_rng *rng)
{
    static struct vm_offence offences[2][2]; /* by world */
    uint64_t const epoch = vm_staking(vm_world_state(w))->epoch;
    struct vm_offence *const offence = offences[w == &world ? 0 : 1];
    w->facts.epoch = nv_test_below(rng, 8) == 0 ? 1000 : epoch;
    w->facts.boundary = nv_test_below(rng, 20) == 0 && w->facts.epoch == epoch;
    w->facts.next_height = nv_test_below(rng, 3) == 0 ? (uint64_t)draw(rng) : w->height;
    w->facts.signers_known = nv_test_below(rng, 3) != 0;
    nv_test_fill(rng, w->facts.signers, sizeof w->facts.signers);
    w->facts.offence_count = nv_test_below(rng, 60) == 0 ? 2 : 0;
    w->facts.offences = offence;
    for (uint32_t i = 0; i < 2; i++) {
        offence[i].epoch = nv_test_below(rng, 2) == 0 ? (uint64_t)draw(rng) : epoch;
        offence[i].kind = (uint8_t)nv_test_below(rng, 5);
        vm_world_key(&offence[i].key, WORLD_KEY + nv_test_below(rng, 8));
    }
}

static struct vm_action odd_action(struct nv_test_rng *rng)
{
    struct vm_action action = {.kind = VM_ACTION_CANCEL};
    switch (nv_test_below(rng, 10)) {
    case 9: return odd_stake(rng);
    case 0: action.cancel_order = some_handle(rng); return action;
    case 1:
        action.kind = VM_ACTION_CANCEL_CLIENT;
        action.cancel_client = (struct vm_cancel_client){(uint32_t)draw(rng), (uint64_t)draw(rng)};
        return action;
    case 2:
        action.kind = VM_ACTION_CANCEL_ALL;
        action.cancel_all = (struct vm_cancel_all){(uint32_t)draw(rng), nv_test_below(rng, 2) == 0};
        return action;
    case 3:
        action.kind = nv_test_below(rng, 2) == 0 ? VM_ACTION_DEPOSIT : VM_ACTION_WITHDRAW;
        action.amount = draw_amount(rng);
        return action;
    case 4:
        action.kind = VM_ACTION_TRANSFER;
        vm_world_address(&action.send.to, nv_test_below(rng, WORLD_TRADERS));
        action.send.amount = draw_amount(rng);
        return action;
    case 5: return odd_place(rng);
    case 6: return odd_place(rng);
    default: return sane_place(rng);
    }
}

static void fill_block(struct vm_world *w, struct nv_test_rng *rng)
{
    odd_facts(w, rng);
    for (uint32_t i = nv_test_below(rng, 30); i > 0; i--) {
        struct vm_action actions[4];
        uint32_t const count = 1 + nv_test_below(rng, 4);
        for (uint32_t j = 0; j < count; j++) {
            actions[j] = odd_action(rng);
        }
        vm_world_tx(w, nv_test_below(rng, WORLD_TRADERS), actions, count);
    }
    vm_world_report(w, 0, (59990 + (int64_t)nv_test_below(rng, 21)) * 1000000);
    vm_world_report(w, 1, (2990 + (int64_t)nv_test_below(rng, 21)) * 1000000);
}

static void numbers_do_no_harm(void **state)
{
    (void)state;
    uint64_t events = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct nv_test_rng a = {seed};
        struct nv_test_rng b = {seed};
        vm_world_open(&world);
        vm_world_open(&again);
        for (uint32_t block = 0; block < 250; block++) {
            fill_block(&world, &a);
            fill_block(&again, &b);
            vm_world_block(&world, 400);
            events += world.result.event_count;
            vm_world_block(&again, 400);
            assert_true(nv_hash_eq(&world.root, &again.root));
            if (block % 7 == 0) {
                vm_world_reload(&again);
            }
        }
        const struct vm_state *const s = vm_world_state(&world);
        assert_int_equal(vm_chain(s)->safe_mode, 0);
        for (uint32_t i = 0; i < WORLD_MARKETS; i++) {
            assert_int_not_equal(vm_market(s, i)->row.status, VM_MARKET_QUARANTINED);
        }
        vm_world_close(&again);
        vm_world_close(&world);
    }
    assert_true(events > 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
