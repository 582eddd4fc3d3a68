#include "consensus/handover.h"

#include <string.h>

#include "base/pure.h"

void cs_handover_put(struct nv_writer *w, const struct cs_handover *handover)
{
    cs_header_put(w, &handover->header);
    cs_certificate_put(w, &handover->final);
    nv_put_bytes(w, handover->set.bytes, handover->set.size);
}

enum nv_err cs_handover_get(struct nv_reader *r, struct cs_handover *handover)
{
    struct cs_valset set;
    struct nv_hash hash;
    memset(handover, 0, sizeof *handover);
    NV_TRY(cs_header_get(r, &handover->header));
    NV_TRY(cs_certificate_get(r, &handover->final));
    handover->set = nv_get_view(r, nv_reader_left(r));
    NV_TRY(cs_valset_decode(&set, handover->set));
    cs_header_hash(&hash, &handover->header);
    const struct cs_ballot *const ballot = &handover->final.ballot;
    bool const right = ballot->kind == CS_FINALIZE && ballot->epoch == handover->header.epoch &&
                       ballot->view >= handover->header.view &&
                       nv_hash_eq(&ballot->block_hash, &hash) &&
                       nv_hash_eq(&set.hash, &handover->header.next_valset_hash);
    return right ? NV_OK : NV_ERR_MALFORMED;
}
