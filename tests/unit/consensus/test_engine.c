/* Goal: engines agree, and each effect comes in the order that the durability
 * rule demands.
 * Method: a few engines in one process, messages delivered in order and at
 * once; time moves only when no message is under way.  The whole truth is the
 * simulator's business (tests/sim). */

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#include "consensus/consensus.h"
#include "tests/lib/block_shelf.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

#define NODES_MAX   5u
#define OBSERVER    4u /* has no key; its peer number is CS_PEER_OTHER */
#define MAIL_MAX    4096u
#define JOURNAL_MAX (1u << 20)
#define HEIGHTS_MAX 512u

struct mail {
    uint32_t from;
    uint32_t to;
    uint8_t type;
    uint32_t size;
    uint8_t *bytes;
};

struct node {
    void *memory;
    struct cs *cs;
    uint64_t timer_ns;
    uint8_t journal[JOURNAL_MAX];
    uint32_t journal_size;
    struct shelf shelf;
    struct nv_hash chain[HEIGHTS_MAX]; /* executed, by height */
    uint64_t height;
    uint32_t evidence;
    uint32_t halted;
    bool work;
};

static struct cs_net net;
static struct node nodes[NODES_MAX];
static uint32_t node_count;
static struct mail mails[MAIL_MAX];
static uint32_t mail_first;
static uint32_t mail_last;
static uint64_t now_ns;
static struct cs_effects effects;
static struct nv_arena effects_arena;
static uint32_t votes_sent_early;
static uint64_t height_pause; /* no mail is delivered at this height */
static bool timers_early;     /* every timer is called once too soon */
static uint64_t fast_ms;      /* how far the clock of node 0 leads the others' */

static struct nv_hash root_after(uint64_t height)
{
    return cs_build_hash(5000 + height);
}

static struct cs_config config_of(uint32_t me)
{
    struct cs_config config = {
        .chain_id = net.chain_id,
        .genesis_root = root_after(0),
        .params_hash = cs_build_hash(3),
        .genesis_time_ms = 1000000,
        .valset = &net.set,
        .delay_ns = 50000000,
        .margin_ns = 20000000,
        .idle_ms = 1000,
        .ahead_ms = 500,
        .behind_ms = 2000,
        .body_size_max = CS_BODY_SIZE_MAX,
        .listen_ns = 100000000,
        .status_ns = 5000000000,
        .views_max = 64,
    };
    if (me != CS_NOBODY) {
        config.seckey = net.seckey[me];
    } else {
        config.follow_ns = 500000000;
    }
    return config;
}

static void mail_put(uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    assert_true(mail_last < MAIL_MAX);
    struct mail *const mail = &mails[mail_last++];
    *mail = (struct mail){.from = from, .to = to, .type = type, .size = bytes.size};
    mail->bytes = malloc(bytes.size);
    assert_non_null(mail->bytes);
    memcpy(mail->bytes, bytes.bytes, bytes.size);
}

static void step(uint32_t me, struct cs_event event);

static void answer(uint32_t me, const struct cs_effect *effect, struct cs_event *reply)
{
    struct node *const node = &nodes[me];
    memset(reply, 0, sizeof *reply);
    if (effect->kind == CS_FX_BUILD) {
        reply->kind = CS_EV_BUILT;
        reply->built.view = effect->build.view;
        reply->built.body_size = 100;
        reply->built.tx_count = 1;
        reply->built.body_root = cs_build_hash(effect->build.view);
    } else if (effect->kind == CS_FX_NEED_BODY) {
        reply->kind = CS_EV_BODY;
        reply->body.block_hash = effect->body.block_hash;
        reply->body.verdict = CS_BODY_VALID;
    } else if (effect->kind == CS_FX_EXECUTE) {
        assert_int_equal(effect->execute.header->height, node->height + 1);
        node->height++;
        node->chain[node->height] = effect->execute.block_hash;
        reply->kind = CS_EV_EXECUTED;
        reply->executed.height = node->height;
        reply->executed.root = root_after(node->height);
    }
}

static void persist(struct node *node, struct nv_view records)
{
    struct nv_reader r;
    assert_true(node->journal_size + records.size <= JOURNAL_MAX);
    memcpy(node->journal + node->journal_size, records.bytes, records.size);
    node->journal_size += records.size;
    nv_reader_init(&r, records);
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        assert_int_equal(cs_record_get(&r, &record), NV_OK);
        shelf_add(&node->shelf, &record);
    }
}

