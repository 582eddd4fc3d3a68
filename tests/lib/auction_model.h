#ifndef NV_TESTS_LIB_AUCTION_MODEL_H
#define NV_TESTS_LIB_AUCTION_MODEL_H

/* auction_model.h - one market's auction, slow and written from
 * docs/spec/auction.md sections 4 and 5: every order is looked at for every
 * question, and every tick is tried.  No margin and no bands. */

#include <stdbool.h>
#include <stdint.h>

#define MODEL_ORDERS_MAX   512u
#define MODEL_ACCOUNTS_MAX 64u

struct model_order {
    uint64_t handle;
    uint32_t account;
    bool buys;
    bool reduce_only;
    bool late; /* post-only and of this block */
    bool removed;
    bool participates;
    int64_t price;
    int64_t lots;
    int64_t fill;
    uint64_t height;
    uint64_t tie;
    uint32_t slot;
};

struct model_auction {
    struct model_order order[MODEL_ORDERS_MAX];
    uint32_t count;
    int64_t held[MODEL_ACCOUNTS_MAX]; /* lots of each account before */
    int64_t reference;
    /* the result */
    int64_t matched;
    int64_t price;
    int64_t imbalance;
};

void model_run(struct model_auction *m);

#endif /* NV_TESTS_LIB_AUCTION_MODEL_H */
