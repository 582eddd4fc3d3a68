#ifndef NV_TESTS_LIB_LIGHT_BUILD_H
#define NV_TESTS_LIB_LIGHT_BUILD_H

/* light_build.h - a chain for a light client: validators with known keys, the
 * text of a genesis that names them, and final headers over a row_model, epoch
 * by epoch. */

#include <stdint.h>

#include "base/bytes.h"

#include "consensus/certificate.h"
#include "consensus/header.h"
#include "consensus/light_client.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/row_model.h"

#define LIGHT_GENESIS_MAX 32768u
#define LIGHT_TIME_MS     UINT64_C(1000000) /* of the genesis; a block's is this plus its height */

/* Large: keep it static. */
struct light_world {
    struct cs_net net; /* of the epoch */
    uint64_t epoch;
    char genesis[LIGHT_GENESIS_MAX];
    struct cs_header header;
    uint8_t header_bytes[CS_HEADER_SIZE];
    uint8_t certificate_bytes[CS_CERTIFICATE_SIZE_MAX];
    uint32_t certificate_size;
};

/* light_world_init makes `count` validators of 100 stake each, or of the given
 * stakes, and the genesis; the chain id is that of its text. */
void light_world_init(struct light_world *world, const uint64_t *stakes, uint32_t count);

/* light_world_final makes the bytes of a header that says "after block
 * `height` the state had this root" and a finalization of it by the first
 * `signers` validators, 0: by a quorum. */
void light_world_final(struct light_world *world,
                       const struct nv_hash *root,
                       uint64_t height,
                       uint32_t signers);

/* light_world_seal does that for `world->header` as it stands. */
void light_world_seal(struct light_world *world, uint32_t signers);

/* light_world_certify makes the certificate alone, of any ballot. */
void light_world_certify(struct light_world *world,
                         const struct cs_ballot *ballot,
                         uint32_t signers);

/* light_world_follow goes to the next epoch, in which these validators sign. */
void light_world_follow(struct light_world *world, const struct cs_net *net);

struct nv_view light_world_genesis(const struct light_world *world);
struct nv_view light_world_header(const struct light_world *world);
struct nv_view light_world_certificate(const struct light_world *world);
struct cs_light_block light_world_block(const struct light_world *world);

#endif /* NV_TESTS_LIB_LIGHT_BUILD_H */
