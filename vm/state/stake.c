#include "vm/state/stake.h"

#include "base/assert.h"
#include "base/bug.h"

#include "vm/state/internal.h"

#include "base/pure.h"

const struct vm_staking_row *vm_staking(const struct vm_state *s)
{
    return vm__at(s, VM_SLAB_STAKING, 0);
}

struct vm_staking_row *vm_staking_mut(struct vm_state *s)
{
    vm__dirty(s, VM_SET_STAKING, 0);
    return vm__mut(s, VM_SLAB_STAKING, 0);
}

/* The entry of a key, also one whose row has gone in this block. */
static uint32_t stake_cell(const struct vm_state *s, const struct nv_row_key *key)
{
    uint32_t index = 0;
    return vm__index_find(s, VM_INDEX_STAKE, key, &index) ? index : VM_NONE;
}

uint32_t vm_stake_find(const struct vm_state *s, const struct nv_row_key *key)
{
    uint32_t const index = stake_cell(s, key);
    return index != VM_NONE && vm_stake(s, index)->live ? index : VM_NONE;
}

uint32_t vm_stake_after(const struct vm_state *s, const struct nv_row_key *key)
{
    struct nv_critbit_entry entry;
    bool more = nv_critbit_next(s->indexes[VM_INDEX_STAKE], key->bytes, &entry);
    while (more && !vm_stake(s, entry.value)->live) {
        struct nv_row_key at;
        memcpy(at.bytes, entry.key32, sizeof at.bytes);
        more = nv_critbit_next(s->indexes[VM_INDEX_STAKE], at.bytes, &entry);
    }
    return more ? entry.value : VM_NONE;
}

const struct vm_stake *vm_stake(const struct vm_state *s, uint32_t index)
{
    return vm__at(s, VM_SLAB_STAKE, index);
}

struct vm_stake *vm_stake_mut(struct vm_state *s, uint32_t index)
{
    vm__dirty(s, VM_SET_STAKE, index);
    return vm__mut(s, VM_SLAB_STAKE, index);
}

uint32_t vm_stake_put(struct vm_state *s, const struct nv_row_key *key)
{
    uint32_t index = stake_cell(s, key);
    if (index == VM_NONE) {
        index = vm__create(s, VM_SLAB_STAKE);
        if (index == VM_NONE) {
            return VM_NONE;
        }
        vm__index_add(s, VM_INDEX_STAKE, key, index);
    }
    struct vm_stake *const stake = vm_stake_mut(s, index);
    if (!stake->live) {
        memset(stake, 0, sizeof *stake);
        stake->key = *key;
        stake->live = true;
    }
    return index;
}

void vm_stake_drop(struct vm_state *s, uint32_t index)
{
    vm_stake_mut(s, index)->live = false;
}

enum vm_table vm_stake_table(const struct vm_stake *stake)
{
    return (enum vm_table)stake->key.bytes[0];
}

uint64_t vm_stake_field(const struct vm_stake *stake, uint32_t i)
{
    return nv_be64_load(stake->key.bytes + 1 + (size_t)8 * i);
}

uint32_t vm_validator_find(const struct vm_state *s, uint64_t account)
{
    struct nv_row_key key;
    vm_key_validator(&key, account);
    return vm_stake_find(s, &key);
}

static struct nv_row_key key_of_key(const struct nv_pubkey *key)
{
    struct nv_row_key out;
    _Static_assert(sizeof out.bytes == sizeof key->bytes, "a public key is an index key");
    memcpy(out.bytes, key->bytes, sizeof out.bytes);
    return out;
}

static uint32_t
of_key(const struct vm_state *s, enum vm_index_id index, const struct nv_pubkey *key)
{
    struct nv_row_key const by_key = key_of_key(key);
    uint32_t at = 0;
    return vm__index_find(s, index, &by_key, &at) ? at : VM_NONE;
}

uint32_t vm_validator_of_key(const struct vm_state *s, const struct nv_pubkey *key)
{
    return of_key(s, VM_INDEX_VALIDATOR_KEY, key);
}

bool vm_validator_taken(const struct vm_state *s,
                        const struct nv_pubkey *key,
                        const struct nv_pubkey *node_key)
{
    return of_key(s, VM_INDEX_VALIDATOR_KEY, key) != VM_NONE ||
           (of_key(s, VM_INDEX_NODE_KEY, node_key) != VM_NONE && !NV_SEEDED(NODE_KEY_SHARED));
}

uint32_t vm_validator_put(struct vm_state *s,
                          uint64_t account,
                          const struct nv_pubkey *key,
                          const struct nv_pubkey *node_key)
{
    struct nv_row_key row_key;
    struct nv_row_key const by_key = key_of_key(key);
    struct nv_row_key const by_node_key = key_of_key(node_key);
    if (vm_staking(s)->validators >= VM_VALIDATORS_KNOWN) {
        return VM_NONE;
    }
    vm_key_validator(&row_key, account);
    NV_ASSERT(!vm_validator_taken(s, key, node_key) && vm_stake_find(s, &row_key) == VM_NONE);
    uint32_t const index = vm_stake_put(s, &row_key);
    if (index == VM_NONE) {
        return VM_NONE;
    }
    vm__index_add(s, VM_INDEX_VALIDATOR_KEY, &by_key, index);
    vm__index_add(s, VM_INDEX_NODE_KEY, &by_node_key, index);
    vm_staking_mut(s)->validators++;
    struct vm_validator_row *const row = &vm_stake_mut(s, index)->validator;
    row->key = *key;
    row->node_key = *node_key;
    row->status = VM_VALIDATOR_ACTIVE;
    return index;
}

