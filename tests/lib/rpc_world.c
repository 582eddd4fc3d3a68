#include "tests/lib/rpc_world.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"

#include "tests/lib/nv_test.h"

/* Turns without anything happening after which a test has hung. */
#define PATIENCE 20000

static uint8_t read_bytes[WORLD_READ_MAX + 1];

/* ---- the node ---- */

static enum nv_err state_get(void *ctx, struct nv_view *value, const struct nv_row_key *key)
{
    struct rpc_world *world = ctx;
    const struct model_row *row = model_get(&world->rows, key);
    if (row == NULL) {
        return NV_ERR_NOT_FOUND;
    }
    *value = nv_view_of(row->value, row->size);
    return NV_OK;
}

static enum nv_err state_rows(void *ctx,
                              struct nv_row *rows,
                              uint32_t *count,
                              const struct nv_row_range *range,
                              uint32_t rows_max)
{
    struct rpc_world *world = ctx;
    *count = 0;
    for (uint32_t i = model_find(&world->rows, &range->first);
         i < world->rows.count && *count < rows_max;
         i++) {
        const struct model_row *row = &world->rows.rows[i];
        if (nv_row_key_cmp(&row->key, &range->last) > 0) {
            break;
        }
        rows[*count].key = row->key;
        rows[*count].value = nv_view_of(row->value, row->size);
        (*count)++;
    }
    return NV_OK;
}

static enum nv_err state_prove(void *ctx,
                               struct nv_writer *proof,
                               const struct nv_row_range *ranges,
                               uint32_t range_count)
{
    struct rpc_world *world = ctx;
    model_prove(proof, &world->rows, ranges, range_count);
    return proof->overflow ? NV_ERR_TOO_LARGE : NV_OK;
}

static void job_only(struct rpc_world *world, struct rpc_job *job)
{
    static const struct rpc_state_ops ops = {
        .get = state_get, .rows = state_rows, .prove = state_prove};
    struct rpc_state state = {
        .ops = &ops, .ctx = world, .head = world->head, .vm = job->proved ? NULL : world->vm};
    if (job->proved) {
        state.header = nv_view_of_text("header");
        state.certificate = nv_view_of_text("certificate");
    }
    job->run(job, &state);
}

static void job_run(struct rpc_world *world, struct rpc_job *job)
{
    job_only(world, job);
    rpc_job_done(world->rpc, job);
}

static struct rpc_job *job_take(struct rpc_job **jobs, uint32_t *count)
{
    struct rpc_job *job = jobs[0];
    (*count)--;
    memmove(jobs, jobs + 1, *count * sizeof *jobs);
    return job;
}

/* executor is the thread that owns the state. */
static void *executor(void *ctx)
{
    struct rpc_world *world = ctx;
    pthread_mutex_lock(&world->lock);
    while (!world->stopping) {
        if (world->job_count == 0) {
            pthread_cond_wait(&world->more, &world->lock);
            continue;
        }
        struct rpc_job *job = job_take(world->jobs, &world->job_count);
        pthread_mutex_unlock(&world->lock);
        job_only(world, job);
        pthread_mutex_lock(&world->lock);
        world->done[world->done_count++] = job;
    }
    pthread_mutex_unlock(&world->lock);
    return NULL;
}

/* give_back hands the server what the thread has run. */
static void give_back(struct rpc_world *world)
{
    pthread_mutex_lock(&world->lock);
    while (world->done_count > 0) {
        struct rpc_job *job = job_take(world->done, &world->done_count);
        pthread_mutex_unlock(&world->lock);
        rpc_job_done(world->rpc, job);
        pthread_mutex_lock(&world->lock);
    }
    pthread_mutex_unlock(&world->lock);
}

static enum nv_err queue_for_thread(struct rpc_world *world, struct rpc_job *job)
{
    pthread_mutex_lock(&world->lock);
    bool const room = world->job_count + world->done_count + 1 < WORLD_JOBS_MAX;
    if (room) {
        world->jobs[world->job_count++] = job;
        pthread_cond_signal(&world->more);
    }
    pthread_mutex_unlock(&world->lock);
    return room ? NV_OK : NV_ERR_BUSY;
}

static enum nv_err run_on_state(void *ctx, struct rpc_job *job)
{
    struct rpc_world *world = ctx;
    if (world->threaded) {
        return queue_for_thread(world, job);
    }
    if (world->job_count >= world->jobs_room) {
        return NV_ERR_BUSY;
    }
    if (world->sync_jobs) {
        job_run(world, job);
        return NV_OK;
    }
    world->jobs[world->job_count++] = job;
    return NV_OK;
}

