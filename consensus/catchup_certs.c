/* Asking for certificates, by view. */

#include "base/bug.h"

#include "consensus/catchup.h"
#include "consensus/emit.h"
#include "consensus/store.h"

#include "base/pure.h"

void cs__certs_need(struct cs *cs, uint64_t view, bool all)
{
    if (cs->certs_need == 0 || view < cs->certs_need) {
        cs->certs_need = view;
    }
    cs->certs_all = cs->certs_all || all;
}

/* missing_list writes the views between fin and the current one of which no
 * certificate is held, and the one that a rule waits for, in order. */
static uint32_t missing_list(const struct cs *cs, uint64_t *views)
{
    uint32_t count = 0;
    for (uint64_t view = cs->fin.view + 1;
         view < cs->view && count < CS_CERTS_MAX && !NV_SEEDED(HOLES_IGNORED);
         view++) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        bool const hole = slot == NULL || (slot->notar == NULL && slot->null == NULL);
        bool const needed =
            cs->certs_need != 0 && view >= cs->certs_need && (slot == NULL || slot->null == NULL);
        if (hole || needed) {
            views[count] = view;
            count++;
        }
    }
    return count;
}

void cs__certs_run(struct cs *cs)
{
    struct cs_message message;
    bool const first = cs->timers.certs == CS__NEVER;
    uint32_t const count = missing_list(cs, message.cert_request.view);
    if (count == 0 || cs->me == CS_NOBODY) {
        cs->timers.certs = CS__NEVER;
        return;
    }
    if (!first && cs->timers.certs > cs->now_ns) {
        return;
    }
    message.type = CS_MSG_CERT_REQUEST;
    message.cert_request.epoch = cs->epoch;
    message.cert_request.count = count;
    uint32_t const leader = cs_leader(cs, cs->view);
    cs->timers.certs = cs->now_ns + cs->config.delay_ns;
    if (first && !cs->certs_all && leader != cs->me) {
        cs__send(cs, leader, &message);
    } else {
        cs__broadcast(cs, &message);
    }
}
