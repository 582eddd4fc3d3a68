#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

static void step_message(struct replica *r,
                         uint32_t from,
                         const struct cs_message *message,
                         const struct cs_plan *plan)
{
    struct cs_event const event = {
        .kind = CS_EV_MESSAGE,
        .message = {.from = from, .message = message, .plan = plan},
    };
    replica__event(r, &event);
    replica__run(r);
}

/* check_elsewhere hands a message with signatures to a worker, together with a
 * copy of its bytes. */
static void check_elsewhere(struct replica *r,
                            uint32_t link,
                            uint8_t type,
                            struct nv_view bytes,
                            const struct cs_plan *plan)
{
    struct replica_job *const job = replica__job(r, REPLICA_JOB_MESSAGE);
    uint8_t *const copy = nv_heap_alloc(bytes.size);
    if (job == NULL || copy == NULL) {
        nv_heap_free(job);
        nv_heap_free(copy);
        return; /* as if it had been lost */
    }
    memcpy(copy, bytes.bytes, bytes.size);
    job->message.link = link;
    job->message.from = replica_roster_number(&r->roster, link);
    job->message.checkers = replica__checkers_take(r);
    job->message.bytes = copy;
    job->message.plan = *plan;
    enum nv_err const err =
        cs_message_decode(&job->message.message, type, nv_view_of(copy, bytes.size));
    NV_ASSERT(err == NV_OK); /* the same bytes were decoded just now */
    replica__job_start(r, job);
}

void replica_message(
    struct replica *r, struct replica_time t, uint32_t link, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    r->time = t;
    if (!r->started || r->halted) {
        return;
    }
    if (cs_message_decode(&message, type, bytes) != NV_OK) {
        replica__ban(r, link);
        return;
    }
    if (message.type == CS_MSG_BODY_CHUNK) {
        replica__body_chunk(r, link, &message.body_chunk);
        replica__run(r);
        return;
    }
    if (replica__serve(r, link, &message)) {
        return;
    }
    uint32_t const from = replica_roster_number(&r->roster, link);
    struct cs_plan const plan = cs_admit(r->cs, from, &message);
    if (!plan.wanted) {
        return;
    }
    if (plan.own_sig || plan.certificates != 0) {
        check_elsewhere(r, link, type, bytes, &plan);
    } else {
        step_message(r, from, &message, &plan);
    }
}

/* replica__message_job_done gives a checked message to the engine, with the number
 * that its sender had when it came: a message of an epoch that has ended is dropped
 * there. */
void replica__message_job_done(struct replica *r, struct replica_job *job)
{
    if (!job->ok) {
        replica__ban(r, job->message.link);
        return;
    }
    step_message(r, job->message.from, &job->message.message, &job->message.plan);
}