/* vote_durable returns whether the journal holds the signature of a vote or
 * proposal. */
static bool vote_durable(const struct node *node, const struct cs_effect *effect)
{
    uint32_t const at = effect->send.type == CS_MSG_VOTE ? CS_VOTE_SIZE - 64 : 25 + CS_HEADER_SIZE;
    for (uint32_t i = 0; i + 64 <= node->journal_size; i++) {
        if (memcmp(node->journal + i, effect->send.bytes.bytes + at, 64) == 0) {
            return true;
        }
    }
    return false;
}

static void broadcast(uint32_t me, const struct cs_effect *effect)
{
    bool const vote = effect->send.type == CS_MSG_VOTE || effect->send.type == CS_MSG_PROPOSAL;
    votes_sent_early += vote && !vote_durable(&nodes[me], effect) ? 1 : 0;
    for (uint32_t to = 0; to < net.set.count; to++) {
        if (to != me) {
            mail_put(me, to, (uint8_t)effect->send.type, effect->send.bytes);
        }
    }
}

/* perform does the effects of a step and returns the answers it must give. */
static uint32_t perform(uint32_t me, struct cs_event *replies)
{
    struct node *const node = &nodes[me];
    uint32_t count = 0;
    for (uint32_t i = 0; i < effects.count; i++) {
        const struct cs_effect *const effect = &effects.list[i];
        if (effect->kind == CS_FX_PERSIST) {
            persist(node, effect->persist.records);
        } else if (effect->kind == CS_FX_SEND) {
            uint32_t const to = effect->send.peer == CS_PEER_OTHER ? OBSERVER : effect->send.peer;
            mail_put(me, to, (uint8_t)effect->send.type, effect->send.bytes);
        } else if (effect->kind == CS_FX_BROADCAST) {
            broadcast(me, effect);
        } else if (effect->kind == CS_FX_SET_TIMER) {
            node->timer_ns = effect->timer.at_ns;
        } else if (effect->kind == CS_FX_EVIDENCE) {
            node->evidence++;
        } else if (effect->kind == CS_FX_HALT) {
            node->halted = (uint32_t)effect->halt.code;
        } else if (effect->kind == CS_FX_BUILD || effect->kind == CS_FX_NEED_BODY ||
                   effect->kind == CS_FX_EXECUTE) {
            answer(me, effect, &replies[count++]);
        }
    }
    return count;
}

static void step(uint32_t me, struct cs_event event)
{
    struct cs_event replies[CS_EFFECTS_MAX];
    event.now_ns = now_ns;
    event.wall_ms = 1000000 + now_ns / 1000000 + (me == 0 ? fast_ms : 0);
    cs_step(nodes[me].cs, &event, &effects);
    uint32_t const count = perform(me, replies);
    for (uint32_t i = 0; i < count; i++) {
        step(me, replies[i]);
    }
}

static void deliver(const struct mail *mail)
{
    struct cs_message message;
    if (nodes[mail->to].cs == NULL) {
        return;
    }
    assert_int_equal(cs_message_decode(&message, mail->type, nv_view_of(mail->bytes, mail->size)),
                     NV_OK);
    if (message.type == CS_MSG_BLOCK_REQUEST) {
        static uint8_t bytes[CS_MESSAGE_SIZE_MAX];
        struct nv_writer w;
        nv_writer_init(&w, bytes, sizeof bytes);
        if (shelf_answer(&nodes[mail->to].shelf, &w, &message.block_request)) {
            mail_put(mail->to, mail->from, CS_MSG_BLOCK_RESPONSE, nv_writer_view(&w));
        }
        return;
    }
    uint32_t const from = mail->from == OBSERVER ? CS_PEER_OTHER : mail->from;
    struct cs_plan const plan = cs_admit(nodes[mail->to].cs, from, &message);
    if (!plan.wanted) {
        return;
    }
    assert_true(cs_message_check(&message, &plan, &net.chain_id, &net.set));
    step(mail->to,
         (struct cs_event){.kind = CS_EV_MESSAGE,
                           .message = {.from = from, .message = &message, .plan = &plan}});
}