static void submit(void *ctx, struct nv_view tx, uint64_t ticket)
{
    struct rpc_world *world = ctx;
    assert_true(world->ticket_count < WORLD_TICKETS_MAX);
    world->tickets[world->ticket_count++] = ticket;
    world->submitted_size = tx.size < sizeof world->submitted ? tx.size : 0;
    memcpy(world->submitted, tx.bytes, world->submitted_size);
}

static void status(void *ctx, struct rpc_status *out)
{
    *out = ((struct rpc_world *)ctx)->status;
}

static uint32_t peers(void *ctx, struct rpc_peer *out, uint32_t cap)
{
    (void)ctx;
    assert_true(cap >= 1);
    memset(&out[0], 0, sizeof out[0]);
    snprintf(out[0].address, sizeof out[0].address, "127.0.0.1:1");
    out[0].validator = -1;
    return 1;
}

static uint32_t validators(void *ctx, struct rpc_validator *out, uint32_t cap)
{
    (void)ctx;
    assert_true(cap >= 2);
    memset(out, 0, 2 * sizeof out[0]);
    snprintf(out[0].name, sizeof out[0].name, "alpha");
    snprintf(out[1].name, sizeof out[1].name, "beta");
    out[0].power = 3;
    out[1].power = 4;
    return 2;
}

static enum nv_err block(void *ctx, uint64_t height, struct rpc_block *out)
{
    struct rpc_world *world = ctx;
    if (height == 0 || height + world->unwritten > world->head.height) {
        return NV_ERR_NOT_FOUND;
    }
    memset(out, 0, sizeof *out);
    out->hash = world->head.block_hash;
    out->header = nv_view_of_text("header");
    out->certificate = nv_view_of_text("certificate");
    return NV_OK;
}

/* Epochs below the world's have ended. */
static enum nv_err epoch(void *ctx, uint64_t epoch, struct rpc_epoch *out)
{
    const struct rpc_world *world = ctx;
    if (epoch == 0 || epoch >= world->epoch) {
        return NV_ERR_NOT_FOUND;
    }
    out->hash = (struct nv_hash){{7, (uint8_t)epoch}};
    out->header = nv_view_of_text("header");
    out->certificate = nv_view_of_text("certificate");
    out->next_validators = nv_view_of_text("set");
    return NV_OK;
}

static enum nv_err tx(void *ctx, const struct nv_hash *hash, struct rpc_tx *out)
{
    struct rpc_world *world = ctx;
    (void)hash;
    *out = world->tx;
    return world->tx.state == 0 ? NV_ERR_NOT_FOUND : NV_OK;
}

static struct nv_view genesis(void *ctx)
{
    return ((struct rpc_world *)ctx)->genesis;
}

static void rows(void *ctx, struct rpc_rows *page)
{
    ((struct rpc_world *)ctx)->page = page;
}

static uint32_t metrics(void *ctx, struct rpc_metric *out, uint32_t cap)
{
    (void)ctx;
    assert_true(cap >= 1);
    out[0] = (struct rpc_metric){"novate_test_gauge", "A gauge.", "lane=\"0\"", false, 1.5};
    return 1;
}

static void dev_faucet(void *ctx, const struct nv_address *to, int64_t micro, uint64_t ticket)
{
    struct rpc_world *world = ctx;
    world->fed = *to;
    world->fed_micro = micro;
    world->tickets[world->ticket_count++] = ticket;
}

static enum nv_err dev_set_price(void *ctx, const char *feed, int64_t micro)
{
    struct rpc_world *world = ctx;
    snprintf(world->priced, sizeof world->priced, "%s", feed);
    world->price_micro = micro;
    return NV_OK;
}

/* ---- life ---- */

static void head_next(struct rpc_world *world)
{
    world->head.height++;
    world->head.time_ms += 50;
    nv_sha256(&world->head.block_hash, nv_view_of(&world->head.height, 8));
    model_root(&world->head.state_root, &world->rows);
    world->status.executed = world->head;
}

void world_publish(struct rpc_world *world)
{
    head_next(world);
    struct rpc_executed const executed = {.head = world->head};
    rpc_publish(world->rpc, &executed);
}

