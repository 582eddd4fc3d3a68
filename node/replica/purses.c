#include "node/replica/purses.h"

#include <string.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/critbit.h"
#include "base/heap.h"

#include "vm/fee.h"
#include "vm/params.h"
#include "vm/rows.h"

/* Older figures kept, for each account that there may be. */
#define OLDER_PER_ACCOUNT 16u

/* A figure, and where the one before it is: a number of the ring, from 1. */
struct figure {
    int64_t cash;   /* micro */
    uint64_t since; /* the height that wrote it */
    uint64_t before;
};

struct older {
    struct figure figure;
    uint64_t until; /* the height that wrote the next */
};

/* What a caller adds up for an account. */
struct tally {
    uint64_t round;
    struct node_charge sum;
};

struct node_purses {
    struct nv_critbit *index; /* address -> place in newest: the account's number less 1 */
    struct figure *newest;
    struct older *ring;
    struct tally *tally; /* by place */
    size_t index_size;
    size_t newest_size;
    size_t ring_size;
    size_t tally_size;
    uint32_t cap;
    uint32_t ring_cap;
    uint64_t older_count; /* ever */
    uint64_t floor;       /* the lowest height that is known */
    uint64_t height;      /* of the last rows */
    uint64_t round;       /* of tallies */
    int64_t fee;
    bool fed;
};

struct address_key {
    uint8_t bytes[32];
};

static struct address_key key_of(const struct nv_address *address)
{
    struct address_key key = {{0}};
    memcpy(key.bytes, address->bytes, sizeof address->bytes);
    return key;
}

