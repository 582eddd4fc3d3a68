/* Goal: evidence has one encoding, alone and in a block's list, and an engine that
 * takes an item, or a proposal with any, with no signature checked, takes no harm.
 * Method: the input is decoded as an item and as a list; the item is given to an
 * engine among four validators by an attacker who could forge everything. */

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#include "consensus/consensus.h"
#include "tests/lib/engine_one.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void engine_try(const struct cs_message *message)
{
    struct engine_one one;
    engine_one_init(&one, 4, 1);
    struct cs_message copy = *message;
    copy.evidence.key = one.net.set.member[0].key; /* or it would not be wanted */
    struct cs_plan const plan = cs_admit(one.cs, 0, &copy);
    if (plan.wanted) {
        engine_one_step(&one,
                        (struct cs_event){
                            .kind = CS_EV_MESSAGE,
                            .message = {.from = 0, .message = &copy, .plan = &plan},
                        });
        for (uint32_t i = 0; i < 8; i++) {
            engine_one_pass(&one, 300);
        }
    }
    engine_one_drop(&one);
}

static void list_try(struct nv_view bytes)
{
    static uint8_t again[CS_EVIDENCE_LIST_SIZE_MAX + 1];
    struct cs_list list;
    struct nv_hash root;
    struct nv_reader r;
    struct nv_writer w;
    nv_reader_init(&r, bytes);
    if (cs_evidence_list_get(&r, &list) != NV_OK || nv_reader_end(&r) != NV_OK) {
        return;
    }
    nv_writer_init(&w, again, sizeof again);
    cs_evidence_list_put(&w, &list);
    if (w.overflow || w.size != bytes.size || memcmp(again, bytes.bytes, w.size) != 0) {
        abort();
    }
    cs_evidence_root(&root, &list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t again[CS_EVIDENCE_SIZE];
    struct cs_message message;
    struct nv_writer w;
    if (size > CS_EVIDENCE_LIST_SIZE_MAX) {
        return 0;
    }
    struct nv_view const whole = nv_view_of(bytes, (uint32_t)size);
    list_try(whole);
    if (cs_message_decode(&message, CS_MSG_EVIDENCE, whole) != NV_OK) {
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
