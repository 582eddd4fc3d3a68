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

/* empty_only returns whether a child of `parent` must be empty.
 * SPEC consensus 12: "and the own executed height is above 64" */
static bool empty_only(const struct cs *cs, const struct cs_header *parent)
{
    uint64_t const executed = cs->executed_height > parent->executed_height
                                  ? cs->executed_height
                                  : parent->executed_height;
    return parent->height + 1 > executed + CS__LAG_MAX || cs->bodies >= CS_BODIES_MAX;
}

/* left_out returns whether the leader of `parent` did not take what waits here.
 * SPEC consensus 12: "none has come to the own mempool since that view was entered" */
static bool left_out(const struct cs *cs, const struct cs_header *parent, uint64_t parent_view)
{
    return parent->tx_count == 0 && parent->height <= parent->executed_height + CS__LAG_MAX &&
           parent_view > 0 && parent_view == cs->left_view && cs->work_ns <= cs->left_entered_ns;
}

static uint64_t later(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns > b_ns ? a_ns : b_ns;
}

/* work_due returns when a block is due for the transactions that wait. */
static uint64_t work_due(const struct cs *cs, bool soon, bool leader)
{
    uint64_t const from = later(cs->entered_ns, cs->work_ns);
    if (!soon) {
        return from + cs->config.delay_ns;
    }
    return from > cs->entered_ns && !leader ? from + cs->delay_ns : from;
}

/* show_due returns when a block is due for results that no header shows. */
static uint64_t show_due(const struct cs *cs, bool soon)
{
    if (!soon) {
        return cs->entered_ns + cs->config.delay_ns;
    }
    return later(cs->entered_ns + cs->config.delay_ns / RESULT_PART, cs->executed_ns);
}

/* needed_ns returns when a child of `parent`, which is `block` unless that is
 * final, is due for transactions or for results; CS__NEVER: for neither. */
static uint64_t needed_ns(const struct cs *cs,
                          const struct cs__block *block,
                          const struct cs_header *parent,
                          uint64_t parent_view,
                          bool leader)
{
    bool const barren = empty_only(cs, parent);
    uint64_t work = CS__NEVER;
    uint64_t show = CS__NEVER;
    if (cs__work(cs, block)) {
        work = work_due(cs, !barren && !left_out(cs, parent, parent_view), leader);
    }
    if (nonempty_above(cs, block) > parent->executed_height) {
        show = show_due(cs, !barren && cs->executed_height > parent->executed_height);
    }
    return work < show ? work : show;
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
    uint64_t const idle = cs->now_ns + wait_ns(cs, parent->time_ms, cs->config.idle_ms);
    uint64_t const needed = needed_ns(cs, block, parent, parent_view, leader);
    uint64_t const at = needed < idle ? needed : idle;
    uint64_t const pace = cs->now_ns + wait_ns(cs, parent->time_ms, cs->config.pace_ms);
    return at < pace && cs->config.pace_ms > 0 ? pace : at;
}
