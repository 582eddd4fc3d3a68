#ifndef NV_RPC_EVENTS_H
#define NV_RPC_EVENTS_H

/* events.h - the VM's events as JSON, and their sequence numbers.
 * Loop thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#include "rpc/catalogue.h"
#include "rpc/json_write.h"
#include "vm/event.h"

/* "18446744073709551615:4294967295" and its terminator. */
#define RPC_SEQ_TEXT 32u

void rpc__seq_format(char out[RPC_SEQ_TEXT], uint64_t height, uint32_t index);

/* rpc__seq_parse reads "height:index"; false when it is none. */
bool rpc__seq_parse(struct nv_view text, uint64_t *height, uint32_t *index);

/* The members of one event. */
void rpc__auction_write(struct rpc_json *out,
                        const struct rpc_listing *listing,
                        const struct vm_event_auction *auction);
void rpc__fill_write(struct rpc_json *out,
                     const struct rpc_listing *listing,
                     const struct vm_event_fill *fill);

/* rpc__event_write writes an event as the member `key`, an object with the
 * member `event` that names its kind; null when it speaks of a market that the
 * catalogue does not know. */
void rpc__event_write(struct rpc_json *out,
                      const char *key,
                      const struct rpc_catalogue *catalogue,
                      const struct vm_event *event);

/* rpc__event_account returns the account that an event is about, 0: none. */
uint64_t rpc__event_account(const struct vm_event *event);

/* rpc__event_market writes the market that an event is about; false: none. */
bool rpc__event_market(const struct vm_event *event, uint32_t *market);

#endif /* NV_RPC_EVENTS_H */
