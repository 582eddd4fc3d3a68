/* Accounts, their cash and wallets, their session keys. */

#include "base/assert.h"

#include "vm/state/internal.h"

#include "base/pure.h"

static bool account_is(const struct vm_state *s, uint32_t index, const struct nv_address *address)
{
    if (!vm__taken(s, VM_SLAB_ACCOUNT, index)) {
        return false;
    }
    const struct vm_account *const a = vm__at(s, VM_SLAB_ACCOUNT, index);
    return memcmp(a->row.address.bytes, address->bytes, sizeof address->bytes) == 0;
}

uint32_t vm_account_find(const struct vm_state *s, const struct nv_address *address)
{
    uint64_t const guess = vm__address_guess(address);
    uint32_t index = vm__guess_find(&s->account_guess, guess);
    if (account_is(s, index, address)) {
        return index;
    }
    struct nv_row_key key;
    vm_key_address(&key, address);
    if (!vm__index_find(s, VM_INDEX_ADDRESS, &key, &index)) {
        return VM_NONE;
    }
    vm__guess_note(&s->account_guess, guess, index);
    return index;
}

bool vm_account_owns(const struct vm_state *s, uint32_t account, const struct nv_pubkey *key)
{
    struct nv_pubkey *const known = &s->own_keys[account];
    static const struct nv_pubkey none;
    if (memcmp(known->bytes, key->bytes, sizeof key->bytes) == 0 &&
        memcmp(key->bytes, none.bytes, sizeof none.bytes) != 0) {
        return true;
    }
    /* Another key may have the same address, as far as anybody knows. */
    struct nv_address address;
    nv_address_of_key(&address, key);
    if (!account_is(s, account, &address)) {
        return false;
    }
    *known = *key;
    return true;
}

uint32_t vm_account_create(struct vm_state *s, const struct nv_address *address)
{
    NV_ASSERT(vm_account_find(s, address) == VM_NONE);
    uint32_t const index = vm__create(s, VM_SLAB_ACCOUNT);
    if (index == VM_NONE) {
        return VM_NONE;
    }
    struct vm_chain_row *const chain = vm_chain_mut(s);
    struct vm_account *const account = vm_account_mut(s, index);
    struct nv_row_key key;
    account->id = chain->next_account;
    account->row.address = *address;
    account->row.created_height = chain->height;
    chain->next_account++;
    NV_ASSERT(account->id == (uint64_t)index + 1);
    memset(&s->own_keys[index], 0, sizeof s->own_keys[index]);
    vm_cushion_forget(s, index, VM_CUSHION_INITIAL);
    vm_cushion_forget(s, index, VM_CUSHION_MAINTENANCE);
    vm_key_address(&key, address);
    vm__index_add(s, VM_INDEX_ADDRESS, &key, index);
    vm__dirty(s, VM_SET_ADDRESS, index);
    return index;
}

/* A balance and the two sums that follow it move together or not at all. */
struct balance {
    struct vm_money *own;
    struct vm_money *sum;
    struct vm_money *scrub;
    bool scrubbed;
};

static bool balance_add(const struct balance *b, struct vm_money delta)
{
    struct vm_money own, sum, scrub = *b->scrub;
    if (!vm_money_add(*b->own, delta, &own) || !vm_money_add(*b->sum, delta, &sum) ||
        (b->scrubbed && !vm_money_add(*b->scrub, delta, &scrub))) {
        return false;
    }
    *b->own = own;
    *b->sum = sum;
    *b->scrub = scrub;
    return true;
}

bool vm_cash_add(struct vm_state *s, uint32_t account, struct vm_money delta)
{
    struct vm_account *const a = vm_account_mut(s, account);
    struct vm_chain_row *const chain = vm_chain_mut(s);
    struct balance const b = {.own = &a->row.cash,
                              .sum = &chain->cash_sum,
                              .scrub = &chain->scrub_cash,
                              .scrubbed = vm__scrubbed(s, a->id)};
    if (!balance_add(&b, delta)) {
        return false;
    }
    vm__cushion_cash(s, account, delta);
    return true;
}

bool vm_wallet_add(struct vm_state *s, uint32_t account, struct vm_money delta)
{
    struct vm_account *const a = vm_account_mut(s, account);
    struct vm_chain_row *const chain = vm_chain_mut(s);
    struct vm_money after;
    if (!vm_money_add(a->row.wallet, delta, &after) || vm_money_raw(after) < 0) {
        return false;
    }
    struct balance const b = {.own = &a->row.wallet,
                              .sum = &chain->wallet_sum,
                              .scrub = &chain->scrub_wallet,
                              .scrubbed = vm__scrubbed(s, a->id)};
    return balance_add(&b, delta);
}

