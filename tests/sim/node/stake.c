/* Stake that moves: candidates bond, traders delegate to honest validators and take it
 * back, operators leave and return.  Who lies keeps the share with which the run began,
 * or less: more than a third of the stake could stop any chain. */

#include "tests/sim/node/nodesim.h"
#include "vm/wire/wire.h"

#define UNIT INT64_C(1000000)

static uint32_t signers(const struct ns *ns)
{
    return ns->validators + (uint32_t)ns->conf.candidates;
}

/* bond: a candidate, or an operator that is bonded and is refused; so is who comes with
 * the node key of a validator, whose operator is in league with it. */
static void bond(struct ns *ns)
{
    uint32_t const key =
        ns->conf.candidates > 0
            ? ns->validators + nv_test_below(&ns->rng, (uint32_t)ns->conf.candidates)
            : nv_test_below(&ns->rng, ns->validators);
    uint32_t const node =
        NS_KEY_NODE + (ns_chance(ns, 200000) ? nv_test_below(&ns->rng, ns->validators) : key);
    struct vm_bond bond = {
        .key = ns_key(key)->key,
        .node_key = ns_key(node)->key,
        .commission = vm_ratio((int64_t)ns_between(ns, 0, 100000000)),
        .amount = vm_money(NS_STAKE + (int64_t)ns_between(ns, 0, 100) * UNIT),
    };
    struct vm_action const action = {.kind = VM_ACTION_BOND, .bond = &bond};
    vm_bond_claim(&bond, &ns_genesis()->chain_id, &ns_key(key)->address);
    nv_sign(&bond.proof, &ns_key(key)->secret, &bond.claim);
    nv_sign(&bond.node_proof, &ns_key(node)->secret, &bond.node_claim);
    ns_work_send(ns, key, &action, false);
}

/* honest returns the key number of a validator, or candidate, that does not lie. */
static uint32_t honest(struct ns *ns)
{
    for (;;) {
        uint32_t const key = nv_test_below(&ns->rng, signers(ns));
        if ((ns->conf.liars >> key & 1u) == 0 && key + 1 != ns->conf.lost) {
            return key;
        }
    }
}

static void trust(struct ns *ns)
{
    uint32_t const trader = NS_KEY_TRADER + nv_test_below(&ns->rng, NS_TRADERS);
    struct vm_action action = {.kind = VM_ACTION_DELEGATE};
    struct nv_address const validator = ns_key(honest(ns))->address;
    switch (nv_test_below(&ns->rng, 4)) {
    case 0:
        action.kind = VM_ACTION_WITHDRAW_STAKE;
        action.validator = validator;
        break;
    case 1:
        action.kind = VM_ACTION_UNDELEGATE;
        action.delegate.validator = validator;
        action.delegate.amount = vm_money((int64_t)ns_between(ns, 1, 20) * UNIT / 2);
        break;
    default:
        action.delegate.validator = validator;
        action.delegate.amount = vm_money((int64_t)ns_between(ns, 1, 30) * UNIT / 2);
        break;
    }
    ns_work_send(ns, trader, &action, false);
}

/* operate: an operator claims; where nobody lies, it also goes below the least that it
 * must keep, and comes back. */
static void operate(struct ns *ns)
{
    uint32_t const key = honest(ns);
    struct vm_action action = {.kind = VM_ACTION_CLAIM};
    bool const free = ns->conf.liars == 0 && ns->conf.lost == 0;
    uint32_t const kind = nv_test_below(&ns->rng, free ? 4 : 2);
    if (kind == 1) {
        action.kind = VM_ACTION_SET_COMMISSION;
        action.commission = vm_ratio((int64_t)ns_between(ns, 0, 20000000));
    } else if (kind > 1) {
        action.kind = kind == 2 ? VM_ACTION_UNDELEGATE : VM_ACTION_DELEGATE;
        action.delegate.validator = ns_key(key)->address;
        action.delegate.amount = vm_money(200 * UNIT);
    }
    ns_work_send(ns, key, &action, false);
}

void ns_work_stake(struct ns *ns)
{
    uint32_t const kind = nv_test_below(&ns->rng, 10);
    if (kind < 2) {
        bond(ns);
    } else if (kind < 8) {
        trust(ns);
    } else {
        operate(ns);
    }
}
