#include "base/assert.h"

#include "consensus/chain.h"
#include "consensus/rules.h"
#include "consensus/store.h"

#include "base/pure.h"

uint64_t cs__parent_view(const struct cs *cs)
{
    uint64_t view = cs->view - 1;
    while (view > cs->fin.view) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        if (slot != NULL && slot->notar != NULL) {
            return view;
        }
        view--;
    }
    return cs->fin.view;
}

/* SPEC consensus 12: "D/10 after the view was entered" */
#define RESULT_PART 10u

/* nonempty_above returns the height of the newest block with transactions among
 * `block` and its ancestors, as far as they are known. */
static uint64_t nonempty_above(const struct cs *cs, const struct cs__block *block)
{
    while (block != NULL && block->header.height > cs->fin.header.height) {
        if (block->header.tx_count > 0) {
            return block->header.height;
        }
        block = cs__block_find(cs, &block->header.parent_hash);
    }
    return cs->nonempty_height;
}

bool cs__work(const struct cs *cs, const struct cs__block *block)
{
    uint64_t held = 0;
    while (held < cs->waiting && block != NULL && block->header.height > cs->fin.header.height) {
        held += block->header.tx_count;
        block = cs__block_find(cs, &block->header.parent_hash);
    }
    return cs->waiting > held;
}

/* wait_ns returns how long until `span_ms` after `from_ms` by the wall clock,
 * cut to [0, span_ms]. */
static uint64_t wait_ns(const struct cs *cs, uint64_t from_ms, uint64_t span_ms)
{
    if (cs->wall_ms <= from_ms) {
        return span_ms * CS__MS;
    }
    uint64_t const passed = cs->wall_ms - from_ms;
    return passed < span_ms ? (span_ms - passed) * CS__MS : 0;
}

/* SPEC consensus 12: "Waiting times that come from the wall clock are cut to [0, T_idle] and [0, T_min]." */
uint64_t cs__due_ns(const struct cs *cs, bool leader)
{
    const struct cs_header *parent = &cs->fin.header;
    const struct cs__block *block = NULL;
    uint64_t const parent_view = cs__parent_view(cs);
    if (parent_view > cs->fin.view) {
        const struct cs__cert *const cert = cs__cert_parent(cs, parent_view);
        block = cs__block_find(cs, &cert->body.ballot.block_hash);
        parent = block != NULL ? &block->header : NULL;
    }
    if (parent == NULL) {
        return cs->now_ns + cs->config.idle_ms * CS__MS;
    }
    if (block != NULL && cs_header_closes(parent)) {
        return cs->entered_ns; /* it is proposed again, without delay */
    }
    uint64_t at = cs->now_ns + wait_ns(cs, parent->time_ms, cs->config.idle_ms);
    if (cs__work(cs, block)) {
        bool const late = cs->work_ns > cs->entered_ns;
        uint64_t const from = late ? cs->work_ns : cs->entered_ns;
        uint64_t const spread = late && !leader ? cs->delay_ns : 0;
        at = from + spread < at ? from + spread : at;
    }
    if (nonempty_above(cs, block) > parent->executed_height) {
        uint64_t const show = cs->entered_ns + cs->config.delay_ns / RESULT_PART;
        at = show < at ? show : at;
    }
    uint64_t const pace = cs->now_ns + wait_ns(cs, parent->time_ms, cs->config.pace_ms);
    return at < pace && cs->config.pace_ms > 0 ? pace : at;
}
