/* room.c - which bodies are in memory, and which of them may be dropped. */

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

struct node_body *replica__body(struct replica *r, const struct nv_hash *hash)
{
    for (uint32_t i = 0; i < r->body_count; i++) {
        if (nv_hash_eq(&r->body[i]->hash, hash)) {
            return r->body[i];
        }
    }
    return NULL;
}

static bool idle(const struct node_body *body)
{
    return body->jobs == 0 && !body->executing;
}

static void drop(struct replica *r, uint32_t index)
{
    r->bodies_checked = UINT32_MAX;
    node_body_deinit(r->body[index]);
    nv_heap_free(r->body[index]);
    r->body_count--;
    r->body[index] = r->body[r->body_count];
}

/* Whose the bodies are: the engine's, as long as it counts them as held (consensus.h,
 * BODIES), the executor's, when they are lent, and those of jobs under way.  None of these
 * is ever dropped.  Of the first there are at most CS_BODIES_MAX, and there is room for
 * OTHERS beside them.  Execution and jobs come to an end by themselves, and then all
 * others may be dropped: so room is made sooner or later for all that the engine asks
 * for at once, and the last asked for is dropped last. */

#define OTHERS (REPLICA_BODIES_MAX - CS_BODIES_MAX - 1u)
_Static_assert(OTHERS >= REPLICA_ASKED_MAX, "what is asked for at once pushes out none of itself");

enum rank {
    RANK_LOOSE = 0, /* the header is not known */
    RANK_IDLE,      /* nobody waits for it */
    RANK_WANTED,    /* the engine asked for it */
    RANK_KEPT,
};

static enum rank rank(const struct replica *r, const struct node_body *body)
{
    if (!idle(body) || cs_body_held(r->cs, &body->hash)) {
        return RANK_KEPT;
    }
    if (!body->header_known) {
        return RANK_LOOSE;
    }
    return body->wanted ? RANK_WANTED : RANK_IDLE;
}

/* make_room drops a body of the lowest rank, up to `most`, when there are `limit`:
 * of those the one that was heard of the longest time ago. */
static bool make_room(struct replica *r, uint32_t limit, enum rank most)
{
    if (r->body_count < limit) {
        return true;
    }
    uint32_t best = UINT32_MAX;
    enum rank lowest = RANK_KEPT;
    for (uint32_t i = 0; i < r->body_count; i++) {
        enum rank const this = rank(r, r->body[i]);
        bool const older = best != UINT32_MAX && r->body[i]->heard < r->body[best]->heard;
        if (this < lowest || (this == lowest && older)) {
            best = i;
            lowest = this;
        }
    }
    if (best == UINT32_MAX || lowest > most) {
        return false;
    }
    drop(r, best);
    return r->body_count < limit;
}

static struct node_body *body_new(struct replica *r, const struct nv_hash *hash)
{
    NV_ASSERT(r->body_count < REPLICA_BODIES_MAX);
    struct node_body *const body = nv_heap_alloc(sizeof *body);
    if (body != NULL) {
        node_body_init(body, hash);
        r->bodies_heard++;
        body->heard = r->bodies_heard;
        r->body[r->body_count] = body;
        r->body_count++;
    }
    return body;
}

/* The last place is for an own body: nobody takes it between BUILD and PUBLISH. */
bool replica__body_own_room(struct replica *r)
{
    return make_room(r, REPLICA_BODIES_MAX, RANK_WANTED);
}

struct node_body *replica__body_own(struct replica *r, const struct nv_hash *hash)
{
    return body_new(r, hash);
}

struct node_body *replica__body_new(struct replica *r, const struct nv_hash *hash, bool wanted)
{
    enum rank const most = wanted ? RANK_WANTED : RANK_LOOSE;
    return make_room(r, REPLICA_BODIES_MAX - 1, most) ? body_new(r, hash) : NULL;
}

bool replica__body_there(struct replica *r, const struct nv_hash *hash)
{
    const struct node_body *const body = replica__body(r, hash);
    return body != NULL && node_body_complete(body) && body->state != NODE_BODY_INVALID;
}

void replica__bodies_check(struct replica *r)
{
    uint32_t const counted = cs_summary(r->cs).bodies_held;
    if (counted == r->bodies_checked) {
        return;
    }
    uint32_t held = 0;
    for (uint32_t i = 0; i < r->body_count; i++) {
        held += cs_body_held(r->cs, &r->body[i]->hash) && node_body_complete(r->body[i]) ? 1 : 0;
    }
    NV_ASSERT(held == counted && held <= CS_BODIES_MAX);
    r->bodies_checked = counted;
}

/* replica__bodies_prune drops what can never be executed any more. */
void replica__bodies_prune(struct replica *r)
{
    uint32_t i = 0;
    while (i < r->body_count) {
        const struct node_body *const b = r->body[i];
        bool const past = b->header_known && b->header.height <= r->last_height;
        if (past && idle(b)) {
            drop(r, i);
        } else {
            i++;
        }
    }
}

/* ---- ancestors ---- */

/* How far a walk over unexecuted ancestors may go. */
#define ANCESTORS_MAX 4096u

bool replica__ancestors(struct replica *r,
                        struct nv_hash parent,
                        const struct node_body *list[REPLICA_BODIES_MAX],
                        uint32_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < ANCESTORS_MAX; i++) {
        if (nv_hash_eq(&parent, &r->last_hash)) {
            return true;
        }
        const struct node_body *const body = replica__body(r, &parent);
        struct cs_header header;
        if (body != NULL && body->state == NODE_BODY_HELD) {
            list[*count] = body;
            (*count)++;
            parent = body->header.parent_hash;
        } else if (cs_block_header(r->cs, &parent, &header) && header.body_size == 0) {
            parent = header.parent_hash;
        } else {
            return false;
        }
    }
    return false;
}
