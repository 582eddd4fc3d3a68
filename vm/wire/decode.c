/* Transactions as received: frame, canonical body, ranges. */

#include "base/assert.h"

#include "tx.pb-c.h"
#include "vm/wire/frame.h"
#include "vm/wire/wire.h"

_Static_assert((int)NOVATE__ACTION__KIND_PLACE == VM_ACTION_PLACE &&
                   (int)NOVATE__ACTION__KIND_TRANSFER == VM_ACTION_TRANSFER &&
                   (int)NOVATE__ACTION__KIND_KEEPER_CLOSE == VM_ACTION_KEEPER_CLOSE &&
                   (int)NOVATE__ACTION__KIND_UNJAIL == VM_ACTION_UNJAIL,
               "an action's kind is its field number");

/* protobuf-c takes its memory from the arena and gives none back. */
static void *pb_alloc(void *arena, size_t size)
{
    return nv_arena_try(arena, size, 16);
}

static void pb_free(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

/* Compares what protobuf-c packs with what was received. */
struct comparer {
    ProtobufCBuffer base;
    struct nv_view expected;
    uint32_t at;
    bool differs;
};

static void compare_append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
    struct comparer *const c = (struct comparer *)buffer;
    if (c->differs || size > c->expected.size - c->at ||
        memcmp(c->expected.bytes + c->at, bytes, size) != 0) {
        c->differs = true;
        return;
    }
    c->at += (uint32_t)size;
}

static bool repacks(const Novate__TxBody *body, struct nv_view received)
{
    struct comparer c = {
        .base = {.append = compare_append}, .expected = received, .at = 0, .differs = false};
    (void)novate__tx_body__pack_to_buffer(body, &c.base);
    return !c.differs && c.at == received.size;
}

static bool bytes_are(ProtobufCBinaryData field, void *out, size_t size)
{
    if (field.len != size) {
        return false;
    }
    memcpy(out, field.data, size);
    return true;
}

static bool amount_read(uint64_t micro, struct vm_money *out)
{
    if (micro < 1 || micro > (uint64_t)VM_AMOUNT_MAX) {
        return false;
    }
    *out = vm_money((int64_t)micro);
    return true;
}

static bool size_ok(uint64_t lots)
{
    return lots >= 1 && lots <= (uint64_t)VM_SIZE_MAX;
}

/* Each reader returns false when a field is out of range. */

static bool place_read(struct vm_place *out, const Novate__Place *in)
{
    bool const gtt = in->time_in_force == NOVATE__TIME_IN_FORCE__GTT;
    bool const ok = in->base.n_unknown_fields == 0 && in->market <= VM_MARKET_MAX &&
                    (in->side == NOVATE__SIDE__BUY || in->side == NOVATE__SIDE__SELL) &&
                    in->price_ticks >= -VM_TICKS_MAX && in->price_ticks <= VM_TICKS_MAX &&
                    size_ok(in->lots) && (int)in->time_in_force >= VM_GTC &&
                    (int)in->time_in_force <= VM_IOC && (in->expires_ms != 0) == gtt &&
                    in->expires_ms <= VM_TIME_MAX &&
                    !(in->post_only && in->time_in_force == NOVATE__TIME_IN_FORCE__IOC);
    out->market = in->market;
    out->side = (uint8_t)in->side;
    out->time_in_force = (uint8_t)in->time_in_force;
    out->post_only = in->post_only != 0;
    out->reduce_only = in->reduce_only != 0;
    out->price = vm_price(in->price_ticks);
    out->lots = vm_lots((int64_t)in->lots);
    out->expires_ms = in->expires_ms;
    out->client_id = in->client_id;
    return ok;
}

static bool cancel_read(uint64_t *out, const Novate__Cancel *in)
{
    *out = in->order;
    return in->base.n_unknown_fields == 0 && in->order != 0;
}

static bool cancel_client_read(struct vm_cancel_client *out, const Novate__CancelClient *in)
{
    out->market = in->market;
    out->client_id = in->client_id;
    return in->base.n_unknown_fields == 0 && in->market <= VM_MARKET_MAX && in->client_id != 0;
}

