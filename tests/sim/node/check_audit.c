/* The audit: both conservation laws added up from all rows, and the chain
 * executed again from the genesis, out of the journal alone. */

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"
#include "vm/rows.h"

/* ---- conservation ---- */

struct sums {
    bool broken; /* a row does not decode */
    struct vm_chain_row chain;
    struct vm_staking_row staking;
    int64_t cash;
    int64_t wallet;
    int64_t staked;
    int64_t lots[NS_MARKETS];
    int64_t cost[NS_MARKETS];
    int64_t realised[NS_MARKETS];
    struct nv_pubkey node_key[NS_SIGNERS];
    uint32_t validators;
};

static void add_account(struct sums *sums, struct nv_view value)
{
    struct vm_account_row row;
    sums->broken = sums->broken || vm_account_row_decode(&row, value) != NV_OK;
    if (!sums->broken) {
        sums->cash += vm_money_raw(row.cash);
        sums->wallet += vm_money_raw(row.wallet);
    }
}

static void add_validator(struct sums *sums, struct nv_view value)
{
    struct vm_validator_row row;
    sums->broken = sums->broken || vm_validator_row_decode(&row, value) != NV_OK;
    if (sums->broken) {
        return;
    }
    sums->staked += vm_money_raw(row.pool.tokens) + vm_money_raw(row.due);
    sums->broken = sums->validators == NS_SIGNERS;
    for (uint32_t i = 0; i < sums->validators; i++) { /* a node is one validator's */
        sums->broken =
            sums->broken || memcmp(&sums->node_key[i], &row.node_key, sizeof row.node_key) == 0;
    }
    if (!sums->broken) {
        sums->node_key[sums->validators++] = row.node_key;
    }
}

static void add_batch(struct sums *sums, struct nv_view value)
{
    struct vm_batch_row row;
    sums->broken = sums->broken || vm_batch_row_decode(&row, value) != NV_OK;
    if (!sums->broken) {
        sums->staked += vm_money_raw(row.pool.tokens);
    }
}

static void add_position(struct sums *sums, uint32_t market, struct nv_view value)
{
    struct vm_position_row row;
    sums->broken = sums->broken || vm_position_row_decode(&row, value) != NV_OK;
    if (!sums->broken) {
        sums->lots[market % NS_MARKETS] += vm_lots_raw(row.lots);
        sums->cost[market % NS_MARKETS] += vm_money_raw(row.cost);
    }
}

static void add_rows(void *ctx, const struct nv_row *rows, uint32_t count)
{
    struct sums *const sums = ctx;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *const key = rows[i].key.bytes;
        struct nv_view const value = rows[i].value;
        struct vm_market_state_row market;
        switch (key[0]) {
        case VM_TABLE_ACCOUNT: add_account(sums, value); break;
        case VM_TABLE_POSITION: add_position(sums, nv_be32_load(key + 9), value); break;
        case VM_TABLE_VALIDATOR: add_validator(sums, value); break;
        case VM_TABLE_BATCH: add_batch(sums, value); break;
        case VM_TABLE_CHAIN:
            sums->broken = sums->broken || vm_chain_row_decode(&sums->chain, value) != NV_OK;
            break;
        case VM_TABLE_STAKING:
            sums->broken = sums->broken || vm_staking_row_decode(&sums->staking, value) != NV_OK;
            break;
        case VM_TABLE_MARKET_STATE:
            sums->broken = sums->broken || vm_market_state_row_decode(&market, value) != NV_OK;
            if (!sums->broken) {
                sums->realised[nv_be32_load(key + 1) % NS_MARKETS] += vm_money_raw(market.realised);
            }
            break;
        default: break;
        }
    }
}

static void conservation(struct ns *ns, const struct ns_host *host)
{
    struct sums sums = {.broken = false};
    enum nv_err const err = node_machine_rows(host->machine, add_rows, &sums);
    int64_t realised = 0;
    bool holds = err == NV_OK && !sums.broken && sums.chain.safe_mode == 0;
    for (uint32_t i = 0; i < NS_MARKETS; i++) {
        holds = holds && sums.lots[i] == 0 && sums.cost[i] + sums.realised[i] == 0;
        realised += sums.realised[i];
    }
    holds = holds && sums.staked == vm_money_raw(sums.staking.staked);
    int64_t const held =
        sums.cash + vm_money_raw(sums.staking.staked) + vm_money_raw(sums.staking.pot);
    holds = holds && held == vm_money_raw(sums.chain.vault) + realised &&
            sums.wallet + vm_money_raw(sums.chain.vault) == vm_money_raw(sums.chain.supply);
    if (!holds) {
        ns_fail(ns,
                "conservation: held %" PRId64 ", wallets %" PRId64 ", vault %" PRId64
                ", supply %" PRId64 ", safe mode %u",
                held,
                sums.wallet,
                vm_money_raw(sums.chain.vault),
                vm_money_raw(sums.chain.supply),
                (unsigned)sums.chain.safe_mode);
    }
}

/* ---- again from the genesis ---- */

/* same_chain returns whether the auditor has the chain that all have seen.  Its newest
 * blocks may be final in the journal, and were not given to anybody yet. */
static bool same_chain(struct ns *ns, const struct ns_host *auditor)
{
    struct cs_header header;
    struct nv_hash hash;
    uint64_t const height = auditor->head.height;
    uint64_t const common = height < ns->height ? height : ns->height;
    if (common == 0 || node_blocks_header(auditor->blocks, common, &header) != NV_OK) {
        return common == 0;
    }
    cs_header_hash(&hash, &header);
    return nv_hash_eq(&ns->seen[common].hash, &hash) &&
           (!ns->seen[height].executed ||
            nv_hash_eq(&ns->seen[height].root, &auditor->head.state_root));
}

static void again(struct ns *ns, const struct ns_host *host)
{
    struct ns_host *const auditor = ns_host_copy(ns, host);
    if (!auditor->up) {
        ns_fail(ns, "the audit cannot read host %u's journal: %s", host->id, auditor->fault.what);
    } else if (auditor->head.height < host->kept_height || !same_chain(ns, auditor)) {
        ns_fail(ns,
                "executing host %u's chain again gives another state at height %u",
                host->id,
                (unsigned)auditor->head.height);
    }
    ns_host_drop(auditor);
}

void ns_check_audit(struct ns *ns)
{
    uint32_t best = ns->newcomer;
    for (uint32_t i = 0; i < ns->host_count; i++) {
        if (ns->host[i].honest && ns->host[i].head.height > ns->host[best].head.height) {
            best = i;
        }
    }
    conservation(ns, &ns->host[best]);
    conservation(ns, &ns->host[ns->newcomer]);
    again(ns, &ns->host[ns->host[best].partial ? ns->archivist : best]);
}
