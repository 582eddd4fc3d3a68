#include "tests/lib/p2p_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "base/fmt.h"
#include "base/log.h"

#include "tests/lib/nv_test.h"

static bool on_message(void *ctx, uint32_t peer, const struct p2p_message *message)
{
    struct p2p_net_node *node = ctx;
    if (node->full) {
        return false;
    }
    node->messages[message->lane]++;
    return node->on_message == NULL || node->on_message(node, peer, message);
}

static bool on_transaction(void *ctx, uint32_t peer, struct nv_view transaction)
{
    struct p2p_net_node *node = ctx;
    if (node->full) {
        return false;
    }
    node->transactions++;
    if (node->on_transaction != NULL) {
        node->on_transaction(node, peer, transaction);
    }
    return true;
}

static void on_peer(void *ctx, const struct p2p_link *link)
{
    struct p2p_net_node *node = ctx;
    uint32_t i = 0;
    while (memcmp(&node->net->keys[i], &link->key, sizeof(link->key)) != 0) {
        i++;
        assert_true(i < node->net->count);
    }
    node->told++;
    /* Only changes are told. */
    assert_true(node->lanes[i] != link->lanes || node->up[i] != link->up);
    assert_true(node->lanes[i] == 0 || node->ids[i] == link->peer);
    assert_true(!link->up || link->lanes != 0);
    node->lanes[i] = link->lanes;
    node->up[i] = link->up;
    node->ids[i] = link->peer;
}

static void make_node(struct p2p_net *net, uint32_t index, uint32_t validators)
{
    struct p2p_net_node *node = &net->nodes[index];
    uint8_t const seed[32] = {(uint8_t)(index + 1), 0x70};
    node->net = net;
    node->index = index;
    memset(node->ids, 0xff, sizeof(node->ids));
    assert_int_equal(nv_key_from_seed(&node->seckey, &node->key, seed), NV_OK);
    net->keys[index] = node->key;
    node->config = (struct p2p_config){
        .loop = net->loop,
        .listen = "127.0.0.1:0",
        .certificate_dir = net->dir,
        .node_key = &node->seckey,
        .validators = net->keys,
        .validator_count = validators,
        .limits = {.tick_ms = 5,
                   .backoff_first_ms = 10,
                   .backoff_max_ms = 50,
                   .handshake_ms = P2P_NET_BOUND_MS,
                   .ping_ms = 50,
                   .idle_ms = P2P_NET_BOUND_MS,
                   .stall_ms = P2P_NET_BOUND_MS},
        .events = {node, on_message, on_transaction, on_peer},
    };
    memset(node->config.chain_id.bytes, 0xc4, sizeof(node->config.chain_id.bytes));
}

void p2p_net_make(struct p2p_net *net, uint32_t count, uint32_t validators)
{
    assert_true(count <= P2P_NET_MAX);
    *net = (struct p2p_net){.count = count, .members = (1u << validators) - 1u};
    nv_log_set_level(NV_LOG_ERROR);
    net->loop = calloc(1, sizeof(*net->loop));
    assert_non_null(net->loop);
    assert_int_equal(uv_loop_init(net->loop), 0);
    (void)snprintf(net->dir, sizeof(net->dir), "/tmp/p2p-net-XXXXXX");
    assert_non_null(mkdtemp(net->dir));
    assert_int_equal(p2p_make_certificate(net->dir), NV_OK);
    for (uint32_t i = 0; i < count; i++) {
        make_node(net, i, validators);
    }
}

void p2p_net_open(struct p2p_net *net, uint32_t index)
{
    struct p2p_net_node *node = &net->nodes[index];
    assert_null(node->p2p);
    memset(node->lanes, 0, sizeof(node->lanes));
    memset(node->up, 0, sizeof(node->up));
    assert_int_equal(p2p_open(&node->p2p, &node->config), NV_OK);
}

void p2p_net_turn(struct p2p_net *net, uint32_t index, uint32_t members)
{
    struct nv_pubkey keys[P2P_NET_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < net->count; i++) {
        if (((members >> i) & 1u) != 0) {
            keys[count] = net->keys[i];
            count++;
        }
    }
    assert_int_equal(p2p_validators_set(net->nodes[index].p2p, keys, count), NV_OK);
}

static void peer_text(char out[128], const struct p2p_net_node *node)
{
    char key[NV_HEX_TEXT(32)];
    nv_hex_encode(key, node->key.bytes, 32);
    (void)snprintf(out, 128, "%s@127.0.0.1:%u", key, (unsigned)p2p_listen_port(node->p2p));
}

void p2p_net_dial(struct p2p_net *net, uint32_t from, uint32_t to)
{
    char text[128];
    peer_text(text, &net->nodes[to]);
    assert_int_equal(p2p_add_peer(net->nodes[from].p2p, text), NV_OK);
}

