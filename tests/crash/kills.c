/* kills.c - kill -9.
 *
 * A rig runs in a process of its own and tells by a pipe what the world would
 * see.  It is killed at a named point (base/crash.def) at one of its passes, or
 * at any time; what it leaves is copied, opened and compared with what it told;
 * then the next process goes on from what the first has left. */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

#include "tests/crash/point.h"
#include "tests/crash/story.h"

#define WORKERS_MAX 16u
#define LIVES       12u /* of one home */
#define BLOCKS      24u /* at most, of a life */
#define PASSES      12u
#define WAIT_US     40000u /* the longest until a kill at any time */

enum { COUNT_POINT = 0, COUNT_TIME, COUNT_RAN };

/* By point: how often a process was killed there. */
#define POINT_COUNT(point) (&crash_counts->other[8 + (point)])

struct part {
    const struct crash_options *options;
    uint32_t worker;
    struct story story;
    struct image *image;
    char folder[CRASH_PATH_SIZE];
};

/* One process that is to be killed. */
struct victim {
    const struct story *story;
    int pipe[2];
    enum nv_crash_point point;
    uint64_t pass; /* of the point; 0: killed at any time */
};

static int mouth; /* where marks go */

static void to_pipe(const struct witness_mark *mark)
{
    ssize_t const done = write(mouth, mark, sizeof *mark);
    NV_ASSERT(done == (ssize_t)sizeof *mark);
}

static int run(void *ctx)
{
    static struct rig rig;
    const struct victim *const victim = ctx;
    (void)close(victim->pipe[0]);
    mouth = victim->pipe[1];
    witness_to(to_pipe);
    point_arm(victim->point, victim->pass);
    bool const ok =
        rig_open(&rig, victim->story->home, victim->story->seed) && rig_run(&rig, BLOCKS);
    rig_close(&rig);
    if (!ok) {
        (void)node_fault_print(&rig.fault);
    }
    return ok ? 0 : 1;
}