static void mails_deliver(void)
{
    while (mail_first < mail_last && nodes[0].height < height_pause) {
        struct mail *const mail = &mails[mail_first++];
        deliver(mail);
        free(mail->bytes);
        if (mail_first > MAIL_MAX / 2) { /* make room in front */
            memmove(mails, mails + mail_first, (mail_last - mail_first) * sizeof *mails);
            mail_last -= mail_first;
            mail_first = 0;
        }
    }
}

/* run_until moves time from timer to timer. */
static void run_until(uint64_t until_ns)
{
    mails_deliver();
    for (;;) {
        uint64_t next = UINT64_MAX;
        uint32_t who = 0;
        for (uint32_t i = 0; i < node_count; i++) {
            if (nodes[i].cs != NULL && nodes[i].timer_ns < next) {
                next = nodes[i].timer_ns;
                who = i;
            }
        }
        if (next > until_ns) {
            now_ns = until_ns;
            return;
        }
        bool const early = timers_early && next > now_ns + 1000000;
        now_ns = early ? next - 1000000 : next > now_ns ? next : now_ns;
        nodes[who].timer_ns = UINT64_MAX;
        step(who, (struct cs_event){.kind = CS_EV_TIMER});
        mails_deliver();
    }
}

static void node_new(uint32_t me, uint32_t identity)
{
    struct nv_arena arena;
    struct cs_config const config = config_of(identity);
    size_t const size = cs_memory(&config);
    free(nodes[me].memory);
    nodes[me].memory = calloc(1, size);
    assert_non_null(nodes[me].memory);
    nv_arena_init_zeroed(&arena, nodes[me].memory, size);
    nodes[me].cs = cs_new(&arena, &config);
    nodes[me].timer_ns = UINT64_MAX;
}

static void nodes_start(uint32_t count)
{
    cs_net_init(&net, NULL, count);
    node_count = count;
    now_ns = 0;
    votes_sent_early = 0;
    height_pause = UINT64_MAX;
    mail_first = 0;
    mail_last = 0;
    for (uint32_t i = 0; i < count; i++) {
        nodes[i].journal_size = 0;
        shelf_drop(&nodes[i].shelf);
        nodes[i].height = 0;
        nodes[i].evidence = 0;
        nodes[i].halted = 0;
        node_new(i, i);
        step(i, (struct cs_event){.kind = CS_EV_START});
    }
}

static void node_restart(uint32_t me)
{
    struct nv_reader r;
    node_new(me, me);
    nv_reader_init(&r, nv_view_of(nodes[me].journal, nodes[me].journal_size));
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        uint32_t const at = r.at;
        assert_int_equal(cs_record_get(&r, &record), NV_OK);
        assert_int_equal(cs_recover(nodes[me].cs, nv_view_of(nodes[me].journal + at, r.at - at)),
                         NV_OK);
    }
    assert_int_equal(cs_summary(nodes[me].cs).final_height, nodes[me].height);
    for (uint64_t height = 0; height <= nodes[me].height; height++) {
        struct cs_event event = {.kind = CS_EV_EXECUTED};
        event.executed.height = height;
        event.executed.root = root_after(height);
        step(me, event);
    }
    step(me, (struct cs_event){.kind = CS_EV_START});
}

static void chains_agree(uint64_t least)
{
    for (uint32_t i = 0; i < node_count; i++) {
        assert_true(nodes[i].cs == NULL || nodes[i].height >= least);
        for (uint64_t height = 1; height <= least && nodes[i].cs != NULL; height++) {
            assert_true(nv_hash_eq(&nodes[i].chain[height], &nodes[0].chain[height]));
        }
        assert_int_equal(nodes[i].halted, 0);
        assert_int_equal(nodes[i].evidence, 0);
    }
    assert_int_equal(votes_sent_early, 0);
}

static int teardown(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < NODES_MAX; i++) {
        free(nodes[i].memory);
        shelf_drop(&nodes[i].shelf);
        nodes[i].memory = NULL;
        nodes[i].cs = NULL;
    }
    return 0;
}

