/* Which validators make the next set (docs/spec/stake.md 4.5), and where choices
 * are kept (4.6). */

#include "base/assert.h"
#include "base/sort.h"

#include "vm/params.h"
#include "vm/stake/stake.h"

#include "base/pure.h"

struct candidate {
    struct vm_member member;
    bool inside; /* of the set in force */
};

struct vm_money vm_stake_self(const struct vm_state *s, uint32_t validator)
{
    const struct vm_stake *const v = vm_stake(s, validator);
    uint64_t const id = vm_stake_field(v, 0);
    struct nv_row_key key;
    vm_key_delegation(&key, id, id);
    uint32_t const own = vm_stake_find(s, &key);
    return own == VM_NONE ? vm_money(0)
                          : vm_pool_worth(&v->validator.pool, vm_stake(s, own)->delegation.shares);
}

static bool eligible(const struct vm_state *s, uint32_t index)
{
    const struct vm_validator_row *const row = &vm_stake(s, index)->validator;
    return row->status == VM_VALIDATOR_ACTIVE && vm_money_raw(row->pool.tokens) > 0 &&
           vm_money_raw(vm_stake_self(s, index)) >= vm_money_raw(row->least);
}

static bool in_force(const struct vm_state *s, const struct vm_member *member)
{
    for (uint32_t i = 0; i < vm_set_count(s, 0); i++) {
        const struct vm_member *const m = vm_set_member(s, 0, i);
        if (memcmp(m->key.bytes, member->key.bytes, sizeof m->key.bytes) == 0) {
            return true;
        }
    }
    return false;
}

static int candidate_cmp(const void *a, const void *b)
{
    const struct vm_member *const x = &((const struct candidate *)a)->member;
    const struct vm_member *const y = &((const struct candidate *)b)->member;
    if (vm_money_raw(x->stake) != vm_money_raw(y->stake)) {
        return vm_money_raw(x->stake) > vm_money_raw(y->stake) ? -1 : 1;
    }
    return memcmp(x->key.bytes, y->key.bytes, sizeof x->key.bytes);
}

/* Those eligible, in order, at `out`; how many. */
static uint32_t candidates(const struct vm_state *s, struct nv_arena *arena, struct candidate *out)
{
    uint32_t count = 0;
    struct nv_row_key key;
    vm_key_validator(&key, 0);
    for (uint32_t i = vm_stake_after(s, &key); i != VM_NONE; i = vm_stake_after(s, &key)) {
        const struct vm_stake *const stake = vm_stake(s, i);
        if (vm_stake_table(stake) != VM_TABLE_VALIDATOR) {
            break;
        }
        key = stake->key;
        if (eligible(s, i)) {
            struct candidate *const c = &out[count++];
            c->member.validator = vm_stake_field(stake, 0);
            c->member.key = stake->validator.key;
            c->member.stake = stake->validator.pool.tokens;
            c->inside = in_force(s, &c->member);
        }
    }
    nv_sort(out, count, sizeof *out, candidate_cmp, NV_ARENA_NEW(arena, struct candidate, count));
    return count;
}

/* The stake that may enter, -1: any. */
static int64_t entry(const struct vm_state *s, const struct candidate *list, uint32_t count)
{
    nv_i128 inside = 0;
    for (uint32_t i = 0; i < count; i++) {
        inside += list[i].inside ? vm_money_raw(list[i].member.stake) : 0;
    }
    nv_i128 const share = inside * vm_param(s, VM_PARAM_STAKE_ENTRY) / VM_RATIO_ONE_PPB;
    return inside == 0 ? -1 : (int64_t)share;
}

/* SPEC stake 4.5: "the first enters, and each next one while the stake of those that
 * enter is at most STAKE_ENTRY of the stake of the eligible members" */
static uint32_t choice(const struct vm_state *s,
                       const struct candidate *list,
                       uint32_t count,
                       struct vm_member *members)
{
    uint32_t const most = (uint32_t)vm_param(s, VM_PARAM_VALIDATORS_MAX);
    int64_t const room = entry(s, list, count);
    nv_i128 entered = 0;
    bool closed = false;
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < count && chosen < most; i++) {
        if (!list[i].inside && room >= 0) {
            nv_i128 const sum = entered + vm_money_raw(list[i].member.stake);
            closed = closed || (entered > 0 && sum > room);
            if (closed) {
                continue;
            }
            entered = sum;
        }
        members[chosen++] = list[i].member;
    }
    return chosen;
}

/* Copies a set out. */
static uint32_t set_copy(const struct vm_state *s, uint32_t set, struct vm_member *members)
{
    uint32_t const count = vm_set_count(s, set);
    for (uint32_t i = 0; i < count; i++) {
        members[i] = *vm_set_member(s, set, i);
    }
    return count;
}

static uint32_t choice_place(uint64_t height)
{
    return 1u + (uint32_t)(height / VM_CHOICE_HEIGHTS % VM_CHOICES);
}

void vm_stake_choose(struct vm_state *s, struct nv_arena *arena, uint64_t height)
{
    struct vm_member members[VM_VALIDATORS_MAX];
    size_t const mark = nv_arena_mark(arena);
    NV_ASSERT(height % VM_CHOICE_HEIGHTS == 0);
    struct candidate *const list =
        NV_ARENA_NEW(arena, struct candidate, vm_staking(s)->validators + 1u);
    uint32_t count = choice(s, list, candidates(s, arena, list), members);
    if (count == 0) {
        count = set_copy(s, 0, members);
    }
    vm_set_put(s, choice_place(height), height, members, count);
    nv_arena_release(arena, mark);
}

uint32_t vm_stake_choice(const struct vm_state *s, uint64_t height)
{
    uint64_t const chosen = height - height % VM_CHOICE_HEIGHTS;
    uint32_t const place = choice_place(chosen);
    bool const kept = vm_set_count(s, place) > 0 && vm_set_height(s, place) == chosen;
    return kept && height <= vm_chain(s)->height ? place : VM_NONE;
}

void vm_stake_enforce(struct vm_state *s, uint32_t choice, uint64_t height)
{
    struct vm_member members[VM_VALIDATORS_MAX];
    uint32_t const count = choice == VM_NONE ? 0 : set_copy(s, choice, members);
    vm_set_put(s, 0, height, members, count);
    struct vm_uptime_row *const uptime = vm_uptime_mut(s);
    memset(uptime, 0, sizeof *uptime);
    uptime->count = (uint8_t)count;
}

bool vm_stake_found(struct vm_state *s, uint32_t account, const struct vm_genesis_validator *g)
{
    uint64_t const id = vm_account(s, account)->id;
    int64_t const least = vm_param(s, VM_PARAM_STAKE_SELF_MIN);
    struct nv_row_key key;
    vm_key_delegation(&key, id, id);
    if (vm_validator_find(s, id) != VM_NONE || vm_validator_taken(s, &g->key, &g->node_key) ||
        vm_money_raw(g->stake) < 1) {
        return false;
    }
    uint32_t const index = vm_validator_put(s, id, &g->key, &g->node_key);
    uint32_t const own = index == VM_NONE ? VM_NONE : vm_stake_put(s, &key);
    if (own == VM_NONE) {
        return false;
    }
    struct vm_shares const shares = vm_shares(vm_money_raw(g->stake));
    struct vm_validator_row *const row = &vm_stake_mut(s, index)->validator;
    row->commission = g->commission;
    row->least = vm_money_raw(g->stake) < least ? g->stake : vm_money(least);
    vm_stake_mut(s, own)->delegation.shares = shares;
    return vm_pool_add(s, index, g->stake, shares);
}