/* Sessions are found by account and the first 24 bytes of the key, so that no
 * hash is needed; two keys of one account that agree in these do not coexist. */
void vm__session_index_key(struct nv_row_key *key, uint64_t account, const struct nv_pubkey *k)
{
    struct nv_writer w;
    nv_writer_init(&w, key->bytes, sizeof key->bytes);
    nv_put_u64(&w, account);
    nv_put_bytes(&w, k->bytes, 24);
}

/* The cell of that account and key, also one whose row has gone in this block. */
static uint32_t session_cell(const struct vm_state *s, uint32_t account, const struct nv_pubkey *k)
{
    struct nv_row_key key;
    uint32_t index = 0;
    vm__session_index_key(&key, vm_account(s, account)->id, k);
    return vm__index_find(s, VM_INDEX_SESSION, &key, &index) ? index : VM_NONE;
}

const struct vm_session_row *
vm_session_find(const struct vm_state *s, uint32_t account, const struct nv_pubkey *key)
{
    if (vm_account(s, account)->session_count == 0) {
        return NULL;
    }
    uint32_t const index = session_cell(s, account, key);
    if (index == VM_NONE) {
        return NULL;
    }
    const struct vm_session_cell *const cell = vm__at(s, VM_SLAB_SESSION, index);
    bool const same = memcmp(cell->row.key.bytes, key->bytes, sizeof key->bytes) == 0;
    return cell->live && same ? &cell->row : NULL;
}

bool vm_session_put(struct vm_state *s, uint32_t account, const struct vm_session_row *row)
{
    uint32_t index = session_cell(s, account, &row->key);
    if (index == VM_NONE) {
        index = vm__create(s, VM_SLAB_SESSION);
        if (index == VM_NONE) {
            return false;
        }
        struct nv_row_key key;
        vm__session_index_key(&key, vm_account(s, account)->id, &row->key);
        vm__index_add(s, VM_INDEX_SESSION, &key, index);
        struct vm_session_cell *const fresh = vm__mut(s, VM_SLAB_SESSION, index);
        fresh->account = account;
        fresh->row.key = row->key;
    }
    struct vm_session_cell *const cell = vm__mut(s, VM_SLAB_SESSION, index);
    if (memcmp(cell->row.key.bytes, row->key.bytes, sizeof row->key.bytes) != 0) {
        return false;
    }
    if (!cell->live) {
        vm_account_mut(s, account)->session_count++;
        cell->live = true;
    }
    cell->row = *row;
    vm__dirty(s, VM_SET_SESSION, index);
    return true;
}

bool vm_session_remove(struct vm_state *s, uint32_t account, const struct nv_pubkey *key)
{
    if (vm_session_find(s, account, key) == NULL) {
        return false;
    }
    uint32_t const index = session_cell(s, account, key);
    struct vm_session_cell *const cell = vm__mut(s, VM_SLAB_SESSION, index);
    struct vm_account *const a = vm_account_mut(s, account);
    NV_ASSERT(a->session_count > 0);
    a->session_count--;
    cell->live = false;
    vm__dirty(s, VM_SET_SESSION, index);
    return true;
}

uint32_t vm_sessions_drop_expired(struct vm_state *s, uint32_t account, uint64_t now_ms)
{
    uint64_t const id = vm_account(s, account)->id;
    uint32_t dropped = 0;
    struct nv_row_key at;
    struct nv_critbit_entry entry;
    memset(at.bytes, 0, sizeof at.bytes);
    nv_be64_store(at.bytes, id);
    bool more = nv_critbit_lower_bound(s->indexes[VM_INDEX_SESSION], at.bytes, &entry);
    while (more && nv_be64_load(entry.key32) == id) {
        const struct vm_session_cell *const cell = vm__at(s, VM_SLAB_SESSION, entry.value);
        if (cell->live && cell->row.expires_ms <= now_ms) {
            struct nv_pubkey const key = cell->row.key;
            dropped += vm_session_remove(s, account, &key) ? 1u : 0u;
        }
        memcpy(at.bytes, entry.key32, sizeof at.bytes);
        more = nv_critbit_next(s->indexes[VM_INDEX_SESSION], at.bytes, &entry);
    }
    return dropped;
}
