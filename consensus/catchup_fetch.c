/* Asking for headers and bodies, by hash. */

#include "base/assert.h"
#include "base/bug.h"

#include "consensus/catchup.h"
#include "consensus/chain.h"
#include "consensus/emit.h"

#include "base/pure.h"

/* fetch_peer returns whom to ask this time. */
static uint32_t fetch_peer(const struct cs *cs, const struct cs__fetch *fetch)
{
    uint32_t const n = cs->set.count;
    uint32_t const start = fetch->hint < n ? fetch->hint : cs->me % n;
    uint32_t const peer = (start + (NV_SEEDED(ONE_SOURCE) ? 0 : fetch->attempt)) % n;
    return peer == cs->me ? (peer + 1) % n : peer;
}

static void fetch_issue(struct cs *cs, struct cs__fetch *fetch)
{
    uint32_t const peer = fetch_peer(cs, fetch);
    uint64_t patience = cs->config.delay_ns;
    if (fetch->body) {
        const struct cs__block *const block = cs__block_find(cs, &fetch->hash);
        NV_ASSERT(block != NULL);
        struct cs_effect *const effect = cs__emit(cs, CS_FX_NEED_BODY);
        effect->body.header = cs__keep_header(cs, &block->header);
        effect->body.block_hash = block->hash;
        effect->body.view = block->header.view;
        effect->body.peer = peer;
        effect->body.streaming = fetch->streaming && fetch->attempt == 0;
        patience = effect->body.streaming ? 2 * patience : patience;
    } else {
        struct cs_message message = {.type = CS_MSG_BLOCK_REQUEST};
        message.block_request.by_hash = true;
        message.block_request.hash = fetch->hash;
        message.block_request.count = fetch->count;
        cs__send(cs, peer, &message);
    }
    if (fetch->body && fetch->streaming) {
        fetch->streaming = false; /* the first request goes to the leader, too */
    } else {
        fetch->attempt++;
    }
    fetch->at_ns = cs->now_ns + patience;
}

void cs__fetches_run(struct cs *cs)
{
    cs__wants_mark(cs);
    cs->timers.fetch = CS__NEVER;
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        struct cs__fetch *const fetch = &cs->fetch[i];
        fetch->used = fetch->used && fetch->mark;
        if (!fetch->used) {
            continue;
        }
        if (fetch->at_ns <= cs->now_ns) {
            fetch_issue(cs, fetch);
        }
        cs->timers.fetch = fetch->at_ns < cs->timers.fetch ? fetch->at_ns : cs->timers.fetch;
    }
}

bool cs__fetch_asked(const struct cs *cs, const struct nv_hash *hash)
{
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        const struct cs__fetch *const fetch = &cs->fetch[i];
        if (fetch->used && !fetch->body && nv_hash_eq(&fetch->hash, hash)) {
            return true;
        }
    }
    return false;
}
