/* states.c - power failures.
 *
 * A *life* of the rig is recorded: it opens a home, runs some blocks, is killed
 * and started again, runs, ends.  After each of its calls, states are built in
 * which the disk could be found, and each that is not known yet is opened like
 * the daemon does and compared with what was told before that call (witness.h).
 * Some go on for a few blocks and are opened once more.  The next life begins
 * in one of the states, so that recovery itself is recorded and crashes too. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/assert.h"

#include "tests/crash/story.h"

#define LIVES       4u   /* of one home */
#define BLOCKS      6u   /* that a process runs */
#define PROCESSES   3u   /* of a life; all but the last are killed */
#define CALLS       150u /* at most, before one is killed */
#define RENAMES     4u   /* of the first process of a home: database, journal, key, journal */
#define VARIANTS    24u  /* states tried after a call */
#define GO_ON_EVERY 16u
#define WORKERS_MAX 16u
#define SEEN_MAX    (UINT64_C(1) << 23)

/* States that were opened, by hash; shared by the workers. */
static uint64_t *seen;

/* is_new returns whether a state was never seen, and notes it. */
static bool is_new(uint64_t hash)
{
    uint64_t const key = hash | 1;
    for (uint64_t at = hash % SEEN_MAX;; at = (at + 1) % SEEN_MAX) {
        uint64_t found = 0;
        if (__atomic_compare_exchange_n(
                &seen[at], &found, key, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return true;
        }
        if (found == key) {
            return false;
        }
    }
}

/* ---- the states after a call ---- */

/* A worker's part: every so manieth state. */
struct part {
    struct story *story;
    uint32_t worker;
    uint32_t workers;
    char folder[CRASH_PATH_SIZE];
};

/* A state: after how many calls and marks, and chosen how. */
struct state {
    uint64_t call;
    uint32_t told;
    uint32_t variant;
};

static void open_state(const struct part *part, const struct state *state, bool go_on)
{
    struct node_fault fault;
    image_write(part->story->image, part->folder);
    const char *const why = story_check(part->story, state->told, part->folder, go_on, &fault);
    if (why != NULL) {
        crash_fail("seed %llu, call %llu, variant %u: %s (%d %s)",
                   (unsigned long long)part->story->seed,
                   (unsigned long long)state->call,
                   state->variant,
                   why,
                   (int)fault.code,
                   fault.what);
    }
}

static void open_states(const struct part *part, uint32_t told, uint64_t call)
{
    struct image *const image = part->story->image;
    uint32_t const count = image_choices(image) == 0 ? 1 : VARIANTS;
    for (uint32_t v = 0; v < count; v++) {
        if ((call + v) % part->workers != part->worker) {
            continue;
        }
        struct state const state = {.call = call, .told = told, .variant = v};
        image_choose(image, part->story->seed + call, v);
        uint64_t const hash = image_hash(image) + told * UINT64_C(0x9e3779b97f4a7c15);
        crash_count(&crash_counts->built);
        if (is_new(hash)) {
            crash_count(&crash_counts->distinct);
            open_state(part, &state, (hash >> 32) % GO_ON_EVERY == 0);
        }
    }
}

static int work(void *ctx)
{
    const struct part *const part = ctx;
    struct trace_op op;
    uint32_t told = part->story->told_before;
    uint64_t call = 0;
    for (uint64_t at = 0; trace_next(&at, &op); call++) {
        image_take(part->story->image, &op);
        told += op.kind == TRACE_MARK ? 1 : 0;
        open_states(part, told, call);
    }
    /* Nothing has escaped the trace. */
    return part->worker != 0 || image_same(part->story->image, part->story->home) ? 0 : 1;
}

static void open_all(struct story *story, const struct crash_options *options)
{
    static struct part part[WORKERS_MAX];
    pid_t child[WORKERS_MAX];
    for (uint32_t i = 0; i < options->workers; i++) {
        char name[16];
        part[i] = (struct part){.story = story, .worker = i, .workers = options->workers};
        (void)snprintf(name, sizeof name, "state-%u", i);
        crash_folder(part[i].folder, name);
        child[i] = crash_fork(work, &part[i]);
    }
    for (uint32_t i = 0; i < options->workers; i++) {
        int const code = crash_wait(child[i]);
        if (code != 0) {
            crash_fail(
                "seed %llu: opening states ended with %d", (unsigned long long)story->seed, code);
        }
    }
}

/* ---- from life to life ---- */

/* draw_life draws how one of the processes of a life ends. */
static struct story_life draw_life(struct nv_test_rng *rng, uint32_t process)
{
    struct story_life life = {.blocks = BLOCKS};
    if (process + 1 < PROCESSES) {
        life.die_at = 1 + nv_test_below(rng, CALLS);
    }
    return life;
}

/* die_naming lets the first process of a home die when it has given a file its name,
 * one home after the other at the next such call: no later process may take for
 * durable what it finds. */
static void die_naming(struct story_life *life, const struct story *story)
{
    life->die_kind = TRACE_RENAME;
    life->die_at = 1 + story->seed / LIVES % RENAMES;
}

static bool record(struct story *story)
{
    struct nv_test_rng rng = {story->seed};
    image_load(story->image, story->home);
    trace_clear();
    for (uint32_t i = 0; i < PROCESSES; i++) {
        struct story_life life = draw_life(&rng, i);
        if (i == 0 && story->told_before == 0) {
            die_naming(&life, story);
        }
        int const code = story_live(story, &life);
        if (code != 0 && code != TRACE_DIED) {
            crash_fail("seed %llu: a life ended with %d", (unsigned long long)story->seed, code);
            return false;
        }
    }
    if (!story_hear(story)) {
        crash_fail("seed %llu: a vote or block contradicts an earlier one",
                   (unsigned long long)story->seed);
        return false;
    }
    return true;
}

/* next_life puts the home into one of the states. */
static void next_life(struct story *story)
{
    struct nv_test_rng rng = {story->seed};
    struct trace_op op;
    uint64_t calls = 0;
    for (uint64_t at = 0; trace_next(&at, &op);) {
        calls++;
    }
    uint64_t const cut = nv_test_below(&rng, (uint32_t)calls);
    uint64_t call = 0;
    for (uint64_t at = 0; call <= cut && trace_next(&at, &op); call++) {
        image_take(story->image, &op);
        story->told_before += op.kind == TRACE_MARK ? 1 : 0;
    }
    image_choose(story->image, story->seed, 2 + nv_test_below(&rng, VARIANTS));
    image_write(story->image, story->home);
    story->witness.count = story->told_before;
}

int crash_states(const struct crash_options *options)
{
    static struct story story;
    uint64_t lives = 0;
    NV_ASSERT(options->workers <= WORKERS_MAX);
    trace_open();
    int const flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    seen = mmap(NULL, SEEN_MAX * sizeof *seen, PROT_READ | PROT_WRITE, flags, -1, 0);
    NV_ASSERT(seen != MAP_FAILED);
    story_open(&story, "home");
    while (crash_counts->distinct < options->count && crash_counts->failed == 0) {
        story.seed = options->seed + lives;
        if (lives % LIVES == 0) {
            story_begin(&story);
        }
        if (record(&story)) {
            open_all(&story, options);
            next_life(&story);
        }
        lives++;
    }
    (void)printf("states: %llu built, %llu of them distinct and opened, %llu went on; %llu lives\n",
                 (unsigned long long)crash_counts->built,
                 (unsigned long long)crash_counts->distinct,
                 (unsigned long long)crash_counts->went_on,
                 (unsigned long long)lives);
    return crash_counts->failed == 0 ? 0 : 1;
}
