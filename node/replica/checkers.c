/* checkers.c - whose signatures are checked. */

#include "base/heap.h"

#include "node/replica/internal.h"

struct replica_checkers *replica__checkers_new(const struct cs_valset *set)
{
    struct replica_checkers *const checkers = nv_heap_alloc(sizeof *checkers);
    if (checkers != NULL) {
        *checkers = (struct replica_checkers){.refs = 1, .set = *set};
    }
    return checkers;
}

struct replica_checkers *replica__checkers_take(struct replica *r)
{
    r->checkers->refs++;
    return r->checkers;
}

void replica__checkers_drop(struct replica_checkers *checkers)
{
    if (checkers != NULL && --checkers->refs == 0) {
        nv_heap_free(checkers);
    }
}