static bool cancel_all_read(struct vm_cancel_all *out, const Novate__CancelAll *in)
{
    out->market = in->market;
    out->every_market = in->every_market != 0;
    return in->base.n_unknown_fields == 0 && in->market <= VM_MARKET_MAX &&
           !(in->every_market && in->market != 0);
}

static bool session_set_read(struct vm_session_set *out, const Novate__SessionSet *in)
{
    out->scopes = in->scopes;
    out->expires_ms = in->expires_ms;
    return in->base.n_unknown_fields == 0 && bytes_are(in->key, out->key.bytes, 32) &&
           in->scopes >= 1 && in->scopes <= VM_SCOPES_ALL && in->expires_ms <= VM_TIME_MAX;
}

static bool report_read(struct vm_report *out, const Novate__Report *in)
{
    out->feed = in->feed;
    out->time_ms = in->time_ms;
    out->confidence = vm_money((int64_t)in->confidence_micro);
    return in->base.n_unknown_fields == 0 && in->feed <= VM_FEED_MAX &&
           amount_read(in->price_micro, &out->price) &&
           in->confidence_micro <= (uint64_t)VM_AMOUNT_MAX && in->time_ms <= VM_TIME_MAX;
}

/* The closes of all plans of a transaction, one after another. */
struct close_list {
    uint32_t count;
    struct vm_close closes[VM_CLOSES_TX_MAX];
};

static bool
keeper_read(struct vm_keeper_close *out, const Novate__KeeperClose *in, struct close_list *list)
{
    if (in->base.n_unknown_fields != 0 || !bytes_are(in->account, out->account.bytes, 20) ||
        in->n_closes < 1 || in->n_closes > VM_CLOSES_MAX ||
        in->n_closes > VM_CLOSES_TX_MAX - list->count) {
        return false;
    }
    bool ok = true;
    out->close_count = (uint32_t)in->n_closes;
    for (size_t i = 0; i < in->n_closes; i++) {
        const Novate__Close *const close = in->closes[i];
        list->closes[list->count] =
            (struct vm_close){.market = close->market, .lots = vm_lots((int64_t)close->lots)};
        list->count++;
        ok = ok && close->base.n_unknown_fields == 0 && close->market <= VM_MARKET_MAX &&
             size_ok(close->lots);
    }
    return ok;
}

static bool deposit_read(struct vm_money *out, const Novate__Deposit *in)
{
    return in->base.n_unknown_fields == 0 && amount_read(in->amount_micro, out);
}

static bool withdraw_read(struct vm_money *out, const Novate__Withdraw *in)
{
    return in->base.n_unknown_fields == 0 && amount_read(in->amount_micro, out);
}

static bool transfer_read(struct vm_send *out, const Novate__Transfer *in)
{
    return in->base.n_unknown_fields == 0 && bytes_are(in->to, out->to.bytes, 20) &&
           amount_read(in->amount_micro, &out->amount);
}

static bool faucet_read(struct vm_send *out, const Novate__Faucet *in)
{
    return in->base.n_unknown_fields == 0 && bytes_are(in->to, out->to.bytes, 20) &&
           amount_read(in->amount_micro, &out->amount);
}

static bool revoke_read(struct nv_pubkey *out, const Novate__SessionRevoke *in)
{
    return in->base.n_unknown_fields == 0 && bytes_are(in->key, out->bytes, 32);
}

static bool commission_read(struct vm_ratio *out, uint32_t ppb)
{
    *out = vm_ratio(ppb);
    return ppb <= VM_RATIO_ONE_PPB;
}

static bool bond_read(struct vm_bond *out, const Novate__Bond *in)
{
    return in->base.n_unknown_fields == 0 && bytes_are(in->key, out->key.bytes, 32) &&
           bytes_are(in->node_key, out->node_key.bytes, 32) &&
           bytes_are(in->proof, out->proof.bytes, 64) &&
           bytes_are(in->node_proof, out->node_proof.bytes, 64) &&
           commission_read(&out->commission, in->commission_ppb) &&
           amount_read(in->amount_micro, &out->amount);
}

static bool delegate_read(struct vm_delegate *out, const Novate__Delegate *in)
{
    return in->base.n_unknown_fields == 0 && bytes_are(in->validator, out->validator.bytes, 20) &&
           amount_read(in->amount_micro, &out->amount);
}

