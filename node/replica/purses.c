#include "node/replica/purses.h"

#include <string.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/heap.h"

#include "node/replica/history.h"
#include "vm/fee.h"
#include "vm/params.h"
#include "vm/rows.h"

/* Older figures kept, for each account that there may be. */
#define OLDER_PER_ACCOUNT 16u

/* What a figure's words say. */
#define CASH   0 /* micro, as int64_t */
#define NUMBER 1 /* of the account */

/* What a caller adds up for an account. */
struct tally {
    uint64_t round;
    struct node_charge sum;
};

struct node_purses {
    struct node_history accounts; /* by address; none ever goes */
    struct tally *tally;          /* by place */
    uint32_t accounts_max;
    uint64_t round; /* of tallies */
    int64_t fee;
};

struct address_key {
    uint8_t bytes[NV_CRITBIT_KEY_SIZE];
};

static struct address_key key_of(const struct nv_address *address)
{
    struct address_key key = {{0}};
    memcpy(key.bytes, address->bytes, sizeof address->bytes);
    return key;
}

static size_t tally_size(const struct node_purses *p)
{
    return sizeof *p->tally * (size_t)p->accounts_max;
}

enum nv_err node_purses_open(struct node_purses **out, uint32_t accounts_max)
{
    NV_ASSERT(accounts_max >= 1 && accounts_max <= UINT32_MAX / (2 * OLDER_PER_ACCOUNT));
    struct node_purses *const p = nv_heap_alloc(sizeof *p);
    if (p == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct node_history_size const size = {accounts_max, accounts_max * OLDER_PER_ACCOUNT};
    p->accounts_max = accounts_max;
    enum nv_err const err = node_history_open(&p->accounts, &size);
    p->tally = nv_heap_reserve(tally_size(p));
    if (err != NV_OK || p->tally == NULL) {
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
    node_history_close(&p->accounts);
    if (p->tally != NULL) {
        nv_heap_unreserve(p->tally, tally_size(p));
    }
    nv_heap_free(p);
}

/* ---- feeding ---- */

static void take_account(struct node_purses *p, const struct nv_row *row)
{
    struct vm_account_row account;
    enum nv_err const err = vm_account_row_decode(&account, row->value);
    NV_ASSERT(err == NV_OK); /* the VM wrote it */
    struct address_key const key = key_of(&account.address);
    uint64_t const number = nv_be64_load(row->key.bytes + 1);
    NV_ASSERT(number >= 1 && number <= p->accounts_max); /* the VM has no more */
    struct node_figure const figure = {
        .word = {[CASH] = (uint64_t)vm_money_raw(account.cash), [NUMBER] = number},
    };
    node_history_put(&p->accounts, key.bytes, &figure);
}

static void take_param(struct node_purses *p, const struct nv_row *row)
{
    struct nv_row_key fee;
    struct vm_param_row param;
    vm_key_param(&fee, VM_PARAM_TX_FEE);
    if (nv_row_key_cmp(&row->key, &fee) == 0) {
        enum nv_err const err = vm_param_row_decode(&param, row->value);
        NV_ASSERT(err == NV_OK);
        p->fee = param.value;
        node_history_forget(&p->accounts); /* before it the fee was another */
    }
}

void node_purses_feed(struct node_purses *p,
                      uint64_t height,
                      const struct nv_row *rows,
                      uint32_t row_count)
{
    node_history_feed(&p->accounts, height);
    for (uint32_t i = 0; i < row_count; i++) {
        if (rows[i].value.bytes == NULL) {
            continue; /* neither accounts nor parameters are ever taken away */
        }
        if (rows[i].key.bytes[0] == VM_TABLE_ACCOUNT) {
            take_account(p, &rows[i]);
        } else if (rows[i].key.bytes[0] == VM_TABLE_PARAM) {
            take_param(p, &rows[i]);
        }
    }
}

/* ---- asking ---- */

bool node_purses_known(const struct node_purses *p, uint64_t height)
{
    return node_history_known(&p->accounts, height);
}

uint64_t node_purses_newest(const struct node_purses *p)
{
    return node_history_newest(&p->accounts);
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
    if (!node_history_place(&p->accounts, key.bytes, &at)) {
        return NULL;
    }
    NV_ASSERT(at < p->accounts_max);
    struct tally *const tally = &p->tally[at];
    *first = tally->round != p->round;
    if (*first) {
        *tally = (struct tally){.round = p->round, .sum = {.account = *account}};
    }
    return &tally->sum;
}

/* find returns the figure of an account after a height, or NULL. */
static const struct node_figure *
find(const struct node_purses *p, uint64_t height, const struct nv_address *account)
{
    struct address_key const key = key_of(account);
    return node_history_at(&p->accounts, height, key.bytes);
}

uint64_t node_purses_number(const struct node_purses *p, const struct nv_address *account)
{
    const struct node_figure *const figure = find(p, node_purses_newest(p), account);
    return figure != NULL ? figure->word[NUMBER] : 0;
}

enum node_purse
node_purses_judge(const struct node_purses *p, uint64_t height, const struct node_charge *charge)
{
    NV_ASSERT(node_purses_known(p, height));
    const struct node_figure *const figure = find(p, height, &charge->account);
    if (figure == NULL) {
        return NODE_PURSE_NO_ACCOUNT;
    }
    int64_t const cash = (int64_t)figure->word[CASH];
    bool const free_ok = charge->free <= VM_FEE_FREE_MAX;
    bool const paid_ok =
        charge->paid == 0 || (cash >= 0 && (p->fee == 0 || cash / p->fee >= charge->paid));
    return free_ok && paid_ok ? NODE_PURSE_ENOUGH : NODE_PURSE_EMPTY;
}
