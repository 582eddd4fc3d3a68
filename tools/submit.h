#ifndef NV_TOOLS_SUBMIT_H
#define NV_TOOLS_SUBMIT_H

/* submit.h - builds, signs and submits transactions. */

#include <stdint.h>

#include "base/hash.h"

#include "rpc/client.h"
#include "tools/keyring.h"
#include "tools/say.h"
#include "vm/tx.h"

/* A chain and a node of it to submit to. */
struct tool_chain {
    struct rpc_client *client;
    const char *url;
    struct nv_hash chain_id;
};

/* tool_chain_open connects and asks for the chain's id. */
enum tool_exit tool_chain_open(struct tool_chain *chain, const char *url);
void tool_chain_close(struct tool_chain *chain);

/* tool_now_ms is this machine's UTC clock. */
uint64_t tool_now_ms(void);

/* tool_sign makes the bytes of a transaction of `key`'s own account that
 * expires in 30 s.  `out` has VM_TX_SIZE_MAX bytes. */
enum tool_exit tool_sign(const struct tool_chain *chain,
                         const struct tool_key *key,
                         const struct vm_action *actions,
                         uint32_t action_count,
                         uint8_t *out,
                         uint32_t *out_size);

/* tool_submit signs and submits; `wait`: until final, and then *result is the
 * answer of tx_submit with its receipt.  Without it *result tells the hash. */
enum tool_exit tool_submit(const struct tool_chain *chain,
                           const struct tool_key *key,
                           const struct vm_action *actions,
                           uint32_t action_count,
                           bool wait,
                           struct json_t **result);

#endif /* NV_TOOLS_SUBMIT_H */
