#ifndef NV_TESTS_SIM_CONF_H
#define NV_TESTS_SIM_CONF_H

/* conf.h - the options of a seed. */

#include <stdbool.h>
#include <stdint.h>

struct sim;

#define SIM_HOSTS_MAX 24u /* validators, their twins and nodes without a vote */

/* The options of a seed: TYPE, NAME, and how it is printed (n a number, ms
 * nanoseconds as milliseconds, ppm millionths, x bits). */
#define SIM_OPTIONS(XX)                                                                            \
    XX(uint32_t, validators, n)                                                                    \
    XX(uint32_t, twins, n)     /* of the first validators */                                       \
    XX(uint32_t, observers, n) /* nodes without a vote */                                          \
    XX(uint64_t, delay_ns, ms) /* D */                                                             \
    XX(uint64_t, margin_ns, ms)                                                                    \
    XX(uint64_t, idle_ms, n)                                                                       \
    XX(uint64_t, gst_ns, ms)     /* the chaos ends */                                              \
    XX(uint64_t, measure_ns, ms) /* the liveness measure begins */                                 \
    XX(uint64_t, end_ns, ms)                                                                       \
    XX(uint64_t, blocks_after, n) /* the run ends when all have so many more than at the heal */   \
    XX(uint64_t, blocks_least, n) /* the run goes on until there are so many */                    \
    XX(uint64_t, net_min_ns, ms)                                                                   \
    XX(uint64_t, net_max_ns, ms)                                                                   \
    XX(uint64_t, late_max_ns, ms) /* in the chaos, of a third of the messages */                   \
    XX(uint32_t, loss, ppm)                                                                        \
    XX(uint32_t, twice, ppm)                                                                       \
    XX(uint64_t, cut_ns, ms) /* mean time between changes of the links in the chaos */             \
    XX(uint64_t, sync_min_ns, ms)                                                                  \
    XX(uint64_t, sync_max_ns, ms)                                                                  \
    XX(uint32_t, slow, x)     /* hosts with a slow disk and executor ... */                        \
    XX(uint64_t, slow_ns, ms) /* ... that takes so much longer */                                  \
    XX(uint32_t, sync_fails, ppm)                                                                  \
    XX(uint64_t, exec_max_ns, ms)                                                                  \
    XX(uint32_t, crash_op, ppm)    /* before each effect in the chaos */                           \
    XX(uint64_t, crash_ns, ms)     /* mean time between crashes of a host in the chaos; 0: none */ \
    XX(uint64_t, nap_max_ns, ms)   /* time until a crashed host restarts */                        \
    XX(uint64_t, all_crash_ns, ms) /* everybody at once, again and again in the chaos; 0: no */    \
    XX(uint64_t, pause_ns, ms)     /* mean time between pauses of a host in the chaos */           \
    XX(uint64_t, pause_max_ns, ms) /* how long one takes */                                        \
    XX(uint32_t, work, ppm)        /* how often a host has transactions */                         \
    XX(uint32_t, early, ppm)       /* timers that come before their time */                        \
    XX(uint64_t, listen_ns, ms)                                                                    \
    XX(uint64_t, status_ns, ms)                                                                    \
    XX(uint32_t, views_max, n)                                                                     \
    XX(uint32_t, at_once, n)   /* local effects do not queue */                                    \
    XX(uint32_t, one_batch, n) /* group commit */                                                  \
    XX(uint32_t, real, n)      /* signatures and SHA-256 */                                        \
    XX(uint32_t, byzantine, x)                                                                     \
    XX(uint32_t, dead, x)          /* never there */                                               \
    XX(uint32_t, lies, x)          /* enum sim_lie */                                              \
    XX(uint32_t, skewed, x)        /* hosts whose wall clock is wrong ... */                       \
    XX(uint64_t, skew_ms, n)       /* ... by so much at most */                                    \
    XX(uint64_t, skew_step_ns, ms) /* mean time between steps of their clocks in the chaos */      \
    XX(uint64_t, live_least, n)    /* blocks that everybody must finalize while measured */        \
    XX(uint64_t, live_views, n)    /* views a finalization may take */                             \
    XX(uint64_t, lag_views, n)     /* that a host may be behind the best at the end */             \
    XX(uint64_t, epoch_ms, n)      /* 0: one without end */                                        \
    XX(uint32_t, churn, n) /* heights for which the state gives the same next set; 0: for ever */  \
    XX(uint32_t, members_min, n)  /* hosts in a set */                                             \
    XX(uint64_t, stake_most, n)   /* of a member, if sets change; 0: as at the start */            \
    XX(uint32_t, first, x)        /* the validators of genesis; 0: all */                          \
    XX(uint32_t, rest, x)         /* those of all later sets; 0: drawn */                          \
    XX(uint64_t, proof_epochs, n) /* age of evidence */                                            \
    XX(uint64_t, proof_ms, n)

struct sim_conf {
#define SIM_OPTION_MEMBER(type, name, form) type name;
    SIM_OPTIONS(SIM_OPTION_MEMBER)
#undef SIM_OPTION_MEMBER
    uint32_t hosts;     /* of all kinds */
    bool fork;          /* more than a third is faulty: there is no one chain */
    bool keep_journals; /* a restart may need what is older than the last batch */
    uint64_t stakes[SIM_HOSTS_MAX];
};

void sim_conf_default(struct sim_conf *conf);
void sim_conf_print(const struct sim *sim);
/* sim_third returns how many of the validators may fail. */
uint32_t sim_third(uint32_t validators);

#endif /* NV_TESTS_SIM_CONF_H */
