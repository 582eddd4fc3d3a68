/* faults.c - calls that fail.
 *
 * The n-th write, sync, change of a name, or request for memory fails, for all
 * n, while a home is opened and runs, new or used: once, or from then on.  Then
 * the process has ended or gone on; either way what it told must be there when
 * the home is opened again, and also when the power fails as well, with what a
 * failed sync has left. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#include "tests/crash/story.h"

#define BLOCKS      4u
#define VARIANTS    4u
#define N_MAX       100000u
#define WORKERS_MAX 16u
#define HOMES       2u
/* Requests for memory are many: with a count of as many as this, all of them fail in turn. */
#define MEMORY_SPREAD 400000u

static const struct {
    const char *name;
    enum trace_class class;
    int code;
    bool stays;
} kinds[] = {
    {"short write", TRACE_CALL_WRITE, 0, false},
    {"write: no space", TRACE_CALL_WRITE, ENOSPC, true},
    {"write: error, once", TRACE_CALL_WRITE, EIO, false},
    {"sync: error, once", TRACE_CALL_SYNC, EIO, false},
    {"sync: error, for good", TRACE_CALL_SYNC, EIO, true},
    {"name: no space", TRACE_CALL_NAME, ENOSPC, true},
    {"name: error, once", TRACE_CALL_NAME, EIO, false},
    {"memory, once", TRACE_CALL_MEMORY, ENOMEM, false},
    {"memory, for good", TRACE_CALL_MEMORY, ENOMEM, true},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

/* Counters: how many of each kind, and how lives ended. */
enum { COUNT_RAN = 0, COUNT_STOPPED, COUNT_ASSERTED, COUNT_STATES, COUNTS };

struct part {
    const struct crash_options *options;
    uint32_t worker;
    struct story story;
    char folder[CRASH_PATH_SIZE];
};

static void fail_at(const struct part *part, const struct trace_fault *fault, const char *why)
{
    crash_fail("seed %llu, call %llu of class %u (errno %d%s): %s",
               (unsigned long long)part->story.seed,
               (unsigned long long)fault->n,
               (unsigned)fault->class,
               fault->code,
               fault->stays ? ", for good" : "",
               why);
}

/* check_states opens the home as it was left, and as a power failure leaves
 * it. */
static void check_states(struct part *part, const struct trace_fault *fault)
{
    struct story *const story = &part->story;
    struct trace_op op;
    struct node_fault reason;
    const char *why = story_check(story, story->witness.count, story->home, false, &reason);
    for (uint64_t at = 0; trace_next(&at, &op);) {
        image_take(story->image, &op);
    }
    for (uint32_t v = 0; v < VARIANTS && why == NULL; v++) {
        crash_count(&crash_counts->other[COUNT_STATES]);
        image_choose(story->image, story->seed + fault->n, v);
        image_write(story->image, part->folder);
        why = story_check(story, story->witness.count, part->folder, v == 2, &reason);
    }
    if (why != NULL) {
        fail_at(part, fault, why);
        (void)printf("    %d %s\n", (int)reason.code, reason.what);
    }
}

/* try_fault lives once with a fault; false when the life has not so many calls. */
static bool try_fault(struct part *part, const struct trace_fault *fault)
{
    struct story *const story = &part->story;
    struct story_life const life = {.blocks = BLOCKS, .fault = fault};
    image_load(story->image, story->home);
    trace_clear();
    int const code = story_live(story, &life);
    if (code == STORY_NO_FAULT) {
        return false;
    }
    bool const asserted = code == 256 + SIGABRT && fault->class == TRACE_CALL_MEMORY;
    if (code > 1 && !asserted) {
        fail_at(part, fault, "the process did not end in order");
        (void)printf("    it ended with %d\n", code);
    }
    crash_count(&crash_counts->other[code == 0  ? COUNT_RAN
                                     : asserted ? COUNT_ASSERTED
                                                : COUNT_STOPPED]);
    if (!story_hear(story)) {
        fail_at(part, fault, "it contradicts itself");
    }
    check_states(part, fault);
    return true;
}

/* ---- all of them ---- */

/* prepare makes the home that lives begin with: new, or used. */
static void prepare(struct story *story, struct image *begin, bool used)
{
    story_begin(story);
    if (used) {
        struct story_life const life = {.blocks = BLOCKS};
        trace_clear();
        int const code = story_live(story, &life);
        bool const heard = story_hear(story);
        NV_ASSERT(code == 0 && heard);
        story->told_before = story->witness.count;
    }
    image_load(begin, story->home);
    image_choose(begin, 0, 1);
}

static void try_kind(struct part *part, uint32_t kind, struct image *begin, uint64_t stride)
{
    struct story *const story = &part->story;
    uint64_t n = 1 + part->worker * stride;
    for (bool more = true; more && n < N_MAX; n += part->options->workers * stride) {
        struct trace_fault const fault = {
            .class = kinds[kind].class,
            .n = n,
            .code = kinds[kind].code,
            .stays = kinds[kind].stays,
        };
        story->witness.count = story->told_before;
        image_write(begin, story->home);
        more = try_fault(part, &fault);
    }
}

static int work(void *ctx)
{
    struct part *const part = ctx;
    struct image *const begin = image_new();
    uint64_t const stride = 1 + MEMORY_SPREAD / part->options->count;
    char name[32];
    trace_open();
    (void)snprintf(name, sizeof name, "fault-%u", part->worker);
    story_open(&part->story, name);
    (void)snprintf(name, sizeof name, "fault-state-%u", part->worker);
    crash_folder(part->folder, name);
    for (uint32_t home = 0; home < HOMES; home++) {
        part->story.seed = part->options->seed + home;
        prepare(&part->story, begin, home > 0);
        for (uint32_t kind = 0; kind < KINDS; kind++) {
            bool const memory = kinds[kind].class == TRACE_CALL_MEMORY;
            try_kind(part, kind, begin, memory ? stride : 1);
        }
    }
    return 0;
}

int crash_faults(const struct crash_options *options)
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
    (void)printf(
        "faults: %llu calls failed (%llu lives went on, %llu stopped, %llu stopped by an "
        "assertion on memory), %llu states opened\n",
        (unsigned long long)(counts[COUNT_RAN] + counts[COUNT_STOPPED] + counts[COUNT_ASSERTED]),
        (unsigned long long)counts[COUNT_RAN],
        (unsigned long long)counts[COUNT_STOPPED],
        (unsigned long long)counts[COUNT_ASSERTED],
        (unsigned long long)counts[COUNT_STATES]);
    return crash_counts->failed == 0 ? 0 : 1;
}
