#ifndef NV_NODE_REPLICA_SESSIONS_H
#define NV_NODE_REPLICA_SESSIONS_H

/* sessions.h - the session keys of every account at the last heights.
 *
 * Fed as purses.h is, with the rows that each executed block wrote, so that whether
 * a key could act for an account at an executed height is answered on the
 * replica's thread.  As far back as its history (history.h) reaches, a height is
 * *known*.
 *
 * No I/O.  One thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/row.h"

#include "node/replica/signers.h"

struct node_sessions;

/* node_sessions_open reserves memory for `sessions_max` session keys. */
NV_MUST_USE enum nv_err node_sessions_open(struct node_sessions **out, uint32_t sessions_max);
void node_sessions_close(struct node_sessions *sessions);

/* node_sessions_feed takes rows of the state after `height`: first all of one state,
 * in as many calls as one likes, then what every block wrote, in order.  Rows of
 * other tables are passed over. */
void node_sessions_feed(struct node_sessions *sessions,
                        uint64_t height,
                        const struct nv_row *rows,
                        uint32_t row_count);

/* node_sessions_known returns whether the keys after `height` can be told. */
bool node_sessions_known(const struct node_sessions *sessions, uint64_t height);

/* node_sessions_newest returns the height of the last rows. */
uint64_t node_sessions_newest(const struct node_sessions *sessions);

enum node_session {
    NODE_SESSION_GOOD = 1,
    NODE_SESSION_UNKNOWN,
    NODE_SESSION_EXPIRED,
    NODE_SESSION_SCOPE, /* it lacks one */
};

/* node_sessions_judge judges a key that is not the account's own by the state after
 * `height`, which must be known, for a block of `time_ms`.  `number` is the
 * account's. */
enum node_session node_sessions_judge(const struct node_sessions *sessions,
                                      uint64_t height,
                                      uint64_t time_ms,
                                      uint64_t number,
                                      const struct node_signer *signer);

#endif /* NV_NODE_REPLICA_SESSIONS_H */
