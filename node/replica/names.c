/* names.c - who may sign what a body holds
 * (docs/spec/transactions.md section 7). */

#include "base/assert.h"

#include "node/replica/internal.h"

static enum node_session session_of(const struct replica *r,
                                    uint64_t height,
                                    uint64_t time_ms,
                                    const struct node_signer *signer)
{
    uint64_t const number = node_purses_number(r->purses, &signer->account);
    return node_sessions_judge(r->sessions, height, time_ms, number, signer);
}

enum replica_judgement replica__names_judge(const struct replica *r, const struct node_body *body)
{
    uint64_t const executed = body->header.executed_height;
    uint64_t const time_ms = body->header.time_ms;
    if (r->sessions == NULL) {
        return REPLICA_JUDGED_VALID;
    }
    if (executed > node_sessions_newest(r->sessions)) {
        return REPLICA_JUDGED_LATER;
    }
    /* SPEC transactions 7.4: "one that has not the rows of e any more does not vote for a body that
     * holds what is not signed by accounts' own keys" */
    if (body->signers.count > 0 && !node_sessions_known(r->sessions, executed)) {
        return REPLICA_JUDGED_LATER;
    }
    for (uint32_t i = 0; i < body->signers.count; i++) {
        if (session_of(r, executed, time_ms, &body->signers.list[i]) != NODE_SESSION_GOOD) {
            return REPLICA_JUDGED_INVALID;
        }
    }
    return REPLICA_JUDGED_VALID;
}

bool replica__names_take(const struct replica *r,
                         uint64_t executed_height,
                         uint64_t time_ms,
                         const struct node_signer *signer)
{
    return r->sessions == NULL || signer->scopes == 0 ||
           (node_sessions_known(r->sessions, executed_height) &&
            session_of(r, executed_height, time_ms, signer) == NODE_SESSION_GOOD);
}

enum replica_refusal replica__names_admit(const struct replica *r, const struct node_signer *signer)
{
    if (r->sessions == NULL || signer->scopes == 0) {
        return REPLICA_TX_TAKEN;
    }
    uint64_t const newest = node_sessions_newest(r->sessions);
    switch (session_of(r, newest, r->time.wall_ms, signer)) {
    case NODE_SESSION_GOOD: return REPLICA_TX_TAKEN;
    case NODE_SESSION_UNKNOWN: return REPLICA_TX_KEY_UNKNOWN;
    case NODE_SESSION_EXPIRED: return REPLICA_TX_KEY_EXPIRED;
    case NODE_SESSION_SCOPE: return REPLICA_TX_KEY_SCOPE;
    }
    NV_ASSERT(false);
    return REPLICA_TX_KEY_UNKNOWN;
}
