/* The options of a seed. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/node/nodesim.h"

static uint64_t one_of(struct ns *ns, const uint64_t *list, uint32_t count)
{
    return list[nv_test_below(&ns->rng, count)];
}

/* sometimes returns a number in [low, high] with a chance, else 0. */
static uint64_t sometimes(struct ns *ns, uint64_t ppm, uint64_t low, uint64_t high)
{
    return ns_chance(ns, ppm) ? ns_between(ns, low, high) : 0;
}

static void choose_liars(struct ns *ns)
{
    struct ns_conf *const c = &ns->conf;
    uint64_t const f = (c->validators - 1) / 3;
    if (ns_chance(ns, 350000)) {
        return;
    }
    for (uint64_t i = 0; i < f; i++) {
        c->liars |= UINT64_C(1) << nv_test_below(&ns->rng, (uint32_t)c->validators);
    }
    c->lie = ns_chance(ns, 500000) ? UINT64_C(1) << nv_test_below(&ns->rng, 12)
                                   : ns_between(ns, 1, NS_LIES_ALL);
}

static void choose_network(struct ns *ns)
{
    struct ns_conf *const c = &ns->conf;
    c->net_min_us = 1000;
    c->net_max_us = ns_between(ns, 2000, 25000);
    c->late_ppm = ns_between(ns, 8000, 50000);
    c->late_max_ms = ns_between(ns, 20, 600);
    c->loss_ppm =
        ns_chance(ns, 800000) ? ns_between(ns, 8000, 60000) : ns_between(ns, 8000, 300000);
    c->twice_ppm = ns_between(ns, 8000, 60000);
    c->cut_ms = sometimes(ns, 600000, 100, 900);
    c->flap = ns_chance(ns, 100000);
    c->reset_ms = sometimes(ns, 600000, 20, 300);
}

static void choose_crashes(struct ns *ns)
{
    struct ns_conf *const c = &ns->conf;
    c->crash_ms = sometimes(ns, 800000, 150, 1500);
    c->crash_op_ppm = sometimes(ns, 600000, 10, 400);
    c->crash_all_ms = sometimes(ns, 300000, 500, 3000);
    c->power_ppm = ns_between(ns, 0, 1000000);
    c->nap_ms = ns_chance(ns, 850000) ? ns_between(ns, 30, 700) : ns_between(ns, 1000, 3000);
    c->sync_min_us = 100;
    c->sync_max_us =
        ns_chance(ns, 850000) ? ns_between(ns, 200, 5000) : ns_between(ns, 5000, 60000);
    c->sync_fail_ppm = sometimes(ns, 500000, 100, 5000);
    c->start_fail_ppm = sometimes(ns, 500000, 1000, 300000);
    c->memory_ppm = sometimes(ns, 300000, 100, 5000);
    c->rot_ppm = sometimes(ns, 400000, 1000, 200000);
    c->wipe_ppm = sometimes(ns, 400000, 1000, 200000);
}

static void choose_node(struct ns *ns)
{
    struct ns_conf *const c = &ns->conf;
    c->job_max_us = ns_chance(ns, 850000) ? ns_between(ns, 0, 1000) : ns_between(ns, 1000, 10000);
    c->execute_max_us =
        ns_chance(ns, 850000) ? ns_between(ns, 0, 3000) : ns_between(ns, 3000, 60000);
    c->write_max_ms = ns_between(ns, 2, 300);
    c->checkpoint_ms = ns_chance(ns, 700000) ? ns_between(ns, 100, 3000) : 1000000;
    c->dirty_rows = ns_chance(ns, 300000) ? ns_between(ns, 50, 1000) : 100000;
    c->skew_ms = sometimes(ns, 400000, 10, 5000);
    c->jump_ms = c->skew_ms > 0 ? sometimes(ns, 500000, 200, 2000) : 0;
    c->mempool = ns_chance(ns, 850000) ? 2000 : ns_between(ns, 5, 60);
    c->tx_us = ns_between(ns, 4000, 30000);
    c->hostile_ppm = ns_between(ns, 0, 150000);
    c->move_ppm = ns_between(ns, 0, 100000);
}

