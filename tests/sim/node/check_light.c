/* What a stranger can check: from the genesis alone the light client goes by the ends of
 * epochs to the newest, takes a header as final, and rows as those of its state; with any
 * one bit turned it does not. */

#include <string.h>

#include "base/proof.h"

#include "consensus/light_client.h"
#include "tests/sim/node/nodesim.h"
#include "vm/rows.h"

#define HOSTS_ASKED 2u
#define ROWS_ASKED  6u
#define PROOF_MAX   16384u

/* What is asked of a host, on its machine's state. */
struct question {
    struct rpc_job job; /* first */
    struct ns *ns;
    struct ns_host *host;
    bool answered;
};

/* turned copies bytes with one bit turned. */
static struct nv_view turned(struct ns *ns, uint8_t *memory, struct nv_view bytes)
{
    memcpy(memory, bytes.bytes, bytes.size);
    memory[nv_test_below(&ns->rng, bytes.size)] ^= (uint8_t)(1u << nv_test_below(&ns->rng, 8));
    return nv_view_of(memory, bytes.size);
}

/* ---- epochs ---- */

/* advance goes to the next epoch by the bytes of an end. */
static bool advance(const struct ns *ns, struct cs_light *light, struct nv_view bytes)
{
    struct nv_reader r;
    struct cs_handover end;
    nv_reader_init(&r, bytes);
    if (cs_handover_get(&r, &end) != NV_OK) {
        return false;
    }
    uint32_t const final_size = bytes.size - CS_HEADER_SIZE - end.set.size;
    struct cs_light_block const boundary = {
        .header = nv_view_of(bytes.bytes, CS_HEADER_SIZE),
        .certificate = nv_view_of(bytes.bytes + CS_HEADER_SIZE, final_size),
    };
    return cs_light_advance(light, ns_wall_ms(ns), &boundary, end.set) == CS_LIGHT_OK;
}

/* walk goes from the genesis to an epoch. */
static bool walk(struct question *q, struct cs_light *light, uint64_t epoch)
{
    static uint8_t memory[CS_HANDOVER_SIZE_MAX];
    struct ns *const ns = q->ns;
    struct replica_store const store = node_blocks_store(q->host->blocks);
    cs_light_init(light, &ns_genesis()->chain_id, NS_START_MS, 0, &ns->valset);
    while (light->epoch < epoch) {
        struct nv_view end;
        struct cs_light before = *light;
        if (store.epoch(store.ctx, light->epoch, &end) != NV_OK) {
            ns_fail(ns, "host %u has not the end of epoch %u", q->host->id, (unsigned)light->epoch);
            return false;
        }
        if (advance(ns, &before, turned(ns, memory, end))) {
            ns_fail(ns, "a wrong end of epoch %u is believed", (unsigned)light->epoch);
        }
        if (!advance(ns, light, end)) {
            ns_fail(ns,
                    "the light client does not believe host %u's end of epoch %u",
                    q->host->id,
                    (unsigned)light->epoch);
            return false;
        }
    }
    return true;
}

/* ---- the header ---- */

static bool is_final(const struct ns *ns,
                     struct cs_light_final *out,
                     const struct cs_light *light,
                     const struct cs_light_block *block)
{
    return cs_light_final(out, light, ns_wall_ms(ns), block) == CS_LIGHT_OK;
}

static bool header_checked(struct question *q,
                           struct cs_light_final *final,
                           const struct cs_light *light,
                           const struct cs_light_block *block)
{
    static uint8_t memory[CS_CERTIFICATE_SIZE_MAX];
    struct ns *const ns = q->ns;
    struct cs_light_block const header = {turned(ns, memory, block->header), block->certificate};
    bool wrong = is_final(ns, final, light, &header);
    struct cs_light_block const certificate = {block->header,
                                               turned(ns, memory, block->certificate)};
    wrong = wrong || is_final(ns, final, light, &certificate);
    if (wrong) {
        ns_fail(ns, "a wrong header or certificate is believed");
    }
    bool const right = is_final(ns, final, light, block);
    if (!right) {
        ns_fail(ns, "the light client does not believe host %u's header", q->host->id);
    }
    return right && !wrong;
}

