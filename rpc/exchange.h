#ifndef NV_RPC_EXCHANGE_H
#define NV_RPC_EXCHANGE_H

/* exchange.h - one body from a client and the answer to it: a request or a
 * batch (docs/spec/rpc.md section 2).
 *
 *     new ─> run(text) ─> items start in their order ─> finished(exchange)
 *
 * An item that reads the state, or gets a page of rows, holds back those after
 * it, so that a batch never has more than one large answer in the making; an
 * item that waits does not.
 *
 * The owner frees a finished exchange. When the owner goes first, it abandons
 * the exchange, which then frees itself. exchange.c makes, answers and frees one,
 * items.c takes the body and carries its items out. Loop thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#include "rpc/call.h"
#include "rpc/json_write.h"
#include "rpc/limits.h"

struct json_t;
struct rpc;
struct rpc_conn;

struct rpc_exchange {
    struct rpc *rpc;
    struct rpc_conn *conn; /* NULL: without a connection, or it has gone */
    bool stream;           /* the connection is a WebSocket */
    struct rpc_address address;
    void (*finished)(struct rpc_exchange *exchange);
    void *owner;               /* the owner's */
    struct rpc_exchange *next; /* the owner's */
    bool keep_alive;           /* the owner's */
    char allow_origin[256];    /* the owner's: "" none */
    const char *content_type;  /* the owner's: NULL is JSON */

    struct json_t *root;
    struct rpc_call *calls;
    uint32_t call_count;
    uint32_t started;
    uint32_t done;
    uint32_t used; /* bytes of the results so far */
    bool batch;
    bool pumping;
    bool abandoned;

    bool ready;  /* finished: the three below are set */
    bool silent; /* nothing to answer */
    uint32_t http_status;
    struct rpc_json answer;
};

/* rpc__exchange_new makes an exchange for `conn` (may be NULL); the caller sets
 * `finished` and what is the owner's. NULL: no memory. */
struct rpc_exchange *rpc__exchange_new(struct rpc *rpc, struct rpc_conn *conn);

/* rpc__exchange_run takes the body. `finished` may be called before it returns. */
void rpc__exchange_run(struct rpc_exchange *exchange, struct nv_view text);

/* rpc__exchange_refuse finishes an exchange that has not run, with an error;
 * rpc__exchange_refuse_with names it, and a reason (may be NULL). */
void rpc__exchange_refuse(struct rpc_exchange *exchange, const struct rpc_fault *fault);
void rpc__exchange_refuse_with(struct rpc_exchange *exchange, int32_t code, const char *reason);

/* rpc__exchange_answer finishes an exchange whose items are all done: their
 * answers come in the order of the requests. */
void rpc__exchange_answer(struct rpc_exchange *exchange);

/* rpc__exchange_free frees a finished exchange. */
void rpc__exchange_free(struct rpc_exchange *exchange);

/* rpc__exchange_abandon gives up an exchange that may be under way: nothing
 * will be called back, what waits is cancelled. */
void rpc__exchange_abandon(struct rpc_exchange *exchange);

#endif /* NV_RPC_EXCHANGE_H */
