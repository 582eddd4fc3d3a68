#ifndef NV_RPC_CALL_H
#define NV_RPC_CALL_H

/* call.h - one JSON-RPC request under way, as the method that serves it sees
 * it.
 *
 * A method is one function. It writes its result, an object, with the writer
 * `out`: the opening and closing braces are put by the caller of the method,
 * which also adds `meta` and `proof`. Or it fails:
 *
 *     void rpc__chain_head(struct rpc_call *call)
 *     {
 *         rpc__json_u64(&call->out, "height", call->exchange->rpc->head.height);
 *     }
 *
 * A method that runs on the loop may also park: rpc__call_park, and later
 * rpc__call_done. A method that runs on the state has `state` and finishes
 * when it returns. */

#include <stdbool.h>
#include <stdint.h>

#include "rpc/error.h"
#include "rpc/json_write.h"
#include "rpc/params.h"
#include "rpc/rpc.h"
#include "rpc/wait.h"

struct json_t;
struct rpc_exchange;
struct rpc_proof;

enum rpc_where { RPC_ON_LOOP = 1, RPC_ON_STATE };

struct rpc_call;

struct rpc_method {
    const char *name;
    void (*run)(struct rpc_call *call);
    enum rpc_where where;
    bool dev;
    uint32_t weight;
    const char *params; /* params.h */
};

enum rpc_call_step {
    RPC_CALL_NEW = 0,
    RPC_CALL_ACTIVE, /* inside its method, on the loop */
    RPC_CALL_PARKED, /* waits for an event */
    RPC_CALL_QUEUED, /* with the node: a job or a page */
    RPC_CALL_DONE,
};

struct rpc_call {
    struct rpc_job job;   /* first: the node hands it back */
    struct rpc_wait wait; /* while parked */
    struct rpc_exchange *exchange;
    const struct rpc_method *method;
    const struct json_t *id;     /* borrowed from the exchange; NULL: a notification */
    const struct json_t *params; /* borrowed from the exchange; NULL: none */
    struct rpc_json out;
    struct rpc_fault fault; /* code 0: none */
    const struct rpc_state *state;
    struct rpc_proof *proof; /* NULL unless asked for */
    struct rpc_rows *rows;   /* chain_rows only */
    struct nv_hash tx_hash;  /* tx_* only: what is waited for */
    struct rpc_head head;    /* of the state that was read */
    enum rpc_call_step step;
    bool serial; /* no further item of the batch starts before this one is done */
};

/* rpc__call_park ends the method without a result: `wait`'s kind, key and
 * woken say what for; at most `timeout_ms` long. */
void rpc__call_park(struct rpc_call *call,
                    enum rpc_wait_kind kind,
                    uint64_t key,
                    uint32_t timeout_ms,
                    rpc_woken_fn woken);

/* rpc__call_done finishes a parked or queued call. The call is gone afterwards. */
void rpc__call_done(struct rpc_call *call);

/* rpc__call_of_wait returns the call whose member `wait` is. */
struct rpc_call *rpc__call_of_wait(struct rpc_wait *wait);

/* Shorthands for methods. */
#define RPC_FAIL(call, code) rpc__fault_set(&(call)->fault, (code), NULL)

#endif /* NV_RPC_CALL_H */
