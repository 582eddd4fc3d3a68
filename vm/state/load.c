/* Loading: committed rows in ascending key order become elements; then what is
 * derived is linked and compared with what the rows say. */

#include "base/assert.h"
#include "base/bug.h"
#include "base/sort.h"

#include "vm/params.h"
#include "vm/state/internal.h"
#include "vm/tx.h"

#include "base/pure.h"

/* The fields of a key, read from its bytes.  Fields that a table does not have
 * are 0 in the key and are checked by making the key anew. */
static uint64_t field_u64(const struct nv_row_key *key, uint32_t at)
{
    return nv_be64_load(key->bytes + at);
}

static uint32_t field_u32(const struct nv_row_key *key, uint32_t at)
{
    return nv_be32_load(key->bytes + at);
}

static enum nv_err load_account(struct vm_state *s, const struct nv_row *row)
{
    struct vm_account_row decoded;
    struct nv_row_key key;
    uint32_t index = 0;
    NV_TRY(vm_account_row_decode(&decoded, row->value));
    vm_key_address(&key, &decoded.address);
    if (vm__index_find(s, VM_INDEX_ADDRESS, &key, &index)) {
        return NV_ERR_CORRUPT;
    }
    index = vm__create(s, VM_SLAB_ACCOUNT);
    if (index == VM_NONE) {
        return NV_ERR_NO_MEMORY;
    }
    struct vm_account *const account = vm__at(s, VM_SLAB_ACCOUNT, index);
    account->row = decoded;
    account->id = (uint64_t)index + 1;
    vm__index_add(s, VM_INDEX_ADDRESS, &key, index);
    return vm__load_accept(s, VM_SET_ACCOUNT, index, row);
}

static enum nv_err load_position(struct vm_state *s, const struct nv_row *row)
{
    struct vm_position_row decoded;
    uint32_t account = 0;
    NV_TRY(vm_position_row_decode(&decoded, row->value));
    NV_TRY(vm__load_account(s, field_u64(&row->key, 1), &account));
    uint32_t const index = vm_position_open(s, account, field_u32(&row->key, 9));
    if (index == VM_NONE) {
        return NV_ERR_NO_MEMORY;
    }
    vm__position(s, index)->open.row = decoded;
    return vm__load_accept(s, VM_SET_POSITION, index, row);
}

static enum nv_err load_market(struct vm_state *s, const struct nv_row *row)
{
    struct vm_market_row decoded;
    NV_TRY(vm_market_row_decode(&decoded, row->value));
    uint32_t const market = vm_market_create(s, &decoded);
    return market == VM_NONE ? NV_ERR_NO_MEMORY : vm__load_accept(s, VM_SET_MARKET, market, row);
}

static enum nv_err load_market_state(struct vm_state *s, const struct nv_row *row)
{
    uint32_t const market = field_u32(&row->key, 1);
    if (market >= vm_market_count(s)) {
        return NV_ERR_CORRUPT;
    }
    struct vm_market *const m = vm__at(s, VM_SLAB_MARKET, market);
    NV_TRY(vm_market_state_row_decode(&m->row, row->value));
    return vm__load_accept(s, VM_SET_MARKET_STATE, market, row);
}

/* A level page starts without orders; they are linked, and its sums compared
 * with the row, when all rows are there. */
static enum nv_err load_level(struct vm_state *s, const struct nv_row *row)
{
    struct vm_level_row decoded;
    NV_TRY(vm_level_row_decode(&decoded, row->value));
    uint32_t const market = field_u32(&row->key, 1);
    uint8_t const side = row->key.bytes[5];
    if (market >= vm_market_count(s) || (side != VM_BUY && side != VM_SELL)) {
        return NV_ERR_CORRUPT;
    }
    uint64_t const ordered = side == VM_BUY ? ~field_u64(&row->key, 6) : field_u64(&row->key, 6);
    uint64_t const page = ordered ^ (UINT64_C(1) << 63);
    uint32_t const index = vm__level_open(s, market, side, page);
    return index == VM_NONE ? NV_ERR_NO_MEMORY : vm__load_accept(s, VM_SET_LEVEL, index, row);
}

static enum nv_err load_address(struct vm_state *s, const struct nv_row *row)
{
    struct vm_address_row decoded;
    uint32_t account = 0;
    NV_TRY(vm_address_row_decode(&decoded, row->value));
    NV_TRY(vm__load_account(s, decoded.account, &account));
    s->address_rows++;
    return vm__load_accept(s, VM_SET_ADDRESS, account, row);
}

