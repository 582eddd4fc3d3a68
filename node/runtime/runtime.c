#include "node/runtime/runtime.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/log.h"

#include "node/runtime/internal.h"
#include "node/sync/message.h"

#define BEAT_MS          50u
#define MESSAGES_AT_ONCE 256u                  /* a tick takes from an inbox */
#define LIGHT_A_TICK     24u                   /* signature checks a tick does itself */
#define STOP_NS          UINT64_C(10000000000) /* a clean end may take so long */
#define RATE_NS          UINT64_C(1000000000)

/* ---- callbacks: they note and return ---- */

static void on_wake(uv_async_t *wake)
{
    (void)wake; /* the tick follows */
}

static void wake_loop(void *ctx)
{
    struct node *const n = ctx;
    (void)uv_async_send(&n->wake);
}

static void on_spin(uv_idle_t *spin)
{
    (void)spin; /* keeps the loop from waiting */
}

static void on_beat(uv_timer_t *beat)
{
    struct node *const n = beat->data;
    n->beat_due = true;
}

/* ---- ending ---- */

static void on_part_closed(void *ctx)
{
    struct node *const n = ctx;
    n->closing--;
}

static void close_handles(struct node *n)
{
    uv_close((uv_handle_t *)&n->wake, NULL);
    uv_close((uv_handle_t *)&n->check, NULL);
    uv_close((uv_handle_t *)&n->spin, NULL);
    uv_close((uv_handle_t *)&n->timer, NULL);
    uv_close((uv_handle_t *)&n->beat, NULL);
    uv_close((uv_handle_t *)&n->sigint, NULL);
    uv_close((uv_handle_t *)&n->sigterm, NULL);
}

/* forced returns whether the end does not wait for what could still be done. */
static bool forced(const struct node *n)
{
    return n->code != 0 || uv_hrtime() - n->stopping_ns > STOP_NS;
}

/* settled returns whether a clean end has nothing more to wait for. */
static bool settled(const struct node *n)
{
    if (forced(n)) {
        return n->work_count == 0;
    }
    return n->work_count == 0 && n->pending_count == 0 && n->done_count == 0 &&
           n->executing_count == 0 && node_store_quiet(&n->store) && node_sharing_quiet(n) &&
           n->store.first_result == NULL && n->store.checkpoint_height == n->head.height;
}

/* end_step goes from wanting to stop to an empty loop. */
static void end_step(struct node *n)
{
    if (!n->parts_closed && settled(n)) {
        if (n->code == 0 && forced(n)) {
            nv_log(NV_LOG_WARN, "event=stop_cut_short height=%" NV_U64, n->head.height);
        }
        n->parts_closed = true;
        n->closing = 2;
        rpc_close(n->rpc, on_part_closed, n);
        p2p_close(n->p2p, on_part_closed, n);
    } else if (n->parts_closed && n->closing == 0 && !n->ended &&
               (n->executing_count == 0 || forced(n))) {
        n->ended = true;
        close_handles(n);
    }
}

/* ---- the tick ---- */

static void on_job(struct node *n, struct rpc_job *job)
{
    if (!node_sharing_job(n, job)) {
        rpc_job_done(n->rpc, job);
    }
}

static void take_mail(struct node *n)
{
    struct node_mail *mail = NULL;
    while ((mail = node_mailbox_try(&n->mail)) != NULL) {
        switch ((enum node_mail_kind)mail->kind) {
        case NODE_MAIL_RESULT: node_executed(n, (struct node_result *)mail); break;
        case NODE_MAIL_JOB: on_job(n, node_executor_take(n->executor, mail)); break;
        case NODE_MAIL_FROZEN: node_disk_frozen(n, (struct node_checkpoint *)mail); break;
        case NODE_MAIL_CHECKPOINTED: node_disk_written(n, (struct node_checkpoint *)mail); break;
        case NODE_MAIL_BATCH: node_disk_back(n, (struct node_batch *)mail); break;
        case NODE_MAIL_SNAPSHOT: node_sharing_made(n, mail); break;
        case NODE_MAIL_PAGE: node_rpc_page(n, (struct node_page *)mail); break;
        case NODE_MAIL_FAILED:
            node_fail(n,
                      NODE_EXIT_FAILED,
                      "raise limits.state_rows, or give it more memory",
                      "there is no memory for more rows of state");
            break;
        }
    }
}

static void take_jobs(struct node *n)
{
    for (uint32_t i = 0; i < n->done_count; i++) {
        replica_job_done(n->replica, node_now(), n->done[i]);
    }
    n->done_count = 0;
}