static void idle_net_makes_a_block_a_second(void **state)
{
    (void)state;
    nodes_start(4);
    run_until(UINT64_C(10500000000));
    chains_agree(10);
    assert_int_equal(nodes[0].height, 10);
    assert_int_equal(cs_summary(nodes[0].cs).view, 11);
    assert_int_equal(cs_summary(nodes[0].cs).views_nullified, 0);
}

static void early_timers_are_harmless(void **state)
{
    (void)state;
    timers_early = true;
    nodes_start(4);
    run_until(UINT64_C(10500000000));
    timers_early = false;
    chains_agree(10);
    assert_int_equal(nodes[0].height, 10);
    assert_int_equal(cs_summary(nodes[0].cs).views_nullified, 0);
}

/* Who follows a leader with a fast clock waits for the idle time once, and not
 * for its own clock to come to the parent's time: that would be after the others'
 * timers. */
static void fast_clock_costs_nobody_else_a_view(void **state)
{
    (void)state;
    fast_ms = 499; /* its blocks are voted for at once */
    nodes_start(4);
    run_until(UINT64_C(20500000000));
    fast_ms = 0;
    chains_agree(18);
    assert_int_equal(cs_summary(nodes[0].cs).view, nodes[0].height + 1); /* no view is lost */
}

static void one_validator_is_a_net(void **state)
{
    (void)state;
    nodes_start(1);
    run_until(UINT64_C(5500000000));
    chains_agree(5);
}

static void a_block_with_transactions_is_followed_by_its_root(void **state)
{
    (void)state;
    nodes_start(4);
    run_until(UINT64_C(2200000000));
    uint64_t const before = nodes[0].height;
    uint32_t const leader = cs_leader(nodes[0].cs, cs_summary(nodes[0].cs).view);
    step(leader, (struct cs_event){.kind = CS_EV_WORK, .work = {.waiting = 1}});
    step(leader, (struct cs_event){.kind = CS_EV_WORK, .work = {.waiting = 0}});
    run_until(UINT64_C(2300000000));
    /* Soon: the block, one that carries its finality on, one that names its root. */
    assert_int_equal(nodes[0].height, before + 3);
    run_until(UINT64_C(2900000000));
    assert_int_equal(nodes[0].height, before + 3);
    chains_agree(before + 3);
}

/* SPEC consensus 12: "more transactions wait in the own mempool than the parent and its ancestors above fin hold" */
static void what_a_block_holds_is_no_work_for_the_next(void **state)
{
    (void)state;
    nodes_start(4);
    run_until(UINT64_C(2200000000));
    uint64_t const before = nodes[0].height;
    for (uint32_t i = 0; i < 4; i++) {
        step(i, (struct cs_event){.kind = CS_EV_WORK, .work = {.waiting = 2}});
    }
    mails_deliver();
    assert_int_equal(nodes[0].height, before + 2); /* each took one */
    for (uint32_t i = 0; i < 4; i++) {
        step(i, (struct cs_event){.kind = CS_EV_WORK, .work = {.waiting = 1}});
    }
    mails_deliver();
    assert_int_equal(nodes[0].height, before + 3);
    chains_agree(before + 3);
}

static void three_of_four_go_on_and_the_fourth_catches_up(void **state)
{
    (void)state;
    nodes_start(4);
    run_until(UINT64_C(2500000000));
    nodes[3].cs = NULL;
    run_until(UINT64_C(20000000000));
    uint64_t const without = nodes[0].height;
    assert_true(without > 10);
    assert_true(nodes[3].height < without);
    node_restart(3);
    run_until(UINT64_C(26000000000));
    chains_agree(without + 3);
    assert_int_equal(cs_summary(nodes[3].cs).view, cs_summary(nodes[0].cs).view);
}

static void two_of_four_stand_still_until_one_comes_back(void **state)
{
    (void)state;
    nodes_start(4);
    run_until(UINT64_C(2500000000));
    nodes[3].cs = NULL;
    nodes[2].cs = NULL;
    run_until(UINT64_C(60000000000));
    assert_true(nodes[0].height <= 4);
    node_restart(2);
    run_until(UINT64_C(90000000000));
    chains_agree(10);
}

static void all_restart_and_go_on(void **state)
{
    (void)state;
    nodes_start(4);
    for (uint32_t round = 1; round <= 5; round++) {
        run_until(round * UINT64_C(3300000000));
        for (uint32_t i = 0; i < 4; i++) {
            node_restart(i);
        }
    }
    run_until(UINT64_C(30000000000));
    chains_agree(15);
}

