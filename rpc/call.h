#ifndef NV_RPC_CALL_H
#define NV_RPC_CALL_H

/* call.h - one JSON-RPC request under way, as the method that serves it sees
 * it.
 *
 * A method is one function. It writes the members of its result with the
 * writer `out`; the braces around them, `meta` and `proof` are put by whoever
 * calls it. Or it fails:
 *
 *     void rpc__chain_head(struct rpc_call *call)
 *     {
 *         rpc__json_u64(&call->out, "height", call->rpc->head.height);
 *     }
 *
 * A method on the loop may also park (rpc__call_park) and finish later
 * (rpc__call_done). A method on the state has `state`, touches nothing else
 * that the loop owns, and finishes when it returns. */

#include <stdbool.h>
#include <stdint.h>

#include "rpc/catalogue.h"
#include "rpc/error.h"
#include "rpc/json_write.h"
#include "rpc/method.h"
#include "rpc/params.h"
#include "rpc/server.h"
#include "rpc/wait.h"

struct json_t;
struct rpc_call;
struct rpc_exchange;
struct rpc_proof;

enum rpc_call_step {
    RPC_CALL_NEW = 0,
    RPC_CALL_ACTIVE, /* inside its method, on the loop */
    RPC_CALL_PARKED, /* waits for an event */
    RPC_CALL_QUEUED, /* with the node: a job or a page */
    RPC_CALL_DONE,
};

struct rpc_call {
    struct rpc_work work; /* first */
    struct rpc_wait wait; /* while parked */
    struct rpc *rpc;
    struct rpc_exchange *exchange; /* NULL: a snapshot for a stream */
    const struct rpc_method *method;
    const struct json_t *id;     /* borrowed from the exchange; NULL: a notification */
    const struct json_t *params; /* borrowed from the exchange; NULL: none */
    struct rpc_json out;
    struct rpc_fault fault; /* code 0: none */

    /* A method on the state may leave a last step to the loop. */
    void (*after)(struct rpc_call *call);
    uint64_t account;           /* for that step */
    uint32_t markets;           /* how many there are */
    struct rpc_listing listing; /* of the parameter `market`, if there is one */
    struct rpc_feed feed;       /* of the parameter `feed`, if there is one */

    const struct rpc_state *state;           /* on the state only */
    struct rpc_head head;                    /* of the state that was read */
    struct rpc_proof *proof;                 /* NULL unless asked for */
    struct rpc_rows *rows;                   /* chain_rows only */
    void (*on_state)(struct rpc_call *call); /* rpc__call_prove only */
    uint64_t tx_height;                      /* tx_get only, with a proof */
    struct nv_hash tx_hash;                  /* tx_* only: what is waited for */
    bool duplicate;                          /* tx_submit only */
    bool mute;                               /* a notification: not answered */

    enum rpc_call_step step;
    bool accounted; /* the exchange has counted it as done */
};

/* rpc__call_check finds the method of a call whose id and params are set, takes
 * its weight from the bucket and checks and resolves the parameters. False: the
 * call has failed. */
bool rpc__call_check(struct rpc_call *call, const char *method);

/* rpc__call_park ends the method without a result: the call waits for `kind`
 * and `key`, as long as its parameter timeout_ms says, and is then `woken`. */
void rpc__call_park(struct rpc_call *call,
                    enum rpc_wait_kind kind,
                    uint64_t key,
                    rpc_woken_fn woken);

/* rpc__call_prove ends a method of the loop whose members are written: `read`
 * runs on the proved state, and the proof of the rows it reads is added. */
void rpc__call_prove(struct rpc_call *call, void (*read)(struct rpc_call *call));

/* rpc__call_run_on_state runs a method on the state, for calls and snapshots. */
void rpc__call_run_on_state(struct rpc_job *job, const struct rpc_state *state);

/* rpc__call_done finishes a parked or queued call. The call may be gone
 * afterwards. */
void rpc__call_done(struct rpc_call *call);

/* rpc__call_cancel ends a call that is parked, without an answer. */
void rpc__call_cancel(struct rpc_call *call);

/* rpc__call_deinit frees what a call holds. */
void rpc__call_deinit(struct rpc_call *call);

/* rpc__call_of_wait returns the call whose member `wait` is. */
struct rpc_call *rpc__call_of_wait(struct rpc_wait *wait);

/* rpc__call_fail makes the call fail with the list's text; rpc__call_fail_err
 * with what an operating error amounts to. */
void rpc__call_fail(struct rpc_call *call, int32_t code);
void rpc__call_fail_err(struct rpc_call *call, enum nv_err err);

#endif /* NV_RPC_CALL_H */
