/* The network: links that are up or down, partitions, and messages that are
 * late, lost or doubled until all is healed; afterwards they arrive in time. */

#include <string.h>

#include "base/assert.h"

#include "p2p/p2p.h"
#include "tests/sim/node/nodesim.h"
#include "vm/wire/wire.h"

/* Ids are no numbers of the engine's: whoever takes one for the other is found out. */
#define IDS_FIRST 1000u
#define IDS_OTHER 2000u

uint32_t ns_net_id(const struct ns_host *host)
{
    return host->key != CS_NOBODY ? IDS_FIRST + host->key : IDS_OTHER + host->id;
}

struct nv_pubkey ns_net_node_key(const struct ns_host *host)
{
    struct nv_pubkey const other = {{0xee, (uint8_t)host->id}};
    return host->key != CS_NOBODY ? ns_key(NS_KEY_NODE + host->key)->key : other;
}

static uint32_t listed(const struct replica_set *set)
{
    uint32_t keys = 0;
    for (uint32_t i = 0; i < set->set.count; i++) {
        for (uint32_t k = 0; k < NS_SIGNERS; k++) {
            const struct nv_pubkey *const key = &ns_key(NS_KEY_NODE + k)->key;
            keys |= memcmp(&set->node_key[i], key, sizeof *key) == 0 ? 1u << k : 0u;
        }
    }
    return keys;
}

void ns_net_epoch(struct ns_host *host, const struct replica_op *op)
{
    host->lists = listed(op->epoch.present) | listed(op->epoch.last);
}

/* ---- messages ---- */

static void deliver(struct ns *ns, const struct ns_host *to, struct ns_item mail)
{
    const struct ns_conf *const c = &ns->conf;
    uint64_t after = ns_between(ns, c->net_min_us, c->net_max_us) * 1000;
    if (!ns->healed && ns_chance(ns, c->late_ppm)) {
        after = ns_between(ns, 1, c->late_max_ms) * NS_MS;
        ns_fault(ns, NS_FAULT_LATE);
    }
    struct ns_item *const item = ns_push(ns, after, mail.kind, to->id);
    item->life = 0;
    item->a = mail.a;
    item->b = mail.b;
    item->bytes = mail.bytes;
    mail.bytes->refs++;
}

/* arrives returns whether a message gets into the network and through it. */
static bool arrives(struct ns *ns, const struct ns_host *from, const struct ns_host *to)
{
    if (!ns->link[from->id][to->id] || to->banned_until_ns[from->id] > ns->now_ns ||
        from->banned_until_ns[to->id] > ns->now_ns) {
        return false;
    }
    if (ns->cut[from->id][to->id]) {
        ns_fault(ns, NS_FAULT_BLOCKED);
        return false;
    }
    if (!ns->healed && ns_chance(ns, ns->conf.loss_ppm)) {
        ns_fault(ns, NS_FAULT_LOST);
        return false;
    }
    return true;
}

static void post(struct ns *ns, struct ns_host *from, struct ns_host *to, struct ns_item mail)
{
    if (!arrives(ns, from, to)) {
        return;
    }
    deliver(ns, to, mail);
    if (!ns->healed && ns_chance(ns, ns->conf.twice_ppm)) {
        ns_fault(ns, NS_FAULT_TWICE);
        deliver(ns, to, mail);
    }
}

void ns_net_post(
    struct ns *ns, struct ns_host *from, struct ns_host *to, uint8_t type, struct ns_bytes *bytes)
{
    struct ns_item const mail = {.kind = NS_MAIL, .a = type, .b = ns_net_id(from), .bytes = bytes};
    post(ns, from, to, mail);
}

/* fits returns whether the lane between two takes such a message. */
static bool fits(const struct ns_host *from, const struct ns_host *to, uint8_t type, uint32_t size)
{
    bool const keyed = from->key != CS_NOBODY && to->key != CS_NOBODY;
    uint32_t const both = keyed ? 1u << from->key | 1u << to->key : 0u;
    bool const voters = keyed && (from->lists & both) == both && (to->lists & both) == both;
    uint32_t const lane =
        voters && !sync_is_type(type) ? cs_message_lane((enum cs_message_type)type) : P2P_LANE_1;
    return size <= p2p_type_max(type, (uint8_t)lane);
}

void ns_net_send(
    struct ns *ns, struct ns_host *from, uint32_t id, uint8_t type, struct nv_view bytes)
{
    struct ns_bytes *const shared = ns_bytes_new(bytes);
    for (uint32_t i = 0; i < ns->host_count; i++) {
        struct ns_host *const to = &ns->host[i];
        if (to == from || ns_net_id(to) != id || id == ns_net_id(from) ||
            !fits(from, to, type, bytes.size)) {
            continue;
        }
        if (from->honest) {
            ns_net_post(ns, from, to, type, shared);
        } else {
            ns_lie_send(ns, from, to, type, bytes);
        }
    }
    ns_bytes_drop(shared);
}

