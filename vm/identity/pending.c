#include "vm/identity/pending.h"

#include "base/assert.h"
#include "base/sort.h"

#include "base/pure.h"

static bool is_send(const struct vm_act *act)
{
    return act->kind == VM_ACTION_TRANSFER || act->kind == VM_ACTION_FAUCET;
}

void vm_pending_init(struct vm_pending *pending, struct vm_exec *x)
{
    uint32_t sends = 0, withdrawals = 0;
    for (uint32_t i = 0; i < x->act_count; i++) {
        sends += is_send(&x->acts[i]) ? 1u : 0u;
        withdrawals += x->acts[i].kind == VM_ACTION_WITHDRAW ? 1u : 0u;
    }
    pending->sends = NV_ARENA_NEW(x->arena, struct vm_pending_item, sends);
    pending->withdrawals = NV_ARENA_NEW(x->arena, struct vm_pending_item, withdrawals);
    pending->send_count = 0;
    pending->withdrawal_count = 0;
}

void vm_pending_send(struct vm_pending *pending, struct vm_act *act)
{
    pending->sends[pending->send_count].act = act;
    pending->send_count++;
}

void vm_pending_withdrawal(struct vm_pending *pending, struct vm_act *act)
{
    pending->withdrawals[pending->withdrawal_count].act = act;
    pending->withdrawal_count++;
}

void vm_pending_told(struct vm_exec *x,
                     uint32_t account,
                     enum vm_cash_reason reason,
                     struct vm_money amount,
                     uint64_t counterparty)
{
    struct vm_event const event = {.kind = VM_EVENT_CASH,
                                   .cash = {.account = vm_account(x->state, account)->id,
                                            .reason = (uint8_t)reason,
                                            .amount = amount,
                                            .counterparty = counterparty}};
    vm_exec_emit(x, &event);
}

void vm_pending_rank(struct vm_pending_item *item,
                     const struct vm_exec *x,
                     const struct nv_address *address)
{
    struct nv_view const parts[2] = {
        nv_hash_view(&x->block->previous_root),
        nv_view_of(address->bytes, sizeof address->bytes),
    };
    nv_sha256_parts(&item->rank, parts, 2);
}

int vm_pending_cmp(const void *a, const void *b)
{
    const struct vm_pending_item *const left = a;
    const struct vm_pending_item *const right = b;
    int const by_rank = nv_hash_cmp(&left->rank, &right->rank);
    if (by_rank != 0) {
        return by_rank;
    }
    if (left->act->tx_index != right->act->tx_index) {
        return left->act->tx_index < right->act->tx_index ? -1 : 1;
    }
    uint32_t const x = left->act->action_index, y = right->act->action_index;
    return x < y ? -1 : x > y ? 1 : 0;
}

static void items_sort(struct vm_exec *x, struct vm_pending_item *items, uint32_t count)
{
    struct vm_pending_item *const scratch = NV_ARENA_NEW(x->arena, struct vm_pending_item, count);
    nv_sort(items, count, sizeof *items, vm_pending_cmp, scratch);
}

/* What a send that found no room took goes back. */
static void send_undo(struct vm_exec *x, const struct vm_act *act)
{
    struct vm_money const amount = act->action->send.amount;
    if (act->kind == VM_ACTION_TRANSFER) {
        vm_exec_credit(x, act->account, amount);
        return;
    }
    struct vm_chain_row *const chain = vm_chain_mut(x->state);
    NV_ASSERT(vm_money_sub(chain->supply, amount, &chain->supply) &&
              vm_money_sub(chain->vault, amount, &chain->vault));
}

static void send_land(struct vm_exec *x, struct vm_pending_item *item)
{
    const struct vm_send *const send = &item->act->action->send;
    uint32_t to = vm_account_find(x->state, &send->to);
    if (to == VM_NONE) {
        to = vm_account_create(x->state, &send->to);
    }
    if (to == VM_NONE) {
        item->act->outcome.code = VM_REJECT_ACCOUNTS_FULL;
        send_undo(x, item->act);
        return;
    }
    vm_exec_credit(x, to, send->amount);
    uint64_t const to_id = vm_account(x->state, to)->id;
    uint64_t const from_id = vm_account(x->state, item->act->account)->id;
    if (item->act->kind == VM_ACTION_FAUCET) {
        vm_pending_told(x, to, VM_CASH_FAUCET, send->amount, from_id);
        return;
    }
    struct vm_money const out = vm_money(-vm_money_raw(send->amount));
    vm_pending_told(x, item->act->account, VM_CASH_TRANSFER_OUT, out, to_id);
    vm_pending_told(x, to, VM_CASH_TRANSFER_IN, send->amount, from_id);
}

/* Pays a withdrawal into the wallet while the vault suffices. */
static void withdrawal_land(struct vm_exec *x, struct vm_act *act)
{
    struct vm_money const amount = act->action->amount;
    struct vm_chain_row *const chain = vm_chain_mut(x->state);
    struct vm_money vault;
    bool const covered = vm_money_sub(chain->vault, amount, &vault) && vm_money_raw(vault) >= 0;
    if (!covered || !vm_wallet_add(x->state, act->account, amount)) {
        act->outcome.code = VM_REJECT_BALANCE;
        vm_exec_credit(x, act->account, amount);
        return;
    }
    chain->vault = vault;
    vm_pending_told(x, act->account, VM_CASH_WITHDRAW, vm_money(-vm_money_raw(amount)), 0);
}

void vm_pending_land(struct vm_pending *pending, struct vm_exec *x)
{
    for (uint32_t i = 0; i < pending->withdrawal_count; i++) {
        struct vm_pending_item *const item = &pending->withdrawals[i];
        vm_pending_rank(item, x, &vm_account(x->state, item->act->account)->row.address);
    }
    items_sort(x, pending->withdrawals, pending->withdrawal_count);
    for (uint32_t i = 0; i < pending->withdrawal_count; i++) {
        withdrawal_land(x, pending->withdrawals[i].act);
    }
    for (uint32_t i = 0; i < pending->send_count; i++) {
        struct vm_pending_item *const item = &pending->sends[i];
        vm_pending_rank(item, x, &item->act->action->send.to);
    }
    items_sort(x, pending->sends, pending->send_count);
    for (uint32_t i = 0; i < pending->send_count; i++) {
        send_land(x, &pending->sends[i]);
    }
}
