/* Bodies: one transaction each, real bytes and real chunks.  A transaction that
 * begins with 0xbb is one that no honest validator accepts. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/liar.h"
#include "tests/sim/sim.h"

#define INVALID_MARK 0xbbu

struct sim_body *sim_body_find(struct sim_host *host, const struct nv_hash *hash)
{
    for (uint32_t i = host->body_count; i > 0; i--) {
        struct sim_body *const body = &host->body[i - 1];
        if (body->hash.bytes[0] == hash->bytes[0] && nv_hash_eq(&body->hash, hash)) {
            return body;
        }
    }
    return NULL;
}

bool sim_body_sound(const struct sim_body *body)
{
    return body->bytes[4] != INVALID_MARK;
}

void sim_body_trim(struct sim_host *host, uint32_t count)
{
    uint32_t const drop = host->body_count > count ? host->body_count - count : 0;
    host->body_count -= drop;
    memmove(host->body, host->body + drop, host->body_count * sizeof *host->body);
}

static struct sim_body *body_add(struct sim_host *host, const struct nv_hash *hash)
{
    struct sim_body *place = sim_body_find(host, hash);
    if (place != NULL) {
        return place;
    }
    if (host->body_count == host->body_cap) {
        host->body_cap = host->body_cap == 0 ? 64 : 2 * host->body_cap;
        host->body = realloc(host->body, host->body_cap * sizeof *host->body);
        NV_ASSERT(host->body != NULL);
    }
    place = &host->body[host->body_count++];
    memset(place, 0, sizeof *place);
    place->hash = *hash;
    return place;
}

void sim_body_build(struct sim *sim, struct sim_host *host, const struct cs_effect *effect)
{
    uint8_t transaction[64];
    struct nv_writer w;
    uint32_t const size = (uint32_t)sim_between(&sim->rng, 8, sizeof transaction);
    bool const bad =
        !host->honest && liar_tells(sim, SIM_LIE_BODY) && sim_chance(&sim->rng, 300000);
    for (uint32_t i = 0; i < size; i++) {
        transaction[i] = (uint8_t)sim_next(&sim->rng);
    }
    transaction[0] = bad ? INVALID_MARK : 0;
    nv_writer_init(&w, host->built.bytes, sizeof host->built.bytes);
    cs_body_put(&w, nv_view_of(transaction, size));
    host->built.size = w.size;
    struct sim_item *const item = sim_push(sim, sim->now_ns, SIM_STEP, host->id);
    item->event.kind = CS_EV_BUILT;
    item->event.built.view = effect->build.view;
    item->event.built.body_size = w.size;
    item->event.built.tx_count = 1;
    cs_body_root(&item->event.built.body_root, nv_writer_view(&w));
}

static struct nv_view chunk_put(struct nv_writer *w, const struct sim_body *body)
{
    struct nv_view const whole = nv_view_of(body->bytes, body->size);
    struct cs_message message = {.type = CS_MSG_BODY_CHUNK};
    message.body_chunk.block_hash = body->hash;
    message.body_chunk.chunk.bytes = cs_body_chunk(whole, 0);
    cs_body_path(&message.body_chunk.chunk.path, whole, 0);
    cs_message_encode(w, &message);
    NV_ASSERT(!w->overflow);
    return nv_writer_view(w);
}

void sim_body_name(struct sim_host *host, const struct nv_hash *hash)
{
    struct sim_body *const body = body_add(host, hash);
    body->size = host->built.size;
    body->checked = true;
    memcpy(body->bytes, host->built.bytes, sizeof body->bytes);
}

void sim_body_publish(struct sim *sim,
                      struct sim_host *host,
                      const struct nv_hash *hash,
                      uint32_t receivers)
{
    const struct sim_body *const body = sim_body_find(host, hash);
    uint8_t bytes[256];
    struct nv_writer w;
    NV_ASSERT(body != NULL);
    nv_writer_init(&w, bytes, sizeof bytes);
    sim_net_post(sim, host, receivers, CS_MSG_BODY_CHUNK, chunk_put(&w, body));
}

/* body_judge tells the engine about a body that is there. */
static void body_judge(struct sim *sim, struct sim_host *host, struct sim_body *body)
{
    struct cs_header header;
    if (!cs_block_header(host->cs, &body->hash, &header)) {
        return;
    }
    struct nv_view const whole = nv_view_of(body->bytes, body->size);
    if (!body->checked) {
        struct cs_chunk chunk = {.bytes = whole};
        if (!cs_body_chunk_check(&header.body_root, header.body_size, &chunk)) {
            body->size = 0; /* not the body of this block */
            return;
        }
        body->checked = true;
    }
    bool const valid = cs_body_check(whole, header.tx_count) == NV_OK && sim_body_sound(body);
    struct sim_item *const item = sim_push(sim, sim->now_ns, SIM_STEP, host->id);
    item->event.kind = CS_EV_BODY;
    item->event.body.block_hash = body->hash;
    item->event.body.verdict = valid ? CS_BODY_VALID : CS_BODY_INVALID;
}

void sim_body_need(struct sim *sim, struct sim_host *host, const struct cs_effect *effect)
{
    struct sim_body *const body = sim_body_find(host, &effect->body.block_hash);
    if (body != NULL && body->size > 0) {
        body_judge(sim, host, body);
        if (body->size > 0) {
            return;
        }
    }
    host->need[host->need_next++ % 64] = effect->body.block_hash;
    if (!effect->body.streaming) {
        uint8_t bytes[64];
        struct nv_writer w;
        struct cs_message message = {.type = CS_MSG_BODY_REQUEST};
        message.body_request.block_hash = effect->body.block_hash;
        message.body_request.count = 1;
        nv_writer_init(&w, bytes, sizeof bytes);
        cs_message_encode(&w, &message);
        sim_net_post(sim,
                     host,
                     sim_receivers(sim, host, effect->body.peer),
                     CS_MSG_BODY_REQUEST,
                     nv_writer_view(&w));
    }
}

void sim_body_chunk(struct sim *sim, struct sim_host *host, const struct cs_body_chunk *chunk)
{
    struct sim_body *const body = body_add(host, &chunk->block_hash);
    if (body->size > 0 || chunk->chunk.bytes.size > sizeof body->bytes) {
        return;
    }
    body->size = chunk->chunk.bytes.size;
    memcpy(body->bytes, chunk->chunk.bytes.bytes, body->size);
    for (uint32_t i = 0; i < 64; i++) {
        if (nv_hash_eq(&host->need[i], &body->hash)) {
            memset(&host->need[i], 0, sizeof host->need[i]);
            body_judge(sim, host, body);
            return;
        }
    }
}

void sim_body_request(struct sim *sim,
                      struct sim_host *host,
                      uint32_t from,
                      const struct cs_body_request *request)
{
    const struct sim_body *const body = sim_body_find(host, &request->block_hash);
    if (body != NULL && body->size > 0 && body->checked) {
        uint8_t bytes[256];
        struct nv_writer w;
        nv_writer_init(&w, bytes, sizeof bytes);
        sim_net_post(sim, host, 1u << from, CS_MSG_BODY_CHUNK, chunk_put(&w, body));
    }
}
