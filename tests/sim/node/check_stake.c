/* Justice: no honest validator is ever slashed; of whose two votes an honest node has
 * found evidence, the stake is; so is somebody where somebody signs twice all the time;
 * and who was slashed is in no set chosen later. */

#include <string.h>

#include "tests/sim/node/nodesim.h"
#include "vm/rows.h"

/* So many votes that conflict are seen by somebody; a few may be lost, or their signer
 * is banned for another lie, or stops because it sees its own. */
#define TWICE_MANY  60u
#define INCLUDED_NS (1500 * NS_MS) /* within which evidence is in a block */

/* number_of returns whose vote key it is, or NS_SIGNERS. */
static uint32_t number_of(const struct nv_pubkey *key)
{
    uint32_t number = 0;
    while (number < NS_SIGNERS && memcmp(&ns_key(number)->key, key, sizeof *key) != 0) {
        number++;
    }
    return number;
}

static bool lies(const struct ns *ns, uint32_t number)
{
    return number < ns->validators && (ns->conf.liars >> number & 1u) != 0;
}

void ns_check_accused(struct ns *ns, const struct ns_host *host, const struct nv_pubkey *key)
{
    uint32_t const number = number_of(key);
    if (!lies(ns, number)) {
        ns_fail(ns, "evidence against honest validator %u", number);
    } else if (host->honest && ns->healed && ns->stake[number].accused_ns == 0) {
        ns->stake[number].accused_ns = ns->now_ns;
    }
}

/* look_at_row notes who was slashed. */
static void look_at_row(struct ns *ns, uint64_t height, const struct nv_row *row)
{
    struct vm_validator_row validator;
    if (row->key.bytes[0] != VM_TABLE_VALIDATOR || row->value.bytes == NULL ||
        vm_validator_row_decode(&validator, row->value) != NV_OK ||
        validator.status != VM_VALIDATOR_TOMBSTONED) {
        return;
    }
    uint32_t const number = number_of(&validator.key);
    if (!lies(ns, number)) {
        ns_fail(ns, "honest validator %u was slashed at height %u", number, (unsigned)height);
    } else if (ns->stake[number].slashed_height == 0) {
        ns->stake[number].slashed_height = height;
        ns_trace(ns, 0, "slashed", number, height);
        ns_fault(ns, NS_FAULT_SLASH);
    }
}

/* epoch_begins looks at the set that a boundary has put in force, once. */
static void epoch_begins(struct ns *ns, uint64_t next_height, const struct replica_set *set)
{
    uint64_t const chosen = next_height - next_height % VM_CHOICE_HEIGHTS;
    uint32_t members = 0;
    for (uint32_t i = 0; i < set->set.count; i++) {
        uint32_t const number = number_of(&set->set.member[i].key);
        if (number == NS_SIGNERS) {
            ns_fail(ns, "somebody validates whom nobody knows");
            return;
        }
        uint64_t const slashed = ns->stake[number].slashed_height;
        if (slashed != 0 && slashed <= chosen) {
            ns_fail(ns,
                    "validator %u, slashed at height %u, is in the set chosen at %u",
                    number,
                    (unsigned)slashed,
                    (unsigned)chosen);
        }
        members |= 1u << number;
    }
    ns->sets += members != ns->members ? 1u : 0u;
    ns->members = members;
    ns_trace(ns, 0, "epoch", ns->epoch, members);
}

void ns_check_stake(struct ns *ns,
                    const struct replica_block *block,
                    const struct node_result *result)
{
    for (uint32_t i = 0; i < result->write_count; i++) {
        look_at_row(ns, result->head.height, &result->writes[i]);
    }
    if (block->facts.boundary && block->facts.epoch + 1 > ns->epoch) {
        ns->epoch = block->facts.epoch + 1;
        if (result->in_force == NULL) {
            ns_fail(ns, "epoch %u has no validators", (unsigned)ns->epoch);
            return;
        }
        epoch_begins(ns, block->facts.next_height, result->in_force);
    }
}

bool ns_check_slashed(const struct ns *ns)
{
    for (uint32_t i = 0; i < NS_SIGNERS; i++) {
        if (ns->stake[i].slashed_height != 0 && (ns->members >> i & 1u) != 0) {
            return false;
        }
    }
    return true;
}

void ns_check_justice(struct ns *ns)
{
    if (ns->conf.epoch_ms == 0) {
        return;
    }
    if (!ns_check_slashed(ns)) {
        ns_fail(ns, "somebody who was slashed validates on");
    }
    uint32_t slashed = 0;
    for (uint32_t i = 0; i < NS_SIGNERS; i++) {
        const struct ns_stake *const stake = &ns->stake[i];
        slashed += stake->slashed_height != 0 ? 1u : 0u;
        bool const found = stake->accused_ns != 0 && stake->accused_ns + INCLUDED_NS < ns->now_ns;
        if (found && stake->slashed_height == 0) {
            ns_fail(ns, "evidence against validator %u had no consequence", i);
        }
    }
    if (slashed == 0 && ns->votes_twice >= TWICE_MANY) {
        ns_fail(ns, "nobody was slashed, and somebody has signed twice all the time");
    }
}