static bool undelegate_read(struct vm_delegate *out, const Novate__Undelegate *in)
{
    return in->base.n_unknown_fields == 0 && bytes_are(in->validator, out->validator.bytes, 20) &&
           amount_read(in->amount_micro, &out->amount);
}

static bool withdraw_stake_read(struct nv_address *out, const Novate__WithdrawStake *in)
{
    return in->base.n_unknown_fields == 0 && bytes_are(in->validator, out->bytes, 20);
}

static bool set_commission_read(struct vm_ratio *out, const Novate__SetCommission *in)
{
    return in->base.n_unknown_fields == 0 && commission_read(out, in->commission_ppb);
}

/* What a body says, on the stack until the memory that it was unpacked into has
 * been given back. */
struct decoded {
    struct vm_action actions[VM_ACTIONS_MAX];
    struct close_list list;
    struct vm_bond bond; /* the only one */
    uint32_t bonds;
};

static bool action_read(struct vm_action *out, const Novate__Action *in, struct decoded *d)
{
    memset(out, 0, sizeof *out);
    out->kind = (uint8_t)in->kind_case;
    if (in->base.n_unknown_fields != 0) {
        return false;
    }
    switch ((enum vm_action_kind)in->kind_case) {
    case VM_ACTION_PLACE: return place_read(&out->place, in->place);
    case VM_ACTION_CANCEL: return cancel_read(&out->cancel_order, in->cancel);
    case VM_ACTION_CANCEL_CLIENT: return cancel_client_read(&out->cancel_client, in->cancel_client);
    case VM_ACTION_CANCEL_ALL: return cancel_all_read(&out->cancel_all, in->cancel_all);
    case VM_ACTION_DEPOSIT: return deposit_read(&out->amount, in->deposit);
    case VM_ACTION_WITHDRAW: return withdraw_read(&out->amount, in->withdraw);
    case VM_ACTION_TRANSFER: return transfer_read(&out->send, in->transfer);
    case VM_ACTION_FAUCET: return faucet_read(&out->send, in->faucet);
    case VM_ACTION_SESSION_SET: return session_set_read(&out->session_set, in->session_set);
    case VM_ACTION_SESSION_REVOKE: return revoke_read(&out->session_revoke, in->session_revoke);
    case VM_ACTION_REPORT: return report_read(&out->report, in->report);
    case VM_ACTION_KEEPER_CLOSE: return keeper_read(&out->keeper_close, in->keeper_close, &d->list);
    case VM_ACTION_BOND: d->bonds++; return bond_read(&d->bond, in->bond);
    case VM_ACTION_DELEGATE: return delegate_read(&out->delegate, in->delegate);
    case VM_ACTION_UNDELEGATE: return undelegate_read(&out->delegate, in->undelegate);
    case VM_ACTION_WITHDRAW_STAKE: return withdraw_stake_read(&out->validator, in->withdraw_stake);
    case VM_ACTION_CLAIM: return in->claim->base.n_unknown_fields == 0;
    case VM_ACTION_SET_COMMISSION: return set_commission_read(&out->commission, in->set_commission);
    case VM_ACTION_UNJAIL: return in->unjail->base.n_unknown_fields == 0;
    }
    return false;
}

static enum nv_err body_read(struct vm_tx *tx, struct decoded *d, const Novate__TxBody *body)
{
    bool ok = bytes_are(body->account, tx->account.bytes, sizeof tx->account.bytes) &&
              body->expires_ms <= VM_TIME_MAX && body->n_actions >= 1 &&
              body->n_actions <= VM_ACTIONS_MAX;
    if (!ok) {
        return NV_ERR_RANGE;
    }
    tx->expires_ms = body->expires_ms;
    tx->salt = body->salt;
    tx->action_count = (uint32_t)body->n_actions;
    d->list.count = 0;
    d->bonds = 0;
    for (uint32_t i = 0; ok && i < tx->action_count; i++) {
        ok = action_read(&d->actions[i], body->actions[i], d);
    }
    return ok && d->bonds <= 1 ? NV_OK : NV_ERR_RANGE;
}