static enum nv_err load_session(struct vm_state *s, const struct nv_row *row)
{
    struct vm_session_row decoded;
    struct nv_row_key key;
    uint32_t account = 0, index = 0;
    NV_TRY(vm_session_row_decode(&decoded, row->value));
    NV_TRY(vm__load_account(s, field_u64(&row->key, 1), &account));
    if (!vm_session_put(s, account, &decoded)) {
        return NV_ERR_NO_MEMORY;
    }
    vm__session_index_key(&key, field_u64(&row->key, 1), &decoded.key);
    NV_ASSERT(vm__index_find(s, VM_INDEX_SESSION, &key, &index));
    return vm__load_accept(s, VM_SET_SESSION, index, row);
}

static enum nv_err
load_order(struct vm_state *s, uint32_t position, uint32_t ordinal, const struct vm_order_row *row)
{
    const struct vm_position *const p = vm_position(s, position);
    if (row->slot >= s->slabs[VM_SLAB_ORDER].slots.cap || vm__taken(s, VM_SLAB_ORDER, row->slot) ||
        ordinal >= VM_ORDERS_ACCOUNT_MARKET_MAX || !vm__order_counts(s, position, row)) {
        return NV_ERR_CORRUPT;
    }
    vm__create_at(s, VM_SLAB_ORDER, row->slot);
    struct vm_order *const order = vm__at(s, VM_SLAB_ORDER, row->slot);
    order->row = *row;
    order->market = p->market;
    order->position = position;
    order->ordinal = (uint8_t)ordinal;
    vm__order_adopt(s, row->slot);
    return NV_OK;
}

static enum nv_err load_orders(struct vm_state *s, const struct nv_row *row)
{
    struct vm_orders_row decoded;
    uint32_t account = 0;
    NV_TRY(vm_orders_row_decode(&decoded, row->value));
    NV_TRY(vm__load_account(s, field_u64(&row->key, 5), &account));
    uint32_t const market = field_u32(&row->key, 1);
    uint32_t const page = row->key.bytes[13];
    if (market >= vm_market_count(s)) {
        return NV_ERR_CORRUPT;
    }
    uint32_t const position = vm_position_open(s, account, market);
    if (position == VM_NONE) {
        return NV_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < decoded.count; i++) {
        uint32_t const ordinal = page * VM_ORDER_PAGE + decoded.ordinal[i];
        NV_TRY(load_order(s, position, ordinal, &decoded.order[i]));
    }
    uint32_t const index = vm__position(s, position)->page[page];
    struct vm_order_page *const loaded = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    loaded->committed = loaded->taken;
    loaded->changed = 0;
    return vm__load_accept(s, VM_SET_ORDERS, index, row);
}

static enum nv_err load_feed(struct vm_state *s, const struct nv_row *row)
{
    struct vm_feed_row decoded;
    NV_TRY(vm_feed_row_decode(&decoded, row->value));
    uint32_t const feed = vm_feed_create(s, &decoded);
    return feed == VM_NONE ? NV_ERR_NO_MEMORY : vm__load_accept(s, VM_SET_FEED, feed, row);
}

static enum nv_err load_report(struct vm_state *s, const struct nv_row *row)
{
    uint32_t const feed = field_u32(&row->key, 1);
    uint32_t const reporter = nv_be16_load(row->key.bytes + 5);
    if (feed >= vm_feed_count(s) || reporter >= VM_REPORTERS_MAX) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(vm_report_row_decode(vm_report_mut(s, feed, reporter), row->value));
    return vm__load_accept(s, VM_SET_REPORT, feed * VM_REPORTERS_MAX + reporter, row);
}

static enum nv_err load_reporter(struct vm_state *s, const struct nv_row *row)
{
    struct vm_reporter_row decoded;
    uint32_t account = 0;
    NV_TRY(vm_reporter_row_decode(&decoded, row->value));
    NV_TRY(vm__load_account(s, decoded.account, &account));
    uint32_t const reporter = vm_reporter_create(s, &decoded);
    return reporter == VM_NONE ? NV_ERR_NO_MEMORY
                               : vm__load_accept(s, VM_SET_REPORTER, reporter, row);
}

