/* Loading of stake: its rows become entries and sets; then shares are added up.
 * Tokens are not: what breaks a law is for the laws to find, on all nodes alike. */

#include "base/assert.h"

#include "vm/state/internal.h"
#include "vm/state/stake.h"

#include "base/pure.h"

static uint64_t field(const struct nv_row *row, uint32_t i)
{
    return nv_be64_load(row->key.bytes + 1 + (size_t)8 * i);
}

/* A key has its table's fields, and nothing behind them. */
static bool key_whole(const struct nv_row *row)
{
    struct nv_row_key key;
    uint8_t const table = row->key.bytes[0];
    if (table == VM_TABLE_VALIDATOR) {
        vm_key_validator(&key, field(row, 0));
    } else if (table == VM_TABLE_DELEGATION) {
        vm_key_delegation(&key, field(row, 0), field(row, 1));
    } else if (table == VM_TABLE_BATCH) {
        vm_key_batch(&key, field(row, 0), field(row, 1));
    } else {
        vm_key_unbonding(&key, field(row, 0), field(row, 1), field(row, 2));
    }
    return nv_row_key_cmp(&key, &row->key) == 0;
}

static enum nv_err load_staking(struct vm_state *s, const struct nv_row *row)
{
    struct vm_staking_row *const staking = vm_staking_mut(s);
    NV_TRY(vm_staking_row_decode(staking, row->value));
    staking->validators = 0; /* counted as they come, and compared then */
    return vm__load_accept(s, VM_SET_STAKING, 0, row);
}

static enum nv_err load_validator(struct vm_state *s, const struct nv_row *row)
{
    struct vm_validator_row decoded;
    uint32_t account = 0;
    NV_TRY(vm_validator_row_decode(&decoded, row->value));
    NV_TRY(vm__load_account(s, field(row, 0), &account));
    if (!key_whole(row) || vm_validator_find(s, field(row, 0)) != VM_NONE ||
        vm_validator_taken(s, &decoded.key, &decoded.node_key)) {
        return NV_ERR_CORRUPT;
    }
    uint32_t const index = vm_validator_put(s, field(row, 0), &decoded.key, &decoded.node_key);
    if (index == VM_NONE) {
        return NV_ERR_NO_MEMORY;
    }
    vm_stake_mut(s, index)->validator = decoded;
    return vm__load_accept(s, VM_SET_STAKE, index, row);
}

static enum nv_err part_decode(struct vm_stake *out, const struct nv_row *row)
{
    uint8_t const table = row->key.bytes[0];
    if (table == VM_TABLE_DELEGATION) {
        return vm_delegation_row_decode(&out->delegation, row->value);
    }
    return table == VM_TABLE_BATCH ? vm_batch_row_decode(&out->batch, row->value)
                                   : vm_unbonding_row_decode(&out->unbonding, row->value);
}

/* What belongs to a validator: a delegation, a batch or an unbonding. */
static enum nv_err load_part(struct vm_state *s, const struct nv_row *row)
{
    struct vm_stake decoded;
    uint32_t account = 0;
    NV_TRY(part_decode(&decoded, row));
    NV_TRY(vm__load_account(s, field(row, 0), &account));
    uint64_t const validator = field(row, row->key.bytes[0] == VM_TABLE_BATCH ? 0 : 1);
    if (!key_whole(row) || vm_validator_find(s, validator) == VM_NONE ||
        vm_stake_find(s, &row->key) != VM_NONE) {
        return NV_ERR_CORRUPT;
    }
    uint32_t const index = vm_stake_put(s, &row->key);
    if (index == VM_NONE) {
        return NV_ERR_NO_MEMORY;
    }
    struct vm_stake *const stake = vm_stake_mut(s, index);
    decoded.key = stake->key;
    decoded.live = true;
    *stake = decoded;
    return vm__load_accept(s, VM_SET_STAKE, index, row);
}