/* ---- rows ---- */

/* some_key is of a row that a stranger may ask for; some are not there. */
static struct nv_row_key some_key(struct ns *ns, uint32_t i)
{
    struct nv_row_key key;
    switch (i % 3) {
    case 0: vm_key_account(&key, nv_test_below(&ns->rng, 64)); break;
    case 1: vm_key_market(&key, nv_test_below(&ns->rng, NS_MARKETS + 1)); break;
    default: vm_key_address(&key, &ns_key(nv_test_below(&ns->rng, NS_KEYS))->address); break;
    }
    return key;
}

/* shows returns whether a proof shows what the state has. */
static bool
shows(const struct rpc_state *state, const struct nv_proof *proof, const struct nv_row_key *key)
{
    struct nv_view own, shown;
    enum nv_err const err = state->ops->get(state->ctx, &own, key);
    enum nv_shown const found = nv_proof_find(proof, key, &shown);
    if (err != NV_OK) {
        return err == NV_ERR_NOT_FOUND && found == NV_SHOWN_ABSENT;
    }
    return found == NV_SHOWN_PRESENT && own.size == shown.size &&
           memcmp(own.bytes, shown.bytes, own.size) == 0;
}

static void row_checked(struct question *q,
                        const struct rpc_state *state,
                        const struct cs_light_final *final,
                        uint32_t i)
{
    static uint8_t bytes[PROOF_MAX];
    static uint8_t memory[PROOF_MAX];
    struct ns *const ns = q->ns;
    struct nv_row_key const key = some_key(ns, i);
    struct nv_row_range const range = {key, key};
    struct nv_proof proof;
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    if (state->ops->prove(state->ctx, &w, &range, 1) != NV_OK) {
        ns_fail(ns, "host %u cannot prove a row", q->host->id);
        return;
    }
    if (cs_light_open(&proof, final, nv_writer_view(&w)) != CS_LIGHT_OK ||
        !shows(state, &proof, &key)) {
        ns_fail(ns, "host %u does not prove a row of table %u", q->host->id, key.bytes[0]);
    }
    if (cs_light_open(&proof, final, turned(ns, memory, nv_writer_view(&w))) == CS_LIGHT_OK) {
        ns_fail(ns, "a wrong proof is believed");
    }
}

/* ---- a host ---- */

static void ask(struct rpc_job *job, const struct rpc_state *state)
{
    struct question *const q = (struct question *)job;
    struct cs_light_block const block = {state->header, state->certificate};
    struct cs_light light;
    struct cs_light_final final;
    struct cs_header header;
    struct nv_reader r;
    q->answered = true;
    nv_reader_init(&r, state->header);
    if (cs_header_get(&r, &header) != NV_OK) {
        ns_fail(q->ns, "host %u's header is none", q->host->id);
        return;
    }
    if (walk(q, &light, header.epoch) && header_checked(q, &final, &light, &block)) {
        for (uint32_t i = 0; i < ROWS_ASKED; i++) {
            row_checked(q, state, &final, i);
        }
    }
}

void ns_check_light(struct ns *ns)
{
    for (uint32_t i = 0; i < HOSTS_ASKED; i++) {
        uint32_t const id = i == 0 ? ns->newcomer : nv_test_below(&ns->rng, ns->host_count);
        struct ns_host *const host = &ns->host[id];
        struct question q = {.job = {.run = ask, .proved = true}, .ns = ns, .host = host};
        if (host->honest && ns_runs(host)) {
            node_machine_job(host->machine, &q.job);
            if (!q.answered) {
                ns_fail(ns, "host %u proves nothing at the end", id);
            }
        }
    }
}
