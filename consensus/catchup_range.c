/* Asking for final blocks, by height. */

#include "consensus/catchup.h"
#include "consensus/chain.h"
#include "consensus/emit.h"

#include "base/pure.h"

#define GAP            64u  /* final heights from which on blocks are asked for by height */
#define BACKLOG        256u /* final blocks that may wait for execution in catch-up */
#define RANGE_PATIENCE 4u   /* in units of D */

/* far_above returns whether a finalization's block stands so high above fin that one
 * below it should be found: of all blocks between, the bodies are held at once. */
static bool far_above(const struct cs *cs, const struct cs__cert *cert)
{
    const struct cs__block *const block = cs__block_find(cs, &cert->body.ballot.block_hash);
    return block != NULL && block->header.height > cs->fin.header.height + CS_BLOCKS_MAX;
}

/* range_needed returns whether blocks must be asked for by height now: not
 * while the finalization at hand only waits for bodies, unless of too many. */
static bool range_needed(struct cs *cs)
{
    if (cs->fin.header.height > cs->executed_height + BACKLOG) {
        return false;
    }
    const struct cs__cert *const cert = cs->near != NULL ? cs->near : cs->target;
    return cert == NULL || far_above(cs, cert) ||
           cs__block_link(cs, &cert->body.ballot.block_hash) == CS__LINK_HEADER;
}

static uint32_t range_source(const struct cs *cs)
{
    for (uint32_t i = 1; i <= cs->set.count; i++) {
        uint32_t const next = cs->range_peer + i;
        uint32_t const peer = next < cs->set.count ? next : next - cs->set.count;
        if (peer != cs->me && cs->peer[peer].final_height > cs->fin.header.height + GAP) {
            return peer;
        }
    }
    return CS_NOBODY;
}

void cs__range_run(struct cs *cs)
{
    bool const waiting = cs->timers.range != CS__NEVER;
    if (waiting && cs->timers.range > cs->now_ns) {
        return;
    }
    cs->timers.range = CS__NEVER;
    if (range_source(cs) == CS_NOBODY || !range_needed(cs)) {
        return;
    }
    if (waiting) {
        cs->peer[cs->range_peer].final_height = 0; /* it did not deliver */
    }
    uint32_t const peer = range_source(cs);
    if (peer == CS_NOBODY) {
        return;
    }
    cs->range_peer = peer;
    cs->timers.range = cs->now_ns + RANGE_PATIENCE * cs->config.delay_ns;
    struct cs_message message = {.type = CS_MSG_BLOCK_REQUEST};
    message.block_request.from = cs->fin.header.height + 1;
    message.block_request.count = CS_BLOCKS_MAX;
    cs__trace(cs, CS_TRACE_BEHIND, cs->view, cs->peer[peer].final_height);
    cs__send(cs, peer, &message);
}
