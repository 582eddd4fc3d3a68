#ifndef NV_TOOLS_DERIVE_H
#define NV_TOOLS_DERIVE_H

/* derive.h - what an answer must be, worked out from the rows that its proof
 * shows.
 *
 * So a person reads what the proof says and not what the node says; and a node
 * whose answer differs from its own proof is found out.  Members that are no
 * function of the rows shown (margin) are left out. */

#include <stdbool.h>

#include "base/err.h"
#include "base/proof.h"

struct json_t;

/* derive_known returns whether answers of this method can be derived:
 * account_get, account_positions, account_balances, order_open, market_list,
 * market_get, market_ticker, market_book (without its height, which is the
 * proof's), chain_params, stake_validators, stake_get, tx_get. */
bool derive_known(const char *method);

/* derive writes the answer of `method` to `params` by the proof; the caller's.
 * `answer` is what the node answered; tx_get takes the receipt and its path from
 * it, which must lead to the root that the proof shows.
 * NV_ERR_UNSUPPORTED: no method of those above.  NV_ERR_NOT_FOUND: the state
 * has no such account or market.  NV_ERR_MISMATCH: the proof does not show all
 * that is needed.  Others: a row, or a parameter, is broken. */
NV_MUST_USE enum nv_err derive(struct json_t **out,
                               const struct nv_proof *proof,
                               const char *method,
                               const struct json_t *params,
                               const struct json_t *answer);

/* derive_difference returns the name of a member of `derived` that `answer`
 * lacks or has otherwise; NULL when there is none.  Borrowed from `derived`. */
const char *derive_difference(const struct json_t *derived, const struct json_t *answer);

#endif /* NV_TOOLS_DERIVE_H */
