/* What must happen once nothing fails any more: blocks on every honest node, and
 * each transaction that an honest node took in a block of the next honest
 * leader's.  And what must not: a stranger's transactions in the way of those in whose
 * names they are. */

#include "tests/sim/node/nodesim.h"

#define BLOCKS_LEAST 5u             /* while it is measured */
#define LAG_NS       (1500 * NS_MS) /* that somebody may be behind at the end, ... */
#define LAG_BLOCKS   64u            /* ... and for the execution of so many blocks */

static uint64_t faulty(const struct ns *ns)
{
    return (ns->validators - 1) / 3;
}

/* top returns the newest view that an honest host is in. */
static struct cs_summary top(const struct ns *ns)
{
    struct cs_summary newest = {.epoch = CS_FIRST_EPOCH};
    for (uint32_t i = 0; i < ns->host_count; i++) {
        const struct ns_host *const host = &ns->host[i];
        if (ns_runs(host) && host->honest) {
            struct cs_summary const s = replica_summary(host->replica);
            bool const newer =
                s.epoch > newest.epoch || (s.epoch == newest.epoch && s.view > newest.view);
            newest = newer ? s : newest;
        }
    }
    return newest;
}

/* overdue returns whether a transaction should be in a block by that of `header`: one
 * of the leaders since then was honest.  In a new epoch they are counted anew. */
static bool overdue(const struct ns *ns, const struct ns_tx *tx, const struct cs_header *header)
{
    uint64_t const from = header->epoch == tx->owed_epoch ? tx->owed_view : 0;
    return tx->owed_epoch != 0 && header->epoch >= tx->owed_epoch &&
           header->view > from + faulty(ns) + 2;
}

/* forged_waits returns how many transactions that strangers signed wait in a host. */
static uint32_t forged_waits(struct ns *ns, const struct ns_host *host)
{
    uint32_t cursor = NODE_MEMPOOL_START;
    uint32_t count = 0;
    struct node_mempool_tx waiting;
    while (node_mempool_next(replica_mempool(host->replica), &cursor, &waiting)) {
        const struct ns_tx *const tx = ns_tx_find(ns, &waiting.hash);
        count += tx != NULL && tx->forged ? 1u : 0u;
    }
    return count;
}

void ns_check_names(struct ns *ns, const struct replica_block *block)
{
    for (uint32_t i = 0; i < block->tx_count; i++) {
        const struct ns_tx *const tx = ns_tx_find(ns, &block->txs[i].hash);
        if (tx != NULL && tx->forged) {
            ns_fail(ns, "a stranger's transaction is in block %u", (unsigned)block->header.height);
        }
    }
}

void ns_check_verdict(struct ns *ns,
                      const struct ns_host *host,
                      const struct nv_hash *hash,
                      enum replica_refusal refusal)
{
    struct ns_tx *const tx = ns_tx_find(ns, hash);
    if (tx == NULL || !host->honest || !tx->good) {
        return;
    }
    if (refusal == REPLICA_TX_NO_ACCOUNT) {
        ns_fail(ns, "host %u does not know an account that was always there", host->id);
    }
    if (refusal == REPLICA_TX_KEY_UNKNOWN) {
        ns_fail(ns, "host %u does not know an account's own key", host->id);
    }
    if (refusal == REPLICA_TX_ACCOUNT_FULL && forged_waits(ns, host) > 0) {
        ns_fail(ns, "host %u keeps an owner out for strangers", host->id);
    }
    if (refusal != REPLICA_TX_TAKEN || !ns->measured || tx->owed || ns->conf.mempool < 1000) {
        return;
    }
    tx->owed = true;
    /* By then it has reached all and was checked there. */
    uint64_t const after_us = 2 * ns->conf.net_max_us + 2 * ns->conf.job_max_us + 5000;
    ns_push(ns, after_us * 1000, NS_MARK, host->id)->a = (uint32_t)(tx - ns->tx);
}

void ns_check_mark(struct ns *ns, uint32_t tx)
{
    struct cs_summary const newest = top(ns);
    ns->tx[tx].owed_epoch = newest.epoch;
    ns->tx[tx].owed_view = newest.view;
}

/* begin_anew: while execution is far behind, blocks are empty, and nobody is to blame.
 * SPEC consensus 14: "If height - executed_height is above 64, the body MUST be empty." */
static void begin_anew(struct ns *ns, const struct cs_header *header)
{
    for (uint32_t i = ns->owed_first; i < ns->tx_count; i++) {
        struct ns_tx *const tx = &ns->tx[i];
        if (tx->owed_epoch != 0) {
            tx->owed_epoch = header->epoch;
            tx->owed_view = header->view;
        }
    }
}

void ns_check_final(struct ns *ns, const struct cs_header *header)
{
    if (header->height - header->executed_height > 64) {
        begin_anew(ns, header);
    }
    for (uint32_t i = ns->owed_first; i < ns->tx_count && ns->measured; i++) {
        const struct ns_tx *const tx = &ns->tx[i];
        bool const settled = tx->height != 0 || tx->expires_ms <= header->time_ms;
        if (settled && i == ns->owed_first) {
            ns->owed_first++;
        }
        if (!settled && overdue(ns, tx, header)) {
            ns_fail(ns,
                    "a transaction waits since view %u; view %u is final without it",
                    (unsigned)tx->owed_view,
                    (unsigned)header->view);
            return;
        }
    }
}

/* blocks_least: so many blocks at least while it is measured; who was waited for may have
 * outlasted the transactions, and then blocks come after the idle time. */
static uint64_t blocks_least(const struct ns *ns)
{
    uint64_t const idle = ns->conf.live_ms / (ns->conf.idle_ms + ns->conf.delay_ms);
    return idle < BLOCKS_LEAST ? idle : BLOCKS_LEAST;
}

/* lag_ns: so far execution may be behind; leaders fill blocks until it is LAG_BLOCKS. */
static uint64_t lag_ns(const struct ns *ns)
{
    return LAG_NS + LAG_BLOCKS * ns->conf.execute_max_us * (NS_MS / 1000);
}

void ns_check_measure(struct ns *ns)
{
    ns->measured = true;
    for (uint32_t i = 0; i < ns->host_count; i++) {
        ns->height_then[i] = ns->host[i].head.height;
    }
}

void ns_check_live(struct ns *ns)
{
    for (uint32_t i = 0; i < ns->host_count; i++) {
        const struct ns_host *const host = &ns->host[i];
        if (!host->honest) {
            continue;
        }
        if (!ns_runs(host)) {
            ns_fail(ns, "host %u is not up at the end, or has no state", i);
            return;
        }
        uint64_t const next = host->head.height + 1;
        if (host->head.height < ns->height_then[i] + blocks_least(ns) ||
            (next <= ns->height && ns->seen[next].given_ns + lag_ns(ns) < ns->now_ns)) {
            ns_fail(ns,
                    "host %u has executed height %u of %u; it had %u when all was well",
                    i,
                    (unsigned)host->head.height,
                    (unsigned)ns->height,
                    (unsigned)ns->height_then[i]);
            return;
        }
    }
}
