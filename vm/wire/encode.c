/* Transactions for clients: actions into canonical protobuf, hashed, signed. */

#include "base/assert.h"

#include "tx.pb-c.h"
#include "vm/wire/frame.h"
#include "vm/wire/wire.h"

/* The messages that one action may need, on the stack. */
struct packed_action {
    Novate__Action action;
    union {
        Novate__Place place;
        Novate__Cancel cancel;
        Novate__CancelClient cancel_client;
        Novate__CancelAll cancel_all;
        Novate__Deposit deposit;
        Novate__Withdraw withdraw;
        Novate__Transfer transfer;
        Novate__Faucet faucet;
        Novate__SessionSet session_set;
        Novate__SessionRevoke session_revoke;
        Novate__Report report;
        Novate__KeeperClose keeper_close;
        Novate__Bond bond;
        Novate__Delegate delegate;
        Novate__Undelegate undelegate;
        Novate__WithdrawStake withdraw_stake;
        Novate__Claim claim;
        Novate__SetCommission set_commission;
        Novate__Unjail unjail;
    };
    Novate__Close closes[VM_CLOSES_MAX];
    Novate__Close *close_list[VM_CLOSES_MAX];
    uint8_t bytes[32]; /* of an address or a key */
    uint8_t more[160]; /* a bond's node key and proofs */
};

static ProtobufCBinaryData binary(struct packed_action *p, const uint8_t *bytes, size_t size)
{
    memcpy(p->bytes, bytes, size);
    return (ProtobufCBinaryData){.len = size, .data = p->bytes};
}

static void place_write(struct packed_action *p, const struct vm_place *place)
{
    p->place = (Novate__Place)NOVATE__PLACE__INIT;
    p->place.market = place->market;
    p->place.side = (Novate__Side)place->side;
    p->place.price_ticks = vm_price_raw(place->price);
    p->place.lots = (uint64_t)vm_lots_raw(place->lots);
    p->place.time_in_force = (Novate__TimeInForce)place->time_in_force;
    p->place.post_only = place->post_only;
    p->place.reduce_only = place->reduce_only;
    p->place.expires_ms = place->expires_ms;
    p->place.client_id = place->client_id;
    p->action.place = &p->place;
}

static void cancel_client_write(struct packed_action *p, const struct vm_cancel_client *cancel)
{
    p->cancel_client = (Novate__CancelClient)NOVATE__CANCEL_CLIENT__INIT;
    p->cancel_client.market = cancel->market;
    p->cancel_client.client_id = cancel->client_id;
    p->action.cancel_client = &p->cancel_client;
}

static void cancel_all_write(struct packed_action *p, const struct vm_cancel_all *cancel)
{
    p->cancel_all = (Novate__CancelAll)NOVATE__CANCEL_ALL__INIT;
    p->cancel_all.market = cancel->market;
    p->cancel_all.every_market = cancel->every_market;
    p->action.cancel_all = &p->cancel_all;
}

static void session_set_write(struct packed_action *p, const struct vm_session_set *set)
{
    p->session_set = (Novate__SessionSet)NOVATE__SESSION_SET__INIT;
    p->session_set.key = binary(p, set->key.bytes, sizeof set->key.bytes);
    p->session_set.scopes = set->scopes;
    p->session_set.expires_ms = set->expires_ms;
    p->action.session_set = &p->session_set;
}

static void report_write(struct packed_action *p, const struct vm_report *report)
{
    p->report = (Novate__Report)NOVATE__REPORT__INIT;
    p->report.feed = report->feed;
    p->report.price_micro = (uint64_t)vm_money_raw(report->price);
    p->report.confidence_micro = (uint64_t)vm_money_raw(report->confidence);
    p->report.time_ms = report->time_ms;
    p->action.report = &p->report;
}

static void keeper_write(struct packed_action *p, const struct vm_keeper_close *keeper)
{
    p->keeper_close = (Novate__KeeperClose)NOVATE__KEEPER_CLOSE__INIT;
    p->keeper_close.account = binary(p, keeper->account.bytes, sizeof keeper->account.bytes);
    p->keeper_close.n_closes = keeper->close_count;
    p->keeper_close.closes = p->close_list;
    for (uint32_t i = 0; i < keeper->close_count; i++) {
        p->closes[i] = (Novate__Close)NOVATE__CLOSE__INIT;
        p->closes[i].market = keeper->closes[i].market;
        p->closes[i].lots = (uint64_t)vm_lots_raw(keeper->closes[i].lots);
        p->close_list[i] = &p->closes[i];
    }
    p->action.keeper_close = &p->keeper_close;
}

