#include "tools/bench/load.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#include "tools/bench/bench.h"

#define BATCH       100u
#define THREADS     8u
#define HEAD_ROOM   256u
#define ANSWER_ROOM (1u << 20)
#define SILENCE_MS  20000
#define LINES       128u /* connections of a steady pace */
#define CLIENTS     2u   /* that wait for each other's blocks: as a rule one transaction in each */

/* ---- HTTP, as little of it as serves ---- */

static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t const sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* answered returns whether `text` holds a whole response. */
static bool answered(const char *text, size_t size)
{
    const char *const end = strstr(text, "\r\n\r\n");
    const char *const length = end == NULL ? NULL : strcasestr(text, "content-length:");
    if (length == NULL || length > end) {
        return false;
    }
    return size >= (size_t)(end - text) + 4 + strtoul(length + 15, NULL, 10);
}

/* read_some adds to `text` what has come; false when the line is closed. */
static bool read_some(int fd, char *text, size_t room, size_t *size)
{
    if (*size + 1 >= room) {
        return false;
    }
    ssize_t const got = recv(fd, text + *size, room - 1 - *size, 0);
    if (got <= 0) {
        return false;
    }
    *size += (size_t)got;
    text[*size] = '\0';
    return true;
}

static uint32_t count_of(const char *text, const char *word)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

/* compose writes a request with the calls; `list`: as a batch. */
static size_t compose(char *out, const struct bench_call *calls, uint32_t count, bool list)
{
    size_t body = list ? 2 + (count - 1) : 0;
    for (uint32_t i = 0; i < count; i++) {
        body += calls[i].size;
    }
    size_t at = (size_t)snprintf(out,
                                 HEAD_ROOM,
                                 "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                                 body);
    for (uint32_t i = 0; i < count; i++) {
        if (list) {
            out[at++] = i == 0 ? '[' : ',';
        }
        memcpy(out + at, calls[i].text, calls[i].size);
        at += calls[i].size;
    }
    if (list) {
        out[at++] = ']';
    }
    return at;
}

/* ---- a flood ---- */

/* One thread: every THREADS-th batch, composed before the clock starts. */
struct sender {
    pthread_t thread;
    int fd;
    uint32_t batches;
    char **request;
    size_t *size;
    uint32_t *calls;
    double end_s;
    struct bench_flood result;
};

static bool ask(int fd, const char *request, size_t size, char *answer)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    size_t got = 0;
    answer[0] = '\0';
    if (!send_all(fd, request, size)) {
        return false;
    }
    while (!answered(answer, got)) {
        if (poll(&wait, 1, SILENCE_MS) <= 0 || !read_some(fd, answer, ANSWER_ROOM, &got)) {
            return false;
        }
    }
    return true;
}

static void *send_batches(void *ctx)
{
    struct sender *const s = ctx;
    char *const answer = bench_memory(ANSWER_ROOM);
    for (uint32_t i = 0; i < s->batches && bench_wall_s() < s->end_s; i++) {
        if (!ask(s->fd, s->request[i], s->size[i], answer)) {
            s->result.broken = true;
            break;
        }
        uint32_t const errors = count_of(answer, "\"error\":{");
        uint32_t const good = count_of(answer, "\"tx_hash\":");
        s->result.refused += errors > 0 ? s->calls[i] - (good < s->calls[i] ? good : 0) : 0;
        s->result.taken += errors > 0 ? (good < s->calls[i] ? good : 0) : s->calls[i];
    }
    bench_memory_free(answer);
    return NULL;
}

static void prepare(struct sender *s, const struct bench_call *calls, uint32_t count, uint32_t lane)
{
    uint32_t const all = (count + BATCH - 1) / BATCH;
    s->request = bench_memory((all / THREADS + 1) * sizeof *s->request);
    s->size = bench_memory((all / THREADS + 1) * sizeof *s->size);
    s->calls = bench_memory((all / THREADS + 1) * sizeof *s->calls);
    for (uint32_t b = lane; b < all; b += THREADS) {
        uint32_t const first = b * BATCH;
        uint32_t const n = count - first < BATCH ? count - first : BATCH;
        size_t room = HEAD_ROOM + 2 + n;
        for (uint32_t i = 0; i < n; i++) {
            room += calls[first + i].size;
        }
        s->request[s->batches] = bench_memory(room);
        s->size[s->batches] = compose(s->request[s->batches], calls + first, n, true);
        s->calls[s->batches] = n;
        s->batches++;
    }
}

static void forget(struct sender *s)
{
    for (uint32_t i = 0; i < s->batches; i++) {
        bench_memory_free(s->request[i]);
    }
    bench_memory_free(s->request);
    bench_memory_free(s->size);
    bench_memory_free(s->calls);
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
}

