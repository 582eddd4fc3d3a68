/* Answering a validator that asks for certificates. */

#include "base/arena.h"
#include "base/bug.h"

#include "consensus/catchup.h"
#include "consensus/emit.h"
#include "consensus/store.h"

#include "base/pure.h"

/* Certificates for an answer; their signatures are borrowed. */
struct answer {
    struct cs_certificate list[CS_CERTS_MAX];
    uint32_t count;
};

static void answer_add(struct answer *answer, const struct cs__cert *cert)
{
    if (cert != NULL) {
        answer->list[answer->count++] = cert->body;
    }
}

static void answer_slot(struct answer *answer, const struct cs__slot *slot)
{
    if (slot != NULL) {
        answer_add(answer, slot->notar);
        answer_add(answer, NV_SEEDED(NULLS_KEPT) ? NULL : slot->null);
    }
}

/* answer_past is about one view of an ended epoch. */
static void answer_past(const struct cs *cs, struct answer *answer, uint64_t epoch, uint64_t view)
{
    const struct cs__end *const end = cs__past_find(&cs->past, epoch);
    answer_slot(answer, cs__slot_kept(cs, epoch, view));
    if (end != NULL) {
        cs__past_final(&cs->past, &answer->list[answer->count], end);
        answer->count += answer->list[answer->count].ballot.view == view ? 1 : 0;
    }
}

static void
answer_present(const struct cs *cs, struct answer *answer, const struct cs_cert_request *request)
{
    bool old = false;
    for (uint32_t i = 0; i < request->count && answer->count + 2 <= CS_CERTS_MAX; i++) {
        uint64_t const view = request->view[i];
        if (view > cs->fin.view) {
            answer_slot(answer, cs__slot_find(cs, view));
            continue;
        }
        if (!old && cs->fin.view > 0) {
            old = true;
            answer_add(answer, cs->fin.cert);
        }
        if (request->count == 1) { /* a fork is suspected */
            answer_slot(answer, cs__slot_kept(cs, cs->epoch, view));
        }
    }
}

static void answer_send(struct cs *cs, uint32_t to, const struct answer *answer)
{
    struct cs_message message = {.type = CS_MSG_CERT_RESPONSE};
    struct nv_writer w;
    uint32_t size = 0;
    uint32_t fit = 0;
    while (fit < answer->count && size + CS_CERTIFICATE_SIZE_MAX + 2 <= CS_CERT_RESPONSE_SIZE_MAX) {
        size += cs_certificate_size(&answer->list[fit]);
        fit++;
    }
    nv_writer_init(&w, NV_ARENA_NEW(cs->effects->arena, uint8_t, size), size);
    for (uint32_t i = 0; i < fit; i++) {
        cs_certificate_put(&w, &answer->list[i]);
    }
    message.cert_response.certificates.count = fit;
    message.cert_response.certificates.bytes = nv_writer_view(&w);
    cs__send(cs, to, &message);
}

void cs__certs_answer(struct cs *cs, uint32_t from, const struct cs_cert_request *request)
{
    struct answer answer = {.count = 0};
    if (request->epoch == cs->epoch) {
        answer_present(cs, &answer, request);
    } else if (request->count == 1) {
        answer_past(cs, &answer, request->epoch, request->view[0]);
    }
    if (answer.count > 0) {
        answer_send(cs, from, &answer);
    }
}