static enum nv_err load_param(struct vm_state *s, const struct nv_row *row)
{
    struct vm_param_row decoded;
    NV_TRY(vm_param_row_decode(&decoded, row->value));
    uint16_t const number = nv_be16_load(row->key.bytes + 1);
    const struct vm_param_spec *const spec = vm_param_spec_of(number);
    if (spec == NULL || decoded.value < spec->minimum || decoded.value > spec->maximum) {
        return NV_ERR_CORRUPT;
    }
    vm_param_set(s, number, decoded.value);
    return vm__load_accept(s, VM_SET_PARAM, number, row);
}

static enum nv_err load_chain(struct vm_state *s, const struct nv_row *row)
{
    NV_TRY(vm_chain_row_decode(vm_chain_mut(s), row->value));
    return vm__load_accept(s, VM_SET_CHAIN, 0, row);
}

static enum nv_err load_tombstone(struct vm_state *s, const struct nv_row *row)
{
    struct vm_tombstone_row decoded;
    struct nv_row_key key;
    uint32_t account = 0, index = 0;
    NV_TRY(vm_tombstone_row_decode(&decoded, row->value));
    uint32_t const market = field_u32(&row->key, 1);
    uint64_t const id = field_u64(&row->key, 5);
    uint64_t const client_id = field_u64(&row->key, 13);
    NV_TRY(vm__load_account(s, id, &account));
    if (market >= vm_market_count(s)) {
        return NV_ERR_CORRUPT;
    }
    if (!vm_tombstone_put(s, market, id, client_id, decoded.expires_ms)) {
        return NV_ERR_NO_MEMORY;
    }
    vm_key_tombstone(&key, market, id, client_id);
    NV_ASSERT(vm__index_find(s, VM_INDEX_TOMBSTONE, &key, &index));
    return vm__load_accept(s, VM_SET_TOMBSTONE, index, row);
}

/* Nothing is executed from the rings: their rows are only checked. */
static enum nv_err load_block_result(const struct nv_row *row)
{
    struct vm_block_result_row decoded;
    struct nv_row_key key;
    NV_TRY(vm_block_result_row_decode(&decoded, row->value));
    vm_key_block_result(&key, decoded.height);
    return nv_row_key_cmp(&key, &row->key) == 0 ? NV_OK : NV_ERR_CORRUPT;
}

static enum nv_err load_root(const struct nv_row *row)
{
    struct vm_root_row decoded;
    struct nv_row_key key;
    NV_TRY(vm_root_row_decode(&decoded, row->value));
    vm_key_root(&key, decoded.height);
    return nv_row_key_cmp(&key, &row->key) == 0 ? NV_OK : NV_ERR_CORRUPT;
}

enum nv_err vm_state_load_row(struct vm_state *s, const struct nv_row *row)
{
    if (row->key.bytes[0] < VM_TABLE_ACCOUNT || row->key.bytes[0] > VM_TABLE_LAST) {
        return NV_ERR_UNSUPPORTED;
    }
    switch ((enum vm_table)row->key.bytes[0]) {
    case VM_TABLE_ACCOUNT: return load_account(s, row);
    case VM_TABLE_POSITION: return load_position(s, row);
    case VM_TABLE_MARKET: return load_market(s, row);
    case VM_TABLE_LEVEL: return load_level(s, row);
    case VM_TABLE_ADDRESS: return load_address(s, row);
    case VM_TABLE_SESSION: return NV_SEEDED(SESSIONS_VOLATILE) ? NV_OK : load_session(s, row);
    case VM_TABLE_ORDERS: return load_orders(s, row);
    case VM_TABLE_FEED: return load_feed(s, row);
    case VM_TABLE_REPORT: return load_report(s, row);
    case VM_TABLE_PARAM: return load_param(s, row);
    case VM_TABLE_CHAIN: return load_chain(s, row);
    case VM_TABLE_BLOCK_RESULT: return load_block_result(row);
    case VM_TABLE_ROOT: return load_root(row);
    case VM_TABLE_TOMBSTONE: return load_tombstone(s, row);
    case VM_TABLE_REPORTER: return load_reporter(s, row);
    case VM_TABLE_MARKET_STATE: return load_market_state(s, row);
    case VM_TABLE_STAKING:
    case VM_TABLE_VALIDATOR:
    case VM_TABLE_DELEGATION:
    case VM_TABLE_BATCH:
    case VM_TABLE_UNBONDING:
    case VM_TABLE_SET:
    case VM_TABLE_UPTIME: return vm__load_stake(s, row);
    }
    return NV_ERR_UNSUPPORTED;
}

