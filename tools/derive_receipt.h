#ifndef NV_TOOLS_DERIVE_RECEIPT_H
#define NV_TOOLS_DERIVE_RECEIPT_H

/* derive_receipt.h - what became of a transaction, by its receipt's proof: the
 * receipt is one of a group whose path leads to the root of the block's receipts, which stands in the
 * row of the block's result, which the proof shows. */

#include "base/err.h"
#include "base/proof.h"

struct json_t;

/* derive_receipt adds the members tx_hash, state, height, index and receipt to
 * `out`.  NV_ERR_MISMATCH: the receipt is not proved, or is of another
 * transaction than params name.  Others: it cannot be read. */
NV_MUST_USE enum nv_err derive_receipt(struct json_t *out,
                                       const struct nv_proof *proof,
                                       const struct json_t *params,
                                       const struct json_t *answer);

#endif /* NV_TOOLS_DERIVE_RECEIPT_H */
