#ifndef NV_VM_READ_STAKE_H
#define NV_VM_READ_STAKE_H

/* read_stake.h - who validates, and what accounts have with them, read from rows.
 *
 * A node reads its state, and its client what a proof shows of that state.  Both
 * read through here: so they look at the same rows, take the same for the set in
 * force, and cut a list at the same places.  Meaning: docs/spec/stake.md.
 *
 * Rows may be anybody's: what is no row of its table comes back as the decoder's
 * error, and so does every error of the source.  Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "vm/rows.h"

/* vm_row_fn is given a row and says whether it was the last that is wanted. */
typedef enum nv_err (*vm_row_fn)(void *ctx, const struct nv_row *row, bool *enough);

/* Where rows come from. */
struct vm_row_source {
    void *ctx;
    /* get writes the value at a key; NV_ERR_NOT_FOUND when there is no such row. */
    enum nv_err (*get)(void *ctx, struct nv_view *value, const struct nv_row_key *key);
    /* walk gives `visit` all rows of a range in order of keys, up to the one that is
     * enough. */
    enum nv_err (*walk)(void *ctx,
                        const struct nv_row_range *range,
                        vm_row_fn visit,
                        void *visit_ctx);
};

NV_MUST_USE enum nv_err
vm_read_staking(const struct vm_row_source *from, struct vm_staking_row *out);

/* ---- validators ---- */

/* The set in force, and how often each of it signed. */
struct vm_in_force {
    struct vm_staking_row staking;
    struct vm_uptime_row uptime; /* of no block when the set is empty */
    uint32_t count;
    struct vm_member member[VM_VALIDATORS_MAX];
};

NV_MUST_USE enum nv_err vm_read_in_force(const struct vm_row_source *from, struct vm_in_force *out);

struct vm_read_validator {
    uint64_t account;
    struct nv_address address; /* of the operator */
    struct vm_validator_row row;
    bool serves; /* in the set in force, with what follows */
    uint32_t index;
    struct vm_money power;
    uint32_t present; /* blocks that it signed */
};

typedef enum nv_err (*vm_read_validator_fn)(void *ctx, const struct vm_read_validator *validator);

#define VM_READ_PAGE     100u /* entries a page, if nothing else is asked for */
#define VM_READ_PAGE_MAX 256u

/* A piece of the list of validators, which is in order of their accounts. */
struct vm_read_page {
    uint64_t first; /* account to begin with; 0: from the start */
    uint32_t limit; /* validators; taken as at least 1 and at most VM_READ_PAGE_MAX */
    uint64_t next;  /* written: with which the next page begins; 0: this is the last */
};

/* vm_read_validators gives `visit` the validators of a page.  The first of the next
 * page is read too, so that nobody stands between. */
NV_MUST_USE enum nv_err vm_read_validators(const struct vm_row_source *from,
                                           struct vm_read_page *page,
                                           const struct vm_in_force *in_force,
                                           vm_read_validator_fn visit,
                                           void *ctx);

/* ---- of one account ---- */

/* What it has with a validator. */
struct vm_read_stake {
    struct nv_address validator; /* the operator's */
    uint8_t status;              /* enum vm_validator_status */
    struct vm_shares shares;
    struct vm_money worth;
};

/* What it took back, of one validator in one epoch. */
struct vm_read_waiting {
    struct nv_address validator;
    uint64_t epoch;
    struct vm_money worth;
    uint64_t release_ms;
};

typedef enum nv_err (*vm_read_stake_fn)(void *ctx, const struct vm_read_stake *stake);
typedef enum nv_err (*vm_read_waiting_fn)(void *ctx, const struct vm_read_waiting *waiting);

/* A piece of what an account has: its stakes in order of validators, and then what
 * waits, in order of validators and epochs. */
struct vm_read_own {
    uint64_t account;
    struct nv_row_key first; /* the page is of its rows from here on */
    uint32_t left;           /* entries that the page has room for */
    bool more;               /* written: the next page begins with `next` */
    struct nv_row_key next;
};

/* vm_read_own_begin begins a page at a row, NULL: at the start.  `limit` is taken as for
 * validators.  NV_ERR_MALFORMED when the row is none of a list of this account. */
NV_MUST_USE enum nv_err vm_read_own_begin(struct vm_read_own *own,
                                          uint64_t account,
                                          const struct nv_row_key *first,
                                          uint32_t limit);

/* vm_read_stakes gives `visit` the stakes of a page; then vm_read_waiting what waits. */
NV_MUST_USE enum nv_err vm_read_stakes(const struct vm_row_source *from,
                                       struct vm_read_own *own,
                                       vm_read_stake_fn visit,
                                       void *ctx);
NV_MUST_USE enum nv_err vm_read_waiting(const struct vm_row_source *from,
                                        struct vm_read_own *own,
                                        vm_read_waiting_fn visit,
                                        void *ctx);

#endif /* NV_VM_READ_STAKE_H */
