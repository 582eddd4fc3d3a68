/* Goal: whole blocks. A VM loaded from rows executes the next block to the same
 * writes; the order in which the phases see the accounts' actions means nothing;
 * whatever is thrown at it, the books stay sound and both laws hold.
 * Method: random trading on a small chain with moving prices, twice: one VM
 * lives on, the other is loaded anew from rows before each block. */

#include "base/cpu.h"
#include "base/heap.h"
#include "base/merkle.h"

#include "tests/lib/vm_trade.h"
#include "tests/lib/vm_world.h"
#include "vm/block/block.h"
#include "vm/machine.h"
#include "vm/params.h"
#include "vm/state/internal.h"
#include "vm/state/stake.h"

/* What must hold after every block. */
static void world_check(struct vm_world *w)
{
    const struct vm_state *const s = vm_world_state(w);
    const struct vm_chain_row *const chain = vm_chain(s);
    assert_true(vm_state_sound(s));
    assert_int_equal(chain->safe_mode, 0);
    assert_int_equal(vm_money_raw(chain->cash_sum) + vm_money_raw(vm_staking(s)->staked) +
                         vm_money_raw(vm_staking(s)->pot),
                     vm_money_raw(chain->vault) + vm_money_raw(chain->realised_sum));
    assert_int_equal(vm_money_raw(chain->supply),
                     vm_money_raw(chain->vault) + vm_money_raw(chain->wallet_sum));
    for (uint32_t i = 0; i < WORLD_MARKETS; i++) {
        const struct vm_market_state_row *const m = &vm_market(s, i)->row;
        assert_int_equal(vm_lots_raw(m->lots_sum), 0);
        assert_int_equal(vm_money_raw(m->cost_sum), -vm_money_raw(m->realised));
        assert_int_not_equal(m->status, VM_MARKET_QUARANTINED);
    }
}

/* SPEC receipts 1.3: "a leaf's data are the group's receipts one after another, each after its size as
 * a u16." */
static void receipts_check(const struct vm_result *result)
{
    static uint8_t bytes[WORLD_TXS_MAX * (VM_RECEIPT_SIZE(VM_ACTIONS_MAX) + 2)];
    struct nv_view leaves[WORLD_TXS_MAX / 16 + 1];
    struct nv_hash root;
    struct nv_writer w;
    uint32_t from = 0;
    nv_writer_init(&w, bytes, sizeof bytes);
    for (uint32_t i = 0; i < result->receipt_count; i++) {
        from = i % 16 == 0 ? w.size : from;
        nv_put_u16(&w, (uint16_t)result->receipts[i].size);
        nv_put_bytes(&w, result->receipts[i].bytes, result->receipts[i].size);
        leaves[i / 16] = nv_view_of(bytes + from, w.size - from);
    }
    assert_false(w.overflow);
    nv_merkle_root(&root, leaves, (result->receipt_count + 15) / 16);
    assert_true(nv_hash_eq(&root, &result->receipts_root));
}

static struct vm_world one, two;

static void results_equal(void)
{
    assert_true(nv_hash_eq(&one.root, &two.root));
    assert_true(nv_hash_eq(&one.result.receipts_root, &two.result.receipts_root));
    assert_true(nv_hash_eq(&one.result.events_root, &two.result.events_root));
    assert_int_equal(one.result.write_count, two.result.write_count);
    for (uint32_t i = 0; i < one.result.write_count; i++) {
        assert_int_equal(nv_row_key_cmp(&one.result.writes[i].key, &two.result.writes[i].key), 0);
        assert_true(nv_view_eq(one.result.writes[i].value, two.result.writes[i].value));
    }
}

static void loaded_goes_on_alike(void **state)
{
    (void)state;
    uint32_t most = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct vm_trade a, b;
        vm_trade_start(&a, seed);
        vm_trade_start(&b, seed);
        vm_world_open(&one);
        vm_world_open(&two);
        two.limits.wide = nv_cpu_wide(); /* each processor comes to the same */
        for (uint32_t height = 1; height <= 120; height++) {
            vm_trade_block(&one, &a);
            vm_trade_block(&two, &b);
            vm_world_reload(&two);
            uint64_t const ms = 200 + vm_trade_below(&a, 2000);
            assert_int_equal(ms, 200 + vm_trade_below(&b, 2000));
            vm_world_block(&one, ms);
            vm_world_block(&two, ms);
            results_equal();
            world_check(&one);
            receipts_check(&one.result);
            most = one.result.receipt_count > most ? one.result.receipt_count : most;
        }
        vm_world_close(&one);
        vm_world_close(&two);
    }
    assert_true(most > VM_RECEIPT_GROUP); /* or groups would not have been tried */
}

/* Puts the acts in another order, each account's own in theirs: again and again
 * one of the accounts' next acts, at random. */
