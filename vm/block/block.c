/* The eight phases, in order. */

#include "vm/block/block.h"

#include "base/assert.h"

#include "vm/clearing/clearing.h"
#include "vm/execution/execution.h"
#include "vm/fee.h"
#include "vm/identity/identity.h"
#include "vm/identity/pending.h"
#include "vm/margin/margin.h"
#include "vm/oracle/oracle.h"
#include "vm/params.h"
#include "vm/protect/protect.h"
#include "vm/stake/stake.h"

#include "base/pure.h"

/* The account and the scopes of the key, or why the transaction may not act. */
static uint16_t
tx_judge(const struct vm_exec *x, const struct vm_tx *tx, uint32_t *account, uint32_t *scopes)
{
    uint64_t const now = x->block->time_ms;
    uint16_t const code = vm_identity_authorize(x->state, tx, now, account, scopes);
    if (tx->expires_ms <= now) {
        return VM_REJECT_EXPIRED;
    }
    if (tx->expires_ms - now > VM_EXPIRY_MAX_MS) {
        return VM_REJECT_EXPIRY_FAR;
    }
    return code;
}

/* Takes the fee from cash; it lands with the fee account at the phase's end. */
static bool fee_take(struct vm_exec *x, uint32_t account, struct vm_money fee)
{
    int64_t const cash = vm_money_raw(vm_account(x->state, account)->row.cash);
    if (cash < vm_money_raw(fee) || !vm_cash_add(x->state, account, vm_money(-vm_money_raw(fee)))) {
        return false;
    }
    vm_exec_fee(x, fee);
    return true;
}

static void tx_open(struct vm_block_run *run, uint32_t index)
{
    struct vm_exec *const x = &run->x;
    const struct vm_tx *const tx = &x->block->txs[index];
    struct vm_tx_run *const t = &run->txs[index];
    uint32_t account = VM_NONE, scopes = 0;
    t->code = tx_judge(x, tx, &account, &scopes);
    t->account = account != VM_NONE ? vm_account(x->state, account)->id : 0;
    t->fee = vm_money(0);
    if (t->code != VM_OK) {
        return;
    }
    struct vm_money const fee = vm_money(vm_fee_free(tx) ? 0 : vm_param(x->state, VM_PARAM_TX_FEE));
    if (vm_money_raw(fee) > 0 && !fee_take(x, account, fee)) {
        t->code = VM_REJECT_FEE;
        return;
    }
    t->fee = fee;
    for (uint32_t i = 0; i < tx->action_count; i++) {
        if ((vm_scope_of(tx->actions[i].kind) & ~scopes) != 0) {
            t->denied |= UINT64_C(1) << i;
            continue;
        }
        x->acts[x->act_count] = (struct vm_act){.tx = tx,
                                                .action = &tx->actions[i],
                                                .tx_index = index,
                                                .account = account,
                                                .action_index = i,
                                                .kind = tx->actions[i].kind};
        x->act_count++;
    }
}

#define AHEAD 10u

static void txs_prefetch(const struct vm_state *s, const struct vm_block *block, uint32_t i)
{
    if (i + 2 * AHEAD < block->tx_count) {
        vm_prefetch_address(s, &block->txs[i + 2 * AHEAD].account);
        __builtin_prefetch(block->txs[i + 2 * AHEAD].actions);
    }
    if (i + AHEAD < block->tx_count) {
        vm_prefetch_account(s, &block->txs[i + AHEAD].account);
    }
}

void vm_block_open(struct vm_block_run *run,
                   struct vm_state *state,
                   struct nv_arena *arena,
                   const struct vm_block *block,
                   const struct vm_limits *limits)
{
    memset(run, 0, sizeof *run);
    struct vm_exec *const x = &run->x;
    x->state = state;
    x->block = block;
    x->arena = arena;
    x->due_max = limits->block_due_max;
    x->event_max = limits->block_output_bytes_max / VM_EXEC_EVENT_MEMORY;
    struct vm_chain_row *const chain = vm_chain_mut(state);
    NV_ASSERT(block->height == chain->height + 1 && block->time_ms >= chain->time_ms);
    NV_ASSERT(block->tx_count <= limits->block_txs_max);
    x->elapsed_ms = block->time_ms - chain->time_ms;
    chain->height = block->height; /* the time stays the parent's until close */
    uint32_t actions = 0;
    for (uint32_t i = 0; i < block->tx_count; i++) {
        actions += block->txs[i].action_count;
    }
    NV_ASSERT(actions <= limits->block_actions_max);
    x->acts = NV_ARENA_NEW(arena, struct vm_act, actions);
    run->txs = NV_ARENA_NEW(arena, struct vm_tx_run, block->tx_count);
    for (uint32_t i = 0; i < block->tx_count; i++) {
        txs_prefetch(state, block, i);
        tx_open(run, i);
    }
    vm_exec_credits_land(x);
}

static void phase_open(struct vm_exec *x)
{
    vm_tombstones_expire(x->state, x->block->time_ms, x->due_max);
    vm_stake_open(x);
    vm_oracle_open(x);
    vm_clearing_funding(x);
    vm_clearing_expire(x);
    vm_margin_refresh(x);
    vm_protect_find(x);
    vm_exec_credits_land(x);
}

static void phase_cancel(struct vm_exec *x)
{
    vm_execution_cancel(x);
    vm_protect_cancel(x);
    vm_exec_credits_land(x);
}

static void phase_move(struct vm_exec *x)
{
    struct vm_pending money;
    struct vm_stake_phase stake;
    vm_pending_init(&money, x);
    vm_stake_begin(&stake);
    for (uint32_t i = 0; i < x->act_count; i++) {
        vm_identity_act(x, &money, &x->acts[i]);
        vm_stake_act(&stake, x, &x->acts[i]);
    }
    vm_pending_land(&money, x);
    vm_stake_land(&stake, x);
    vm_exec_credits_land(x);
}

static void phase_place(struct vm_exec *x)
{
    vm_protect_keepers(x);
    vm_execution_place(x);
    vm_protect_place(x);
    vm_exec_credits_land(x);
}

static void phase_match_and_clear(struct vm_exec *x)
{
    vm_execution_match(x);
    vm_exec_credits_land(x);
}

static void phase_protect(struct vm_exec *x)
{
    vm_protect_advance(x);
    vm_exec_credits_land(x);
}

void vm_block_run(struct vm_block_run *run)
{
    phase_open(&run->x);
    phase_cancel(&run->x);
    phase_move(&run->x);
    phase_place(&run->x);
    phase_match_and_clear(&run->x);
    phase_protect(&run->x);
}

void vm_block_close(struct vm_block_run *run, struct vm_result *result)
{
    struct vm_exec *const x = &run->x;
    vm_chain_mut(x->state)->time_ms = x->block->time_ms;
    vm_stake_close(x);
    vm_block_laws(x);
    vm_block_receipts(run, result);
    result->events = x->events;
    result->event_count = x->event_count;
    vm_exec_events_root(x, &result->events_root);
    struct vm_block_result_row const row = {
        .height = x->block->height,
        .time_ms = x->block->time_ms,
        .tx_count = x->block->tx_count,
        .event_count = x->event_count,
        .receipts_root = result->receipts_root,
        .events_root = result->events_root,
    };
    struct vm_root_row const root = {.height = x->block->height - 1,
                                     .root = x->block->previous_root};
    vm_block_result_put(x->state, &row);
    vm_root_put(x->state, &root);
    result->write_count = vm_state_writes(x->state, x->arena, &result->writes);
}