void bench_flood_run(const struct bench_net *net,
                     const struct bench_call *calls,
                     uint32_t count,
                     double seconds,
                     struct bench_flood *out)
{
    struct sender sender[THREADS] = {0};
    *out = (struct bench_flood){0};
    for (uint32_t i = 0; i < THREADS; i++) {
        prepare(&sender[i], calls, count, i);
        sender[i].fd = bench_net_connect(net, i % net->devnet.validators);
        NV_ASSERT(sender[i].fd >= 0); /* the nodes were asked just now */
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        sender[i].end_s = bench_wall_s() + seconds;
        int const failed = pthread_create(&sender[i].thread, NULL, send_batches, &sender[i]);
        NV_ASSERT(failed == 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        (void)pthread_join(sender[i].thread, NULL);
        out->taken += sender[i].result.taken;
        out->refused += sender[i].result.refused;
        out->broken = out->broken || sender[i].result.broken;
        forget(&sender[i]);
    }
}

/* ---- a steady pace ---- */

struct line {
    int fd;
    bool busy;
    double since_s;
    char *answer;
    size_t size;
};

struct pace {
    struct line line[LINES];
    uint32_t lines;
    char *request;
    double *took;
    uint32_t done;
};

#define LINE_ROOM 65536u

/* submit sends a call on a line that is free; false when there is none. */
static bool submit(struct pace *p, const struct bench_call *call)
{
    for (uint32_t i = 0; i < p->lines; i++) {
        struct line *const line = &p->line[i];
        if (!line->busy && line->fd >= 0) {
            size_t const size = compose(p->request, call, 1, false);
            line->busy = true;
            line->size = 0;
            line->answer[0] = '\0';
            line->since_s = bench_wall_s();
            return send_all(line->fd, p->request, size);
        }
    }
    return false;
}

/* collect waits at most `wait_ms` and takes the answers that came. */
static void collect(struct pace *p, int wait_ms)
{
    struct pollfd list[LINES];
    for (uint32_t i = 0; i < p->lines; i++) {
        list[i] = (struct pollfd){.fd = p->line[i].busy ? p->line[i].fd : -1, .events = POLLIN};
    }
    if (poll(list, p->lines, wait_ms) <= 0) {
        return;
    }
    for (uint32_t i = 0; i < p->lines; i++) {
        struct line *const line = &p->line[i];
        if (list[i].revents == 0) {
            continue;
        }
        if (!read_some(line->fd, line->answer, LINE_ROOM, &line->size)) {
            (void)close(line->fd);
            line->fd = -1;
            line->busy = false;
        } else if (answered(line->answer, line->size)) {
            line->busy = false;
            if (strstr(line->answer, "\"state\":\"final\"") != NULL &&
                strstr(line->answer, "\"reason\":\"") == NULL) {
                p->took[p->done++] = bench_wall_s() - line->since_s;
            }
        }
    }
}

static uint32_t busy(const struct pace *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->lines; i++) {
        count += p->line[i].busy ? 1u : 0u;
    }
    return count;
}

/* steer sends and collects until nothing is left or the time is over. */
static void
steer(struct pace *p, const struct bench_call *calls, uint32_t count, double gap_s, double seconds)
{
    double const begin = bench_wall_s();
    uint32_t sent = 0;
    for (double now = begin; now < begin + seconds; now = bench_wall_s()) {
        bool const due = gap_s > 0 ? now >= begin + sent * gap_s : busy(p) < p->lines;
        if (sent < count && due) {
            (void)submit(p, &calls[sent]);
            sent++;
            continue;
        }
        if (sent == count && busy(p) == 0) {
            return;
        }
        double const left = begin + sent * gap_s - now;
        collect(p, gap_s > 0 && sent < count ? (int)(left * 1000) : 100);
    }
}

uint32_t bench_pace_run(const struct bench_net *net,
                        const struct bench_call *calls,
                        uint32_t count,
                        double gap_s,
                        double seconds,
                        double *took)
{
    struct pace *const p = bench_memory(sizeof *p);
    p->took = took;
    p->lines = gap_s > 0 ? LINES : CLIENTS;
    p->request = bench_memory(LINE_ROOM);
    for (uint32_t i = 0; i < p->lines; i++) {
        p->line[i].fd = bench_net_connect(net, i % net->devnet.validators);
        p->line[i].answer = bench_memory(LINE_ROOM);
    }
    steer(p, calls, count, gap_s, seconds);
    uint32_t const done = p->done;
    for (uint32_t i = 0; i < p->lines; i++) {
        if (p->line[i].fd >= 0) {
            (void)close(p->line[i].fd);
        }
        bench_memory_free(p->line[i].answer);
    }
    bench_memory_free(p->request);
    bench_memory_free(p);
    return done;
}
