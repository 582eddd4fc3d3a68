#ifndef NV_TESTS_SIM_NODE_KEYS_H
#define NV_TESTS_SIM_NODE_KEYS_H

/* keys.h - the keys of validators, their nodes and accounts, by number. */

#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"

/* Key numbers: validators first, then these. */
#define NS_SIGNERS      10u /* that validate, or may come to */
#define NS_KEY_TRADER   16u
#define NS_TRADERS      24u
#define NS_KEY_SESSION  48u /* of traders, by number */
#define NS_KEY_REPORTER 80u
#define NS_REPORTERS    4u
#define NS_KEY_FAUCET   90u
#define NS_KEY_FEE      91u
#define NS_KEY_FUND     92u /* insurance */
#define NS_KEY_STRANGER 93u /* has no account */
#define NS_KEY_POOR     94u /* has one, without cash */
#define NS_KEY_NODE     96u /* of validators, by number: their nodes' */
#define NS_KEYS         112u

struct ns_key {
    struct nv_seckey secret;
    struct nv_pubkey key;
    struct nv_address address;
};
const struct ns_key *ns_key(uint32_t number);
/* ns_keys_seam makes signatures real, or keyed hashes. */
void ns_keys_seam(bool real);

#endif /* NV_TESTS_SIM_NODE_KEYS_H */
