#include "tests/crash/story.h"

#include <string.h>

#define GO_ON_BLOCKS 2u

/* What a child is told. */
struct order {
    const struct story *story;
    const struct story_life *life;
};

void story_open(struct story *story, const char *name)
{
    memset(story, 0, sizeof *story);
    crash_folder(story->home, name);
    story->image = image_new();
}

void story_begin(struct story *story)
{
    struct image *const empty = image_new();
    image_write(empty, story->home);
    image_free(empty);
    rig_make(story->home);
    story->witness.count = 0;
    story->told_before = 0;
}

/* ---- a life ---- */

static void to_trace(const struct witness_mark *mark)
{
    trace_mark(mark, sizeof *mark);
}

static int live(void *ctx)
{
    const struct order *const order = ctx;
    static struct rig rig;
    witness_to(to_trace);
    trace_begin(order->story->home);
    trace_die(order->life->die_kind, order->life->die_at);
    trace_fail(order->life->fault);
    bool const ok = rig_open(&rig, order->story->home, order->story->seed) &&
                    rig_run(&rig, order->life->blocks);
    rig_close(&rig);
    bool const spared = order->life->fault != NULL && !trace_failed();
    trace_fail(NULL);
    if (!ok && (order->life->fault == NULL || spared)) {
        (void)node_fault_print(&rig.fault);
    }
    return !ok ? 1 : spared ? STORY_NO_FAULT : 0;
}

int story_live(struct story *story, const struct story_life *life)
{
    struct order order = {story, life};
    return crash_wait(crash_fork(live, &order));
}

bool story_hear(struct story *story)
{
    struct trace_op op;
    for (uint64_t at = 0; trace_next(&at, &op);) {
        struct witness_mark mark;
        if (op.kind != TRACE_MARK) {
            continue;
        }
        memcpy(&mark, op.bytes.bytes, sizeof mark);
        if (!witness_add(&story->witness, &mark)) {
            return false;
        }
    }
    return true;
}

/* ---- the life after ---- */

static struct witness heard;
static bool contradicted;

static void to_heard(const struct witness_mark *mark)
{
    contradicted = !witness_add(&heard, mark) || contradicted;
}

/* run_on runs a rig that was opened, and opens what it leaves. */
static const char *run_on(struct rig *rig, const struct story *story, const char *folder)
{
    contradicted = false;
    witness_to(to_heard);
    bool const ran = rig_run(rig, GO_ON_BLOCKS);
    witness_to(NULL);
    if (!ran) {
        return "it does not go on";
    }
    if (contradicted) {
        return "it contradicts what it has told";
    }
    rig_close(rig);
    crash_count(&crash_counts->went_on);
    if (!rig_open(rig, folder, story->seed)) {
        return "it does not open a second time";
    }
    return witness_check(&heard, heard.count, rig);
}

const char *story_check(const struct story *story,
                        uint32_t told,
                        const char *folder,
                        bool go_on,
                        struct node_fault *fault)
{
    static struct rig rig;
    const char *why = "it does not open";
    if (rig_open(&rig, folder, story->seed)) {
        why = witness_check(&story->witness, told, &rig);
        if (why == NULL && go_on) {
            memcpy(&heard, &story->witness, sizeof heard);
            heard.count = told;
            why = run_on(&rig, story, folder);
        }
    }
    rig_close(&rig);
    *fault = rig.fault;
    return why;
}
