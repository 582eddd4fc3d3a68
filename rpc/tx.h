#ifndef NV_RPC_TX_H
#define NV_RPC_TX_H

/* tx.h - what becomes of transactions, for those who wait. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/hash.h"

struct rpc_json;

/* The detail of a wait for a transaction. Borrowed for the call. */
struct rpc_tx_outcome {
    struct nv_hash hash;
    bool final; /* else it was dropped, for `reason` */
    int32_t reason;
    uint64_t height;
    uint32_t index;
    struct nv_view receipt;
};

/* rpc__tx_key is the wait key of a transaction's hash. */
static inline uint64_t rpc__tx_key(const struct nv_hash *hash)
{
    return nv_be64_load(hash->bytes);
}

/* rpc__tx_outcome_write writes the members of a transaction that is pending or
 * final. */
void rpc__tx_outcome_write(struct rpc_json *json, const struct rpc_tx_outcome *outcome);

#endif /* NV_RPC_TX_H */
