#ifndef NV_RPC_JSON_READ_H
#define NV_RPC_JSON_READ_H

/* json_read.h - takes JSON from a client (docs/spec/rpc.md section 2.1).
 *
 * The text is vetted for depth and number of values before the parser sees
 * it, since the parser nests deeper and takes more memory than a request of
 * this size deserves. Hostile input; any thread. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct json_t;

#define RPC_JSON_DEPTH  32u
#define RPC_JSON_VALUES 65536u

#define RPC_JSON_REASON 160u

/* rpc__json_read vets and parses one object or array. The caller owns
 * `*root` and gives it back with json_decref. NV_ERR_MALFORMED or
 * NV_ERR_TOO_LARGE with a `reason` for the client. */
NV_MUST_USE enum nv_err rpc__json_read(struct json_t **root, struct nv_view text, char *reason);

#endif /* NV_RPC_JSON_READ_H */
