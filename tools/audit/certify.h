#ifndef NV_TOOLS_AUDIT_CERTIFY_H
#define NV_TOOLS_AUDIT_CERTIFY_H

/* certify.h - whether a quorum stands behind the root of a checkpoint.
 *
 * The node gives the final header that names the root.  Most blocks have a
 * finalization of their own; one that has none is final because a descendant
 * is, and then the headers from it to that descendant are asked for. */

#include "rpc/client.h"
#include "tools/light.h"

struct json_t;

/* certify checks the header and the certificate of a page of chain_rows, and
 * writes the root that it names. */
NV_MUST_USE enum light_verdict certify(struct nv_hash *root,
                                       const struct light_chain *chain,
                                       struct rpc_client *client,
                                       const struct json_t *page);

#endif /* NV_TOOLS_AUDIT_CERTIFY_H */
