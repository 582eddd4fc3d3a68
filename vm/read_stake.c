#include "vm/read_stake.h"

#include "base/codec.h"

#include "vm/number/pool.h"

#include "base/pure.h"

/* READ reads the row at `key` and decodes it as table `x`. */
#define READ(x)                                                                                    \
    static enum nv_err read_##x(                                                                   \
        const struct vm_row_source *from, struct vm_##x##_row *out, const struct nv_row_key *key)  \
    {                                                                                              \
        struct nv_view value = {0};                                                                \
        NV_TRY(from->get(from->ctx, &value, key));                                                 \
        return vm_##x##_row_decode(out, value);                                                    \
    }

READ(account)
READ(batch)
READ(staking)
READ(uptime)
READ(validator)

enum nv_err vm_read_staking(const struct vm_row_source *from, struct vm_staking_row *out)
{
    struct nv_row_key key;
    vm_key_staking(&key);
    return read_staking(from, out, &key);
}

/* read_address reads an account's address. */
static enum nv_err
read_address(const struct vm_row_source *from, struct nv_address *out, uint64_t account)
{
    struct nv_row_key key;
    struct vm_account_row row;
    vm_key_account(&key, account);
    NV_TRY(read_account(from, &row, &key));
    *out = row.address;
    return NV_OK;
}

/* ---- the set in force ---- */

static enum nv_err add_members(void *ctx, const struct nv_row *row, bool *enough)
{
    struct vm_in_force *const out = ctx;
    struct vm_set_row page;
    (void)enough;
    NV_TRY(vm_set_row_decode(&page, row->value));
    for (uint32_t i = 0; i < page.size && out->count < VM_VALIDATORS_MAX; i++) {
        out->member[out->count++] = page.member[i];
    }
    return NV_OK;
}

enum nv_err vm_read_in_force(const struct vm_row_source *from, struct vm_in_force *out)
{
    struct nv_row_key key;
    struct nv_row_range pages;
    out->count = 0;
    NV_TRY(vm_read_staking(from, &out->staking));
    vm_key_set(&key, 0, 0);
    nv_row_range_prefix(&pages, key.bytes, 2);
    NV_TRY(from->walk(from->ctx, &pages, add_members, out));
    vm_key_uptime(&key);
    enum nv_err const err = read_uptime(from, &out->uptime, &key);
    if (err == NV_ERR_NOT_FOUND) { /* the set is empty */
        out->uptime = (struct vm_uptime_row){.blocks = 0};
        return NV_OK;
    }
    return err;
}

/* find_duty writes what a validator does in the epoch. */
static void find_duty(struct vm_read_validator *out, const struct vm_in_force *in_force)
{
    uint32_t i = 0;
    while (i < in_force->count && in_force->member[i].validator != out->account) {
        i++;
    }
    out->serves = i < in_force->count && i < in_force->uptime.count;
    if (out->serves) {
        out->index = i;
        out->power = in_force->member[i].stake;
        out->present = in_force->uptime.present[i];
    }
}

/* ---- a page of validators ---- */

/* page_of returns how many entries a page has room for. */
static uint32_t page_of(uint32_t limit)
{
    uint32_t const most = limit < VM_READ_PAGE_MAX ? limit : VM_READ_PAGE_MAX;
    return most > 0 ? most : 1;
}

struct listing {
    const struct vm_row_source *from;
    const struct vm_in_force *in_force;
    vm_read_validator_fn visit;
    void *ctx;
    uint32_t left;
    uint64_t next;
};

static enum nv_err add_validator(void *ctx, const struct nv_row *row, bool *enough)
{
    struct listing *const l = ctx;
    struct vm_read_validator told = {.account = nv_be64_load(row->key.bytes + 1)};
    if (l->left == 0) {
        l->next = told.account;
        *enough = true;
        return NV_OK;
    }
    l->left--;
    NV_TRY(vm_validator_row_decode(&told.row, row->value));
    NV_TRY(read_address(l->from, &told.address, told.account));
    find_duty(&told, l->in_force);
    return l->visit(l->ctx, &told);
}

enum nv_err vm_read_validators(const struct vm_row_source *from,
                               struct vm_read_page *page,
                               const struct vm_in_force *in_force,
                               vm_read_validator_fn visit,
                               void *ctx)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct listing l = {from, in_force, visit, ctx, page_of(page->limit), 0};
    vm_key_validator(&key, page->first);
    nv_row_range_prefix(&range, key.bytes, 1);
    range.first = key;
    NV_TRY(from->walk(from->ctx, &range, add_validator, &l));
    page->next = l.next;
    return NV_OK;
}

/* ---- of one account ---- */