static void acts_shuffle(struct vm_exec *x, struct nv_test_rng *rng)
{
    struct vm_act *const from = nv_heap_alloc(sizeof *from * (x->act_count + 1u));
    assert_non_null(from);
    memcpy(from, x->acts, sizeof *from * x->act_count);
    for (uint32_t left = x->act_count; left > 0; left--) {
        uint32_t pick = nv_test_below(rng, left);
        for (uint32_t i = 0; i < pick; i++) {
            pick = from[i].account == from[pick].account ? i : pick;
        }
        x->acts[x->act_count - left] = from[pick];
        memmove(&from[pick], &from[pick + 1], sizeof *from * (left - 1 - pick));
    }
    nv_heap_free(from);
}

/* vm_world_block with the acts shuffled; receipts are by transaction anyway. */
static void block_shuffled(struct vm_world *w, uint64_t ms, struct nv_test_rng *rng)
{
    struct vm_block_run run;
    vm_world_sort(w);
    w->height++;
    w->time_ms += ms;
    struct vm_block const block = {.height = w->height,
                                   .time_ms = w->time_ms,
                                   .previous_root = w->root,
                                   .tx_count = w->tx_count,
                                   .txs = w->txs,
                                   .consensus = w->facts};
    memset(&w->facts, 0, sizeof w->facts);
    nv_arena_reset(&w->vm->arena);
    vm_block_open(&run, w->vm->state, &w->vm->arena, &block, &w->vm->limits);
    acts_shuffle(&run.x, rng);
    vm_block_run(&run);
    vm_block_close(&run, &w->result);
    vm_world_keep(w);
}

/* All writes but the block result, which holds the root of the events: these
 * are told in the order of the acts. */
static void writes_equal(void)
{
    assert_int_equal(one.result.write_count, two.result.write_count);
    for (uint32_t i = 0; i < one.result.write_count; i++) {
        const struct nv_row *const a = &one.result.writes[i];
        const struct nv_row *const b = &two.result.writes[i];
        assert_int_equal(nv_row_key_cmp(&a->key, &b->key), 0);
        assert_true(a->key.bytes[0] == VM_TABLE_BLOCK_RESULT || nv_view_eq(a->value, b->value));
    }
    assert_true(nv_hash_eq(&one.result.receipts_root, &two.result.receipts_root));
    assert_int_equal(one.result.event_count, two.result.event_count);
}

/* The roots differ in the block result's row alone; make them one again. */
static void roots_join(void)
{
    two.root = one.root;
}

static void order_of_accounts_means_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 21; seed <= 24; seed++) {
        struct vm_trade a, b;
        struct nv_test_rng shuffle = {seed};
        vm_trade_start(&a, seed);
        vm_trade_start(&b, seed);
        vm_world_open(&one);
        vm_world_open(&two);
        for (uint32_t height = 1; height <= 100; height++) {
            vm_trade_block(&one, &a);
            vm_trade_block(&two, &b);
            vm_world_block(&one, 900);
            block_shuffled(&two, 900, &shuffle);
            writes_equal();
            roots_join();
        }
        vm_world_close(&one);
        vm_world_close(&two);
    }
}

/* Makes `two` the same chain as `one`, loaded from its rows. */
static void fork_world(void)
{
    vm_rows_copy(two.rows, one.rows);
    two.height = one.height;
    two.time_ms = one.time_ms;
    two.root = one.root;
    two.salt = one.salt;
    vm_world_reload(&two);
}

/* Which of the three phases an action belongs to: 1 cancel, 2 move, 3 place. */
static uint32_t phase_of(uint8_t kind)
{
    if (kind == VM_ACTION_PLACE) {
        return 3;
    }
    if (kind >= VM_ACTION_BOND) {
        return 2;
    }
    return kind >= VM_ACTION_CANCEL && kind <= VM_ACTION_CANCEL_ALL        ? 1
           : kind >= VM_ACTION_DEPOSIT && kind <= VM_ACTION_SESSION_REVOKE ? 2
                                                                           : 0;
}

/* Money actions around what the account has, so that every bit of it counts. */
static struct vm_action tight_money(struct vm_world *w, struct vm_trade *r, uint32_t number)
{
    struct vm_action a = vm_trade_money(r);
    uint32_t const account = vm_world_account(w, number);
    int64_t const cash = vm_money_raw(vm_account(vm_world_state(w), account)->row.cash);
    struct vm_money const amount = vm_money(1 + cash / 8 * (1 + (int64_t)vm_trade_below(r, 8)));
    if (a.kind == VM_ACTION_TRANSFER && cash > 0) {
        a.send.amount = amount;
    } else if (a.kind == VM_ACTION_WITHDRAW && cash > 0) {
        a.amount = amount;
    }
    return a;
}

