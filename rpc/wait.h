#ifndef NV_RPC_WAIT_H
#define NV_RPC_WAIT_H

/* wait.h - calls that wait for something: a verdict on a transaction, its
 * execution, a height.
 *
 * A wait is a member of the call that waits. It is woken exactly once: by what
 * it waits for, by its deadline, or because its connection has gone. Being
 * woken takes it off the lists first, so it may be added again at once.
 *
 * Loop thread. */

#include <stdbool.h>
#include <stdint.h>

enum rpc_wait_kind { RPC_WAIT_TICKET = 1, RPC_WAIT_TX, RPC_WAIT_HEIGHT };

enum rpc_wake { RPC_WAKE_HAPPENED = 1, RPC_WAKE_TIMEOUT, RPC_WAKE_CANCELLED };

struct rpc_wait;

/* What is called when a wait ends. `detail` belongs to the kind: a const
 * struct rpc_verdict for a ticket, a const struct rpc_tx_outcome for a
 * transaction, NULL for a height; NULL unless it happened. */
typedef void (*rpc_woken_fn)(struct rpc_wait *wait, enum rpc_wake wake, const void *detail);

struct rpc_wait_link {
    struct rpc_wait_link *prev, *next;
};

struct rpc_wait {
    struct rpc_wait_link bucket; /* first: those of one key */
    struct rpc_wait_link all;
    enum rpc_wait_kind kind;
    bool waiting;
    uint64_t key; /* the ticket; the first 8 bytes of a hash; the height */
    uint64_t deadline_ms;
    rpc_woken_fn woken;
};

#define RPC_WAIT_BUCKETS 1024u

struct rpc_waits {
    struct rpc_wait_link bucket[RPC_WAIT_BUCKETS]; /* tickets and transactions */
    struct rpc_wait_link heights;
    struct rpc_wait_link all;
    uint32_t count;
};

void rpc__waits_init(struct rpc_waits *waits);

/* rpc__wait_add starts a wait whose kind, key, deadline and woken are set. */
void rpc__wait_add(struct rpc_waits *waits, struct rpc_wait *wait);

/* rpc__wait_wake ends one wait. */
void rpc__wait_wake(struct rpc_waits *waits,
                    struct rpc_wait *wait,
                    enum rpc_wake wake,
                    const void *detail);

/* rpc__waits_happen wakes every wait of this kind and key. Those that are
 * added meanwhile are not woken. */
void rpc__waits_happen(struct rpc_waits *waits,
                       enum rpc_wait_kind kind,
                       uint64_t key,
                       const void *detail);

/* rpc__waits_height wakes every wait for a height up to `height`. */
void rpc__waits_height(struct rpc_waits *waits, uint64_t height);

/* rpc__waits_expire wakes every wait whose deadline has come. */
void rpc__waits_expire(struct rpc_waits *waits, uint64_t now_ms);

#endif /* NV_RPC_WAIT_H */
