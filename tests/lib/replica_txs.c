/* replica_txs.c - accounts, session keys and transactions in the world of
 * replica_world.h. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/replica_parts.h"
#include "vm/params.h"
#include "vm/rows.h"
#include "vm/wire/wire.h"

void rw__tell_fee(struct rw *w, uint32_t node, uint64_t height)
{
    uint8_t value[VM_ROW_SIZE_MAX];
    struct vm_param_row const fee = {.value = RW_FEE};
    struct nv_writer writer;
    struct nv_row row;
    nv_writer_init(&writer, value, sizeof value);
    vm_param_row_encode(&writer, &fee);
    vm_key_param(&row.key, VM_PARAM_TX_FEE);
    row.value = nv_view_of(value, writer.size);
    replica_wrote(w->node[node].replica, height, &row, 1);
}

/* ---- accounts ---- */

static struct nv_pubkey key_of(uint64_t salt, struct nv_seckey *secret, struct nv_address *address)
{
    uint8_t seed[32] = {0};
    struct nv_pubkey key;
    memcpy(seed, &salt, sizeof salt);
    seed[31] = 1;
    assert_int_equal(nv_key_from_seed(secret, &key, seed), NV_OK);
    nv_address_of_key(address, &key);
    return key;
}

static void tell_cash(struct rw *w, uint32_t node, uint64_t height, uint32_t at, int64_t cash)
{
    uint8_t value[VM_ROW_SIZE_MAX];
    struct vm_account_row const account = {.address = w->account[at], .cash = vm_money(cash)};
    struct nv_writer writer;
    struct nv_row row;
    nv_writer_init(&writer, value, sizeof value);
    vm_account_row_encode(&writer, &account);
    vm_key_account(&row.key, at + 1);
    row.value = nv_view_of(value, writer.size);
    replica_wrote(w->node[node].replica, height, &row, 1);
}

void rw_account(struct rw *w, uint64_t salt, int64_t cash)
{
    struct nv_seckey secret;
    uint32_t const at = w->account_count++;
    assert_true(at < RW_ACCOUNTS);
    (void)key_of(salt, &secret, &w->account[at]);
    for (uint32_t i = 0; i < w->count; i++) {
        w->node[i].cash[at] = cash;
        tell_cash(w, i, 0, at, cash);
    }
}

/* tell_keys tells what the block of a height has done to session keys. */
static void tell_keys(struct rw *w, uint32_t node, uint64_t height)
{
    for (uint32_t i = 0; i < w->session_count; i++) {
        const struct rw_session *const session = &w->session[i];
        uint8_t value[VM_ROW_SIZE_MAX];
        struct nv_writer writer;
        struct nv_row row = {.key = session->key};
        nv_writer_init(&writer, value, sizeof value);
        vm_session_row_encode(&writer, &session->row);
        row.value = session->row.scopes == 0 ? nv_view_of(NULL, 0) : nv_writer_view(&writer);
        if (session->height == height) {
            replica_wrote(w->node[node].replica, height, &row, 1);
        }
    }
}

void rw_session(
    struct rw *w, uint64_t height, uint64_t salt, uint64_t by, uint32_t scopes, uint64_t life_ms)
{
    struct nv_seckey secret;
    struct nv_address address;
    uint32_t at = 0;
    (void)key_of(salt, &secret, &address);
    while (memcmp(&w->account[at], &address, sizeof address) != 0) {
        at++;
        assert_true(at < w->account_count);
    }
    assert_true(w->session_count < RW_SESSIONS);
    struct rw_session *const session = &w->session[w->session_count++];
    *session = (struct rw_session){
        .height = height,
        .row = {key_of(by, &secret, &address), scopes, rw__now(w).wall_ms + life_ms},
    };
    vm_key_session(&session->key, at + 1, &session->row.key);
}

void rw__charge(struct rw *w, struct rw_node *n, const struct vm_tx *tx)
{
    for (uint32_t i = 0; i < w->account_count; i++) {
        if (memcmp(&w->account[i], &tx->account, sizeof tx->account) == 0 && n->cash[i] >= RW_FEE) {
            n->cash[i] -= RW_FEE;
            return;
        }
    }
    n->unpaid++;
}

void rw__tell_rows(struct rw *w, uint32_t node, uint64_t height, const int64_t cash[RW_ACCOUNTS])
{
    replica_wrote(w->node[node].replica, height, NULL, 0);
    tell_keys(w, node, height);
    for (uint32_t i = 0; i < w->account_count; i++) {
        tell_cash(w, node, height, i, cash[i]);
    }
}

/* ---- transactions ---- */

static uint32_t make_tx(struct rw *w, uint8_t *out, uint64_t salt, uint64_t by, struct vm_tx *tx)
{
    struct nv_seckey secret;
    uint32_t size = 0;
    (void)key_of(by, &secret, &tx->account);
    struct nv_seckey own;
    (void)key_of(salt, &own, &tx->account);
    tx->expires_ms = rw__now(w).wall_ms + 30000;
    assert_int_equal(vm_tx_encode(tx, out, &size, &w->chain_id, &secret), NV_OK);
    return size;
}

uint32_t rw_tx_by(struct rw *w, uint8_t *out, uint64_t salt, uint64_t other, uint64_t by)
{
    struct vm_action action = {.kind = VM_ACTION_CANCEL, .cancel_order = 1};
    struct vm_tx tx = {.salt = other, .action_count = 1, .actions = &action};
    return make_tx(w, out, salt, by, &tx);
}

uint32_t rw_tx_of(struct rw *w, uint8_t *out, uint64_t salt, uint64_t other)
{
    return rw_tx_by(w, out, salt, other, salt);
}

uint32_t rw_tx(struct rw *w, uint8_t *out, uint64_t salt, uint32_t closes)
{
    static struct vm_close list[VM_CLOSES_MAX];
    if (closes == 0) {
        return rw_tx_of(w, out, salt, salt);
    }
    for (uint32_t i = 0; i < closes; i++) {
        list[i] = (struct vm_close){VM_MARKET_MAX - i, vm_lots(VM_SIZE_MAX)};
    }
    struct vm_action action = {.kind = VM_ACTION_KEEPER_CLOSE};
    action.keeper_close.close_count = closes;
    action.keeper_close.closes = list;
    struct vm_tx tx = {.salt = salt, .action_count = 1, .actions = &action};
    return make_tx(w, out, salt, salt, &tx);
}

void rw_submit(struct rw *w, uint32_t node, const uint8_t *bytes, uint32_t size)
{
    replica_submit(w->node[node].replica, CS_NOBODY, 1, nv_view_of(bytes, size));
    rw__drain(w, node);
}
