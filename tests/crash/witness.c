#include "tests/crash/witness.h"

#include <string.h>

#include "base/assert.h"

#include "consensus/state.h"
#include "node/replica/internal.h"

static witness_fn told;

void witness_to(witness_fn fn)
{
    told = fn;
}

void witness_say(const struct witness_mark *mark)
{
    if (told != NULL) {
        told(mark);
    }
}

void witness_say_vote(const struct cs_ballot *ballot)
{
    struct witness_mark const mark = {
        .kind = WITNESS_VOTE,
        .height = ballot->view,
        .vote = (uint64_t)ballot->kind,
        .parent = ballot->parent_view,
        .hash = ballot->block_hash,
    };
    witness_say(&mark);
}

static struct cs_vote vote_of(const struct witness_mark *mark)
{
    return (struct cs_vote){
        .ballot = {.kind = (enum cs_vote_kind)mark->vote,
                   .epoch = CS_FIRST_EPOCH,
                   .view = mark->height,
                   .parent_view = mark->parent,
                   .block_hash = mark->hash},
    };
}

/* conflict returns whether two marks cannot both be true. */
static bool conflict(const struct witness_mark *a, const struct witness_mark *b)
{
    if (a->kind != b->kind || a->height != b->height) {
        return false;
    }
    if (a->kind == WITNESS_VOTE) {
        struct cs_vote const votes[2] = {vote_of(a), vote_of(b)};
        return cs_vote_offence(&votes[0], &votes[1]) != CS_OFFENCE_NONE;
    }
    return a->kind == WITNESS_EXECUTED &&
           (!nv_hash_eq(&a->hash, &b->hash) || !nv_hash_eq(&a->root, &b->root));
}

bool witness_add(struct witness *w, const struct witness_mark *mark)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (conflict(&w->mark[i], mark)) {
            return false;
        }
    }
    NV_ASSERT(w->count < WITNESS_MARKS_MAX);
    w->mark[w->count++] = *mark;
    return true;
}

/* find returns the first mark of a kind at a height, or NULL. */
static const struct witness_mark *
find(const struct witness *w, enum witness_kind kind, uint64_t height)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->mark[i].kind == (uint64_t)kind && w->mark[i].height == height) {
            return &w->mark[i];
        }
    }
    return NULL;
}

/* highest returns the greatest height told of a kind. */
static uint64_t highest(const struct witness *w, uint32_t count, enum witness_kind kind)
{
    uint64_t top = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool const higher = w->mark[i].kind == (uint64_t)kind && w->mark[i].height > top;
        top = higher ? w->mark[i].height : top;
    }
    return top;
}

/* same returns whether a height has the block and root that were told. */
static bool same(const struct witness *w,
                 uint64_t height,
                 const struct nv_hash *hash,
                 const struct nv_hash *root)
{
    const struct witness_mark *const mark = find(w, WITNESS_EXECUTED, height);
    return mark == NULL || (nv_hash_eq(&mark->hash, hash) && nv_hash_eq(&mark->root, root));
}

static const char *check_blocks(const struct witness *w, uint32_t count, const struct node *n)
{
    struct rpc_head const head = node_machine_head(n->machine);
    struct st_head saved = {.height = 0};
    if (head.height < highest(w, count, WITNESS_EXECUTED)) {
        return "a block that was told is lost";
    }
    if (!same(w, head.height, &head.block_hash, &head.state_root)) {
        return "the newest block or its root is another";
    }
    for (uint64_t h = head.height, left = 4; h > 0 && left > 0; h--, left--) {
        struct node_executed executed;
        if (node_blocks_read_executed(n->blocks, h, &executed) != NV_OK) {
            return "what a block yielded cannot be read";
        }
        if (!same(w, h, &executed.block_hash, &executed.state_root)) {
            return "an older block or its root is another";
        }
    }
    enum nv_err const err = st_db_head(n->home.db, &saved);
    if (err != NV_OK && err != NV_ERR_NOT_FOUND) {
        return "the head of the database cannot be read";
    }
    if (saved.height < highest(w, count, WITNESS_SAVED)) {
        return "a checkpoint that was told is lost";
    }
    return saved.height == 0 || same(w, saved.height, &saved.block_hash, &saved.root)
               ? NULL
               : "the checkpoint's block or root is another";
}

static const char *check_votes(const struct witness *w, uint32_t count, const struct node *n)
{
    const struct cs__gate *const gate = &n->replica->cs->gate;
    const struct node_key *const key = n->home.validator;
    bool voted = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct witness_mark *const mark = &w->mark[i];
        struct cs_vote const vote = vote_of(mark);
        if (mark->kind != WITNESS_VOTE) {
            continue;
        }
        voted = true;
        if (mark->height > gate->floor && !cs__gate_holds(gate, &vote.ballot)) {
            return "a vote that left is forgotten";
        }
    }
    if (key->bond_count != 1 ||
        memcmp(key->bond[0].journal, st_journal_id(n->home.journal), ST_JOURNAL_ID_SIZE) != 0) {
        return voted ? "the key has voted and belongs to no journal" : "the key is not bound";
    }
    return NULL;
}

const char *witness_check(const struct witness *w, uint32_t count, const struct rig *rig)
{
    const char *const why = check_blocks(w, count, rig->node);
    return why != NULL ? why : check_votes(w, count, rig->node);
}