static void send_write(struct packed_action *p, uint8_t kind, const struct vm_send *send)
{
    ProtobufCBinaryData const to = binary(p, send->to.bytes, sizeof send->to.bytes);
    uint64_t const micro = (uint64_t)vm_money_raw(send->amount);
    if (kind == VM_ACTION_TRANSFER) {
        p->transfer = (Novate__Transfer)NOVATE__TRANSFER__INIT;
        p->transfer.to = to;
        p->transfer.amount_micro = micro;
        p->action.transfer = &p->transfer;
    } else {
        p->faucet = (Novate__Faucet)NOVATE__FAUCET__INIT;
        p->faucet.to = to;
        p->faucet.amount_micro = micro;
        p->action.faucet = &p->faucet;
    }
}

static void amount_write(struct packed_action *p, uint8_t kind, struct vm_money amount)
{
    uint64_t const micro = (uint64_t)vm_money_raw(amount);
    if (kind == VM_ACTION_DEPOSIT) {
        p->deposit = (Novate__Deposit)NOVATE__DEPOSIT__INIT;
        p->deposit.amount_micro = micro;
        p->action.deposit = &p->deposit;
    } else {
        p->withdraw = (Novate__Withdraw)NOVATE__WITHDRAW__INIT;
        p->withdraw.amount_micro = micro;
        p->action.withdraw = &p->withdraw;
    }
}

static void bond_write(struct packed_action *p, const struct vm_bond *bond)
{
    p->bond = (Novate__Bond)NOVATE__BOND__INIT;
    p->bond.key = binary(p, bond->key.bytes, sizeof bond->key.bytes);
    memcpy(p->more, bond->node_key.bytes, 32);
    memcpy(p->more + 32, bond->proof.bytes, 64);
    memcpy(p->more + 96, bond->node_proof.bytes, 64);
    p->bond.node_key = (ProtobufCBinaryData){.len = 32, .data = p->more};
    p->bond.proof = (ProtobufCBinaryData){.len = 64, .data = p->more + 32};
    p->bond.node_proof = (ProtobufCBinaryData){.len = 64, .data = p->more + 96};
    p->bond.commission_ppb = (uint32_t)vm_ratio_raw(bond->commission);
    p->bond.amount_micro = (uint64_t)vm_money_raw(bond->amount);
    p->action.bond = &p->bond;
}

static void delegate_write(struct packed_action *p, uint8_t kind, const struct vm_delegate *d)
{
    ProtobufCBinaryData const to = binary(p, d->validator.bytes, sizeof d->validator.bytes);
    uint64_t const micro = (uint64_t)vm_money_raw(d->amount);
    if (kind == VM_ACTION_DELEGATE) {
        p->delegate = (Novate__Delegate)NOVATE__DELEGATE__INIT;
        p->delegate.validator = to;
        p->delegate.amount_micro = micro;
        p->action.delegate = &p->delegate;
    } else {
        p->undelegate = (Novate__Undelegate)NOVATE__UNDELEGATE__INIT;
        p->undelegate.validator = to;
        p->undelegate.amount_micro = micro;
        p->action.undelegate = &p->undelegate;
    }
}

/* The actions of stake that have one field or none. */
static void stake_write(struct packed_action *p, const struct vm_action *action)
{
    if (action->kind == VM_ACTION_WITHDRAW_STAKE) {
        p->withdraw_stake = (Novate__WithdrawStake)NOVATE__WITHDRAW_STAKE__INIT;
        p->withdraw_stake.validator = binary(p, action->validator.bytes, 20);
        p->action.withdraw_stake = &p->withdraw_stake;
    } else if (action->kind == VM_ACTION_CLAIM) {
        p->claim = (Novate__Claim)NOVATE__CLAIM__INIT;
        p->action.claim = &p->claim;
    } else if (action->kind == VM_ACTION_SET_COMMISSION) {
        p->set_commission = (Novate__SetCommission)NOVATE__SET_COMMISSION__INIT;
        p->set_commission.commission_ppb = (uint32_t)vm_ratio_raw(action->commission);
        p->action.set_commission = &p->set_commission;
    } else {
        p->unjail = (Novate__Unjail)NOVATE__UNJAIL__INIT;
        p->action.unjail = &p->unjail;
    }
}