void world_open_bare(struct rpc_world *world)
{
    static const struct rpc_port port = {
        .run_on_state = run_on_state,
        .submit = submit,
        .status = status,
        .peers = peers,
        .validators = validators,
        .block = block,
        .tx = tx,
        .genesis = genesis,
        .rows = rows,
        .metrics = metrics,
        .dev_faucet = dev_faucet,
        .dev_set_price = dev_set_price,
    };
    struct rpc_port mine = port;
    mine.ctx = world;
    mine.epoch = world->epoch != 0 ? epoch : NULL;
    assert_int_equal(uv_loop_init(&world->loop), 0);
    world->config.loop = &world->loop;
    if (world->config.listen == NULL) {
        world->config.listen = "127.0.0.1:0";
    }
    if (world->jobs_room == 0) {
        world->jobs_room = WORLD_JOBS_MAX;
    }
    world->status.stage = RPC_STAGE_READY;
    world->status.validator = -1;
    world->status.eta_ms = -1;
    snprintf(world->status.version, sizeof world->status.version, "test");
    if (world->genesis.bytes == NULL) {
        world->genesis = nv_view_of_text("{\"chain\":\"test\"}");
    }
    if (world->threaded) {
        pthread_mutex_init(&world->lock, NULL);
        pthread_cond_init(&world->more, NULL);
        assert_int_equal(pthread_create(&world->thread, NULL, executor, world), 0);
    }
    assert_int_equal(rpc_open(&world->rpc, &world->config, &mine), NV_OK);
    assert_true(rpc_listen_port(world->rpc) != 0);
}

void world_open(struct rpc_world *world)
{
    world_open_bare(world);
    world->head.time_ms = 1700000000000;
    world_publish(world);
    world_turn(world);
}

static void on_closed(void *ctx)
{
    ((struct rpc_world *)ctx)->closed = true;
}

void world_close(struct rpc_world *world)
{
    world->hold_jobs = false;
    rpc_close(world->rpc, on_closed, world);
    if (world->page != NULL) {
        world->page->err = NV_ERR_CLOSED;
        rpc_rows_done(world->rpc, world->page);
    }
    for (int i = 0; i < PATIENCE && !world->closed; i++) {
        world_turn(world);
    }
    assert_true(world->closed);
    if (world->threaded) {
        pthread_mutex_lock(&world->lock);
        world->stopping = true;
        pthread_cond_signal(&world->more);
        pthread_mutex_unlock(&world->lock);
        pthread_join(world->thread, NULL);
    }
    uv_run(&world->loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

void world_turn(struct rpc_world *world)
{
    uv_run(&world->loop, UV_RUN_NOWAIT);
    if (world->threaded) {
        give_back(world);
        return;
    }
    while (world->job_count > 0 && !world->hold_jobs) {
        job_run(world, job_take(world->jobs, &world->job_count));
    }
}

/* ---- clients ---- */

int world_connect(struct rpc_world *world)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    to.sin_port = htons(rpc_listen_port(world->rpc));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    int const one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    world_turn(world);
    return fd;
}

/* wait_for turns the loop until the socket is ready; false: never. */
static bool wait_for(struct rpc_world *world, int fd, short events)
{
    for (int i = 0; i < PATIENCE; i++) {
        world_turn(world);
        struct pollfd poller = {.fd = fd, .events = events};
        if (poll(&poller, 1, 1) > 0) {
            return true;
        }
    }
    return false;
}

bool world_send(struct rpc_world *world, int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t const sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            return false;
        }
        if (sent > 0) {
            at += sent;
            size -= (size_t)sent;
        }
        if (size > 0 && !wait_for(world, fd, POLLOUT)) {
            return false;
        }
    }
    world_turn(world);
    return true;
}

bool world_say(struct rpc_world *world, int fd, const char *text)
{
    return world_send(world, fd, text, strlen(text));
}

uint8_t *world_read(struct rpc_world *world, int fd, size_t want, size_t *size)
{
    size_t have = 0;
    assert_true(want <= WORLD_READ_MAX);
    while (have < want) {
        ssize_t const got = recv(fd, read_bytes + have, want - have, 0);
        if (got > 0) {
            have += (size_t)got;
        } else if (got == 0 || errno != EAGAIN || !wait_for(world, fd, POLLIN)) {
            break;
        }
    }
    read_bytes[have] = '\0';
    *size = have;
    return read_bytes;
}

bool world_eof(struct rpc_world *world, int fd)
{
    size_t size = 0;
    world_read(world, fd, WORLD_READ_MAX, &size);
    uint8_t byte = 0;
    return recv(fd, &byte, 1, 0) == 0 || errno != EAGAIN;
}