static void an_observer_catches_up_and_follows(void **state)
{
    (void)state;
    nodes_start(4);
    for (uint32_t i = 0; i < 4; i++) { /* some two hundred blocks, quickly */
        step(i, (struct cs_event){.kind = CS_EV_WORK, .work = {.waiting = UINT32_MAX}});
    }
    height_pause = 200;
    mails_deliver();
    height_pause = UINT64_MAX;
    for (uint32_t i = 0; i < 4; i++) {
        step(i, (struct cs_event){.kind = CS_EV_WORK, .work = {.waiting = 0}});
    }
    node_count = 5;
    nodes[OBSERVER].journal_size = 0;
    nodes[OBSERVER].height = 0;
    nodes[OBSERVER].halted = 0;
    nodes[OBSERVER].evidence = 0;
    node_new(OBSERVER, CS_NOBODY);
    step(OBSERVER, (struct cs_event){.kind = CS_EV_START});
    run_until(now_ns + UINT64_C(5000000000));
    assert_true(nodes[OBSERVER].height >= nodes[0].height - 1);
    chains_agree(200);
    run_until(now_ns + UINT64_C(10000000000));
    assert_true(nodes[OBSERVER].height >= nodes[0].height - 1);
    chains_agree(205);
}

static void foreign_journal_is_refused(void **state)
{
    (void)state;
    nodes_start(4);
    run_until(UINT64_C(3500000000));
    struct nv_reader r;
    uint32_t refused = 0;
    node_new(1, 1);
    nv_reader_init(&r, nv_view_of(nodes[0].journal, nodes[0].journal_size));
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        uint32_t const at = r.at;
        assert_int_equal(cs_record_get(&r, &record), NV_OK);
        struct nv_view const whole = nv_view_of(nodes[0].journal + at, r.at - at);
        refused += cs_recover(nodes[1].cs, whole) != NV_OK;
        assert_int_not_equal(cs_recover(nodes[1].cs, nv_view_of(whole.bytes, whole.size - 1)),
                             NV_OK);
    }
    assert_true(refused > 0); /* another validator's votes */
}

static void wrong_state_stops_the_one_that_has_it(void **state)
{
    (void)state;
    nodes_start(4);
    run_until(UINT64_C(2500000000));
    struct cs_event event = {.kind = CS_EV_EXECUTED};
    event.executed.height = nodes[2].height; /* said again, and wrongly */
    event.executed.root = cs_build_hash(666);
    step(2, event);
    run_until(UINT64_C(9500000000));
    assert_int_equal(nodes[2].halted, CS_HALT_STATE);
    assert_int_equal(nodes[0].halted, 0);
    assert_true(nodes[0].height > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(idle_net_makes_a_block_a_second, teardown),
        cmocka_unit_test_teardown(early_timers_are_harmless, teardown),
        cmocka_unit_test_teardown(fast_clock_costs_nobody_else_a_view, teardown),
        cmocka_unit_test_teardown(one_validator_is_a_net, teardown),
        cmocka_unit_test_teardown(a_block_with_transactions_is_followed_by_its_root, teardown),
        cmocka_unit_test_teardown(what_a_block_holds_is_no_work_for_the_next, teardown),
        cmocka_unit_test_teardown(three_of_four_go_on_and_the_fourth_catches_up, teardown),
        cmocka_unit_test_teardown(two_of_four_stand_still_until_one_comes_back, teardown),
        cmocka_unit_test_teardown(all_restart_and_go_on, teardown),
        cmocka_unit_test_teardown(an_observer_catches_up_and_follows, teardown),
        cmocka_unit_test_teardown(foreign_journal_is_refused, teardown),
        cmocka_unit_test_teardown(wrong_state_stops_the_one_that_has_it, teardown),
    };
    effects_arena.memory = NULL;
    void *const memory = calloc(1, CS_EFFECTS_MEMORY);
    if (memory == NULL) {
        return 1;
    }
    nv_arena_init_zeroed(&effects_arena, memory, CS_EFFECTS_MEMORY);
    cs_effects_init(&effects, &effects_arena);
    int const failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    return failed;
}
