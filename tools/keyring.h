#ifndef NV_TOOLS_KEYRING_H
#define NV_TOOLS_KEYRING_H

/* keyring.h - account keys of a person or a devnet.
 *
 * A devnet's keys are derived from their names, so they are the same on every
 * machine and worth nothing anywhere else: seed = TH("novate/devnet-key/v1", name). */

#include <stdbool.h>

#include "base/key.h"

struct tool_key {
    char name[32];
    struct nv_seckey secret;
    struct nv_pubkey key;
    struct nv_address address;
};

/* tool_key_named derives the devnet key called `name`. */
void tool_key_named(struct tool_key *out, const char *name);

/* tool_key_read understands "alice" (a devnet key), "0x…" (a secret in hex) or
 * a path to a file that `novate keys new` wrote.  False after saying why not. */
bool tool_key_read(struct tool_key *out, const char *text);

#endif /* NV_TOOLS_KEYRING_H */