void p2p_net_mesh(struct p2p_net *net)
{
    for (uint32_t i = 0; i < net->count; i++) {
        p2p_net_open(net, i);
    }
    for (uint32_t from = 0; from < net->count; from++) {
        for (uint32_t to = 0; to < net->count; to++) {
            if (from != to) {
                p2p_net_dial(net, from, to);
            }
        }
    }
}

static void on_closed(void *ctx)
{
    struct p2p_net_node *node = ctx;
    node->p2p = NULL;
}

static bool is_closed(struct p2p_net *net, void *ctx)
{
    (void)net;
    const struct p2p_net_node *node = ctx;
    return node->p2p == NULL;
}

void p2p_net_close(struct p2p_net *net, uint32_t index)
{
    struct p2p_net_node *node = &net->nodes[index];
    p2p_close(node->p2p, on_closed, node);
    p2p_net_until(net, is_closed, node);
}

void p2p_net_end(struct p2p_net *net)
{
    for (uint32_t i = 0; i < net->count; i++) {
        if (net->nodes[i].p2p != NULL) {
            p2p_net_close(net, i);
        }
    }
    (void)uv_run(net->loop, UV_RUN_DEFAULT); /* returns: no handle is left */
    assert_int_equal(uv_loop_close(net->loop), 0);
    free(net->loop);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/p2p.key", net->dir);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/p2p.crt", net->dir);
    (void)unlink(path);
    (void)rmdir(net->dir);
}

void p2p_net_until(struct p2p_net *net, p2p_net_fn holds, void *ctx)
{
    uv_update_time(net->loop);
    uint64_t const until_ms = uv_now(net->loop) + P2P_NET_BOUND_MS;
    while (!holds(net, ctx)) {
        (void)uv_run(net->loop, UV_RUN_ONCE);
        if (uv_now(net->loop) > until_ms) {
            fail_msg("%s", "the condition does not come about");
        }
    }
}

void p2p_net_turns(struct p2p_net *net, uint32_t turns)
{
    for (uint32_t i = 0; i < turns; i++) {
        (void)uv_run(net->loop, UV_RUN_NOWAIT);
    }
}

static bool both_members(const struct p2p_net *net, uint32_t a, uint32_t b)
{
    return ((net->members >> a) & (net->members >> b) & 1u) != 0;
}

static bool pair_linked(const struct p2p_net *net, uint32_t a, uint32_t b)
{
    const struct p2p_net_node *nodes = net->nodes;
    uint8_t const lanes = both_members(net, a, b) ? 3 : 2;
    return nodes[a].lanes[b] == lanes && nodes[b].lanes[a] == lanes && nodes[a].up[b] &&
           nodes[b].up[a];
}

bool p2p_net_linked(struct p2p_net *net, void *ctx)
{
    (void)ctx;
    for (uint32_t a = 0; a < net->count; a++) {
        for (uint32_t b = 0; b < a; b++) {
            bool const open = net->nodes[a].p2p != NULL && net->nodes[b].p2p != NULL;
            if (open && !pair_linked(net, a, b)) {
                return false;
            }
        }
    }
    return true;
}

/* lanes_dialled returns by bit which lanes with `key` are up, and dialled by the node. */
static uint32_t lanes_dialled(const struct p2p_net *net, uint32_t node, uint32_t with)
{
    static struct p2p_peer_info peers[P2P_NET_PEERS_MAX];
    uint32_t const count = p2p_peer_list(net->nodes[node].p2p, peers, P2P_NET_PEERS_MAX);
    uint32_t dialled = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(&peers[i].key, &net->keys[with], sizeof(peers[i].key)) == 0) {
            dialled |= peers[i].lane[0].up && peers[i].lane[0].dialled ? 1u : 0u;
            dialled |= peers[i].lane[1].up && peers[i].lane[1].dialled ? 2u : 0u;
        }
    }
    return dialled;
}

bool p2p_net_settled(struct p2p_net *net, void *ctx)
{
    if (!p2p_net_linked(net, ctx)) {
        return false;
    }
    for (uint32_t a = 0; a < net->count; a++) {
        for (uint32_t b = 0; b < a; b++) {
            bool const open = net->nodes[a].p2p != NULL && net->nodes[b].p2p != NULL;
            uint32_t const lanes = both_members(net, a, b) ? 3 : 2;
            if (open && (lanes_dialled(net, a, b) ^ lanes_dialled(net, b, a)) != lanes) {
                return false;
            }
        }
    }
    return true;
}

struct p2p_totals p2p_net_totals(const struct p2p_net *net, uint32_t index)
{
    struct p2p_totals totals;
    p2p_totals_get(net->nodes[index].p2p, &totals);
    return totals;
}
