#include "vm/oracle/oracle.h"

#include "base/assert.h"
#include "base/int.h"
#include "base/sort.h"

#include "vm/oracle/mark.h"
#include "vm/params.h"

#include "base/pure.h"

/* A fresh report with its weight; the key of a median is `value`. */
struct weighed {
    int64_t value;
    int64_t price;
    int64_t confidence;
    uint64_t stake;
};

struct quorum {
    struct weighed *report; /* fresh ones */
    uint32_t count;
    uint64_t fresh_stake;
    uint64_t total_stake;
};

static uint32_t reporter_of(const struct vm_exec *x, uint32_t account)
{
    uint64_t const id = vm_account(x->state, account)->id;
    uint32_t const count = vm_reporter_count(x->state);
    for (uint32_t i = 0; i < count; i++) {
        if (vm_reporter(x->state, i)->account == id) {
            return i;
        }
    }
    return VM_NONE;
}

/* SPEC oracle 1: "A report that does not count changes nothing and has a code in its receipt." */
static uint16_t judge(const struct vm_exec *x, const struct vm_act *act, uint32_t reporter)
{
    const struct vm_report *const report = &act->action->report;
    uint64_t const now = x->block->time_ms;
    if (reporter == VM_NONE) {
        return VM_REJECT_NOT_REPORTER;
    }
    if (report->feed >= vm_feed_count(x->state)) {
        return VM_REJECT_FEED_UNKNOWN;
    }
    if (vm_money_raw(report->price) < 1 || vm_money_raw(report->confidence) < 0) {
        return VM_REJECT_FIELD_RANGE;
    }
    uint64_t const last = vm_report(x->state, report->feed, reporter)->time_ms;
    uint64_t const ahead = (uint64_t)vm_param(x->state, VM_PARAM_REPORT_FUTURE);
    uint64_t const fresh = (uint64_t)vm_param(x->state, VM_PARAM_REPORT_FRESH);
    bool const late = report->time_ms + fresh < now || report->time_ms <= last;
    return late || report->time_ms > now + ahead ? VM_REJECT_REPORT_TIME : VM_OK;
}

/* supersedes makes the outcome independent of the order of reports. */
static bool supersedes(const struct vm_report *report, const struct vm_report_row *row)
{
    if (report->time_ms != row->time_ms) {
        return report->time_ms > row->time_ms;
    }
    return vm_money_raw(report->price) > vm_money_raw(row->price);
}

static void take_reports(struct vm_exec *x)
{
    for (uint32_t i = 0; i < x->act_count; i++) {
        struct vm_act *const act = &x->acts[i];
        if (act->kind == VM_ACTION_REPORT) {
            act->outcome.code = judge(x, act, reporter_of(x, act->account));
        }
    }
    for (uint32_t i = 0; i < x->act_count; i++) {
        const struct vm_act *const act = &x->acts[i];
        if (act->kind != VM_ACTION_REPORT || act->outcome.code != VM_OK) {
            continue;
        }
        const struct vm_report *const report = &act->action->report;
        uint32_t const reporter = reporter_of(x, act->account);
        if (supersedes(report, vm_report(x->state, report->feed, reporter))) {
            *vm_report_mut(x->state, report->feed, reporter) = (struct vm_report_row){
                .price = report->price,
                .confidence = report->confidence,
                .time_ms = report->time_ms,
            };
        }
    }
}

static struct quorum gather(const struct vm_exec *x, uint32_t feed)
{
    uint32_t const count = vm_reporter_count(x->state);
    uint64_t const now = x->block->time_ms;
    uint64_t const age_max = (uint64_t)vm_param(x->state, VM_PARAM_REPORT_FRESH);
    struct quorum q = {.report = NV_ARENA_NEW(x->arena, struct weighed, count)};
    for (uint32_t i = 0; i < count; i++) {
        uint64_t const stake = vm_reporter(x->state, i)->stake;
        const struct vm_report_row *const row = vm_report(x->state, feed, i);
        q.total_stake += stake;
        if (row->time_ms != 0 && row->time_ms + age_max >= now) {
            q.fresh_stake += stake;
            q.report[q.count] = (struct weighed){.value = vm_money_raw(row->price),
                                                 .price = vm_money_raw(row->price),
                                                 .confidence = vm_money_raw(row->confidence),
                                                 .stake = stake};
            q.count++;
        }
    }
    return q;
}

static int weighed_cmp(const void *a, const void *b)
{
    const struct weighed *const left = a;
    const struct weighed *const right = b;
    return left->value < right->value ? -1 : left->value > right->value;
}

/* median returns the least value such that the stake up to it is at least
 * half of the fresh stake. */