/* settle performs what the replica asks for, and what comes of light jobs. */
static void settle(struct node *n)
{
    node_perform(n);
    while (n->done_count > 0) {
        take_jobs(n);
        node_perform(n);
    }
}

static void take_link(struct node *n, const struct node_inbox_item *item)
{
    struct nv_pubkey key;
    NV_ASSERT(item->bytes.size == sizeof key.bytes);
    memcpy(key.bytes, item->bytes.bytes, sizeof key.bytes);
    replica_link(n->replica, node_now(), item->peer, &key, item->type == 1);
}

static void take_item(struct node *n, const struct node_inbox_item *item)
{
    switch ((enum node_item)item->kind) {
    case NODE_ITEM_MESSAGE:
        n->messages_in++;
        if (sync_is_type(item->type)) {
            node_sharing_message(n, item);
            break;
        }
        node_join_hint(n, item);
        replica_message(n->replica, node_now(), item->peer, (uint8_t)item->type, item->bytes);
        break;
    case NODE_ITEM_LINK: take_link(n, item); break;
    case NODE_ITEM_TX: replica_submit(n->replica, item->peer, item->ticket, item->bytes); break;
    }
}

/* take_next takes an item out of an inbox, if the replica has room for it. */
static bool take_next(struct node *n, enum node_lane lane, struct node_inbox_item *item)
{
    return !replica_pressed(n->replica) && n->pending_count < NODE_JOBS_PENDING_MAX / 2 &&
           node_inbox_take(&n->inbox[lane], item);
}

/* take_txs feeds the replica with transactions; false when something is left. */
static bool take_txs(struct node *n)
{
    struct node_inbox_item item;
    uint32_t left = MESSAGES_AT_ONCE;
    while (left > 0 && take_next(n, NODE_LANE_TXS, &item)) {
        take_item(n, &item);
        left--;
    }
    return left > 0;
}

/* take_messages feeds the replica from an inbox; false when something is left. */
static bool take_messages(struct node *n, enum node_lane lane)
{
    struct node_inbox_item item;
    uint32_t left = MESSAGES_AT_ONCE;
    while (left > 0 && take_next(n, lane, &item)) {
        if (item.kind == NODE_ITEM_MESSAGE && item.type == CS_MSG_BODY_CHUNK &&
            !node_inbox_empty(&n->inbox[NODE_LANE_TXS])) {
            (void)take_txs(n); /* what the body holds came before it: it is checked once */
            settle(n);
        }
        take_item(n, &item);
        settle(n); /* what a quorum makes needless is not checked any more */
        left--;
    }
    return left > 0;
}

/* take_inboxes feeds the replica; false when something is left: what comes first is
 * first drained. */
static bool take_inboxes(struct node *n)
{
    return take_messages(n, NODE_LANE_VOTES) && take_messages(n, NODE_LANE_BULK) && take_txs(n);
}

static void measure(struct node *n, uint64_t now_ns)
{
    if (now_ns - n->rate_at_ns >= RATE_NS) {
        uint64_t const blocks = n->head.height - n->rate_height;
        n->rate = (uint32_t)(blocks * RATE_NS / (now_ns - n->rate_at_ns));
        n->rate_height = n->head.height;
        n->rate_at_ns = now_ns;
    }
}

static void drive(struct node *n)
{
    bool const pressed = replica_pressed(n->replica);
    n->light_left = LIGHT_A_TICK;
    take_jobs(n);
    if (n->timer_due && uv_hrtime() < n->timer_ns) {
        node_set_timer(n);
    } else if (n->timer_due && !pressed) {
        n->timer_due = false;
        replica_timer(n->replica, node_now());
    }
    bool const drained = n->stopping || take_inboxes(n);
    settle(n);
    node_workers_fill(n);
    if (n->held_back && drained && !pressed) {
        n->held_back = false;
        p2p_resume(n->p2p);
    }
    if (drained) {
        (void)uv_idle_stop(&n->spin);
    } else {
        (void)uv_idle_start(&n->spin, on_spin);
    }
}

static void on_check(uv_check_t *check)
{
    struct node *const n = check->data;
    if (n->ended) {
        return;
    }
    take_mail(n);
    if (n->beat_due) {
        uint64_t const now_ns = uv_hrtime();
        n->beat_due = false;
        measure(n, now_ns);
        if (n->code == 0 && !n->parts_closed) {
            node_disk_beat(n, now_ns);
            node_sharing_beat(n);
        }
    }
    if (!n->parts_closed && n->code == 0) {
        drive(n);
    } else {
        take_jobs(n);
    }
    if (n->stopping) {
        end_step(n);
    }
}

