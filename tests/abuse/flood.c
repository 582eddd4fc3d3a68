/* flood.c - a validator that floods the others: `flood HOME KIND`.
 *
 * It takes the keys, peers and genesis of a node's home, links with the other validators as that node would,
 * and sends them messages of one kind as fast as they read, until its standard input ends.  It says when it
 * begins to send, and in the end how many it has sent, and how often it was shut out.  It links again
 * whenever it can.
 *
 * What it sends is well formed: rubbish is refused with the first message, and the flooder banned. */

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/fmt.h"
#include "base/random.h"

#include "consensus/consensus.h"
#include "node/home/config.h"
#include "node/home/genesis.h"
#include "node/home/keys.h"
#include "p2p/p2p.h"

#define SEND_AT_ONCE 1024u /* a millisecond, while there is room */
#define FUTURE       UINT64_C(1000000)

struct flood {
    uv_loop_t loop;
    uv_timer_t beat;
    uv_pipe_t input;
    struct p2p *p2p;
    struct node_genesis genesis;
    struct node_key vote_key;
    struct node_key node_key;
    uint32_t me;
    uint64_t view; /* the newest that somebody spoke of */
    uint64_t sent;
    uint64_t shut_out;
    uint64_t number; /* of the message */
    uint8_t bytes[CS_MESSAGE_SIZE_MAX];
    const struct kind *kind;
};

struct kind {
    const char *name;
    enum cs_message_type type;
    uint8_t lane;
    uint32_t (*make)(struct flood *f); /* into f->bytes; the size */
};

static struct flood flood;
static struct node_config config;
static struct node_fault fault;

/* ---- messages ---- */

static uint32_t encode(struct flood *f, const struct cs_message *message)
{
    struct nv_writer w;
    nv_writer_init(&w, f->bytes, CS_MESSAGE_SIZE_MAX);
    cs_message_encode(&w, message);
    return w.size;
}

static uint32_t vote(struct flood *f, uint64_t view)
{
    struct nv_hash digest;
    struct cs_message message = {
        .type = CS_MSG_VOTE,
        .vote = {.ballot = {.kind = CS_NULLIFY, .epoch = CS_FIRST_EPOCH, .view = view},
                 .signer = (uint16_t)f->me},
    };
    cs_ballot_digest(&digest, &f->genesis.chain_id, &message.vote.ballot);
    nv_sign(&message.vote.sig, &f->vote_key.secret, &digest);
    return encode(f, &message);
}

/* Votes that are signed well, for views far ahead. */
static uint32_t votes_future(struct flood *f)
{
    return vote(f, FUTURE + f->number);
}

/* The same vote over and over, for the newest view. */
static uint32_t votes_repeated(struct flood *f)
{
    return vote(f, f->view);
}

/* Certificates as large as they come, of views that nobody has seen; no signature is good. */
static uint32_t certificates(struct flood *f)
{
    static struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    struct cs_certificate *const c = &message.certificate;
    c->ballot =
        (struct cs_ballot){.kind = CS_NULLIFY, .epoch = CS_FIRST_EPOCH, .view = f->view + 8};
    for (uint32_t i = 0; i < f->genesis.validator_count; i++) {
        cs_bitmap_add(&c->signers, i);
        nv_random_bytes(sigs[i].bytes, sizeof sigs[i].bytes);
    }
    c->signer_count = f->genesis.validator_count;
    c->sigs = sigs;
    return encode(f, &message);
}

/* Pieces of bodies of blocks that do not exist. */
static uint32_t chunks(struct flood *f)
{
    static uint8_t piece[CS_CHUNK_SIZE];
    struct cs_message message = {.type = CS_MSG_BODY_CHUNK};
    nv_random_bytes(message.body_chunk.block_hash.bytes, 32);
    message.body_chunk.chunk.bytes = nv_view_of(piece, sizeof piece);
    return encode(f, &message);
}

/* Questions that take long to answer. */
static uint32_t requests(struct flood *f)
{
    struct cs_message message = {.type = CS_MSG_BLOCK_REQUEST};
    message.block_request.from = 1;
    message.block_request.count = CS_BLOCKS_MAX;
    return encode(f, &message);
}

static uint32_t statuses(struct flood *f)
{
    struct cs_message message = {.type = CS_MSG_STATUS};
    message.status.epoch = CS_FIRST_EPOCH;
    message.status.view = 1;
    return encode(f, &message);
}

static const struct kind kinds[] = {
    {"votes_future", CS_MSG_VOTE, P2P_LANE_0, votes_future},
    {"votes_repeated", CS_MSG_VOTE, P2P_LANE_0, votes_repeated},
    {"certificates", CS_MSG_CERTIFICATE, P2P_LANE_0, certificates},
    {"chunks", CS_MSG_BODY_CHUNK, P2P_LANE_1, chunks},
    {"requests", CS_MSG_BLOCK_REQUEST, P2P_LANE_1, requests},
    {"statuses", CS_MSG_STATUS, P2P_LANE_0, statuses},
};

/* ---- the loop ---- */

static bool on_message(void *ctx, uint32_t peer, const struct p2p_message *message)
{
    struct flood *const f = ctx;
    struct cs_message decoded;
    (void)peer;
    if (message->type == CS_MSG_VOTE &&
        cs_message_decode(&decoded, message->type, message->payload) == NV_OK &&
        decoded.vote.ballot.view > f->view) {
        f->view = decoded.vote.ballot.view;
    }
    return true;
}

