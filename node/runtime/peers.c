/* peers.c - peers: what they send goes into the inboxes, what the
 * replica sends goes to them. */

#include <string.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/log.h"

#include "node/runtime/internal.h"

_Static_assert(P2P_TYPE_PROPOSAL == (int)CS_MSG_PROPOSAL, "types are numbered alike");
_Static_assert(P2P_TYPE_BODY_REQ == (int)CS_MSG_BODY_REQUEST, "types are numbered alike");

#define SMALL_CHUNK_MAX 4096u

/* ---- callbacks: copy and return ---- */

static bool on_message(void *ctx, uint32_t peer, const struct p2p_message *message)
{
    struct node *const n = ctx;
    struct node_inbox_item const item = {
        .kind = NODE_ITEM_MESSAGE,
        .peer = peer,
        .type = message->type,
        .bytes = message->payload,
    };
    enum node_lane const lane = message->lane == P2P_LANE_0 ? NODE_LANE_VOTES : NODE_LANE_BULK;
    bool const taken = node_inbox_put(&n->inbox[lane], &item);
    n->held_back = n->held_back || !taken;
    return taken;
}

static bool on_transaction(void *ctx, uint32_t peer, struct nv_view transaction)
{
    struct node *const n = ctx;
    struct node_inbox_item const item = {.kind = NODE_ITEM_TX, .peer = peer, .bytes = transaction};
    return node_inbox_put(&n->inbox[NODE_LANE_TXS], &item);
}

static void on_peer(void *ctx, const struct p2p_link *link)
{
    struct node *const n = ctx;
    struct node_inbox_item const item = {
        .kind = NODE_ITEM_LINK,
        .peer = link->peer,
        .type = link->up ? 1 : 0,
        .bytes = nv_view_of(link->key.bytes, sizeof link->key.bytes),
    };
    if (!node_inbox_put(&n->inbox[NODE_LANE_VOTES], &item)) {
        nv_log(NV_LOG_WARN, "event=link_lost peer=%u up=%d", (unsigned)link->peer, (int)link->up);
    }
}

/* ---- sending ---- */

void node_p2p_send(struct node *n, const struct replica_op *op)
{
    enum cs_message_type const type = (enum cs_message_type)op->send.type;
    /* SPEC p2p 4.5: "goes on lane 0 with the proposal" */
    bool const small = type == CS_MSG_BODY_CHUNK && op->send.bytes.size <= SMALL_CHUNK_MAX;
    uint32_t const lane = small ? P2P_LANE_0 : cs_message_lane(type);
    struct p2p_message const message = {
        .lane = (uint8_t)lane, .type = op->send.type, .payload = op->send.bytes};
    /* Who misses it asks again. */
    (void)p2p_send_each(n->p2p, op->send.links, op->send.link_count, &message);
}

void node_p2p_ban(struct node *n, uint32_t peer, const char *why)
{
    p2p_ban(n->p2p, peer, (uint32_t)node_config_number(n->config, NODE_P2P_BAN_MS), why);
}

/* ---- validators ---- */

static bool known(const struct nv_pubkey *key)
{
    static const struct nv_pubkey none;
    return memcmp(key, &none, sizeof none) != 0;
}

static uint32_t add_keys(struct nv_pubkey *keys, uint32_t count, const struct replica_set *set)
{
    for (uint32_t i = 0; i < set->set.count; i++) {
        if (known(&set->node_key[i])) {
            keys[count++] = set->node_key[i];
        }
    }
    return count;
}

void node_p2p_epoch(struct node *n, const struct replica_op *op)
{
    struct nv_pubkey keys[2 * CS_VALIDATORS_MAX];
    const struct replica_set *const present = op->epoch.present;
    uint32_t const me = op->epoch.me;
    _Static_assert(2 * CS_VALIDATORS_MAX <= P2P_VALIDATORS_MAX, "two sets have a place");
    uint32_t const count = add_keys(keys, add_keys(keys, 0, present), op->epoch.last);
    enum nv_err const err = p2p_validators_set(n->p2p, keys, count);
    NV_ASSERT(err == NV_OK);
    nv_log(NV_LOG_INFO,
           "event=epoch number=%" NV_U64 " validators=%u validator=%d",
           op->epoch.number,
           (unsigned)present->set.count,
           me == CS_NOBODY ? -1 : (int)me);
    if (me != CS_NOBODY && known(&present->node_key[me]) &&
        memcmp(&present->node_key[me], &n->home.node->key, sizeof n->home.node->key) != 0) {
        nv_log(NV_LOG_ERROR,
               "event=node_key_differs hint=\"this validator was bonded with another node key: "
               "others do not take its votes; put that key into %s\"",
               n->home.node->path);
    }
}

/* ---- opening ---- */

bool node_p2p_open(struct node *n)
{
    char certificate_dir[ST_PATH_MAX];
    const char *peers[P2P_DIALS_MAX];
    struct nv_pubkey validators[P2P_VALIDATORS_MAX];
    const struct node_genesis *const genesis = &n->home.genesis;
    uint32_t peer_count = 0;
    if (!node_config_list(n->config, NODE_P2P_PEERS, peers, &peer_count, P2P_DIALS_MAX, n->fault)) {
        return false;
    }
    for (uint32_t i = 0; i < genesis->validator_count; i++) {
        validators[i] = genesis->validators[i].node_key;
    }
    node_config_path(certificate_dir, n->config, NODE_KEYS_TLS);
    struct p2p_config const config = {
        .loop = &n->loop,
        .listen = node_config_none(n->config, NODE_P2P_LISTEN)
                      ? NULL
                      : node_config_text(n->config, NODE_P2P_LISTEN),
        .certificate_dir = certificate_dir,
        .node_key = &n->home.node->secret,
        .chain_id = genesis->chain_id,
        .validators = validators,
        .validator_count = genesis->validator_count,
        .peers = peers,
        .peer_count = peer_count,
        .announce = node_config_none(n->config, NODE_P2P_ANNOUNCE)
                        ? NULL
                        : node_config_text(n->config, NODE_P2P_ANNOUNCE),
        .announce_ms = node_now().wall_ms,
        .limits = {.handshakes_per_second =
                       (uint32_t)node_config_number(n->config, NODE_LIMITS_HANDSHAKES_PER_SECOND)},
        .events = {n, on_message, on_transaction, on_peer},
    };
    enum nv_err const err = p2p_open(&n->p2p, &config);
    if (err != NV_OK) {
        bool const busy = err == NV_ERR_BUSY;
        node_fault_set(n->fault,
                       busy ? NODE_EXIT_FAILED : NODE_EXIT_CONFIG,
                       busy ? "stop the program that listens there, or set p2p.listen"
                            : "see p2p.listen, p2p.peers, p2p.announce and keys.tls; the line "
                              "above tells which",
                       "p2p cannot be opened (p2p.listen is %s): %s",
                       node_config_text(n->config, NODE_P2P_LISTEN),
                       nv_err_text(err));
    }
    return err == NV_OK;
}
