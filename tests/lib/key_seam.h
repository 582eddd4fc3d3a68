#ifndef NV_TESTS_LIB_KEY_SEAM_H
#define NV_TESTS_LIB_KEY_SEAM_H

/* key_seam.h - signatures that cost little, for simulators.
 *
 * A program linked with --wrap of nv_sign, nv_verify, nv_key_public and both of
 * nv_signer comes here.
 * Its fake signature is a hash under the public key, which whoever knows that could
 * forge; in a simulator nobody does.  Real ones are remembered: several hosts check
 * the same, and liars sign one thing for many. */

#include <stdbool.h>

#include "base/key.h"

/* A key_seam_fn returns the public key of a secret one, or NULL when it knows none. */
typedef const struct nv_pubkey *(*key_seam_fn)(const struct nv_seckey *seckey);

/* key_seam_use says who knows the keys, if anybody does, and whether signatures are
 * real; they are before the first call. */
void key_seam_use(key_seam_fn find, bool real);

#endif /* NV_TESTS_LIB_KEY_SEAM_H */