void ns_net_gossip(struct ns *ns, struct ns_host *from, struct nv_view bytes)
{
    struct nv_hash hash;
    if (vm_tx_hash_of(&hash, bytes, &ns_genesis()->chain_id) != NV_OK) {
        ns_fail(ns, "host %u passes on what is no transaction", from->id);
        return;
    }
    struct ns_tx *const tx = ns_tx_find(ns, &hash);
    if (tx == NULL) {
        ns_fail(ns, "host %u passes on a transaction that nobody made", from->id);
        return;
    }
    struct ns_bytes *const shared = ns_bytes_new(bytes);
    for (uint32_t i = 0; i < ns->host_count; i++) {
        struct ns_host *const to = &ns->host[i];
        bool const has = (tx->known[from->id] >> i & 1u) != 0;
        if (to == from || has || !ns->link[from->id][i]) {
            continue;
        }
        tx->known[from->id] |= (uint16_t)(1u << i);
        struct ns_item const mail = {
            .kind = NS_TX, .a = ns_net_id(from), .b = from->id, .bytes = shared};
        post(ns, from, to, mail);
    }
    ns_bytes_drop(shared);
}

bool ns_net_came(struct ns *ns, struct ns_host *host, const struct ns_item *item)
{
    struct nv_hash hash;
    struct nv_view const bytes = nv_view_of(item->bytes->bytes, item->bytes->size);
    struct ns_tx *const tx = vm_tx_hash_of(&hash, bytes, &ns_genesis()->chain_id) == NV_OK
                                 ? ns_tx_find(ns, &hash)
                                 : NULL;
    if (tx == NULL) {
        return false;
    }
    bool const before = (tx->came >> host->id & 1u) != 0;
    tx->came |= (uint16_t)(1u << host->id);
    tx->known[host->id] |= (uint16_t)(1u << item->b);
    return before;
}

/* ---- links ---- */

static void tell(struct ns *ns, struct ns_host *host, const struct ns_host *other, bool up)
{
    if (host->up) {
        struct ns_item *const item =
            ns_push(ns, ns_between(ns, 100, 3000) * 1000, NS_LINK, host->id);
        item->a = other->id;
        item->b = up ? 1 : 0;
    }
}

static void link_set(struct ns *ns, struct ns_host *a, struct ns_host *b, bool up)
{
    if (ns_net_id(a) == ns_net_id(b) || ns->link[a->id][b->id] == up) {
        return;
    }
    ns->link[a->id][b->id] = up;
    ns->link[b->id][a->id] = up;
    tell(ns, a, b, up);
    tell(ns, b, a, up);
}

void ns_net_links(struct ns *ns, struct ns_host *host, bool up)
{
    for (uint32_t i = 0; i < ns->host_count; i++) {
        struct ns_host *const other = &ns->host[i];
        if (other != host && (!up || other->up)) {
            link_set(ns, host, other, up);
        }
    }
    for (uint32_t i = 0; i < ns->tx_count && up; i++) {
        ns->tx[i].came &= (uint16_t) ~(1u << host->id);
        ns->tx[i].known[host->id] = 0;
    }
}

void ns_net_reset(struct ns *ns)
{
    struct ns_host *const a = &ns->host[nv_test_below(&ns->rng, ns->host_count)];
    struct ns_host *const b = &ns->host[nv_test_below(&ns->rng, ns->host_count)];
    if (a == b || !a->up || !b->up) {
        return;
    }
    bool const was = ns->link[a->id][b->id];
    link_set(ns, a, b, !was);
    ns_fault(ns, NS_FAULT_RESET);
    ns_trace(ns, a->id, "reset", b->id, was);
}

void ns_net_cut(struct ns *ns)
{
    uint32_t const n = ns->host_count;
    uint64_t const sides = nv_test_next(&ns->rng);
    uint32_t const kind = nv_test_below(&ns->rng, 5);
    for (uint32_t from = 0; from < n; from++) {
        for (uint32_t to = 0; to < n; to++) {
            bool const apart = (sides >> from & 1u) != (sides >> to & 1u);
            bool cut = false;
            switch (kind) {
            case 0: cut = apart; break;
            case 1: cut = apart && (sides >> from & 1u) != 0; break; /* one way */
            case 2: cut = from == sides % n || to == sides % n; break;
            case 3: cut = ns_chance(ns, 400000); break;
            default: break; /* all well for a while */
            }
            ns->cut[from][to] = cut;
        }
    }
    ns_fault(ns, NS_FAULT_CUT);
    ns_trace(ns, 0, "cut", kind, sides);
}

void ns_net_heal(struct ns *ns)
{
    memset(ns->cut, 0, sizeof ns->cut);
    for (uint32_t i = 0; i < ns->host_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (ns->host[i].up && ns->host[j].up) {
                link_set(ns, &ns->host[i], &ns->host[j], true);
            }
        }
    }
}