const char *world_answer(struct rpc_world *world, int fd, uint32_t *status)
{
    char head[4096];
    size_t have = 0;
    *status = 0;
    while (have < 4 || memcmp(head + have - 4, "\r\n\r\n", 4) != 0) {
        size_t got = 0;
        const uint8_t *byte = world_read(world, fd, 1, &got);
        if (got == 0) {
            assert_int_equal(have, 0);
            return "";
        }
        assert_true(have + 1 < sizeof head);
        head[have++] = (char)*byte;
    }
    head[have] = '\0';
    assert_int_equal(sscanf(head, "HTTP/1.1 %u ", status), 1);
    const char *length = strstr(head, "Content-Length: ");
    size_t size = 0;
    if (length == NULL) {
        return "";
    }
    size_t const want = strtoul(length + 16, NULL, 10);
    const char *body = (const char *)world_read(world, fd, want, &size);
    assert_int_equal(size, want);
    return body;
}

static void say_post(struct rpc_world *world, int fd, const char *body)
{
    char head[128];
    snprintf(head,
             sizeof head,
             "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
             strlen(body));
    assert_true(world_say(world, fd, head));
    assert_true(world_say(world, fd, body));
}

int world_ask(struct rpc_world *world, const char *body)
{
    int const fd = world_connect(world);
    say_post(world, fd, body);
    return fd;
}

const char *world_post_on(struct rpc_world *world, int fd, const char *body)
{
    uint32_t answered = 0;
    say_post(world, fd, body);
    return world_answer(world, fd, &answered);
}

const char *world_post(struct rpc_world *world, const char *body)
{
    int const fd = world_connect(world);
    const char *answer = world_post_on(world, fd, body);
    close(fd);
    world_turn(world);
    return answer;
}

void world_unharmed(struct rpc_world *world)
{
    const char *answer =
        world_post(world, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node_version\"}");
    world_has(answer, "\"version\":\"test\"");
}

/* ---- WebSocket ---- */

int world_ws(struct rpc_world *world)
{
    int const fd = world_connect(world);
    uint32_t status = 0;
    assert_true(world_say(world,
                          fd,
                          "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    world_answer(world, fd, &status);
    assert_int_equal(status, 101);
    return fd;
}

void world_ws_frame(
    struct rpc_world *world, int fd, uint8_t first, const char *payload, size_t size)
{
    static const uint8_t mask[4] = {0x11, 0x22, 0x33, 0x44};
    uint8_t *frame = malloc(size + 14);
    assert_non_null(frame);
    size_t at = 0;
    frame[at++] = first;
    if (size < 126) {
        frame[at++] = (uint8_t)(0x80u | size);
    } else if (size <= UINT16_MAX) {
        frame[at++] = 0x80u | 126u;
        nv_be16_store(frame + at, (uint16_t)size);
        at += 2;
    } else {
        frame[at++] = 0x80u | 127u;
        nv_be64_store(frame + at, size);
        at += 8;
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < size; i++) {
        frame[at + i] = (uint8_t)((uint8_t)payload[i] ^ mask[i % 4]);
    }
    world_send(world, fd, frame, at + size); /* the server may have closed */
    free(frame);
}

void world_ws_say(struct rpc_world *world, int fd, const char *text)
{
    world_ws_frame(world, fd, 0x81, text, strlen(text));
}

const char *world_ws_hear(struct rpc_world *world, int fd, uint8_t *opcode)
{
    size_t got = 0;
    const uint8_t *bytes = world_read(world, fd, 2, &got);
    if (got < 2) {
        *opcode = 0;
        return "";
    }
    *opcode = bytes[0] & 0x0fu;
    assert_int_equal(bytes[0] & 0xf0u, 0x80); /* never fragmented, no extension */
    assert_int_equal(bytes[1] & 0x80u, 0);    /* a server does not mask */
    size_t size = bytes[1] & 0x7fu;
    if (size == 126) {
        bytes = world_read(world, fd, 2, &got);
        size = nv_be16_load(bytes);
    } else if (size == 127) {
        bytes = world_read(world, fd, 8, &got);
        size = (size_t)nv_be64_load(bytes);
    }
    const char *text = (const char *)world_read(world, fd, size, &got);
    assert_int_equal(got, size);
    return text;
}

/* ---- checks ---- */

void world_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        print_error("expected %s\n      in %.2000s\n", part, text);
    }
    assert_non_null(strstr(text, part));
}

void world_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL) {
        print_error("unexpected %s\n        in %.2000s\n", part, text);
    }
    assert_null(strstr(text, part));
}
