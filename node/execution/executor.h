#ifndef NV_NODE_EXECUTION_EXECUTOR_H
#define NV_NODE_EXECUTION_EXECUTOR_H

/* executor.h - the thread that owns the settlement machine.
 *
 *     loop thread                          executor
 *     final block, lent      ------------> runs it
 *     a result               <------------ root, receipts, events, rows
 *     a read of the state    ------------> between two blocks
 *     the read               <------------
 *     freeze                 ------------>
 *     an overlay, or NULL    <------------ what has changed since the last one; also
 *                                          unasked, when it is full, and
 *                                          after heights of which a snapshot is made
 *     the overlay, written   ------------> thaw
 *
 * Everything comes back through one mailbox, as struct node_mail of the kinds
 * below; small blocks the loop may run itself (node/mail/at_once.h).  Blocks are executed in the order in which they were given. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#include "node/execution/machine.h"
#include "node/mail/mail.h"

struct node_executor;

#define NODE_JOBS_MAX 1024u /* reads that wait */

/* node_executor_start takes over `machine`.  An overlay of `rows_dirty` rows
 * comes unasked too, and one that ends exactly at each multiple of `exact_every`
 * (0: none).  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err node_executor_start(struct node_executor **executor,
                                            struct node_machine *machine,
                                            uint32_t rows_dirty,
                                            uint64_t exact_every,
                                            struct node_mailbox *out);

/* node_executor_block gives a block, lent until its result is back. */
void node_executor_block(struct node_executor *executor, const struct replica_block *block);

/* node_executor_at_once runs a block on the caller's thread, if that will not take
 * long: the block is small, the other thread has nothing to do, and most of
 * the last blocks were quick.  The result is back then, and comes in no mail; NULL after a
 * failure, which does.  False: nothing was done. */
NV_MUST_USE bool node_executor_at_once(struct node_executor *executor,
                                       const struct replica_block *block,
                                       struct node_result **result);

/* node_executor_read gives a read.  NV_ERR_BUSY: too many wait. */
NV_MUST_USE enum nv_err node_executor_read(struct node_executor *executor, struct rpc_job *job);

/* node_executor_freeze asks for the overlay, node_executor_thaw gives it back
 * once it is durable.  Contract: one is under way at a time; a request that
 * comes while one is out is not answered. */
void node_executor_freeze(struct node_executor *executor);
void node_executor_thaw(struct node_executor *executor);

/* node_executor_take reads a NODE_MAIL_JOB that is back and forgets it. */
struct rpc_job *node_executor_take(struct node_executor *executor, struct node_mail *mail);

/* node_executor_stop lets the thread finish what it was given and ends it; its
 * mail is in the mailbox then.  The machine is the caller's again. */
void node_executor_stop(struct node_executor *executor);

/* node_executor_close frees an executor that has stopped. */
void node_executor_close(struct node_executor *executor);

#endif /* NV_NODE_EXECUTION_EXECUTOR_H */
