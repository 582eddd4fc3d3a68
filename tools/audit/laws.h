#ifndef NV_TOOLS_AUDIT_LAWS_H
#define NV_TOOLS_AUDIT_LAWS_H

/* laws.h - both conservation laws, added up from rows alone
 * (docs/spec/ledger.md):
 *
 *     each market   Σ lots = 0,  Σ cost + realised = 0
 *     the chain     Σ cash + staked + reward pot = vault + Σ realised
 *                   Σ wallet + vault = supply */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/int.h"
#include "base/row.h"

#include "tools/audit/stakes.h"

#define LAWS_MARKETS_MAX 65536u

struct laws_market {
    bool listed;
    char symbol[32];
    nv_i128 lots;
    nv_i128 cost;
    nv_i128 realised;
    int64_t running_lots; /* as the market's state keeps them */
    int64_t running_cost;
};

struct laws {
    nv_i128 cash;
    nv_i128 wallet;
    nv_i128 realised;
    nv_i128 vault;
    nv_i128 supply;
    int64_t running_cash; /* as the chain's row keeps them */
    int64_t running_wallet;
    int64_t running_realised;
    bool wallet_below_0;
    bool chain_found;
    struct laws_market *market; /* LAWS_MARKETS_MAX, owned */
    uint32_t market_count;      /* highest listed + 1 */
    uint64_t rows;
    struct stakes stakes;
};

/* laws_open takes memory; false when there is none. */
NV_MUST_USE bool laws_open(struct laws *laws);
void laws_close(struct laws *laws);

/* laws_add counts a row in; false when its value is not canonical. */
NV_MUST_USE bool laws_add(struct laws *laws, const struct nv_row *row);

bool laws_market_holds(const struct laws_market *market);

/* laws_running_hold: the running sums that the state keeps are those of its
 * rows, shares are all held, and no wallet is below 0. */
bool laws_running_hold(const struct laws *laws);

/* laws_hold: both laws, of every market and of the chain. */
bool laws_hold(const struct laws *laws);

#endif /* NV_TOOLS_AUDIT_LAWS_H */