static int slot_cmp(const void *ctx, const void *left, const void *right)
{
    const struct vm_state *const s = ctx;
    uint32_t a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    const struct vm_order_row *const x = &vm_order(s, a)->row;
    const struct vm_order_row *const y = &vm_order(s, b)->row;
    if (x->placed_height != y->placed_height) {
        return x->placed_height < y->placed_height ? -1 : 1;
    }
    if (x->tie != y->tie) {
        return x->tie < y->tie ? -1 : 1;
    }
    return a < b ? -1 : a > b ? 1 : 0;
}

/* Links every order to its level, oldest first so that each joins at the end.
 * The undo log, empty now, lends the memory. */
static enum nv_err link_levels(struct vm_state *s)
{
    const struct vm_slots *const slots = &s->slabs[VM_SLAB_ORDER].slots;
    size_t const bytes = (size_t)slots->count * sizeof(uint32_t);
    NV_ASSERT(s->undo_used == 0 && 2 * bytes <= s->undo_cap);
    uint8_t *const sorted = s->undo;
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < slots->end; slot++) {
        if (vm_slots_taken(slots, slot)) {
            memcpy(sorted + (size_t)count * sizeof slot, &slot, sizeof slot);
            count++;
        }
    }
    struct nv_order const order = {.cmp = slot_cmp, .ctx = s};
    nv_sort_with(sorted, count, sizeof(uint32_t), &order, sorted + bytes);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot;
        memcpy(&slot, sorted + (size_t)i * sizeof slot, sizeof slot);
        const struct vm_order *const o = vm_order(s, slot);
        if (!vm__level_room(s, o->market, &o->row)) {
            return NV_ERR_CORRUPT;
        }
        vm__level_join(s, slot);
    }
    return NV_OK;
}

/* Every dirty row must be as committed: then what was linked agrees. */
static enum nv_err rows_agree(struct vm_state *s)
{
    for (uint32_t id = 0; id < VM_SET_COUNT; id++) {
        struct vm_rowset *const set = &s->sets[id];
        for (uint32_t j = 0; j < set->list_count; j++) {
            uint32_t const index = set->list[j];
            uint8_t bytes[VM_ROW_SIZE_MAX];
            struct nv_row_key key;
            struct nv_writer w;
            nv_writer_init(&w, bytes, sizeof bytes);
            bool const lives = vm__row_encode(s, (enum vm_set_id)id, index, &key, &w);
            struct nv_view const image = vm__image(set, index);
            if (lives != (image.size > 0) || !nv_view_eq(nv_writer_view(&w), image)) {
                return NV_ERR_CORRUPT;
            }
            set->dirty[index] = 0;
        }
        set->list_count = 0;
    }
    return NV_OK;
}

/* What rows name that come before or after them is there. */
static bool references_hold(const struct vm_state *s)
{
    const struct vm_slots *const positions = &s->slabs[VM_SLAB_POSITION].slots;
    bool ok = true;
    for (uint32_t i = 0; i < positions->end; i++) {
        ok =
            ok && (!vm_slots_taken(positions, i) || vm_position(s, i)->market < vm_market_count(s));
    }
    for (uint32_t i = 0; i < vm_market_count(s); i++) {
        ok = ok && vm_market(s, i)->listing.feed < vm_feed_count(s);
    }
    for (uint32_t i = 0; i < vm_param_count(); i++) {
        const struct vm_param_cell *const cell =
            vm__at(s, VM_SLAB_PARAM, vm_param_spec_at(i)->number);
        ok = ok && cell->live;
    }
    return ok;
}

enum nv_err vm_state_load_end(struct vm_state *s)
{
    if (!references_hold(s)) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(link_levels(s));
    for (uint32_t i = 0; i < s->slabs[VM_SLAB_LEVEL].slots.end; i++) {
        struct vm_level_page *const page = vm__at(s, VM_SLAB_LEVEL, i);
        page->unsettled = 0; /* orders joined in order */
        vm__dirty(s, VM_SET_LEVEL, i);
    }
    NV_TRY(rows_agree(s));
    NV_TRY(vm__load_stake_end(s));
    const struct vm_chain_row *const chain = vm_chain(s);
    uint64_t const accounts = vm_account_count(s);
    bool const whole = vm__image(&s->sets[VM_SET_CHAIN], 0).size != 0 &&
                       chain->next_account == accounts + 1 && s->address_rows == accounts &&
                       chain->fee_account >= 1 && chain->fee_account <= accounts &&
                       chain->insurance_account >= 1 && chain->insurance_account <= accounts &&
                       chain->faucet_account <= accounts;
    return whole ? NV_OK : NV_ERR_CORRUPT;
}
