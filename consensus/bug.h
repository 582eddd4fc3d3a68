#ifndef NV_CONSENSUS_BUG_H
#define NV_CONSENSUS_BUG_H

/* bug.h - faults that can be compiled in, to see whether tests find them.
 *
 * `make simscore` builds the engine once per line with -DNV_BUG=n and counts
 * the seeds that notice.  In every other build CS_BUG(...) is false and the
 * compiler removes it. */

#ifndef NV_BUG
#define NV_BUG 0
#endif

#define CS_BUGS(XX)                                                                                \
    XX(1, FINALIZE_NULLIFIED, "a nullified view is finalized")                                     \
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
    XX(18, BLOCKS_VOLATILE, "blocks are not made durable with votes")

enum cs_bug {
#define CS_BUG_MEMBER(number, name, text) CS_BUG_##name = (number),
    CS_BUGS(CS_BUG_MEMBER)
#undef CS_BUG_MEMBER
};

#define CS_BUG(name) (NV_BUG == (int)CS_BUG_##name)

#endif /* NV_CONSENSUS_BUG_H */
