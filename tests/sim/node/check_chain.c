/* One chain: the same blocks, roots, receipts and events on all honest nodes, no
 * transaction twice, nothing lost that a client was told. */

#include <string.h>

#include "base/hash.h"

#include "tests/sim/node/nodesim.h"

/* What a host may have allocated beside what it reserved when it was opened. */
#define MEMORY_MAX (48u << 20)

/* extends notes the transactions of the first final block of a height. */
static void extends(struct ns *ns, const struct replica_block *block)
{
    uint64_t const height = block->header.height;
    for (uint32_t i = 0; i < block->tx_count; i++) {
        struct ns_tx *const tx = ns_tx_find(ns, &block->txs[i].hash);
        if (tx == NULL) {
            ns_fail(ns, "height %u holds a transaction that nobody made", (unsigned)height);
            return;
        }
        if (tx->height != 0) {
            ns_fail(ns,
                    "a transaction is at heights %u and %u",
                    (unsigned)tx->height,
                    (unsigned)height);
            return;
        }
        if (block->txs[i].expires_ms <= block->header.time_ms) {
            ns_fail(ns, "height %u holds an expired transaction", (unsigned)height);
        }
        tx->height = height;
        ns->included++;
    }
}

/* root_check compares the root that a final header names with that of those who
 * have executed the height. */
static void root_check(struct ns *ns, const struct cs_header *header)
{
    const struct ns_seen *const named = &ns->seen[header->executed_height];
    if (header->executed_height >= header->height ||
        (named->executed && !nv_hash_eq(&named->root, &header->state_root))) {
        ns_fail(ns, "height %u names a wrong state root", (unsigned)header->height);
    }
}

void ns_check_given(struct ns *ns, struct ns_host *host, const struct replica_block *block)
{
    uint64_t const height = block->header.height;
    ns_trace(ns, host->id, "given", height, block->hash.bytes[0]);
    if (!host->honest) {
        return;
    }
    if (height >= NS_HEIGHTS_MAX || height == 0) {
        ns_fail(ns, "height %u is out of range", (unsigned)height);
        return;
    }
    struct ns_seen *const seen = &ns->seen[height];
    if (cs_header_closes(&block->header) && block->header.epoch < NS_EPOCHS_MAX) {
        ns->began_ms[block->header.epoch + 1] = block->header.time_ms;
    }
    if (!seen->given) {
        const struct nv_hash *const parent =
            height == 1 ? &ns_genesis()->chain_id : &ns->seen[height - 1].hash;
        if ((height > 1 && !ns->seen[height - 1].given) ||
            !nv_hash_eq(parent, &block->header.parent_hash)) {
            ns_fail(ns, "height %u does not follow on the one below", (unsigned)height);
            return;
        }
        seen->given = true;
        seen->hash = block->hash;
        seen->given_ns = ns->now_ns;
        root_check(ns, &block->header);
        ns->height = height;
        extends(ns, block);
        ns_check_names(ns, block);
        ns_check_final(ns, &block->header);
    }
    if (!nv_hash_eq(&seen->hash, &block->hash)) {
        ns_fail(ns, "honest nodes disagree at height %u", (unsigned)height);
    }
}

/* yield_of hashes what clients are told of a block. */
static struct nv_hash yield_of(const struct node_result *result)
{
    struct nv_hash yield = {{0}};
    for (uint32_t i = 0; i < result->tx_count + result->event_count; i++) {
        struct nv_view const next =
            i < result->tx_count ? result->txs[i].receipt : result->events[i - result->tx_count];
        struct nv_view const parts[2] = {nv_hash_view(&yield), next};
        nv_sha256_parts(&yield, parts, 2);
    }
    return yield;
}

void ns_check_result(struct ns *ns,
                     struct ns_host *host,
                     const struct replica_block *block,
                     const struct node_result *result)
{
    struct ns_seen *const seen = &ns->seen[result->head.height];
    struct nv_hash const yield = yield_of(result);
    if (!host->honest) {
        return;
    }
    if (!seen->executed) {
        seen->executed = true;
        seen->root = result->head.state_root;
        seen->yield = yield;
        ns_check_stake(ns, block, result);
    }
    if (!nv_hash_eq(&seen->root, &result->head.state_root)) {
        ns_fail(ns, "state roots differ at height %u", (unsigned)result->head.height);
    }
    if (!nv_hash_eq(&seen->yield, &yield)) {
        ns_fail(ns, "receipts or events differ at height %u", (unsigned)result->head.height);
    }
}

void ns_check_started(struct ns *ns, struct ns_host *host)
{
    const struct rpc_head *const head = &host->head;
    if (!host->honest) {
        return;
    }
    ns_check_journal(ns, host);
    if (head->height < host->kept_height) {
        ns_fail(ns,
                "host %u comes back at height %u; its journal had %u",
                host->id,
                (unsigned)head->height,
                (unsigned)host->kept_height);
    }
    const struct ns_seen *const seen = &ns->seen[head->height];
    if (head->height > 0 && seen->executed && !nv_hash_eq(&seen->root, &head->state_root)) {
        ns_fail(ns, "host %u comes back with another state", host->id);
    }
}

void ns_check_memory(struct ns *ns, const struct ns_host *host)
{
    struct cs_summary const summary = replica_summary(host->replica);
    const struct node_mempool *const pool = replica_mempool(host->replica);
    if (node_mempool_count(pool) > ns->conf.mempool || node_mempool_bytes(pool) > 4u << 20 ||
        summary.blocks_held > 2 * ns->conf.views_max + 256 || host->memory.allocated > MEMORY_MAX) {
        ns_fail(ns,
                "host %u holds too much: %u transactions of %u bytes, %u blocks, %u KiB",
                host->id,
                (unsigned)node_mempool_count(pool),
                (unsigned)node_mempool_bytes(pool),
                (unsigned)summary.blocks_held,
                (unsigned)(host->memory.allocated >> 10));
    }
}