static uint64_t now_us(void)
{
    struct timespec t;
    int const result = clock_gettime(CLOCK_MONOTONIC, &t);
    NV_ASSERT(result == 0);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* listen takes marks until the pipe is closed, and kills the child after
 * `wait_us` (0: never).  False: a mark contradicts an earlier one. */
static bool listen_to(struct witness *w, int pipe, pid_t child, uint64_t wait_us)
{
    uint64_t const end = now_us() + wait_us;
    bool right = true;
    bool killed = wait_us == 0;
    for (;;) {
        struct witness_mark mark;
        struct pollfd ready = {.fd = pipe, .events = POLLIN};
        uint64_t const now = now_us();
        uint64_t const left = end > now ? end - now : 0;
        struct timespec const span = {.tv_nsec = (long)(left * 1000)};
        if (!killed && ppoll(&ready, 1, &span, NULL) == 0) {
            (void)kill(child, SIGKILL);
            killed = true;
        }
        if (killed || ready.revents != 0) {
            ssize_t const got = read(pipe, &mark, sizeof mark);
            if (got != (ssize_t)sizeof mark) {
                return right; /* a mark is written whole or not at all */
            }
            right = witness_add(w, &mark) && right;
        }
    }
}

/* how returns how a victim ended, for people. */
static const char *how(const struct victim *victim)
{
    return victim->pass == 0 ? "any time" : point_name(victim->point);
}

static void check(struct part *part, const struct victim *victim)
{
    struct node_fault fault;
    const struct story *const story = &part->story;
    image_load(part->image, story->home);
    image_choose(part->image, 0, 1);
    image_write(part->image, part->folder);
    const char *const why =
        story_check(story, story->witness.count, part->folder, story->seed % 8 == 0, &fault);
    if (why != NULL) {
        crash_fail("seed %llu, killed at %s, pass %llu: %s (%d %s)",
                   (unsigned long long)story->seed,
                   how(victim),
                   (unsigned long long)victim->pass,
                   why,
                   (int)fault.code,
                   fault.what);
    }
}

/* kill_one lives until the end or the kill; true when it was killed at its
 * point. */
static bool kill_one(struct part *part, struct victim *victim, uint64_t wait_us)
{
    struct story *const story = &part->story;
    int result = pipe(victim->pipe);
    NV_ASSERT(result == 0);
    pid_t const child = crash_fork(run, victim);
    (void)close(victim->pipe[1]);
    bool const right = listen_to(&story->witness, victim->pipe[0], child, wait_us);
    (void)close(victim->pipe[0]);
    int const code = crash_wait(child);
    if (code == 256 + SIGKILL) {
        crash_count(&crash_counts->other[victim->pass == 0 ? COUNT_TIME : COUNT_POINT]);
        if (victim->pass > 0) {
            crash_count(POINT_COUNT(victim->point));
        }
    } else {
        crash_count(&crash_counts->other[COUNT_RAN]);
    }
    if ((code != 0 && code != 256 + SIGKILL) || !right) {
        crash_fail("seed %llu, to be killed at %s, pass %llu: it ended with %d%s",
                   (unsigned long long)story->seed,
                   how(victim),
                   (unsigned long long)victim->pass,
                   code,
                   right ? "" : ", and contradicts itself");
    }
    check(part, victim);
    return code == 256 + SIGKILL && victim->pass > 0;
}

static uint64_t kills(void)
{
    return crash_counts->other[COUNT_POINT] + crash_counts->other[COUNT_TIME];
}

/* choose picks where a victim is killed: where it has not been killed yet, or
 * anywhere.  Some points are passed only after a kill at others. */
static void choose(struct victim *victim, enum nv_crash_point before, struct nv_test_rng *rng)
{
    victim->pass = 1;
    switch ((int)before) {
    case NV_CRASH_SEGMENT_OPENED:
    case NV_CRASH_SEGMENT_FILLED:
    case NV_CRASH_SEGMENT_SYNCED: victim->point = NV_CRASH_OPEN_UNFINISHED; return;
    case NV_CRASH_SEGMENT_RENAMED:
    case NV_CRASH_SEGMENT_MADE: victim->point = NV_CRASH_OPEN_REMOVED; return;
    default: break;
    }
    uint32_t const first = nv_test_below(rng, NV_CRASH_POINTS);
    victim->point = (enum nv_crash_point)first;
    if (nv_test_below(rng, 2) == 0) {
        victim->pass = 1 + nv_test_below(rng, PASSES);
        return;
    }
    for (uint32_t i = 1; i<NV_CRASH_POINTS && * POINT_COUNT(victim->point)> 0; i++) {
        victim->point = (enum nv_crash_point)((first + i) % NV_CRASH_POINTS);
    }
}

static int work(void *ctx)
{
    struct part *const part = ctx;
    struct story *const story = &part->story;
    char name[32];
    (void)snprintf(name, sizeof name, "kill-%u", part->worker);
    story_open(story, name);
    (void)snprintf(name, sizeof name, "killed-%u", part->worker);
    crash_folder(part->folder, name);
    part->image = image_new();
    enum nv_crash_point before = NV_CRASH_POINTS; /* where the last one was killed, if at a point */
    uint64_t const wanted = CRASH_KILLS(part->options->count);
    for (uint64_t i = 0; kills() < wanted && crash_counts->failed == 0 && i < 8 * wanted; i++) {
        uint64_t const turn = i * part->options->workers + part->worker;
        struct nv_test_rng rng = {part->options->seed * 1000003 + turn};
        if (i % LIVES == 0) {
            story_begin(story);
        }
        struct victim victim = {.story = story};
        uint64_t wait_us = 0;
        if (turn % 3 == 0) {
            wait_us = 1 + nv_test_below(&rng, WAIT_US);
        } else {
            choose(&victim, before, &rng);
        }
        story->seed = part->options->seed + turn;
        before = kill_one(part, &victim, wait_us) ? victim.point : NV_CRASH_POINTS;
    }
    return 0;
}

/* missed names a point at which nothing was killed, or NULL. */
static const char *missed(void)
{
    for (uint32_t i = 0; i < NV_CRASH_POINTS; i++) {
        if (*POINT_COUNT(i) == 0) {
            return point_name((enum nv_crash_point)i);
        }
    }
    return NULL;
}

int crash_kills(const struct crash_options *options)
{
    static struct part part[WORKERS_MAX];
    pid_t child[WORKERS_MAX];
    NV_ASSERT(options->workers <= WORKERS_MAX);
    for (uint32_t i = 0; i < options->workers; i++) {
        part[i].options = options;
        part[i].worker = i;
        child[i] = crash_fork(work, &part[i]);
    }
    for (uint32_t i = 0; i < options->workers; i++) {
        int const code = crash_wait(child[i]);
        if (code != 0) {
            crash_fail("a worker ended with %d", code);
        }
    }
    const uint64_t *const counts = crash_counts->other;
    (void)printf("kills: %llu at %u named points, %llu at any time, %llu lives ran to their end\n",
                 (unsigned long long)counts[COUNT_POINT],
                 (unsigned)NV_CRASH_POINTS,
                 (unsigned long long)counts[COUNT_TIME],
                 (unsigned long long)counts[COUNT_RAN]);
    if (kills() >= 10u * NV_CRASH_POINTS && missed() != NULL) {
        crash_fail("no process was ever killed at %s", missed());
    }
    return crash_counts->failed == 0 ? 0 : 1;
}
