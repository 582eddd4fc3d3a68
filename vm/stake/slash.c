/* Offences: what two contrary votes cost (docs/spec/stake.md section 6). */

#include "vm/identity/pending.h"
#include "vm/params.h"
#include "vm/stake/stake.h"

#include "base/pure.h"

/* Takes the share of one pool; adds what it took. */
static bool pool_slash(struct vm_exec *x, uint32_t index, struct vm_money *taken)
{
    struct vm_ratio const share = vm_ratio(vm_param(x->state, VM_PARAM_SLASH_DOUBLE));
    struct vm_money const tokens = vm_stake_pool(vm_stake(x->state, index))->tokens;
    struct vm_money cut;
    return vm_money_share(tokens, share, NV_ROUND_CEIL, &cut) &&
           vm_pool_add(x->state, index, vm_money(-vm_money_raw(cut)), vm_shares(0)) &&
           vm_money_add(*taken, cut, taken);
}

/* SPEC stake 6.1: "From its stake and from each of its batches of that epoch or a
 * later one, ceil(tokens × SLASH_DOUBLE) goes to the insurance account" */
static bool stake_slash(struct vm_exec *x, uint32_t index, uint64_t epoch, struct vm_money *taken)
{
    struct vm_state *const s = x->state;
    uint64_t const validator = vm_stake_field(vm_stake(s, index), 0);
    struct nv_row_key key;
    bool ok = pool_slash(x, index, taken);
    vm_key_batch(&key, validator, epoch > 0 ? epoch - 1 : 0);
    for (uint32_t i = vm_stake_after(s, &key); ok && i != VM_NONE; i = vm_stake_after(s, &key)) {
        const struct vm_stake *const batch = vm_stake(s, i);
        if (vm_stake_table(batch) != VM_TABLE_BATCH || vm_stake_field(batch, 0) != validator) {
            break;
        }
        key = batch->key;
        ok = pool_slash(x, i, taken);
    }
    return ok;
}

/* Notes the epoch, in its place; false when it is noted already or no more are. */
static bool epoch_note(struct vm_validator_row *row, uint64_t epoch)
{
    uint32_t at = row->slash_count;
    for (uint32_t i = 0; i < row->slash_count; i++) {
        if (row->slash_epoch[i] == epoch) {
            return false;
        }
    }
    if (row->slash_count >= VM_SLASHES_MAX) {
        return false;
    }
    while (at > 0 && row->slash_epoch[at - 1] > epoch) {
        row->slash_epoch[at] = row->slash_epoch[at - 1];
        at--;
    }
    row->slash_epoch[at] = epoch;
    row->slash_count++;
    return true;
}

static void offence_judge(struct vm_exec *x, const struct vm_offence *offence)
{
    struct vm_state *const s = x->state;
    uint32_t const index = vm_validator_of_key(s, &offence->key);
    struct vm_money taken = vm_money(0);
    if (index == VM_NONE || !epoch_note(&vm_stake_mut(s, index)->validator, offence->epoch)) {
        return;
    }
    vm_stake_mut(s, index)->validator.status = VM_VALIDATOR_TOMBSTONED;
    if (!stake_slash(x, index, offence->epoch, &taken)) {
        vm_exec_safe_mode(x);
    }
    uint64_t const validator = vm_stake_field(vm_stake(s, index), 0);
    uint32_t const insurance = (uint32_t)(vm_chain(s)->insurance_account - 1);
    vm_exec_credit(x, insurance, taken);
    vm_pending_told(x, insurance, VM_CASH_SLASH, taken, validator);
    vm_stake_told(x, validator, VM_VALIDATOR_SLASHED, taken, offence->epoch);
}

void vm_stake_open(struct vm_exec *x)
{
    const struct vm_consensus *const facts = &x->block->consensus;
    for (uint32_t i = 0; i < facts->offence_count; i++) {
        offence_judge(x, &facts->offences[i]);
    }
}