enum nv_err node_purses_open(struct node_purses **out, uint32_t accounts_max)
{
    NV_ASSERT(accounts_max >= 1 && accounts_max <= UINT32_MAX / OLDER_PER_ACCOUNT);
    struct node_purses *const p = nv_heap_alloc(sizeof *p);
    if (p == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    uint32_t const ring_cap = accounts_max * OLDER_PER_ACCOUNT;
    *p = (struct node_purses){.index_size = nv_critbit_footprint(accounts_max),
                              .newest_size = sizeof(struct figure) * (size_t)accounts_max,
                              .tally_size = sizeof(struct tally) * (size_t)accounts_max,
                              .ring_size = sizeof(struct older) * (size_t)ring_cap,
                              .cap = accounts_max,
                              .ring_cap = ring_cap};
    void *const index = nv_heap_reserve(p->index_size);
    p->newest = nv_heap_reserve(p->newest_size);
    p->ring = nv_heap_reserve(p->ring_size);
    p->tally = nv_heap_reserve(p->tally_size);
    if (index != NULL) {
        p->index = nv_critbit_init(index, accounts_max);
    }
    if (index == NULL || p->newest == NULL || p->ring == NULL || p->tally == NULL) {
        node_purses_close(p);
        return NV_ERR_NO_MEMORY;
    }
    *out = p;
    return NV_OK;
}

void node_purses_close(struct node_purses *p)
{
    if (p == NULL) {
        return;
    }
    if (p->index != NULL) {
        nv_heap_unreserve(p->index, p->index_size);
    }
    if (p->newest != NULL) {
        nv_heap_unreserve(p->newest, p->newest_size);
    }
    if (p->ring != NULL) {
        nv_heap_unreserve(p->ring, p->ring_size);
    }
    if (p->tally != NULL) {
        nv_heap_unreserve(p->tally, p->tally_size);
    }
    nv_heap_free(p);
}

/* ---- feeding ---- */

/* put_away moves a figure into the ring; the one that it displaces takes the
 * heights that it was good for along. */
static void put_away(struct node_purses *p, const struct figure *figure, uint64_t until)
{
    struct older *const place = &p->ring[p->older_count % p->ring_cap];
    if (p->older_count >= p->ring_cap && place->until > p->floor) {
        p->floor = place->until;
    }
    *place = (struct older){*figure, until};
    p->older_count++;
}

static void take_account(struct node_purses *p, uint64_t height, const struct nv_row *row)
{
    struct vm_account_row account;
    enum nv_err err = vm_account_row_decode(&account, row->value);
    NV_ASSERT(err == NV_OK); /* the VM wrote it */
    struct address_key const key = key_of(&account.address);
    uint64_t const number = nv_be64_load(row->key.bytes + 1);
    NV_ASSERT(number >= 1 && number <= p->cap); /* the VM has no more */
    uint32_t at = 0;
    struct figure figure = {.cash = vm_money_raw(account.cash), .since = height};
    if (!nv_critbit_lookup(p->index, key.bytes, &at)) {
        at = (uint32_t)number - 1;
        err = nv_critbit_insert(p->index, key.bytes, at);
        NV_ASSERT(err == NV_OK);
    } else if (p->newest[at].cash == figure.cash) {
        return;
    } else {
        put_away(p, &p->newest[at], height);
        figure.before = p->older_count;
    }
    p->newest[at] = figure;
}

static void take_param(struct node_purses *p, uint64_t height, const struct nv_row *row)
{
    struct nv_row_key fee;
    struct vm_param_row param;
    vm_key_param(&fee, VM_PARAM_TX_FEE);
    if (nv_row_key_cmp(&row->key, &fee) == 0) {
        enum nv_err const err = vm_param_row_decode(&param, row->value);
        NV_ASSERT(err == NV_OK);
        p->fee = param.value;
        p->floor = height; /* before it the fee was another */
    }
}

void node_purses_feed(struct node_purses *p,
                      uint64_t height,
                      const struct nv_row *rows,
                      uint32_t row_count)
{
    NV_ASSERT(!p->fed || height >= p->height);
    if (!p->fed) {
        p->floor = height;
    }
    p->fed = true;
    p->height = height;
    for (uint32_t i = 0; i < row_count; i++) {
        if (rows[i].value.bytes == NULL) {
            continue; /* neither accounts nor parameters are ever taken away */
        }
        if (rows[i].key.bytes[0] == VM_TABLE_ACCOUNT) {
            take_account(p, height, &rows[i]);
        } else if (rows[i].key.bytes[0] == VM_TABLE_PARAM) {
            take_param(p, height, &rows[i]);
        }
    }
}

/* ---- asking ---- */

bool node_purses_known(const struct node_purses *p, uint64_t height)
{
    return p->fed && p->floor <= height && height <= p->height;
}

uint64_t node_purses_newest(const struct node_purses *p)
{
    return p->height;
}

void node_purses_tally(struct node_purses *p)
{
    p->round++;
}

struct node_charge *
node_purses_sum(struct node_purses *p, const struct nv_address *account, bool *first)
{
    struct address_key const key = key_of(account);
    uint32_t at = 0;
    if (!nv_critbit_lookup(p->index, key.bytes, &at)) {
        return NULL;
    }
    struct tally *const tally = &p->tally[at];
    *first = tally->round != p->round;
    if (*first) {
        *tally = (struct tally){.round = p->round, .sum = {.account = *account}};
    }
    return &tally->sum;
}

uint64_t node_purses_number(const struct node_purses *p, const struct nv_address *account)
{
    struct address_key const key = key_of(account);
    uint32_t at = 0;
    return nv_critbit_lookup(p->index, key.bytes, &at) ? at + UINT64_C(1) : 0;
}

enum node_purse
node_purses_judge(const struct node_purses *p, uint64_t height, const struct node_charge *charge)
{
    NV_ASSERT(node_purses_known(p, height));
    struct address_key const key = key_of(&charge->account);
    uint32_t at = 0;
    if (!nv_critbit_lookup(p->index, key.bytes, &at)) {
        return NODE_PURSE_NO_ACCOUNT;
    }
    const struct figure *figure = &p->newest[at];
    while (figure->since > height && figure->before != 0) {
        figure = &p->ring[(figure->before - 1) % p->ring_cap].figure;
    }
    if (figure->since > height) {
        return NODE_PURSE_NO_ACCOUNT; /* opened later */
    }
    bool const free_ok = charge->free <= VM_FEE_FREE_MAX;
    bool const paid_ok =
        charge->paid == 0 ||
        (figure->cash >= 0 && (p->fee == 0 || figure->cash / p->fee >= charge->paid));
    return free_ok && paid_ok ? NODE_PURSE_ENOUGH : NODE_PURSE_EMPTY;
}