void vm_validator_drop(struct vm_state *s, uint32_t index)
{
    const struct vm_validator_row *const row = &vm_stake(s, index)->validator;
    struct nv_row_key const by_key = key_of_key(&row->key);
    struct nv_row_key const by_node_key = key_of_key(&row->node_key);
    vm__index_remove(s, VM_INDEX_VALIDATOR_KEY, &by_key);
    vm__index_remove(s, VM_INDEX_NODE_KEY, &by_node_key);
    vm_staking_mut(s)->validators--;
    vm_stake_drop(s, index);
}

const struct vm_pool *vm_stake_pool(const struct vm_stake *stake)
{
    return vm_stake_table(stake) == VM_TABLE_VALIDATOR ? &stake->validator.pool
                                                       : &stake->batch.pool;
}

/* An amount of a validator's and the sums that follow it move together or not at all. */
static bool
staked_add(struct vm_state *s, uint64_t validator, struct vm_money *own, struct vm_money delta)
{
    struct vm_staking_row *const staking = vm_staking_mut(s);
    struct vm_money after, sum, scrub = staking->scrub_staked;
    if (!vm_money_add(*own, delta, &after) || vm_money_raw(after) < 0 ||
        !vm_money_add(staking->staked, delta, &sum) || vm_money_raw(sum) < 0 ||
        (vm__scrubbed(s, validator) && !vm_money_add(scrub, delta, &scrub))) {
        return false;
    }
    *own = after;
    staking->staked = sum;
    staking->scrub_staked = scrub;
    return true;
}

bool vm_pool_add(struct vm_state *s,
                 uint32_t index,
                 struct vm_money tokens,
                 struct vm_shares shares)
{
    struct vm_stake *const stake = vm_stake_mut(s, index);
    bool const whole = vm_stake_table(stake) == VM_TABLE_VALIDATOR;
    struct vm_pool *const pool = whole ? &stake->validator.pool : &stake->batch.pool;
    struct vm_shares after;
    if (!vm_shares_add(pool->shares, shares, &after) || vm_shares_raw(after) < 0 ||
        !staked_add(s, vm_stake_field(stake, 0), &pool->tokens, tokens)) {
        return false;
    }
    pool->shares = after;
    return true;
}

bool vm_due_add(struct vm_state *s, uint32_t validator, struct vm_money delta)
{
    struct vm_stake *const stake = vm_stake_mut(s, validator);
    return staked_add(s, vm_stake_field(stake, 0), &stake->validator.due, delta);
}

bool vm_pot_add(struct vm_state *s, struct vm_money delta)
{
    struct vm_staking_row *const staking = vm_staking_mut(s);
    struct vm_money after;
    if (!vm_money_add(staking->pot, delta, &after) || vm_money_raw(after) < 0) {
        return false;
    }
    staking->pot = after;
    return true;
}

bool vm_staked_of(const struct vm_state *s, uint32_t validator, struct vm_money *out)
{
    const struct vm_stake *stake = vm_stake(s, validator);
    uint64_t const id = vm_stake_field(stake, 0);
    struct nv_row_key key;
    struct vm_money sum;
    bool ok = vm_money_add(stake->validator.pool.tokens, stake->validator.due, &sum);
    vm_key_batch(&key, id, 0);
    for (uint32_t i = vm_stake_after(s, &key); ok && i != VM_NONE; i = vm_stake_after(s, &key)) {
        stake = vm_stake(s, i);
        if (vm_stake_table(stake) != VM_TABLE_BATCH || vm_stake_field(stake, 0) != id) {
            break;
        }
        ok = vm_money_add(sum, stake->batch.pool.tokens, &sum);
        key = stake->key;
    }
    *out = sum;
    return ok;
}

/* ---- sets ---- */

static struct vm_set_row *set_page(const struct vm_state *s, uint32_t set, uint32_t page)
{
    return vm__at(s, VM_SLAB_SET, set * VM_SET_PAGES + page);
}

uint32_t vm_set_count(const struct vm_state *s, uint32_t set)
{
    return set_page(s, set, 0)->count;
}

uint64_t vm_set_height(const struct vm_state *s, uint32_t set)
{
    return set_page(s, set, 0)->height;
}

const struct vm_member *vm_set_member(const struct vm_state *s, uint32_t set, uint32_t i)
{
    NV_ASSERT(i < vm_set_count(s, set));
    return &set_page(s, set, i / VM_SET_PAGE)->member[i % VM_SET_PAGE];
}

void vm_set_put(struct vm_state *s,
                uint32_t set,
                uint64_t height,
                const struct vm_member *members,
                uint32_t count)
{
    NV_ASSERT(set < VM_SETS && count <= VM_VALIDATORS_MAX);
    for (uint32_t page = 0; page < VM_SET_PAGES; page++) {
        uint32_t const index = set * VM_SET_PAGES + page;
        uint32_t const first = page * VM_SET_PAGE;
        uint32_t const left = count > first ? count - first : 0;
        vm__dirty(s, VM_SET_SETS, index);
        struct vm_set_row *const row = vm__mut(s, VM_SLAB_SET, index);
        memset(row, 0, sizeof *row);
        row->height = count > 0 ? height : 0; /* an empty set has no row */
        row->count = (uint8_t)count;
        row->size = (uint8_t)(left < VM_SET_PAGE ? left : VM_SET_PAGE);
        if (row->size > 0) {
            memcpy(row->member, &members[first], row->size * sizeof row->member[0]);
        }
    }
}

const struct vm_uptime_row *vm_uptime(const struct vm_state *s)
{
    return vm__at(s, VM_SLAB_UPTIME, 0);
}

struct vm_uptime_row *vm_uptime_mut(struct vm_state *s)
{
    vm__dirty(s, VM_SET_UPTIME, 0);
    return vm__mut(s, VM_SLAB_UPTIME, 0);
}
