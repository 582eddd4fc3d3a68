#ifndef NV_RPC_RECENT_H
#define NV_RPC_RECENT_H

/* recent.h - the newest auctions and fills, remembered because they are events
 * and not rows. Two rings of a fixed size; what this node has not executed
 * since it started is not in them. Loop thread. */

#include <stdint.h>

struct rpc;
struct rpc_json;
struct rpc_listing;
struct rpc_recent;
struct rpc_head;
struct vm_event;

/* rpc__recent_new returns empty rings, or NULL: no memory. */
struct rpc_recent *rpc__recent_new(void);
void rpc__recent_free(struct rpc_recent *recent); /* NULL does nothing */

/* rpc__recent_note remembers an event if it is of a kind that is asked for. */
void rpc__recent_note(struct rpc_recent *recent,
                      const struct rpc_head *head,
                      uint32_t index,
                      const struct vm_event *event);

/* rpc__recent_trades and rpc__recent_fills write the member `trades` or `fills`,
 * newest first. */
void rpc__recent_trades(struct rpc *rpc,
                        struct rpc_json *out,
                        const struct rpc_listing *listing,
                        uint32_t limit);
void rpc__recent_fills(struct rpc *rpc, struct rpc_json *out, uint64_t account, uint32_t limit);

#endif /* NV_RPC_RECENT_H */