static struct vm_action move_action(struct vm_world *w, struct vm_trade *r, uint32_t number)
{
    uint32_t const what = vm_trade_below(r, 6);
    return what == 0   ? vm_trade_session(r)
           : what <= 2 ? vm_trade_stake(w, r)
                       : tight_money(w, r, number);
}

/* A transaction of one phase. */
static void phase_tx(struct vm_world *w, struct vm_trade *r, uint32_t number, uint32_t phase)
{
    struct vm_action actions[4];
    uint32_t const count = 1 + vm_trade_below(r, 4);
    for (uint32_t i = 0; i < count; i++) {
        actions[i] = phase == 1   ? vm_trade_cancel(w, r, number)
                     : phase == 2 ? move_action(w, r, number)
                                  : vm_trade_place(r);
    }
    (void)vm_world_tx(w, number, actions, count);
}

static void phase_block(struct vm_world *w, struct vm_trade *r)
{
    if (vm_trade_below(r, 4) != 0) {
        vm_trade_prices(w, r);
    }
    for (uint32_t i = 0; i < 24; i++) {
        phase_tx(w, r, vm_trade_below(r, WORLD_TRADERS), 1 + vm_trade_below(r, 3));
    }
}

/* Takes the account's transactions of one phase out of the block to come. */
static uint32_t take_out(struct vm_world *w, uint32_t number, uint32_t phase)
{
    struct nv_address address;
    vm_world_address(&address, number);
    uint32_t kept = 0, taken = 0;
    for (uint32_t i = 0; i < w->tx_count; i++) {
        bool const own = memcmp(&w->txs[i].account, &address, sizeof address) == 0;
        if (own && phase_of(w->txs[i].actions[0].kind) == phase) {
            taken++;
        } else {
            w->txs[kept++] = w->txs[i];
        }
    }
    w->tx_count = kept;
    return taken;
}

/* The actions of the block, remembered, since executing forgets them. */
static uint8_t kinds[WORLD_TXS_MAX];
static struct nv_hash hashes[WORLD_TXS_MAX];
static uint32_t remembered;

static void remember(const struct vm_world *w, uint32_t without)
{
    struct nv_address address;
    vm_world_address(&address, without);
    remembered = 0;
    for (uint32_t i = 0; i < w->tx_count; i++) {
        if (memcmp(&w->txs[i].account, &address, sizeof address) != 0) {
            kinds[remembered] = w->txs[i].actions[0].kind;
            hashes[remembered++] = w->txs[i].hash;
        }
    }
}

/* All others' actions ended alike, in phases up to `last`. */
static void others_alike(uint32_t last)
{
    for (uint32_t i = 0; i < remembered; i++) {
        struct vm_receipt a, b;
        uint32_t const phase = phase_of(kinds[i]);
        if (phase == 0 || phase > last) {
            continue;
        }
        vm_world_receipt(&one, &hashes[i], &a);
        vm_world_receipt(&two, &hashes[i], &b);
        assert_int_equal(a.code, b.code);
        assert_int_equal(a.outcome_count, b.outcome_count);
        for (uint32_t j = 0; j < a.outcome_count; j++) {
            uint16_t const x = a.outcomes[j].code, y = b.outcomes[j].code;
            bool const late = x == VM_REJECT_POST_ONLY_CROSS || y == VM_REJECT_POST_ONLY_CROSS;
            assert_true(x == y || (phase == 3 && late));
        }
    }
}

/* SPEC account-local rule: taking an account's transactions of one phase out
 * of a block changes nothing of what the others' actions did up to and in that
 * phase.  (A later phase starts from another state; a post-only order is judged
 * again in match, against what the auction left.  Fees are off: one that is not
 * paid takes a whole transaction away.) */
static void others_do_not_matter(void **state)
{
    (void)state;
    uint32_t taken = 0;
    for (uint64_t seed = 31; seed <= 36; seed++) {
        struct vm_trade a, b;
        vm_trade_start(&a, seed);
        vm_trade_start(&b, seed);
        vm_world_open(&one);
        vm_world_open(&two);
        vm_param_set(vm_world_state(&one), VM_PARAM_TX_FEE, 0);
        for (uint32_t height = 1; height <= 80; height++) {
            fork_world();
            vm_param_set(vm_world_state(&two), VM_PARAM_TX_FEE, 0);
            phase_block(&one, &a);
            phase_block(&two, &b);
            uint32_t const number = height % WORLD_TRADERS;
            uint32_t const phase = 1 + height % 3;
            taken += take_out(&two, number, phase);
            remember(&two, number);
            vm_world_block(&one, 900);
            vm_world_block(&two, 900);
            others_alike(phase);
        }
        vm_world_close(&one);
        vm_world_close(&two);
    }
    assert_true(taken > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_do_not_matter),
        cmocka_unit_test(order_of_accounts_means_nothing),
        cmocka_unit_test(loaded_goes_on_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
