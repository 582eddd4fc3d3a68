#ifndef NV_NODE_HOME_GENESIS_H
#define NV_NODE_HOME_GENESIS_H

/* genesis.h - reads the file that a chain starts from (docs/spec/genesis.md).
 *
 * Whatever is wrong with the file is logged once, with the key it concerns and
 * what was expected.  Start-up only; not for concurrent use. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#include "vm/genesis.h"

#define NODE_VALIDATORS_MAX 128u
#define NODE_NAME_SIZE      64u

struct node_genesis_validator {
    char name[NODE_NAME_SIZE];
    struct nv_pubkey key;       /* signs votes */
    struct nv_pubkey node_key;  /* signs p2p handshakes */
    struct nv_address operator; /* account that its stake belongs to */
    struct vm_ratio commission;
    uint64_t stake; /* micro-units */
};

struct node_genesis {
    struct nv_view text; /* the file as hashed */
    struct nv_hash chain_id;
    char name[NODE_NAME_SIZE];
    bool devnet;
    uint32_t delta_ms;
    uint32_t idle_ms;
    uint32_t interval_min_ms;
    uint32_t body_bytes_max;
    uint64_t epoch_ms; /* least length of an epoch; 0: the first one never ends */
    uint32_t validator_count;
    struct node_genesis_validator validators[NODE_VALIDATORS_MAX]; /* by index */
    struct vm_genesis vm;
    void *memory; /* what text and vm point into */
    size_t memory_size;
};

/* node_genesis_load reads `path`.  On NV_OK the caller ends with
 * node_genesis_deinit.  NV_ERR_NOT_FOUND, NV_ERR_IO: the file;
 * NV_ERR_CONFIG: its contents; NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err node_genesis_load(struct node_genesis *genesis, const char *path);

/* node_genesis_parse does the same from bytes already in memory. */
NV_MUST_USE enum nv_err node_genesis_parse(struct node_genesis *genesis, struct nv_view text);

/* node_genesis_param returns a parameter of the chain, by vm/params.h. */
int64_t node_genesis_param(const struct node_genesis *genesis, uint16_t number);

/* node_genesis_trusting_ms returns for how long a set of validators is believed, as
 * struct cs_light says. */
uint64_t node_genesis_trusting_ms(const struct node_genesis *genesis);

void node_genesis_deinit(struct node_genesis *genesis);

#endif /* NV_NODE_HOME_GENESIS_H */
