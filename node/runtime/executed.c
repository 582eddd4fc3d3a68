/* executed.c - what a block has yielded, told to all that wait for it. */

#include "node/runtime/internal.h"

static void forget_executing(struct node *n, uint64_t height)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->executing_count; i++) {
        if (n->executing[i]->header.height != height) {
            n->executing[kept++] = n->executing[i];
        }
    }
    n->executing_count = kept;
}

void node_executed(struct node *n, struct node_result *result)
{
    n->head = result->head;
    n->head_at_ns = uv_hrtime();
    n->txs_executed += result->tx_count;
    forget_executing(n, result->head.height);
    replica_wrote(n->replica, result->head.height, result->writes, result->write_count);
    struct replica_outcome const outcome = node_result_outcome(result);
    replica_executed(n->replica, node_now(), &outcome);
    if (result->in_force != NULL) {
        replica_validators(n->replica, node_now(), result->in_force);
    }
    if (!n->parts_closed) {
        node_rpc_executed(n, result);
    }
    node_store_result(&n->store, uv_hrtime(), result);
}