static int64_t median(struct vm_exec *x, struct quorum *q)
{
    void *const scratch = NV_ARENA_NEW(x->arena, struct weighed, q->count);
    nv_sort(q->report, q->count, sizeof q->report[0], weighed_cmp, scratch);
    uint64_t below = 0;
    for (uint32_t i = 0; i < q->count; i++) {
        below += q->report[i].stake;
        if (2 * (nv_u128)below >= q->fresh_stake) {
            return q->report[i].value;
        }
    }
    NV_ASSERT(q->count == 0);
    return 0;
}

static int64_t deviation(struct vm_exec *x, struct quorum *q, int64_t middle)
{
    for (uint32_t i = 0; i < q->count; i++) {
        struct weighed *const w = &q->report[i];
        nv_i128 const away =
            w->price > middle ? (nv_i128)w->price - middle : (nv_i128)middle - w->price;
        nv_i128 const sum = away + w->confidence;
        w->value = sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
    }
    return median(x, q);
}

/* more_than_two_thirds: 3 part > 2 whole. */
static bool more_than_two_thirds(uint64_t part, uint64_t whole)
{
    return 3 * (nv_u128)part > 2 * (nv_u128)whole;
}

/* SPEC oracle 2: "otherwise m is replaced by i + s or i - s" */
static int64_t
stepped(const struct vm_exec *x, const struct quorum *q, int64_t index, int64_t middle)
{
    int64_t const share = vm_param(x->state, VM_PARAM_INDEX_STEP);
    nv_i128 const step = (nv_i128)index * share / VM_RATIO_ONE_PPB;
    nv_i128 const high = index + step;
    nv_i128 const low = index - step;
    if (index == 0 || (middle <= high && middle >= low)) {
        return middle;
    }
    uint64_t beyond = 0;
    for (uint32_t i = 0; i < q->count; i++) {
        int64_t const price = q->report[i].price;
        bool const agrees = middle > index ? price > high : price < low;
        beyond += agrees ? q->report[i].stake : 0;
    }
    if (more_than_two_thirds(beyond, q->total_stake)) {
        return middle;
    }
    return middle > index ? nv_narrow_i64(high) : nv_narrow_i64(low);
}

static void emit_index(struct vm_exec *x, uint32_t feed)
{
    const struct vm_feed_row *const row = &vm_feed(x->state, feed)->row;
    vm_exec_emit(x,
                 &(struct vm_event){.kind = VM_EVENT_INDEX,
                                    .index = {.feed = feed,
                                              .index = row->index,
                                              .confidence = row->confidence,
                                              .fresh = row->fresh}});
}

static void lose(struct vm_exec *x, uint32_t feed)
{
    const struct vm_feed_row *const old = &vm_feed(x->state, feed)->row;
    if (old->fresh == 0 && old->lost_ms != 0) {
        return;
    }
    struct vm_feed_row *const row = &vm_feed_mut(x->state, feed)->row;
    row->fresh = 0;
    row->lost_ms = x->block->time_ms;
    emit_index(x, feed);
}

static void update_feed(struct vm_exec *x, uint32_t feed)
{
    struct quorum q = gather(x, feed);
    if (!more_than_two_thirds(q.fresh_stake, q.total_stake)) {
        lose(x, feed);
        return;
    }
    const struct vm_feed_row *const old = &vm_feed(x->state, feed)->row;
    int64_t const index = vm_money_raw(old->index);
    int64_t const middle = median(x, &q);
    int64_t const confidence = deviation(x, &q, middle);
    int64_t const next = stepped(x, &q, index, middle);
    bool const told = next != index || old->fresh == 0;
    struct vm_feed_row *const row = &vm_feed_mut(x->state, feed)->row;
    row->index = vm_money(next);
    row->confidence = vm_money(confidence);
    row->index_ms = x->block->time_ms;
    row->quorum_height = x->block->height;
    row->fresh = 1;
    row->lost_ms = 0;
    if (told) {
        emit_index(x, feed);
    }
}

/* SPEC oracle 5: "A market whose feed has not been fresh for QUARANTINE_LOST is quarantined." */
static void quarantine_lost(struct vm_exec *x, uint32_t market)
{
    const struct vm_market *const m = vm_market(x->state, market);
    const struct vm_feed_row *const feed = &vm_feed(x->state, m->listing.feed)->row;
    uint64_t const limit = (uint64_t)vm_param(x->state, VM_PARAM_QUARANTINE_LOST);
    if (m->row.status == VM_MARKET_OPEN && feed->fresh == 0 && feed->lost_ms != 0 &&
        x->block->time_ms - feed->lost_ms >= limit) {
        vm_exec_quarantine(x, market, VM_QUARANTINE_PRICE);
    }
}

void vm_oracle_open(struct vm_exec *x)
{
    take_reports(x);
    uint32_t const feeds = vm_feed_count(x->state);
    for (uint32_t i = 0; i < feeds; i++) {
        update_feed(x, i);
    }
    uint32_t const markets = vm_market_count(x->state);
    for (uint32_t i = 0; i < markets; i++) {
        quarantine_lost(x, i);
        vm_oracle_mark(x, i);
    }
}
