/* bench_consensus.c - what certificates cost to check, and a leader's crash to sit out. */

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"

#include "consensus/certificate.h"
#include "tools/bench/bench.h"
#include "tools/bench/load.h"
#include "tools/bench/net.h"

/* ---- certificates ---- */

#define CHECKS 20u

/* A certificate that a bare quorum of `count` equal validators has signed. */
struct signed_set {
    struct nv_hash chain_id;
    struct cs_valset set;
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct cs_certificate certificate;
};

static void sign_all(struct signed_set *s, uint32_t count)
{
    static struct nv_seckey secret[CS_VALIDATORS_MAX];
    struct cs_validator member[CS_VALIDATORS_MAX];
    struct nv_hash digest;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t seed[32];
        bench_fill(1000 + i, seed, sizeof seed);
        enum nv_err const made = nv_key_from_seed(&secret[i], &member[i].key, seed);
        NV_ASSERT(made == NV_OK);
        member[i].stake = 1;
    }
    enum nv_err const err = cs_valset_init(&s->set, member, count);
    NV_ASSERT(err == NV_OK);
    s->certificate = (struct cs_certificate){
        .ballot = {.kind = CS_NULLIFY, .epoch = 1, .view = 7},
        .sigs = s->sigs,
    };
    cs_ballot_digest(&digest, &s->chain_id, &s->certificate.ballot);
    for (uint32_t i = 0; i < 2 * count / 3 + 1; i++) {
        uint32_t who = 0;
        while (memcmp(&member[who].key, &s->set.member[i].key, sizeof member[who].key) != 0) {
            who++;
        }
        cs_bitmap_add(&s->certificate.signers, i);
        nv_sign(&s->sigs[i], &secret[who], &digest);
        s->certificate.signer_count++;
    }
}

void bench_certificate_check_us(void)
{
    static const uint32_t sizes[] = {4, 16, 64, 100};
    static struct signed_set s;
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char name[48];
        char note[96];
        sign_all(&s, sizes[i]);
        double const verify = bench_verify_s();
        double const begin = bench_cpu_s();
        for (uint32_t k = 0; k < CHECKS; k++) {
            bool const good = cs_certificate_verify(&s.certificate, &s.chain_id, &s.set, NULL);
            NV_ASSERT(good);
        }
        double const took = 1e6 * (bench_cpu_s() - begin) / CHECKS;
        double const limit = 1e6 * verify * s.certificate.signer_count;
        (void)snprintf(name, sizeof name, "certificate_check_us_%" PRIu32, sizes[i]);
        (void)snprintf(note,
                       sizeof note,
                       "%" PRIu32 " validators; limit: %" PRIu32 " signatures; goal 1.15",
                       sizes[i],
                       s.certificate.signer_count);
        bench_report(name, took, "us", limit, took / limit, note);
    }
}

/* ---- a leader's crash ---- */

#define CRASH_TXS   500u
#define CRASH_GAP_S 0.01
#define CRASH_AT_MS 2000
#define CRASH_S     6.0
#define BLOCKS_MAX  4096u
#define VICTIM      "node2"

/* longest_ms returns the longest time between two blocks that follow each other. */
static double longest_ms(const struct bench_block *blocks, uint32_t count)
{
    double longest = 0;
    for (uint32_t i = 1; i < count; i++) {
        double const gap = (double)(blocks[i].time_ms - blocks[i - 1].time_ms);
        longest = gap > longest ? gap : longest;
    }
    return longest;
}

/* kill_later ends a validator after a while, from a process of its own. */
static pid_t kill_later(const struct bench_net *net)
{
    pid_t const child = fork();
    if (child == 0) {
        (void)poll(NULL, 0, CRASH_AT_MS);
        _exit(devnet_signal(&net->devnet, VICTIM, SIGKILL) ? 0 : 1);
    }
    return child;
}

void bench_leader_crash_ms(void)
{
    static struct bench_net net;
    static struct bench_call calls[CRASH_TXS];
    static struct bench_block blocks[BLOCKS_MAX];
    static double took[CRASH_TXS];
    bool good = bench_net_up(&net, true, false) && bench_net_fund(&net);
    for (uint32_t i = 0; i < CRASH_TXS && good; i++) {
        good = bench_net_sign(&net, &calls[i], i, 1, true);
    }
    if (!good) {
        bench_report("leader_crash_ms", 0, "-", 0, 0, "the network could not be made ready");
        bench_net_down(&net);
        return;
    }
    uint64_t const from = bench_net_height(&net) + 1;
    pid_t const child = kill_later(&net);
    (void)bench_pace_run(&net, calls, CRASH_TXS, CRASH_GAP_S, CRASH_S, took);
    (void)waitpid(child, NULL, 0);
    uint64_t const to = bench_net_height(&net);
    uint32_t const count =
        bench_net_blocks(&net, from, to < from + BLOCKS_MAX ? to : from + BLOCKS_MAX - 1, blocks);
    /* SPEC consensus 11: "base + 2 D + D/4 + eps" */
    double const limit = 2.25 * BENCH_NET_DELTA_MS + 20;
    double const value = longest_ms(blocks, count);
    bench_report("leader_crash_ms",
                 value,
                 "ms",
                 limit,
                 value / limit,
                 "longest time between blocks while one of four validators is killed under load, D "
                 "100 ms; limit: the leader timer; goal 600 ms");
    for (uint32_t i = 0; i < CRASH_TXS; i++) {
        nv_heap_free(calls[i].text);
    }
    bench_net_down(&net);
}
