/* What the replica is told of the state at the checkpoint, and of the blocks up to it,
 * which are not executed again. */

#include "base/bug.h"

#include "node/store/replay.h"
#include "vm/rows.h"

#define ROOTS_KNOWN 64u /* state roots that the engine is told */

static const struct replica_time never; /* before the start there is no time */

/* ---- the state ---- */

/* Who is told the rows that a start begins with. */
struct teller {
    struct replica *replica;
    uint64_t height;
};

static void tell_rows(void *ctx, const struct nv_row *rows, uint32_t row_count)
{
    const struct teller *const teller = ctx;
    replica_wrote(teller->replica, teller->height, rows, NV_SEEDED(RESTART_BLIND) ? 0 : row_count);
}

static bool tell_state(struct node_replay__walk *w, uint64_t height)
{
    const struct node_start *const s = w->start;
    struct teller teller = {s->store->replica, height};
    enum nv_err const err = node_machine_rows(s->machine, tell_rows, &teller);
    return err == NV_OK || node_replay__broken(s, "the rows cannot be read", height, err);
}

/* tell_in_force tells by which keys the nodes of the present validators are known:
 * the journal has their vote keys alone. */
static void tell_in_force(struct node_replay__walk *w)
{
    if (node_machine_current(w->start->machine, &w->set)) {
        replica_validators(w->start->store->replica, never, &w->set);
    }
}

/* ---- the heights before it ---- */

/* tell_root tells a height at or below the checkpoint, with the set that its state
 * gave: the first time, and where a set was chosen.
 * SPEC stake 4.6: "Choices are rows, the last eight of them." */
static void tell_root(struct node_replay__walk *w, uint64_t height, const struct nv_hash *root)
{
    struct replica_outcome outcome = {.height = height, .root = *root, .next = NULL};
    if ((!w->told || height % VM_CHOICE_HEIGHTS == 0) &&
        node_machine_next(w->start->machine, height, &w->set)) {
        outcome.next = &w->set;
        w->told = true;
    }
    replica_checkpoint(w->start->store->replica, &outcome);
}

static bool tell_roots(struct node_replay__walk *w, uint64_t height)
{
    const struct node_start *const s = w->start;
    uint64_t const base = s->store->base_height;
    uint64_t h = height > ROOTS_KNOWN ? height - ROOTS_KNOWN : 1;
    if (base >= h && base < height) {
        tell_root(w, base, &s->store->base_root);
    }
    for (h = h > base ? h : base + 1; h < height; h++) {
        struct node_executed executed;
        enum nv_err const err = node_blocks_read_executed(s->store->blocks, h, &executed);
        if (err != NV_OK) {
            return node_replay__broken(s, "what a block yielded cannot be read", h, err);
        }
        tell_root(w, h, &executed.state_root);
    }
    struct rpc_head const head = node_machine_head(s->machine);
    tell_root(w, head.height, &head.state_root);
    return true;
}

/* tell_window tells the blocks up to the checkpoint whose transactions may not
 * have expired, so that none of them is taken twice. */
static bool tell_window(struct node_replay__walk *w, uint64_t height, uint64_t time_ms)
{
    const struct node_start *const s = w->start;
    struct cs_header header;
    uint64_t const base = s->store->base_height;
    uint64_t from = height;
    while (from > base + 1 && node_blocks_header(s->store->blocks, from - 1, &header) == NV_OK &&
           header.time_ms + VM_EXPIRY_MAX_MS >= time_ms) {
        from--;
    }
    for (uint64_t h = from; h <= height; h++) {
        enum nv_err err = h > base ? node_replay__read(w, h) : node_replay__read_base(w, h);
        if (err == NV_OK) {
            err = replica_replayed(s->store->replica, &w->block, NULL);
        }
        node_replay__drop(w);
        if (err != NV_OK) {
            return node_replay__broken(s, "a block cannot be read", h, err);
        }
    }
    return true;
}

bool node_replay__tell(struct node_replay__walk *w)
{
    const struct node_start *const s = w->start;
    uint64_t const height = node_machine_head(s->machine).height;
    struct cs_header header;
    if (!tell_state(w, height)) {
        return false;
    }
    tell_in_force(w);
    if (height == 0) {
        return true;
    }
    enum nv_err const err = node_blocks_header(s->store->blocks, height, &header);
    if (err != NV_OK) {
        return node_replay__broken(s, "the checkpoint's block cannot be read", height, err);
    }
    node_machine_set_time(s->machine, header.time_ms);
    return tell_roots(w, height) && tell_window(w, height, header.time_ms);
}
