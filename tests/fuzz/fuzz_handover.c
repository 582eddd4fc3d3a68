/* Goal: a handover has one encoding, and an engine that takes one as it came, with
 * no signature checked, takes no harm.
 * Method: the input is decoded as an epoch response, and stepped through an engine
 * among four validators with the plan of an attacker who could forge everything. */

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#include "consensus/consensus.h"
#include "tests/lib/engine_one.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define VALIDATORS 4u

static void engine_try(const struct cs_message *message)
{
    struct engine_one one;
    engine_one_init(&one, VALIDATORS, 1);
    struct cs_plan plan = cs_admit(one.cs, CS_PEER_OTHER, message);
    bool inside = plan.wanted;
    for (uint32_t i = VALIDATORS; i < CS_VALIDATORS_MAX; i++) {
        inside = inside && !cs_bitmap_has(&message->handover.final.signers, i);
    }
    if (inside) { /* or checking would have failed in any case */
        engine_one_step(&one,
                        (struct cs_event){
                            .kind = CS_EV_MESSAGE,
                            .message = {.from = CS_PEER_OTHER, .message = message, .plan = &plan},
                        });
        for (uint32_t i = 0; i < 8; i++) {
            engine_one_pass(&one, 300);
        }
    }
    engine_one_drop(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t again[CS_HANDOVER_SIZE_MAX];
    struct cs_message message;
    struct nv_writer w;
    if (size > sizeof again ||
        cs_message_decode(&message, CS_MSG_EPOCH_RESPONSE, nv_view_of(bytes, (uint32_t)size)) !=
            NV_OK) {
        return 0;
    }
    nv_writer_init(&w, again, sizeof again);
    cs_message_encode(&w, &message);
    if (w.overflow || w.size != size || memcmp(again, bytes, size) != 0) {
        abort();
    }
    engine_try(&message);
    return 0;
}
