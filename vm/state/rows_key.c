/* Keys of rows: the table, then big-endian fields, then zeros. */

#include "base/hash.h"

#include "vm/rows.h"
#include "vm/tx.h"

#include "base/pure.h"

static void key_begin(struct nv_row_key *key, struct nv_writer *w, enum vm_table table)
{
    memset(key->bytes, 0, sizeof key->bytes);
    nv_writer_init(w, key->bytes, sizeof key->bytes);
    nv_put_u8(w, (uint8_t)table);
}

static void key_u16(struct nv_row_key *key, enum vm_table table, uint16_t field)
{
    struct nv_writer w;
    key_begin(key, &w, table);
    nv_put_u16(&w, field);
}

static void key_u32(struct nv_row_key *key, enum vm_table table, uint32_t field)
{
    struct nv_writer w;
    key_begin(key, &w, table);
    nv_put_u32(&w, field);
}

void vm_key_account(struct nv_row_key *key, uint64_t account)
{
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_ACCOUNT);
    nv_put_u64(&w, account);
}

void vm_key_position(struct nv_row_key *key, uint64_t account, uint32_t market)
{
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_POSITION);
    nv_put_u64(&w, account);
    nv_put_u32(&w, market);
}

void vm_key_market(struct nv_row_key *key, uint32_t market)
{
    key_u32(key, VM_TABLE_MARKET, market);
}

void vm_key_market_state(struct nv_row_key *key, uint32_t market)
{
    key_u32(key, VM_TABLE_MARKET_STATE, market);
}

void vm_key_level(struct nv_row_key *key, uint32_t market, uint8_t side, uint64_t page)
{
    uint64_t const ordered = page ^ (UINT64_C(1) << 63);
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_LEVEL);
    nv_put_u32(&w, market);
    nv_put_u8(&w, side);
    nv_put_u64(&w, side == VM_BUY ? ~ordered : ordered);
}

uint64_t vm_key_level_page(const struct nv_row_key *key, uint8_t side)
{
    uint64_t const ordered = nv_be64_load(key->bytes + 6);
    return (side == VM_BUY ? ~ordered : ordered) ^ (UINT64_C(1) << 63);
}

void vm_key_address(struct nv_row_key *key, const struct nv_address *address)
{
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_ADDRESS);
    nv_put_bytes(&w, address->bytes, sizeof address->bytes);
}

void vm_key_session(struct nv_row_key *key, uint64_t account, const struct nv_pubkey *session)
{
    struct nv_hash hash;
    struct nv_writer w;
    nv_sha256(&hash, nv_view_of(session->bytes, sizeof session->bytes));
    key_begin(key, &w, VM_TABLE_SESSION);
    nv_put_u64(&w, account);
    nv_put_bytes(&w, hash.bytes, 16);
}

void vm_key_orders(struct nv_row_key *key, uint32_t market, uint64_t account, uint8_t page)
{
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_ORDERS);
    nv_put_u32(&w, market);
    nv_put_u64(&w, account);
    nv_put_u8(&w, page);
}

void vm_key_feed(struct nv_row_key *key, uint32_t feed)
{
    key_u32(key, VM_TABLE_FEED, feed);
}

void vm_key_report(struct nv_row_key *key, uint32_t feed, uint16_t reporter)
{
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_REPORT);
    nv_put_u32(&w, feed);
    nv_put_u16(&w, reporter);
}

void vm_key_reporter(struct nv_row_key *key, uint16_t reporter)
{
    key_u16(key, VM_TABLE_REPORTER, reporter);
}

void vm_key_param(struct nv_row_key *key, uint16_t param)
{
    key_u16(key, VM_TABLE_PARAM, param);
}

void vm_key_chain(struct nv_row_key *key)
{
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_CHAIN);
}

void vm_key_block_result(struct nv_row_key *key, uint64_t height)
{
    key_u32(key, VM_TABLE_BLOCK_RESULT, (uint32_t)(height % VM_RING));
}

void vm_key_root(struct nv_row_key *key, uint64_t height)
{
    key_u32(key, VM_TABLE_ROOT, (uint32_t)(height % VM_RING));
}

void vm_key_tombstone(struct nv_row_key *key, uint32_t market, uint64_t account, uint64_t client)
{
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_TOMBSTONE);
    nv_put_u32(&w, market);
    nv_put_u64(&w, account);
    nv_put_u64(&w, client);
}

uint64_t vm_order_handle(uint32_t market, uint32_t generation, uint32_t slot)
{
    return ((uint64_t)(market & 0xffffu) << 48) | ((uint64_t)(generation & 0xffffffu) << 24) |
           (uint64_t)(slot & 0xffffffu);
}

void vm_order_handle_split(uint64_t handle, uint32_t *market, uint32_t *generation, uint32_t *slot)
{
    *market = (uint32_t)(handle >> 48);
    *generation = (uint32_t)(handle >> 24) & 0xffffffu;
    *slot = (uint32_t)handle & 0xffffffu;
}

static void
key_u64s(struct nv_row_key *key, enum vm_table table, const uint64_t *fields, uint32_t count)
{
    struct nv_writer w;
    key_begin(key, &w, table);
    for (uint32_t i = 0; i < count; i++) {
        nv_put_u64(&w, fields[i]);
    }
}

void vm_key_staking(struct nv_row_key *key)
{
    key_u64s(key, VM_TABLE_STAKING, NULL, 0);
}

void vm_key_validator(struct nv_row_key *key, uint64_t validator)
{
    key_u64s(key, VM_TABLE_VALIDATOR, &validator, 1);
}

void vm_key_delegation(struct nv_row_key *key, uint64_t account, uint64_t validator)
{
    uint64_t const fields[2] = {account, validator};
    key_u64s(key, VM_TABLE_DELEGATION, fields, 2);
}

void vm_key_batch(struct nv_row_key *key, uint64_t validator, uint64_t epoch)
{
    uint64_t const fields[2] = {validator, epoch};
    key_u64s(key, VM_TABLE_BATCH, fields, 2);
}

void vm_key_unbonding(struct nv_row_key *key, uint64_t account, uint64_t validator, uint64_t epoch)
{
    uint64_t const fields[3] = {account, validator, epoch};
    key_u64s(key, VM_TABLE_UNBONDING, fields, 3);
}

void vm_key_set(struct nv_row_key *key, uint8_t set, uint8_t page)
{
    struct nv_writer w;
    key_begin(key, &w, VM_TABLE_SET);
    nv_put_u8(&w, set);
    nv_put_u8(&w, page);
}

void vm_key_uptime(struct nv_row_key *key)
{
    key_u64s(key, VM_TABLE_UPTIME, NULL, 0);
}
