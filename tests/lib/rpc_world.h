#ifndef NV_TESTS_LIB_RPC_WORLD_H
#define NV_TESTS_LIB_RPC_WORLD_H

/* rpc_world.h - an RPC server on loopback with a node that is a model, and
 * clients that are plain sockets, all in one thread.
 *
 * The server runs on a libuv loop that turns only while a test waits for
 * something; nothing depends on how long that takes. The node's state is a
 * row_model; jobs run when the test lets them, at once unless it holds them. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "rpc/rpc.h"
#include "tests/lib/row_model.h"

#define WORLD_JOBS_MAX    256u
#define WORLD_TICKETS_MAX 256u
#define WORLD_READ_MAX    (24u << 20)

struct rpc_world {
    uv_loop_t loop;
    struct rpc *rpc;
    struct rpc_config config;
    bool closed;

    /* the node */
    struct row_model rows;
    struct rpc_head head;
    const struct vm *vm; /* for jobs that are not proved; NULL: none */
    struct rpc_status status;
    struct rpc_job *jobs[WORLD_JOBS_MAX];
    uint32_t job_count;
    struct rpc_job *done[WORLD_JOBS_MAX]; /* run by the thread, to be given back */
    uint32_t done_count;
    pthread_t thread;
    pthread_mutex_t lock; /* jobs and done, while there is a thread */
    pthread_cond_t more;
    bool stopping;
    bool hold_jobs;
    bool threaded;      /* jobs run on a thread of their own; set before opening */
    bool sync_jobs;     /* jobs run inside run_on_state */
    uint32_t jobs_room; /* run_on_state answers busy beyond this */
    uint64_t tickets[WORLD_TICKETS_MAX];
    uint32_t ticket_count;   /* submitted and not answered by the test */
    uint8_t submitted[1024]; /* the newest transaction's bytes */
    uint32_t submitted_size;
    struct rpc_rows *page; /* the one that the server waits for */
    struct rpc_tx tx;      /* what tx() answers; state 0: not found */
    uint64_t epoch;        /* chain_epoch: the one under way; 0: the node does not tell */
    uint32_t unwritten;    /* so many of the newest blocks are not found */
    struct nv_view genesis;
    char priced[32];
    int64_t price_micro;
    struct nv_address fed;
    int64_t fed_micro;
};

/* world_open starts a server with the world's config (port 0 on loopback
 * unless set) and publishes a head of height 1. world_close takes it down and
 * checks that nothing is left. */
void world_open(struct rpc_world *world);
void world_open_bare(struct rpc_world *world); /* without a head */
void world_close(struct rpc_world *world);

/* world_turn lets the loop and the node's jobs run until nothing is ready. */
void world_turn(struct rpc_world *world);

/* world_publish publishes an empty block at the next height. */
void world_publish(struct rpc_world *world);

/* world_connect returns a connected socket, non-blocking. */
int world_connect(struct rpc_world *world);

/* world_send writes all of it, turning the loop meanwhile. False: the server
 * has closed. */
bool world_send(struct rpc_world *world, int fd, const void *bytes, size_t size);
bool world_say(struct rpc_world *world, int fd, const char *text);

/* world_read reads until `want` bytes are there or the server closes, and
 * returns how many. The result lives until the next read. */
uint8_t *world_read(struct rpc_world *world, int fd, size_t want, size_t *size);

/* world_answer reads one HTTP answer and returns its body, with a terminator;
 * the status goes to `*status` (0: closed without an answer). It fails the
 * test when the answer is malformed. */
const char *world_answer(struct rpc_world *world, int fd, uint32_t *status);

/* world_ask sends one JSON-RPC body on a new connection and returns it. */
int world_ask(struct rpc_world *world, const char *body);

/* world_post sends one JSON-RPC body on a connection of its own or on `fd`
 * and returns the answer. */
const char *world_post(struct rpc_world *world, const char *body);
const char *world_post_on(struct rpc_world *world, int fd, const char *body);

/* world_eof returns whether the server has closed the connection (whatever it
 * sent before is read). */
bool world_eof(struct rpc_world *world, int fd);

/* world_unharmed checks that the server still serves, on a new connection. */
void world_unharmed(struct rpc_world *world);

/* WebSocket: the handshake, one masked frame, and the next message as text
 * (control frames are given with their opcode). */
int world_ws(struct rpc_world *world);
void world_ws_frame(
    struct rpc_world *world, int fd, uint8_t first, const char *payload, size_t size);
void world_ws_say(struct rpc_world *world, int fd, const char *text);
const char *world_ws_hear(struct rpc_world *world, int fd, uint8_t *opcode);

/* world_has fails the test unless `text` contains `part`. */
void world_has(const char *text, const char *part);
void world_lacks(const char *text, const char *part);

#endif /* NV_TESTS_LIB_RPC_WORLD_H */