struct holding {
    const struct vm_row_source *from;
    struct vm_read_own *own;
    vm_read_stake_fn stake;
    vm_read_waiting_fn waiting;
    void *ctx;
};

/* own_rows makes the range of an account's rows in a table. */
static struct nv_row_range own_rows(uint8_t table, uint64_t account)
{
    uint8_t prefix[9] = {table};
    struct nv_row_range range;
    nv_be64_store(prefix + 1, account);
    nv_row_range_prefix(&range, prefix, sizeof prefix);
    return range;
}

/* room takes the place of one more entry; without one, the row is the next page's. */
static bool room(struct vm_read_own *own, const struct nv_row *row, bool *enough)
{
    if (own->left == 0) {
        own->more = true;
        own->next = row->key;
        *enough = true;
        return false;
    }
    own->left--;
    return true;
}

static enum nv_err add_stake(void *ctx, const struct nv_row *row, bool *enough)
{
    const struct holding *const h = ctx;
    uint64_t const validator = nv_be64_load(row->key.bytes + 9);
    struct vm_delegation_row delegation;
    struct vm_validator_row of;
    struct vm_read_stake told;
    struct nv_row_key key;
    if (!room(h->own, row, enough)) {
        return NV_OK;
    }
    NV_TRY(vm_delegation_row_decode(&delegation, row->value));
    vm_key_validator(&key, validator);
    NV_TRY(read_validator(h->from, &of, &key));
    NV_TRY(read_address(h->from, &told.validator, validator));
    told.status = of.status;
    told.shares = delegation.shares;
    told.worth = vm_pool_worth(&of.pool, delegation.shares);
    return h->stake(h->ctx, &told);
}

static enum nv_err add_waiting(void *ctx, const struct nv_row *row, bool *enough)
{
    const struct holding *const h = ctx;
    uint64_t const validator = nv_be64_load(row->key.bytes + 9);
    struct vm_read_waiting told = {.epoch = nv_be64_load(row->key.bytes + 17)};
    struct vm_unbonding_row unbonding;
    struct vm_batch_row batch;
    struct nv_row_key key;
    if (!room(h->own, row, enough)) {
        return NV_OK;
    }
    NV_TRY(vm_unbonding_row_decode(&unbonding, row->value));
    vm_key_batch(&key, validator, told.epoch);
    NV_TRY(read_batch(h->from, &batch, &key));
    NV_TRY(read_address(h->from, &told.validator, validator));
    told.worth = vm_pool_worth(&batch.pool, unbonding.shares);
    told.release_ms = unbonding.release_ms;
    return h->waiting(h->ctx, &told);
}

/* is_of returns whether a key may be of a row of this range. */
static bool is_of(const struct nv_row_range *range, const struct nv_row_key *key)
{
    return nv_row_key_cmp(key, &range->first) >= 0 && nv_row_key_cmp(key, &range->last) <= 0;
}

enum nv_err vm_read_own_begin(struct vm_read_own *own,
                              uint64_t account,
                              const struct nv_row_key *first,
                              uint32_t limit)
{
    struct nv_row_range const stakes = own_rows(VM_TABLE_DELEGATION, account);
    struct nv_row_range const waiting = own_rows(VM_TABLE_UNBONDING, account);
    *own = (struct vm_read_own){.account = account, .first = stakes.first, .left = page_of(limit)};
    if (first == NULL) {
        return NV_OK;
    }
    own->first = *first;
    return is_of(&stakes, first) || is_of(&waiting, first) ? NV_OK : NV_ERR_MALFORMED;
}

/* walk_own walks the rows of a table that belong to a page. */
static enum nv_err walk_own(struct holding *h, uint8_t table, vm_row_fn visit)
{
    const struct vm_read_own *const own = h->own;
    struct nv_row_range range = own_rows(table, own->account);
    if (own->more || nv_row_key_cmp(&own->first, &range.last) > 0) {
        return NV_OK;
    }
    if (nv_row_key_cmp(&own->first, &range.first) > 0) {
        range.first = own->first;
    }
    return h->from->walk(h->from->ctx, &range, visit, h);
}

enum nv_err vm_read_stakes(const struct vm_row_source *from,
                           struct vm_read_own *own,
                           vm_read_stake_fn visit,
                           void *ctx)
{
    struct holding h = {.from = from, .own = own, .stake = visit, .ctx = ctx};
    return walk_own(&h, VM_TABLE_DELEGATION, add_stake);
}

enum nv_err vm_read_waiting(const struct vm_row_source *from,
                            struct vm_read_own *own,
                            vm_read_waiting_fn visit,
                            void *ctx)
{
    struct holding h = {.from = from, .own = own, .waiting = visit, .ctx = ctx};
    return walk_own(&h, VM_TABLE_UNBONDING, add_waiting);
}
