#ifndef NV_RPC_PROOF_H
#define NV_RPC_PROOF_H

/* proof.h - rows read by a method, and the proof of what it read
 * (docs/spec/rpc.md section 3.4).
 *
 * Methods read rows only through here. Where the client asked for a proof,
 * each row and range read is recorded, and all of them are proved together
 * when the method is done: so an answer is proved from exactly what it was
 * made of. Executor thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/row.h"

struct rpc_call;

#define RPC_PROOF_RANGES 1024u

/* What was read: rows and ranges of rows, as they came. */
struct rpc_proof {
    struct nv_row_range range[RPC_PROOF_RANGES];
    uint32_t range_count;
};

/* rpc__row_get reads one row. NV_ERR_NOT_FOUND when there is none, which is
 * proved too; NV_ERR_TOO_LARGE when more was read than a proof may hold. The
 * value is borrowed until the method returns. */
NV_MUST_USE enum nv_err
rpc__row_get(struct rpc_call *call, struct nv_view *value, const struct nv_row_key *key);

#define RPC_WALK_ROWS 32u

/* A walk over all rows of a range, in order of keys. */
struct rpc_walk {
    struct rpc_call *call;
    struct nv_row_range left; /* not read yet */
    struct nv_row row[RPC_WALK_ROWS];
    uint32_t count;
    uint32_t at;
    bool last;         /* nothing is left */
    uint32_t recorded; /* its place in the proof */
};

/* rpc__walk_init starts a walk; the proof will show that no row is left out. */
NV_MUST_USE enum nv_err
rpc__walk_init(struct rpc_walk *walk, struct rpc_call *call, const struct nv_row_range *range);

/* rpc__walk_next writes the next row, borrowed until the method returns;
 * NV_ERR_NOT_FOUND at the end. */
NV_MUST_USE enum nv_err rpc__walk_next(struct rpc_walk *walk, struct nv_row *row);

/* rpc__walk_stop tells the proof that the rest of the range was not read: the
 * last row got is the last that matters. */
void rpc__walk_stop(struct rpc_walk *walk, const struct nv_row *last);

/* rpc__proof_write adds the member `proof` to the call's result. */
NV_MUST_USE enum nv_err rpc__proof_write(struct rpc_call *call);

#endif /* NV_RPC_PROOF_H */