static bool action_write(struct packed_action *p, const struct vm_action *action)
{
    p->action = (Novate__Action)NOVATE__ACTION__INIT;
    p->action.kind_case = (Novate__Action__KindCase)action->kind;
    switch ((enum vm_action_kind)action->kind) {
    case VM_ACTION_PLACE: place_write(p, &action->place); return true;
    case VM_ACTION_CANCEL:
        p->cancel = (Novate__Cancel)NOVATE__CANCEL__INIT;
        p->cancel.order = action->cancel_order;
        p->action.cancel = &p->cancel;
        return true;
    case VM_ACTION_CANCEL_CLIENT: cancel_client_write(p, &action->cancel_client); return true;
    case VM_ACTION_CANCEL_ALL: cancel_all_write(p, &action->cancel_all); return true;
    case VM_ACTION_DEPOSIT:
    case VM_ACTION_WITHDRAW: amount_write(p, action->kind, action->amount); return true;
    case VM_ACTION_TRANSFER:
    case VM_ACTION_FAUCET: send_write(p, action->kind, &action->send); return true;
    case VM_ACTION_SESSION_SET: session_set_write(p, &action->session_set); return true;
    case VM_ACTION_SESSION_REVOKE:
        p->session_revoke = (Novate__SessionRevoke)NOVATE__SESSION_REVOKE__INIT;
        p->session_revoke.key = binary(p, action->session_revoke.bytes, 32);
        p->action.session_revoke = &p->session_revoke;
        return true;
    case VM_ACTION_REPORT: report_write(p, &action->report); return true;
    case VM_ACTION_KEEPER_CLOSE:
        if (action->keeper_close.close_count > VM_CLOSES_MAX) {
            return false;
        }
        keeper_write(p, &action->keeper_close);
        return true;
    case VM_ACTION_BOND: bond_write(p, action->bond); return true;
    case VM_ACTION_DELEGATE:
    case VM_ACTION_UNDELEGATE: delegate_write(p, action->kind, &action->delegate); return true;
    case VM_ACTION_WITHDRAW_STAKE:
    case VM_ACTION_CLAIM:
    case VM_ACTION_SET_COMMISSION:
    case VM_ACTION_UNJAIL: stake_write(p, action); return true;
    }
    return false;
}

struct body_bytes {
    uint8_t bytes[VM_BODY_SIZE_MAX];
    uint32_t size;
};

static bool body_append(struct body_bytes *out, const Novate__TxBody *part)
{
    size_t const size = novate__tx_body__get_packed_size(part);
    if (size > sizeof out->bytes - out->size) {
        return false;
    }
    out->size += (uint32_t)novate__tx_body__pack(part, out->bytes + out->size);
    return true;
}

/* Messages of one type, packed one after another, are one message: so the
 * body is packed in parts, first its plain fields, then action by action. */
static enum nv_err body_pack(struct body_bytes *out, struct vm_tx *tx)
{
    Novate__TxBody head = NOVATE__TX_BODY__INIT;
    out->size = 0;
    head.account.len = sizeof tx->account.bytes;
    head.account.data = tx->account.bytes;
    head.expires_ms = tx->expires_ms;
    head.salt = tx->salt;
    if (!body_append(out, &head)) {
        return NV_ERR_TOO_LARGE;
    }
    for (uint32_t i = 0; i < tx->action_count; i++) {
        struct packed_action p;
        Novate__Action *list[1] = {&p.action};
        Novate__TxBody part = NOVATE__TX_BODY__INIT;
        if (!action_write(&p, &tx->actions[i])) {
            return NV_ERR_RANGE;
        }
        part.n_actions = 1;
        part.actions = list;
        if (!body_append(out, &part)) {
            return NV_ERR_TOO_LARGE;
        }
    }
    return NV_OK;
}

enum nv_err vm_tx_encode(struct vm_tx *tx,
                         uint8_t *out,
                         uint32_t *out_size,
                         const struct nv_hash *chain_id,
                         const struct nv_seckey *key)
{
    struct body_bytes body;
    if (tx->action_count < 1 || tx->action_count > VM_ACTIONS_MAX) {
        return NV_ERR_RANGE;
    }
    NV_TRY(nv_key_public(&tx->key, key));
    NV_TRY(body_pack(&body, tx));
    vm_frame_hash(&tx->hash, chain_id, &tx->key, nv_view_of(body.bytes, body.size));
    nv_sign(&tx->signature, key, &tx->hash);
    struct vm_frame const frame = {
        .body = nv_view_of(body.bytes, body.size), .key = tx->key, .signature = tx->signature};
    *out_size = vm_frame_write(out, &frame);
    tx->bytes = nv_view_of(out, *out_size);
    return NV_OK;
}