static bool on_transaction(void *ctx, uint32_t peer, struct nv_view transaction)
{
    (void)ctx;
    (void)peer;
    (void)transaction;
    return true;
}

static void on_peer(void *ctx, const struct p2p_link *link)
{
    struct flood *const f = ctx;
    f->shut_out += link->lanes == 0 ? 1u : 0u;
}

/* on_beat sends to whoever has room for more. */
static void on_beat(uv_timer_t *beat)
{
    struct flood *const f = beat->data;
    uint32_t all[NODE_VALIDATORS_MAX]; /* their ids are their places in the genesis */
    for (uint32_t i = 0; i < f->genesis.validator_count; i++) {
        all[i] = i;
    }
    for (uint32_t i = 0; i < SEND_AT_ONCE; i++) {
        f->number++;
        uint32_t const size = f->kind->make(f);
        struct p2p_message const message = {
            .lane = f->kind->lane, .type = (uint8_t)f->kind->type, .payload = {f->bytes, size}};
        uint32_t const queued = p2p_send_each(f->p2p, all, f->genesis.validator_count, &message);
        if (f->sent == 0 && queued > 0) {
            (void)printf("flooding\n");
            (void)fflush(stdout);
        }
        f->sent += queued;
        if (queued == 0) {
            return;
        }
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    static char nothing[64];
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(nothing, sizeof nothing);
}

static void on_input(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct flood *const f = stream->data;
    (void)buffer;
    if (count < 0) { /* whoever started this wants it to end */
        p2p_close(f->p2p, NULL, NULL);
        uv_close((uv_handle_t *)&f->beat, NULL);
        uv_close((uv_handle_t *)&f->input, NULL);
    }
}

/* ---- starting ---- */

static bool read_home(struct flood *f, const char *home)
{
    char path[ST_PATH_MAX];
    struct node_config_sources const sources = {.home = home};
    if (!node_config_read(&config, &sources, &fault)) {
        return false;
    }
    node_config_path(path, &config, NODE_NODE_GENESIS);
    if (node_genesis_load(&f->genesis, path) != NV_OK) {
        return false;
    }
    node_config_path(path, &config, NODE_KEYS_VALIDATOR);
    if (!node_key_read(&f->vote_key, path, NODE_KEY_VALIDATOR, &fault)) {
        return false;
    }
    node_config_path(path, &config, NODE_KEYS_NODE);
    return node_key_read(&f->node_key, path, NODE_KEY_NODE, &fault);
}

static enum nv_err open_p2p(struct flood *f)
{
    static char certificate_dir[ST_PATH_MAX];
    static struct nv_pubkey validators[P2P_VALIDATORS_MAX];
    const char *peers[P2P_DIALS_MAX];
    uint32_t peer_count = 0;
    if (!node_config_list(&config, NODE_P2P_PEERS, peers, &peer_count, P2P_DIALS_MAX, &fault)) {
        return NV_ERR_CONFIG;
    }
    for (uint32_t i = 0; i < f->genesis.validator_count; i++) {
        validators[i] = f->genesis.validators[i].node_key;
        if (memcmp(&f->genesis.validators[i].key, &f->vote_key.key, sizeof f->vote_key.key) == 0) {
            f->me = i;
        }
    }
    node_config_path(certificate_dir, &config, NODE_KEYS_TLS);
    struct p2p_config const p2p_config = {
        .loop = &f->loop,
        .certificate_dir = certificate_dir,
        .node_key = &f->node_key.secret,
        .chain_id = f->genesis.chain_id,
        .validators = validators,
        .validator_count = f->genesis.validator_count,
        .peers = peers,
        .peer_count = peer_count,
        .events = {f, on_message, on_transaction, on_peer},
    };
    return p2p_open(&f->p2p, &p2p_config);
}

static bool start(struct flood *f)
{
    int result = uv_loop_init(&f->loop);
    result |= uv_timer_init(&f->loop, &f->beat);
    result |= uv_pipe_init(&f->loop, &f->input, 0);
    result |= uv_pipe_open(&f->input, 0);
    f->beat.data = f->input.data = f;
    result |= uv_timer_start(&f->beat, on_beat, 1, 1);
    result |= uv_read_start((uv_stream_t *)&f->input, on_alloc, on_input);
    return result == 0 && open_p2p(f) == NV_OK;
}

int main(int argc, char **argv)
{
    for (uint32_t i = 0; argc == 3 && i < sizeof kinds / sizeof kinds[0]; i++) {
        flood.kind = strcmp(argv[2], kinds[i].name) == 0 ? &kinds[i] : flood.kind;
    }
    if (flood.kind == NULL) {
        (void)fprintf(stderr, "flood HOME KIND, while standard input is open; kinds:");
        for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            (void)fprintf(stderr, " %s", kinds[i].name);
        }
        (void)fprintf(stderr, "\n");
        return 2;
    }
    if (!read_home(&flood, argv[1]) || !start(&flood)) {
        (void)fprintf(stderr, "flood: %s\n", fault.what);
        return 1;
    }
    (void)uv_run(&flood.loop, UV_RUN_DEFAULT);
    (void)printf(
        "{\"sent\": %" NV_U64 ", \"shut_out\": %" NV_U64 "}\n", flood.sent, flood.shut_out);
    node_genesis_deinit(&flood.genesis);
    return 0;
}