static enum nv_err load_set(struct vm_state *s, const struct nv_row *row)
{
    struct vm_set_row decoded;
    NV_TRY(vm_set_row_decode(&decoded, row->value));
    uint32_t const set = row->key.bytes[1], page = row->key.bytes[2];
    if (set >= VM_SETS || page >= VM_SET_PAGES) {
        return NV_ERR_CORRUPT;
    }
    for (uint32_t i = 0; i < decoded.size; i++) {
        uint32_t account = 0;
        NV_TRY(vm__load_account(s, decoded.member[i].validator, &account));
    }
    uint32_t const index = set * VM_SET_PAGES + page;
    *(struct vm_set_row *)vm__at(s, VM_SLAB_SET, index) = decoded;
    return vm__load_accept(s, VM_SET_SETS, index, row);
}

static enum nv_err load_uptime(struct vm_state *s, const struct nv_row *row)
{
    NV_TRY(vm_uptime_row_decode(vm_uptime_mut(s), row->value));
    return vm__load_accept(s, VM_SET_UPTIME, 0, row);
}

enum nv_err vm__load_stake(struct vm_state *s, const struct nv_row *row)
{
    uint8_t const table = row->key.bytes[0];
    if (table == VM_TABLE_STAKING) {
        return load_staking(s, row);
    }
    if (table == VM_TABLE_VALIDATOR) {
        return load_validator(s, row);
    }
    if (table == VM_TABLE_SET) {
        return load_set(s, row);
    }
    return table == VM_TABLE_UPTIME ? load_uptime(s, row) : load_part(s, row);
}

/* The pages of each set agree on it, and the uptime is of the set in force. */
static bool sets_whole(const struct vm_state *s)
{
    bool ok = vm_uptime(s)->count == vm_set_count(s, 0);
    for (uint32_t i = 0; i < VM_SETS * VM_SET_PAGES; i++) {
        const struct vm_set_row *const page = vm__at(s, VM_SLAB_SET, i);
        uint32_t const count = vm_set_count(s, i / VM_SET_PAGES);
        uint32_t const first = i % VM_SET_PAGES * VM_SET_PAGE;
        uint32_t const left = count > first ? count - first : 0;
        ok = ok && page->size == (left < VM_SET_PAGE ? left : VM_SET_PAGE) &&
             (page->size == 0 ||
              (page->count == count && page->height == vm_set_height(s, i / VM_SET_PAGES)));
    }
    return ok;
}

/* The entry in whose pool a delegation or an unbonding has its shares. */
static uint32_t owner_of(const struct vm_state *s, const struct vm_stake *stake)
{
    struct nv_row_key key;
    if (vm_stake_table(stake) == VM_TABLE_DELEGATION) {
        return vm_validator_find(s, vm_stake_field(stake, 1));
    }
    vm_key_batch(&key, vm_stake_field(stake, 1), vm_stake_field(stake, 2));
    return vm_stake_find(s, &key);
}

/* Takes the shares that accounts hold from `left`, by entry, where all of the
 * pools' shares are put. */
static bool parts_add(const struct vm_state *s, int64_t *left)
{
    const struct vm_slots *const slots = &s->slabs[VM_SLAB_STAKE].slots;
    for (uint32_t i = 0; i < slots->end; i++) {
        if (!vm_slots_taken(slots, i)) {
            continue;
        }
        const struct vm_stake *const stake = vm_stake(s, i);
        enum vm_table const table = vm_stake_table(stake);
        uint32_t const owner =
            table == VM_TABLE_VALIDATOR || table == VM_TABLE_BATCH ? i : owner_of(s, stake);
        bool const own = owner == i;
        int64_t const shares = own ? vm_shares_raw(vm_stake_pool(stake)->shares)
                                   : -vm_shares_raw(stake->delegation.shares);
        if (owner == VM_NONE || !nv_add_i64(left[owner], shares, &left[owner])) {
            return false;
        }
    }
    return true;
}

/* The undo log, empty now, lends the memory. */
enum nv_err vm__load_stake_end(struct vm_state *s)
{
    uint32_t const end = s->slabs[VM_SLAB_STAKE].slots.end;
    NV_ASSERT(s->undo_used == 0 && end * sizeof(int64_t) <= s->undo_cap);
    int64_t *const left = (int64_t *)(void *)s->undo;
    for (uint32_t i = 0; i < end; i++) {
        left[i] = 0;
    }
    bool ok = sets_whole(s) && parts_add(s, left);
    for (uint32_t i = 0; ok && i < end; i++) {
        ok = left[i] == 0;
    }
    return ok ? NV_OK : NV_ERR_CORRUPT;
}
