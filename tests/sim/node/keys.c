/* The keys of validators and accounts: made once, the same for every seed. */

#include <string.h>

#include "base/assert.h"

#include "tests/lib/key_seam.h"
#include "tests/sim/node/nodesim.h"

static struct ns_key keys[NS_KEYS];
static bool made;

static void keys_make(void)
{
    for (uint32_t i = 0; i < NS_KEYS; i++) {
        uint8_t const seed[32] = {(uint8_t)(i + 1), 0x5e, 0xed};
        enum nv_err const err = nv_key_from_seed(&keys[i].secret, &keys[i].key, seed);
        NV_ASSERT(err == NV_OK);
        nv_address_of_key(&keys[i].address, &keys[i].key);
    }
    made = true;
}

const struct ns_key *ns_key(uint32_t number)
{
    NV_ASSERT(number < NS_KEYS);
    if (!made) {
        keys_make();
    }
    return &keys[number];
}

static const struct nv_pubkey *public_of(const struct nv_seckey *seckey)
{
    for (uint32_t i = 0; made && i < NS_KEYS; i++) {
        if (memcmp(&keys[i].secret, seckey, sizeof *seckey) == 0) {
            return &keys[i].key;
        }
    }
    return NULL;
}

void ns_keys_seam(bool real)
{
    key_seam_use(public_of, real);
}
