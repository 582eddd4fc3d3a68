#ifndef NV_TOOLS_PIN_H
#define NV_TOOLS_PIN_H

/* pin.h - an epoch that somebody trusted has named: --trust EPOCH:HASH, with the
 * hash of the block that closed the epoch before (docs/spec/light.md 1.2).
 *
 * It is for chains whose genesis is too old to be believed, and of which nothing
 * was seen for as long (trust.h).  One thread. */

#include "tools/trust.h"

struct tool_pin {
    uint64_t epoch; /* at least 2: the first is that of the genesis */
    struct nv_hash boundary;
};

/* tool_pin_read reads EPOCH:HASH.  TOOL_USAGE: it has been said what is wrong. */
enum tool_exit tool_pin_read(struct tool_pin *out, const char *text);

/* tool_pin_begin begins with the pinned epoch by an answer of chain_epoch about
 * the one before; a light state that is refused stays as it was. */
NV_MUST_USE enum cs_light_verdict
tool_pin_begin(struct cs_light *light, const struct tool_pin *pin, const struct json_t *answer);

/* tool_pin_take asks the node for that and begins there, unless as late an epoch
 * is believed already.  A pin that contradicts what was seen is refused. */
enum tool_exit tool_pin_take(const struct tool_pin *pin,
                             struct tool_trust *trust,
                             struct rpc_client *client,
                             const char *url);

#endif /* NV_TOOLS_PIN_H */