/* choose_epochs: of 20 to 60 blocks, mostly.  In each fourth seed somebody is certain to
 * sign twice. */
static void choose_epochs(struct ns *ns)
{
    struct ns_conf *const c = &ns->conf;
    bool const punished = ns->seed % 4 == 0;
    if (!punished && ns_chance(ns, 300000)) {
        return;
    }
    c->epoch_ms = ns_between(ns, 600, 2400);
    c->candidates = ns_between(ns, 0, 2);
    c->stake_ppm = ns_between(ns, 20000, 200000);
    if (punished) {
        c->lie |= NS_LIE_VOTES;
        c->liars |=
            c->liars == 0 ? UINT64_C(1) << nv_test_below(&ns->rng, (uint32_t)c->validators) : 0u;
    }
}

/* choose_past: what nodes keep of it.  What is younger than a minute stays, so there is
 * a minute in which nothing happens. */
static void choose_past(struct ns *ns)
{
    struct ns_conf *const c = &ns->conf;
    c->segment_kib = 256;
    if (ns_chance(ns, 500000)) {
        c->gap_ms = ns_between(ns, 1000, c->safety_ms * 2 / 3);
        c->segment_kib = ns_between(ns, 18, 28) * 4;
        c->keep_blocks = ns_between(ns, 1, 30);
        c->checkpoint_ms = ns_between(ns, 100, 1500);
    }
    if (ns_chance(ns, 600000)) {
        c->snapshot_every = ns_between(ns, 10, 40);
        c->join = ns_chance(ns, 800000);
        c->lie |= c->liars != 0 && ns_chance(ns, 800000) ? NS_LIE_SNAPSHOT : 0u;
    }
    /* Who lost its votes sits out, and is one of those who may be lacking. */
    if (c->gap_ms > 0 && c->snapshot_every > 0 && c->liars == 0 && c->epoch_ms > 0 &&
        ns_chance(ns, 900000)) {
        c->lost = 1 + nv_test_below(&ns->rng, (uint32_t)c->validators);
        c->safety_ms += 2500;
    }
}

void ns_conf_choose(struct ns *ns)
{
    static const uint64_t sizes[5] = {4, 4, 4, 5, 7};
    static const uint64_t idles[3] = {200, 500, 1000};
    static const uint64_t views[3] = {64, 256, 1024};
    struct ns_conf *const c = &ns->conf;
    *c = (struct ns_conf){.validators = one_of(ns, sizes, 5)};
    c->real_keys = ns_chance(ns, 50000);
    c->bad_reporter = ns_chance(ns, 300000);
    c->delay_ms = 100;
    c->idle_ms = one_of(ns, idles, 3);
    c->views_max = one_of(ns, views, 3);
    c->safety_ms = ns_between(ns, 2500, 5000);
    c->settle_ms = 3000;
    c->live_ms = 2500;
    choose_liars(ns);
    choose_epochs(ns);
    choose_network(ns);
    choose_crashes(ns);
    choose_node(ns);
    choose_past(ns);
}

bool ns_conf_set(struct ns_conf *conf, const char *text)
{
    const char *const equal = strchr(text, '=');
    size_t const size = equal != NULL ? (size_t)(equal - text) : 0;
#define NS_OPTION_SET(name, meaning)                                                               \
    if (size == sizeof #name - 1 && memcmp(text, #name, size) == 0) {                              \
        conf->name = strtoull(equal + 1, NULL, 0);                                                 \
        return true;                                                                               \
    }
    NS_OPTIONS(NS_OPTION_SET)
#undef NS_OPTION_SET
    return false;
}

void ns_conf_print(const struct ns *ns)
{
    printf("seed %" PRIu64 ":", ns->seed);
#define NS_OPTION_PRINT(name, meaning) printf(" " #name "=%" PRIu64, ns->conf.name);
    NS_OPTIONS(NS_OPTION_PRINT)
#undef NS_OPTION_PRINT
    printf("\n");
}
