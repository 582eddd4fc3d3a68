#ifndef NV_BASE_BUG_H
#define NV_BASE_BUG_H

/* bug.h - faults of a node's other parts that can be compiled in, to see whether
 * the simulator of whole nodes finds them.  Those of consensus, numbers below 41,
 * are in consensus/bug.h.
 *
 * `make nodescore` builds what mentions them once per line with -DNV_BUG=n and
 * counts the seeds that notice.  In every other build NV_SEEDED(...) is false and
 * the compiler removes it. */

#ifndef NV_BUG
#define NV_BUG 0
#endif

#define NV_BUGS(XX)                                                                                \
    XX(41, BODY_VOLATILE, "bodies are not made durable with their blocks")                         \
    XX(42, WINDOW_VOLATILE, "executed transactions are forgotten in a restart")                    \
    XX(43, SEND_UNSYNCED, "messages do not wait for the batch before them")                        \
    XX(44, CHECKPOINT_EARLY, "a checkpoint does not wait for the journal")                         \
    XX(45, SYNC_SKIPPED, "the journal is not synced")                                              \
    XX(46, REMOVAL_LOST, "a checkpoint leaves out removed rows")                                   \
    XX(47, SESSIONS_VOLATILE, "session keys are forgotten in a restart")                           \
    XX(48, VAULT_FORGOTTEN, "a deposit leaves the vault as it was")                                \
    XX(49, GOSSIP_NONE, "transactions are not passed on")                                          \
    XX(50, POOL_KEEPS, "the mempool keeps what is final")                                          \
    XX(51, RESTART_BLIND, "fees are judged without the checkpoint's rows")

enum nv_bug {
#define NV_BUG_MEMBER(number, name, text) NV_BUG_##name = (number),
    NV_BUGS(NV_BUG_MEMBER)
#undef NV_BUG_MEMBER
};

#define NV_SEEDED(name) (NV_BUG == (int)NV_BUG_##name)

#endif /* NV_BASE_BUG_H */