/* ---- running ---- */

static void open_loop(struct node *n)
{
    int result = uv_loop_init(&n->loop);
    n->wake.data = n->check.data = n->spin.data = n->timer.data = n->beat.data = n;
    n->sigint.data = n->sigterm.data = n;
    result |= uv_async_init(&n->loop, &n->wake, on_wake);
    result |= uv_check_init(&n->loop, &n->check);
    result |= uv_idle_init(&n->loop, &n->spin);
    result |= uv_timer_init(&n->loop, &n->timer);
    result |= uv_timer_init(&n->loop, &n->beat);
    result |= uv_signal_init(&n->loop, &n->sigint);
    result |= uv_signal_init(&n->loop, &n->sigterm);
    NV_ASSERT(result == 0);
    node_mailbox_init(&n->mail, wake_loop, n);
}

static void start_loop(struct node *n)
{
    int result = uv_check_start(&n->check, on_check);
    result |= uv_timer_start(&n->beat, on_beat, BEAT_MS, BEAT_MS);
    NV_ASSERT(result == 0);
    node_watch_signals(n);
}

static void set_log_level(const struct node_config *config, struct node_fault *fault)
{
    static const struct {
        const char *name;
        enum nv_log_level level;
    } levels[] = {
        {"debug", NV_LOG_DEBUG},
        {"info", NV_LOG_INFO},
        {"warn", NV_LOG_WARN},
        {"error", NV_LOG_ERROR},
    };
    const char *const text = node_config_text(config, NODE_NODE_LOG);
    for (uint32_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(levels[i].name, text) == 0) {
            nv_log_set_level(levels[i].level);
            return;
        }
    }
    node_fault_set(fault,
                   NODE_EXIT_CONFIG,
                   "take debug, info, warn or error",
                   "node.log is \"%s\", which is no level",
                   text);
}

static void run_loop(struct node *n)
{
    start_loop(n);
    replica_start(n->replica, node_now());
    uint32_t const me = replica_summary(n->replica).me;
    nv_log(NV_LOG_INFO,
           "event=started height=%" NV_U64 " validator=%d p2p_port=%u rpc_port=%u",
           n->head.height,
           me == CS_NOBODY ? -1 : (int)me,
           (unsigned)p2p_listen_port(n->p2p),
           (unsigned)rpc_listen_port(n->rpc));
    (void)uv_run(&n->loop, UV_RUN_DEFAULT);
    nv_log(NV_LOG_INFO, "event=stopped height=%" NV_U64 " code=%d", n->head.height, n->code);
}

/* run_once runs a node to its end, and returns its exit code; `*join` says
 * whether it is to fetch a snapshot first, and whether it is to be run again so. */
static int run_once(struct node_config *config, struct node_fault *fault, bool *join)
{
    struct node *const n = nv_heap_alloc(sizeof *n);
    if (n == NULL) {
        node_fault_set(fault, NODE_EXIT_FAILED, NULL, "there is no memory to start with");
        return NODE_EXIT_FAILED;
    }
    n->config = config;
    n->fault = fault;
    n->rejoin = *join;
    set_log_level(config, fault);
    open_loop(n);
    if (!node_fault_is(fault) && node_open(n)) {
        run_loop(n);
    } else {
        n->code = (int)fault->code;
        node_abandon(n);
        close_handles(n);
        (void)uv_run(&n->loop, UV_RUN_DEFAULT);
    }
    node_close_parts(n);
    int const code = n->code;
    int const result = uv_loop_close(&n->loop);
    NV_ASSERT(result == 0);
    *join = n->rejoins && code == NODE_EXIT_OK;
    nv_heap_free(n);
    return code;
}

int node_run(struct node_config *config, struct node_fault *fault)
{
    struct sigaction const ignore = {.sa_handler = SIG_IGN};
    /* A file at its limit of size is an error of the write, and ends the node in order. */
    int const result = sigaction(SIGXFSZ, &ignore, NULL);
    NV_ASSERT(result == 0);
    bool join = false;
    int code = NODE_EXIT_OK;
    do {
        code = run_once(config, fault, &join);
    } while (join);
    return code;
}

bool node_check(struct node_config *config, struct node_fault *fault)
{
    static struct node_home home;
    bool const ok = node_home_read(&home, config, fault);
    node_home_close(&home);
    return ok;
}
