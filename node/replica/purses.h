#ifndef NV_NODE_REPLICA_PURSES_H
#define NV_NODE_REPLICA_PURSES_H

/* purses.h - the cash of every account at the last heights, by address.
 *
 * Fed with the rows that each executed block wrote, so that whether an account
 * could pay at an executed height is answered on the replica's thread, without
 * asking the executor.  As far back as its history (history.h) reaches, a height is
 * *known*.
 *
 * No I/O.  One thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"
#include "base/row.h"

#include "node/replica/charges.h"

struct node_purses;

/* node_purses_open reserves memory for `accounts_max` accounts. */
NV_MUST_USE enum nv_err node_purses_open(struct node_purses **out, uint32_t accounts_max);
void node_purses_close(struct node_purses *purses);

/* node_purses_feed takes rows of the state after `height`: first all of one
 * state, in as many calls as one likes, then what every block wrote, in order.
 * Rows of other tables than accounts and parameters are passed over. */
void node_purses_feed(struct node_purses *purses,
                      uint64_t height,
                      const struct nv_row *rows,
                      uint32_t row_count);

/* node_purses_known returns whether the cash after `height` can be told. */
bool node_purses_known(const struct node_purses *purses, uint64_t height);

enum node_purse {
    NODE_PURSE_ENOUGH = 1,
    NODE_PURSE_EMPTY, /* the charges are more than the account may cause */
    NODE_PURSE_NO_ACCOUNT,
};

/* node_purses_judge judges charges by the state after `height`, which must be
 * known. */
enum node_purse node_purses_judge(const struct node_purses *purses,
                                  uint64_t height,
                                  const struct node_charge *charge);

/* node_purses_tally begins adding up anew; node_purses_sum returns the sum of
 * an account, which is the caller's to change and zero at first (`*first`), or
 * NULL when there is no such account.  It lives until the next feed or tally. */
void node_purses_tally(struct node_purses *purses);
struct node_charge *
node_purses_sum(struct node_purses *purses, const struct nv_address *account, bool *first);

/* node_purses_number returns the number of an account, or 0 when there is none. */
uint64_t node_purses_number(const struct node_purses *purses, const struct nv_address *account);

/* node_purses_newest returns the height of the last rows. */
uint64_t node_purses_newest(const struct node_purses *purses);

#endif /* NV_NODE_REPLICA_PURSES_H */
