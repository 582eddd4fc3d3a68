#ifndef NV_NODE_REPLICA_WINDOW_H
#define NV_NODE_REPLICA_WINDOW_H

/* window.h - the transactions of final blocks that have not expired yet.
 *
 * A transaction may be in one block only.  It names an expiry at most a minute
 * ahead of its block, so only the hashes of about the last minute need to be
 * remembered; they are no rows of state, and are built anew from the bodies
 * after a restart (docs/spec/transactions.md).
 *
 * No clock, no I/O.  One thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

struct node_window;

/* node_window_open reserves room for `count_max` transactions. */
NV_MUST_USE enum nv_err node_window_open(struct node_window **out, uint32_t count_max);
void node_window_close(struct node_window *window);

/* node_window_add remembers a transaction; NV_ERR_NO_MEMORY when full. */
NV_MUST_USE enum nv_err
node_window_add(struct node_window *window, const struct nv_hash *hash, uint64_t expires_ms);

bool node_window_has(const struct node_window *window, const struct nv_hash *hash);

/* node_window_forget drops those that no block at or after `time_ms` may hold
 * any more.  It may keep some a little longer. */
void node_window_forget(struct node_window *window, uint64_t time_ms);

#endif /* NV_NODE_REPLICA_WINDOW_H */
