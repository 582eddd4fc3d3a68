#ifndef NV_TOOLS_LIGHT_H
#define NV_TOOLS_LIGHT_H

/* light.h - what a genesis file says to a light client
 * (consensus/light_client.h), and that client's verdicts in words.
 *
 * Whoever holds the right genesis, or its hash, needs to trust no node.  Any
 * thread. */

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

#include "consensus/certificate.h"
#include "consensus/light_client.h"

struct json_t;

struct light_chain {
    bool devnet;
    struct cs_light
        light; /* at first the genesis' epoch; its chain id is the SHA-256 of the file */
};

/* light_chain_read takes chain id and validators from the text of a genesis
 * file.  NV_ERR_MALFORMED: it is none. */
NV_MUST_USE enum nv_err light_chain_read(struct light_chain *out, struct nv_view genesis);

/* Header and certificate as a node gives them; large: keep it static. */
struct light_said {
    uint8_t header[CS_HEADER_SIZE];
    uint8_t certificate[CS_CERTIFICATE_SIZE_MAX];
    struct cs_light_block block; /* borrows both; empty where there is none */
};

/* light_said_read reads the members `header` and `certificate`. */
void light_said_read(struct light_said *out, const struct json_t *from);

/* light_header decodes a header's bytes. */
NV_MUST_USE bool light_header(struct cs_header *out, struct nv_view bytes);

/* light_text says a verdict in a sentence. */
const char *light_text(enum cs_light_verdict verdict);

#endif /* NV_TOOLS_LIGHT_H */