/* Moves what was decoded into the arena, closes and the bond first. */
static enum nv_err keep(struct vm_tx *tx, const struct decoded *d, struct nv_arena *arena)
{
    struct vm_close *const closes =
        nv_arena_try(arena, (d->list.count + 1) * sizeof *closes, _Alignof(struct vm_close));
    struct vm_action *const actions =
        nv_arena_try(arena, tx->action_count * sizeof *actions, _Alignof(struct vm_action));
    struct vm_bond *const bond =
        nv_arena_try(arena, d->bonds * sizeof *bond, _Alignof(struct vm_bond));
    if (closes == NULL || actions == NULL || bond == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    memcpy(closes, d->list.closes, d->list.count * sizeof *closes);
    memcpy(actions, d->actions, tx->action_count * sizeof *actions);
    uint32_t at = 0;
    for (uint32_t i = 0; i < tx->action_count; i++) {
        if (actions[i].kind == VM_ACTION_KEEPER_CLOSE) {
            actions[i].keeper_close.closes = &closes[at];
            at += actions[i].keeper_close.close_count;
        } else if (actions[i].kind == VM_ACTION_BOND) {
            *bond = d->bond;
            actions[i].bond = bond;
        }
    }
    tx->actions = actions;
    return NV_OK;
}

enum nv_err vm_tx_decode(struct vm_tx *tx,
                         struct nv_view bytes,
                         const struct nv_hash *chain_id,
                         struct nv_arena *arena)
{
    struct vm_frame frame;
    struct decoded d;
    NV_TRY(vm_frame_read(&frame, bytes));
    ProtobufCAllocator allocator = {.alloc = pb_alloc, .free = pb_free, .allocator_data = arena};
    bool const enough = nv_arena_left(arena) >= VM_TX_DECODE_MEMORY;
    size_t const mark = nv_arena_mark(arena);
    const Novate__TxBody *const body =
        novate__tx_body__unpack(&allocator, frame.body.size, frame.body.bytes);
    enum nv_err err = body != NULL ? NV_OK : enough ? NV_ERR_MALFORMED : NV_ERR_NO_MEMORY;
    if (err == NV_OK && (body->base.n_unknown_fields != 0 || !repacks(body, frame.body))) {
        err = NV_ERR_MALFORMED;
    }
    if (err == NV_OK) {
        err = body_read(tx, &d, body);
    }
    nv_arena_release(arena, mark);
    NV_TRY(err);
    if (d.bonds > 0) {
        vm_bond_claim(&d.bond, chain_id, &tx->account);
    }
    NV_TRY(keep(tx, &d, arena));
    tx->key = frame.key;
    tx->signature = frame.signature;
    tx->bytes = bytes;
    vm_frame_hash(&tx->hash, chain_id, &frame.key, frame.body);
    return NV_OK;
}

static bool proofs_ok(const struct vm_bond *bond)
{
    return nv_verify(&bond->proof, &bond->key, &bond->claim) &&
           nv_verify(&bond->node_proof, &bond->node_key, &bond->node_claim);
}

bool vm_tx_signature_ok(const struct vm_tx *tx)
{
    bool ok = nv_verify(&tx->signature, &tx->key, &tx->hash);
    for (uint32_t i = 0; ok && i < tx->action_count; i++) {
        ok = tx->actions[i].kind != VM_ACTION_BOND || proofs_ok(tx->actions[i].bond);
    }
    return ok;
}

void vm_bond_claim(struct vm_bond *bond,
                   const struct nv_hash *chain_id,
                   const struct nv_address *account)
{
    struct nv_view const parts[2] = {nv_hash_view(chain_id),
                                     nv_view_of(account->bytes, sizeof account->bytes)};
    nv_tagged_hash(&bond->claim, "novate/bond/v1", parts, 2);
    nv_tagged_hash(&bond->node_claim, "novate/bond-node/v1", parts, 2);
}

enum nv_err
vm_tx_hash_of(struct nv_hash *hash, struct nv_view bytes, const struct nv_hash *chain_id)
{
    struct vm_frame frame;
    NV_TRY(vm_frame_read(&frame, bytes));
    vm_frame_hash(hash, chain_id, &frame.key, frame.body);
    return NV_OK;
}
