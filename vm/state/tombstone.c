/* Tombstones: client ids cancelled before they came, until the cancel's expiry. */

#include "base/assert.h"

#include "vm/state/internal.h"

#include "base/pure.h"

/* Expiry, then what the row's key tells: where a cell lies is not the same after
 * loading, and a budget may end between two of one expiry. */
static void expiry_key(struct nv_row_key *key, const struct vm_tombstone_cell *cell)
{
    struct nv_writer w;
    memset(key->bytes, 0, sizeof key->bytes);
    nv_writer_init(&w, key->bytes, sizeof key->bytes);
    nv_put_u64(&w, cell->row.expires_ms);
    nv_put_u32(&w, cell->market);
    nv_put_u64(&w, cell->account);
    nv_put_u64(&w, cell->client_id);
}

static uint32_t
tombstone_find(const struct vm_state *s, uint32_t market, uint64_t account, uint64_t client_id)
{
    struct nv_row_key key;
    uint32_t index = 0;
    vm_key_tombstone(&key, market, account, client_id);
    return vm__index_find(s, VM_INDEX_TOMBSTONE, &key, &index) ? index : VM_NONE;
}

bool vm_tombstone_has(const struct vm_state *s,
                      uint32_t market,
                      uint64_t account,
                      uint64_t client_id,
                      uint64_t now_ms)
{
    uint32_t const index = tombstone_find(s, market, account, client_id);
    if (index == VM_NONE) {
        return false;
    }
    const struct vm_tombstone_cell *const cell = vm__at(s, VM_SLAB_TOMBSTONE, index);
    return cell->live && cell->row.expires_ms > now_ms;
}

static uint32_t
tombstone_open(struct vm_state *s, uint32_t market, uint64_t account, uint64_t client_id)
{
    uint32_t const found = tombstone_find(s, market, account, client_id);
    if (found != VM_NONE) {
        return found;
    }
    uint32_t const index = vm__create(s, VM_SLAB_TOMBSTONE);
    if (index != VM_NONE) {
        struct vm_tombstone_cell *const cell = vm__at(s, VM_SLAB_TOMBSTONE, index);
        struct nv_row_key key;
        cell->market = market;
        cell->account = account;
        cell->client_id = client_id;
        vm_key_tombstone(&key, market, account, client_id);
        vm__index_add(s, VM_INDEX_TOMBSTONE, &key, index);
    }
    return index;
}

bool vm_tombstone_put(
    struct vm_state *s, uint32_t market, uint64_t account, uint64_t client_id, uint64_t expires_ms)
{
    uint32_t const index = tombstone_open(s, market, account, client_id);
    if (index == VM_NONE) {
        return false;
    }
    struct vm_tombstone_cell *const cell = vm__mut(s, VM_SLAB_TOMBSTONE, index);
    struct nv_row_key key;
    if (cell->live && cell->row.expires_ms >= expires_ms) {
        return true;
    }
    if (cell->live) {
        expiry_key(&key, cell);
        vm__index_remove(s, VM_INDEX_TOMBSTONE_EXPIRY, &key);
    }
    cell->live = true;
    cell->row.expires_ms = expires_ms;
    expiry_key(&key, cell);
    vm__index_add(s, VM_INDEX_TOMBSTONE_EXPIRY, &key, index);
    vm__dirty(s, VM_SET_TOMBSTONE, index);
    return true;
}

void vm_tombstones_expire(struct vm_state *s, uint64_t now_ms, uint32_t max)
{
    static const struct nv_row_key zero;
    struct nv_critbit *const expiries = s->indexes[VM_INDEX_TOMBSTONE_EXPIRY];
    struct nv_critbit_entry entry;
    for (uint32_t i = 0; i < max; i++) {
        if (!nv_critbit_lower_bound(expiries, zero.bytes, &entry) ||
            nv_be64_load(entry.key32) > now_ms) {
            return;
        }
        uint32_t const index = entry.value;
        struct nv_row_key key;
        memcpy(key.bytes, entry.key32, sizeof key.bytes);
        vm__index_remove(s, VM_INDEX_TOMBSTONE_EXPIRY, &key);
        struct vm_tombstone_cell *const cell = vm__mut(s, VM_SLAB_TOMBSTONE, index);
        cell->live = false;
        vm__dirty(s, VM_SET_TOMBSTONE, index);
    }
}
