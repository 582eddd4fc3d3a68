/* Goal: a block comes at once only if it helps: with a body, or by showing a result.
 * Method: one engine that is the whole set, so that what it proposes is final at once.  The
 * test builds its bodies, executes its blocks when it likes to, and counts them. */

#include "tests/lib/engine_one.h"
#include "tests/lib/nv_test.h"

#define DELAY_MS 100u /* D of engine_one */
#define LAG_MAX  64u  /* heights that a header with a body may be ahead of execution */

static struct engine_one one;
static uint32_t takes;      /* transactions that a body takes */
static uint64_t executed;   /* height */
static uint64_t final;      /* height */
static uint32_t full_count; /* final blocks with transactions */

/* note counts the blocks that became final in the last step. */
static void note(void)
{
    const struct cs_effect *effect = NULL;
    for (uint32_t i = 0; (effect = engine_one_effect(&one, CS_FX_EXECUTE, i)) != NULL; i++) {
        final = effect->execute.header->height;
        full_count += effect->execute.header->tx_count > 0 ? 1 : 0;
    }
}

static void answer(void)
{
    note();
    const struct cs_effect *const build = engine_one_effect(&one, CS_FX_BUILD, 0);
    if (build == NULL) {
        return;
    }
    struct cs_event event = {.kind = CS_EV_BUILT, .built = {.view = build->build.view}};
    if (takes > 0) {
        event.built.body_root = cs_build_hash(build->build.view);
        event.built.body_size = 100 * takes;
        event.built.tx_count = takes;
    }
    engine_one_step(&one, event);
    note();
}

static void pass(uint32_t span_ms)
{
    for (uint32_t i = 0; i < span_ms; i++) {
        engine_one_pass(&one, 1);
        answer();
    }
}

static void wait_for(uint32_t waiting)
{
    engine_one_step(&one, (struct cs_event){.kind = CS_EV_WORK, .work = {.waiting = waiting}});
    answer();
}

static void execute(uint64_t until)
{
    while (executed < until) {
        executed++;
        engine_one_step(&one,
                        (struct cs_event){
                            .kind = CS_EV_EXECUTED,
                            .executed = {.height = executed, .root = cs_build_hash(executed)},
                        });
        answer();
    }
}

/* quiet has all that is final executed and shown. */
static void quiet(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        pass(DELAY_MS);
        execute(final);
    }
}

static int start(void **state)
{
    (void)state;
    takes = 1;
    executed = 0;
    final = 0;
    full_count = 0;
    engine_one_init(&one, 1, 0);
    quiet();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_one_drop(&one);
    return 0;
}

/* SPEC consensus 12: "the pace falls to one in D until execution has caught up" */
static void execution_that_is_behind_slows_the_chain(void **state)
{
    (void)state;
    wait_for(1000000);
    pass(LAG_MAX + DELAY_MS / 2);
    assert_int_equal(final, executed + LAG_MAX);
    assert_int_equal(full_count, LAG_MAX);
    uint64_t const before = final;
    pass(10 * DELAY_MS);
    assert_in_range(final, before + 9, before + 10);
    assert_int_equal(full_count, LAG_MAX);
    execute(final);
    pass(10);
    assert_true(full_count >= LAG_MAX + 9);
}

/* SPEC consensus 12: "Its leader could not take them, and nor can the next one as a rule" */
static void what_nobody_can_take_is_tried_once_in_d(void **state)
{
    (void)state;
    takes = 0;
    uint64_t before = final;
    wait_for(3);
    pass(5);
    assert_int_equal(final, before + 2); /* the first view was entered before they came */
    for (uint32_t i = 0; i < 10; i++) {
        pass(DELAY_MS);
        execute(final);
    }
    assert_in_range(final, before + 11, before + 12);
    before = final;
    pass(DELAY_MS / 2);
    uint64_t const due = final;
    takes = 1;
    wait_for(4); /* a new one is taken at once */
    assert_int_equal(final, due + 1);
    assert_int_equal(full_count, 1);
    assert_true(due <= before + 1);
}

/* SPEC consensus 12: "not before a block above the parent's executed_height has been executed here" */
static void what_shows_results_waits_for_one(void **state)
{
    (void)state;
    uint64_t const before = final;
    wait_for(1);
    wait_for(0);
    pass(1);
    assert_int_equal(final, before + 1);
    pass(DELAY_MS / 2);
    assert_int_equal(final, before + 1);
    execute(final);
    pass(1);
    assert_int_equal(final, before + 2); /* it is late already */
    execute(final);
    pass(DELAY_MS / 10 + 1);
    assert_int_equal(full_count, 1);
    uint64_t const shown = final;
    assert_in_range(shown, before + 2, before + 3);
    execute(final);
    pass(DELAY_MS);
    assert_int_equal(final, before + 3); /* which names the first one's root */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(execution_that_is_behind_slows_the_chain, start, stop),
        cmocka_unit_test_setup_teardown(what_nobody_can_take_is_tried_once_in_d, start, stop),
        cmocka_unit_test_setup_teardown(what_shows_results_waits_for_one, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
