/* flips.c - bits that rot in files that nobody has open.
 *
 * One bit of a home that was left in order is turned, of any file; then the home
 * is opened in a process of its own.  Right is
 *
 *     refused   with one of the exit codes of docs/spec/node.md section 1
 *     the same  all that was told is there, and every root is right
 *
 * and wrong is another root, a lost block or vote, an exit code that says nothing,
 * and a process that dies of a signal. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/assert.h"

#include "tests/crash/story.h"

#define BLOCKS      8u
#define WORKERS_MAX 16u
#define PER_HOME    200u /* flips, before another home is made */

enum { COUNT_SAME = 0, COUNT_REFUSED };

struct part {
    const struct crash_options *options;
    uint32_t worker;
    struct story story;
    char folder[CRASH_PATH_SIZE];
};

struct flip {
    const struct part *part;
    const char *name; /* of the file */
    uint64_t bit;
};

static bool says_why(const struct node_fault *fault)
{
    return fault->code == NODE_EXIT_STORAGE || fault->code == NODE_EXIT_CONFIG ||
           fault->code == NODE_EXIT_GUARD || fault->code == NODE_EXIT_STATE;
}

static int open_flipped(void *ctx)
{
    const struct flip *const flip = ctx;
    const struct part *const part = flip->part;
    struct node_fault fault;
    int const nowhere = open("/dev/null", O_WRONLY);
    (void)dup2(nowhere, STDERR_FILENO);
    const char *const why = story_check(
        &part->story, part->story.witness.count, part->folder, flip->bit % 8 == 0, &fault);
    if (why == NULL) {
        crash_count(&crash_counts->other[COUNT_SAME]);
        return 0;
    }
    if (says_why(&fault)) {
        crash_count(&crash_counts->other[COUNT_REFUSED]);
        return 0;
    }
    crash_fail("seed %llu, bit %llu of %s: %s (%d %s)",
               (unsigned long long)part->story.seed,
               (unsigned long long)flip->bit,
               flip->name,
               why,
               (int)fault.code,
               fault.what);
    return 0;
}

static void turn(const struct flip *flip)
{
    char path[CRASH_PATH_SIZE + 80];
    uint8_t byte = 0;
    (void)snprintf(path, sizeof path, "%s/%s", flip->part->folder, flip->name);
    int const fd = open(path, O_RDWR);
    NV_ASSERT(fd >= 0);
    ssize_t done = pread(fd, &byte, 1, (off_t)(flip->bit / 8));
    byte = (uint8_t)(byte ^ (1u << flip->bit % 8));
    done += pwrite(fd, &byte, 1, (off_t)(flip->bit / 8));
    NV_ASSERT(done == 2);
    (void)close(fd);
}

static void try_flip(struct part *part, struct nv_test_rng *rng)
{
    struct image *const image = part->story.image;
    struct flip flip = {.part = part};
    uint32_t files = 0;
    uint32_t largest = 0;
    uint64_t size = 0;
    for (uint64_t most = 0; image_file(image, files, &size) != NULL; files++) {
        largest = size > most ? files : largest;
        most = size > most ? size : most;
    }
    /* half of them in the database, which trusts its own bytes most */
    uint32_t const file = nv_test_below(rng, 2) == 0 ? largest : nv_test_below(rng, files);
    flip.name = image_file(image, file, &size);
    flip.bit = nv_test_next(rng) % (size * 8);
    image_write(image, part->folder);
    turn(&flip);
    crash_count(&crash_counts->built);
    int const code = crash_wait(crash_fork(open_flipped, &flip));
    if (code != 0) {
        crash_fail("seed %llu, bit %llu of %s: it ended with %d",
                   (unsigned long long)part->story.seed,
                   (unsigned long long)flip.bit,
                   flip.name,
                   code);
    }
}

/* forget_saved drops what was told of checkpoints: when the newer of the two
 * metas has rotted, the database is one checkpoint older, and the journal leads
 * on from there. */
static void forget_saved(struct witness *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->mark[i].kind != WITNESS_SAVED) {
            w->mark[kept++] = w->mark[i];
        }
    }
    w->count = kept;
}

/* prepare makes a home and lets it live and end in order. */
static void prepare(struct story *story)
{
    struct story_life const life = {.blocks = BLOCKS};
    story_begin(story);
    trace_clear();
    int const code = story_live(story, &life);
    bool const heard = story_hear(story);
    NV_ASSERT(code == 0 && heard);
    forget_saved(&story->witness);
    image_load(story->image, story->home);
    image_choose(story->image, 0, 1);
}

static int work(void *ctx)
{
    struct part *const part = ctx;
    char name[32];
    trace_open();
    (void)snprintf(name, sizeof name, "flip-%u", part->worker);
    story_open(&part->story, name);
    (void)snprintf(name, sizeof name, "flipped-%u", part->worker);
    crash_folder(part->folder, name);
    uint64_t const count = CRASH_FLIPS(part->options->count) / part->options->workers + 1;
    struct nv_test_rng rng = {part->options->seed * 1000003 + part->worker};
    for (uint64_t i = 0; i < count && crash_counts->failed < 50; i++) {
        if (i % PER_HOME == 0) {
            part->story.seed = nv_test_next(&rng) >> 32;
            prepare(&part->story);
        }
        try_flip(part, &rng);
    }
    return 0;
}

int crash_flips(const struct crash_options *options)
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
    (void)printf("flips: %llu bits turned, %llu homes refused, %llu were as before\n",
                 (unsigned long long)crash_counts->built,
                 (unsigned long long)crash_counts->other[COUNT_REFUSED],
                 (unsigned long long)crash_counts->other[COUNT_SAME]);
    return crash_counts->failed == 0 ? 0 : 1;
}
