#ifndef NV_BASE_BUG_H
#define NV_BASE_BUG_H

/* bug.h - faults that can be compiled in, to see whether tests find them.
 *
 * Each is a slip of one line that breaks what its text says.  Those below 41 are
 * in consensus: `make simscore` builds the simulator of engines once per line with
 * -DNV_BUG=n and tells how long it takes to notice.  The others are in the rest of
 * a node: `make nodescore` does the same with whole nodes.  In every other build
 * NV_SEEDED(...) is false and the compiler removes it. */

#ifndef NV_BUG
#define NV_BUG 0
#endif

#define NV_BUGS(XX)                                                                                \
    XX(1, FINALIZE_NULLIFIED, "a nullified view is finalized")                                     \
    XX(2, EXECUTE_AGAIN, "final blocks are executed again after a restart")                        \
    XX(3, SEND_FIRST, "a vote leaves before it is durable")                                        \
    XX(4, SKIPS_UNCHECKED, "a proposal may skip views that were not nullified")                    \
    XX(5, CERTS_VOLATILE, "certificates are not made durable with votes")                          \
    XX(6, OWN_VOTES_LOST, "own votes do not count again after a restart")                          \
    XX(7, NOTARIZE_TWICE, "a second proposal of a view is voted for too")                          \
    XX(8, FINALIZE_OTHER, "another block than the notarized one is finalized")                     \
    XX(9, HALF_QUORUM, "half of the stake is a quorum")                                            \
    XX(10, NULLIFY_FORGOTTEN, "nullify votes are forgotten in a restart")                          \
    XX(11, RETRY_ONCE, "retries stop after the first")                                             \
    XX(12, PARENT_UNCHECKED, "a proposal's parent needs no certificate")                           \
    XX(13, ROOT_UNCHECKED, "a proposal's state root is not compared")                              \
    XX(14, BODY_UNCHECKED, "a block is voted for before its body is there")                        \
    XX(15, RECOVER_LAST, "the view after a restart is that of the last record")                    \
    XX(16, HOLES_IGNORED, "missing certificates are not asked for")                                \
    XX(17, VOTES_FORGOTTEN, "no own vote survives a restart")                                      \
    XX(18, BLOCKS_VOLATILE, "blocks are not made durable with votes")                              \
    XX(19, LEADER_STUCK, "one validator leads every view: liveness ends with it")                  \
    XX(20, PROPOSAL_UNSIGNED, "a proposal's signature is not checked: certificates get bad ones")  \
    XX(21, TIMER_LOST, "a timer that came early is not set again: liveness")                       \
    XX(22, VOTES_NOT_AGAIN, "a retry leaves out the own votes: liveness under loss")               \
    XX(23, SIGNERS_TRUSTED, "any signature passes of who voted so before: forged certificates")    \
    XX(24, WEIGHT_UNCHECKED, "a certificate needs no quorum: safety")                              \
    XX(25, BLOCKS_MIXED, "votes for different blocks of a view count together")                    \
    XX(26, WINDOW_OPEN, "votes of any view take up tallies: a flood stops the views at hand")      \
    XX(27, JUSTIFY_UNCHECKED, "a block is kept with another certificate than its header names")    \
    XX(28, TIME_BACK, "a block's time may be before its parent's")                                 \
    XX(29, TIME_AHEAD, "a block's time may be far in the future")                                  \
    XX(30, EXECUTED_BACK, "the executed height may go back: a root twice claimed")                 \
    XX(31, ROOT_BLIND, "a state root that is not known yet is taken on trust")                     \
    XX(32, BACKOFF_STAYS, "the delay never comes down again after lost views: liveness")           \
    XX(33, BACKOFF_NONE, "the delay does not grow: nothing is final on a slow network")            \
    XX(34, VIEW_TIMER_STOPPED, "a proposal stops its view's timer: no end without a quorum")       \
    XX(35, GATE_STALE, "votes of a long gone view bar those of this one: liveness")                \
    XX(36, ONE_SOURCE, "what is missing is asked of one peer, be it dead or lying")                \
    XX(37, NULLS_KEPT, "nullifications are not given to those who ask: laggards stay behind")      \
    XX(38, BODY_VERDICT, "an invalid body is taken for a valid one")                               \
    XX(39, CERTS_LEAK, "nullifications are never released: memory runs out")                       \
    XX(40, SECOND_SIGNER, "the own key at work elsewhere is not noticed")                          \
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
    XX(51, RESTART_BLIND, "fees are judged without the checkpoint's rows")                         \
    XX(52, PRUNE_FAR, "one segment too many goes when the journal is pruned")                      \
    XX(53, CHUNK_UNCHECKED, "chunks of a snapshot are kept as they come")                          \
    XX(54, BASE_BARE, "a snapshot is taken over without the ends of the epochs before it")         \
    XX(55, SIT_OUT_SHORT, "who lost its votes signs again a minute too early")                     \
    XX(56, FACTS_FORGOTTEN, "what consensus knows of a block is left out when it is replayed")     \
    XX(57, OFFENCES_DROPPED, "evidence in blocks has no consequence")                              \
    XX(58, NODE_KEY_SHARED, "a bond may name another validator's node key")                        \
    XX(59, NAMES_TRUSTED, "a transaction may be signed with any key")

enum nv_bug {
#define NV_BUG_MEMBER(number, name, text) NV_BUG_##name = (number),
    NV_BUGS(NV_BUG_MEMBER)
#undef NV_BUG_MEMBER
};

#define NV_SEEDED(name) (NV_BUG == (int)NV_BUG_##name)

#endif /* NV_BASE_BUG_H */
