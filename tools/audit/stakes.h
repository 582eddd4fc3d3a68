#ifndef NV_TOOLS_AUDIT_STAKES_H
#define NV_TOOLS_AUDIT_STAKES_H

/* stakes.h - what is staked, added up from rows alone (docs/spec/stake.md): the
 * tokens of all pools and dues, and of each validator the shares that accounts
 * hold of it and of what waits with it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/int.h"
#include "base/row.h"

#include "vm/rows_stake.h"

struct stakes_validator {
    uint64_t account;
    nv_i128 shares;  /* of its pool, less what accounts hold: 0 in the end */
    nv_i128 waiting; /* of its batches, likewise */
};

struct stakes {
    nv_i128 staked;
    int64_t pot;
    int64_t running_staked; /* as the chain keeps it */
    uint32_t running_validators;
    bool chain_found;
    bool stray; /* shares of a validator that is not there */
    uint32_t count;
    struct stakes_validator validator[VM_VALIDATORS_KNOWN]; /* by account */
};

/* stakes_add counts a row of the tables of stake in; rows come in ascending key
 * order.  False when its value is not canonical. */
NV_MUST_USE bool stakes_add(struct stakes *stakes, const struct nv_row *row);

/* stakes_running_hold: the running sum is that of the rows.  stakes_shares_hold:
 * accounts hold all shares of all pools, and no others. */
bool stakes_running_hold(const struct stakes *stakes);
bool stakes_shares_hold(const struct stakes *stakes);

#endif /* NV_TOOLS_AUDIT_STAKES_H */
