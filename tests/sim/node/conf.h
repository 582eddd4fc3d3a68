#ifndef NV_TESTS_SIM_NODE_CONF_H
#define NV_TESTS_SIM_NODE_CONF_H

/* conf.h - what a seed of whole nodes chooses, and what it may do to them. */

#include <stdbool.h>
#include <stdint.h>

struct ns;

/* Everything that a seed chooses: name and meaning. */
#define NS_OPTIONS(XX)                                                                             \
    XX(validators, "how many validate")                                                            \
    XX(liars, "which of them lie, as bits")                                                        \
    XX(lie, "how, enum ns_lie as bits")                                                            \
    XX(bad_reporter, "one of the four reporters lies")                                             \
    XX(real_keys, "real signatures")                                                               \
    XX(delay_ms, "D")                                                                              \
    XX(idle_ms, "an empty block at least this often")                                              \
    XX(views_max, "views held above the final one")                                                \
    XX(safety_ms, "everything may fail until then")                                                \
    XX(epoch_ms, "least length of an epoch; 0: the first one never ends")                          \
    XX(candidates, "nodes with a vote key that validate when their stake is chosen")               \
    XX(stake_ppm, "transactions that move stake")                                                  \
    XX(gap_ms, "everybody is off for more than a minute each time so long has passed; 0: never")   \
    XX(segment_kib, "size of a segment of the journal")                                            \
    XX(keep_blocks, "blocks that journals keep, but for the archivist's; 0: all")                  \
    XX(snapshot_every, "heights between snapshots; 0: none")                                       \
    XX(join, "who comes late takes a snapshot")                                                    \
    XX(lost, "1 + which validator loses all but its key when all are off first; 0: none")          \
    XX(settle_ms, "time to recover before promises are measured")                                  \
    XX(live_ms, "how long they are measured")                                                      \
    XX(net_min_us, "least delay of a message")                                                     \
    XX(net_max_us, "greatest in good times")                                                       \
    XX(late_max_ms, "greatest of a late one")                                                      \
    XX(late_ppm, "messages that are late")                                                         \
    XX(loss_ppm, "messages lost")                                                                  \
    XX(twice_ppm, "messages doubled")                                                              \
    XX(cut_ms, "time between changes of the partition; 0: none")                                   \
    XX(flap, "partitions change ten times as often")                                               \
    XX(reset_ms, "time between resets of a link; 0: none")                                         \
    XX(crash_ms, "time between crashes; 0: none")                                                  \
    XX(crash_op_ppm, "crashes before an operation")                                                \
    XX(crash_all_ms, "everybody crashes then; 0: no")                                              \
    XX(power_ppm, "crashes that lose what was not synced")                                         \
    XX(nap_ms, "longest time until a restart")                                                     \
    XX(sync_min_us, "least time of a sync")                                                        \
    XX(sync_max_us, "greatest")                                                                    \
    XX(sync_fail_ppm, "syncs that fail")                                                           \
    XX(start_fail_ppm, "starts during which the disk fails")                                       \
    XX(memory_ppm, "events during which an allocation fails")                                      \
    XX(rot_ppm, "restarts that find a flipped bit in the database")                                \
    XX(wipe_ppm, "restarts without the database")                                                  \
    XX(job_max_us, "greatest time of a worker's job")                                              \
    XX(execute_max_us, "greatest time to execute a block")                                         \
    XX(write_max_ms, "greatest time of a checkpoint")                                              \
    XX(checkpoint_ms, "time between checkpoints")                                                  \
    XX(dirty_rows, "so many changed rows make one too")                                            \
    XX(skew_ms, "greatest error of a wrong clock, of fewer than a third")                          \
    XX(jump_ms, "time between jumps of these clocks; 0: none")                                     \
    XX(mempool, "transactions that a mempool takes")                                               \
    XX(tx_us, "time between transactions")                                                         \
    XX(hostile_ppm, "of them, those that nobody should take")                                      \
    XX(move_ppm, "price moves that liquidate")

struct ns_conf {
#define NS_OPTION_MEMBER(name, text) uint64_t name;
    NS_OPTIONS(NS_OPTION_MEMBER)
#undef NS_OPTION_MEMBER
};

enum ns_lie {
    NS_LIE_HEADER = 1,      /* a field of the own header is wrong */
    NS_LIE_ROOT = 2,        /* the state root is */
    NS_LIE_TIME = 4,        /* the time is */
    NS_LIE_TWO_BLOCKS = 8,  /* another proposal for each half */
    NS_LIE_VOTES = 16,      /* votes that conflict */
    NS_LIE_SILENCE = 32,    /* nothing is sent, to some or to all */
    NS_LIE_GARBAGE = 64,    /* broken bytes */
    NS_LIE_BODY = 128,      /* a body is kept back */
    NS_LIE_HISTORY = 256,   /* other headers for who catches up */
    NS_LIE_AMNESIA = 512,   /* comes back with an old disk */
    NS_LIE_TWIN = 1024,     /* runs twice with one key */
    NS_LIE_SNAPSHOT = 2048, /* other offers, anchors, chunks, ends of epochs, or none */
};
#define NS_LIES_ALL 4095u

/* What went wrong on purpose. */
#define NS_FAULTS(XX)                                                                              \
    XX(CRASH, "crashes")                                                                           \
    XX(POWER, "power cuts")                                                                        \
    XX(SYNC, "failed syncs")                                                                       \
    XX(START, "failed starts")                                                                     \
    XX(MEMORY, "failed allocations")                                                               \
    XX(ROT, "rotten bits")                                                                         \
    XX(WIPE, "wiped databases")                                                                    \
    XX(LOST, "lost messages")                                                                      \
    XX(TWICE, "doubled messages")                                                                  \
    XX(LATE, "late messages")                                                                      \
    XX(CUT, "partitions")                                                                          \
    XX(BLOCKED, "messages stopped by them")                                                        \
    XX(RESET, "link resets")                                                                       \
    XX(CLOCK, "clock jumps")                                                                       \
    XX(LIE, "lies")                                                                                \
    XX(HOSTILE, "hostile transactions")                                                            \
    XX(SLASH, "slashed validators")                                                                \
    XX(GAP, "times that everybody was off")                                                        \
    XX(PRUNE, "pruned journals")                                                                   \
    XX(LOSS, "lost data folders")                                                                  \
    XX(JOIN, "snapshots taken over")                                                               \
    XX(BACK, "keys that sign again after a loss")

enum ns_fault {
#define NS_FAULT_MEMBER(name, text) NS_FAULT_##name,
    NS_FAULTS(NS_FAULT_MEMBER)
#undef NS_FAULT_MEMBER
        NS_FAULT_KINDS
};

/* ns_conf_choose chooses the options of ns->seed, ns_conf_print prints them all. */
void ns_conf_choose(struct ns *ns);
void ns_conf_print(const struct ns *ns);
/* ns_conf_set changes one option, "name=value"; false when there is none. */
bool ns_conf_set(struct ns_conf *conf, const char *text);

#endif /* NV_TESTS_SIM_NODE_CONF_H */
