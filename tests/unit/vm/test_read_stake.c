/* Goal: who validates is read from rows alike wherever they come from: who serves, where
 * a page ends, and what is wrong with the rows or with their source.
 * So is what an account has with validators, in pages of any size.
 * Method: rows in a list, written with the codecs of vm/rows.h, behind a source that
 * notes how far it was walked and can fail. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/row_model.h"
#include "vm/read_stake.h"

#define VALIDATORS (VM_READ_PAGE_MAX + 10u)

static struct row_model rows;
static struct vm_in_force in_force;
static struct nv_row_key walked_to; /* the last key that the newest walk looked at */
static enum nv_err failure;         /* of every read, unless NV_OK */
static uint32_t told;
static struct vm_read_validator newest;

static enum nv_err get(void *ctx, struct nv_view *value, const struct nv_row_key *key)
{
    const struct model_row *const row = model_get(ctx, key);
    if (failure != NV_OK || row == NULL) {
        return failure != NV_OK ? failure : NV_ERR_NOT_FOUND;
    }
    *value = nv_view_of(row->value, row->size);
    return NV_OK;
}

static enum nv_err
walk(void *ctx, const struct nv_row_range *range, vm_row_fn visit, void *visit_ctx)
{
    const struct row_model *const model = ctx;
    bool enough = false;
    for (uint32_t i = model_find(model, &range->first); i < model->count && !enough; i++) {
        const struct model_row *const at = &model->rows[i];
        struct nv_row const row = {at->key, nv_view_of(at->value, at->size)};
        if (nv_row_key_cmp(&at->key, &range->last) > 0) {
            break;
        }
        walked_to = at->key;
        NV_TRY(visit(visit_ctx, &row, &enough));
    }
    return failure;
}

static struct vm_row_source const source = {&rows, get, walk};

static void put(const struct nv_row_key *key, struct nv_writer *w)
{
    struct nv_row const row = {*key, nv_writer_view(w)};
    assert_false(w->overflow);
    assert_true(model_put(&rows, &row));
}

#define PUT(x, key, row)                                                                           \
    do {                                                                                           \
        uint8_t bytes_[VM_ROW_SIZE_MAX];                                                           \
        struct nv_writer w_;                                                                       \
        nv_writer_init(&w_, bytes_, sizeof bytes_);                                                \
        vm_##x##_row_encode(&w_, row);                                                             \
        put(key, &w_);                                                                             \
    } while (0)

static uint64_t account_of(uint32_t i)
{
    return 5 + 2 * (uint64_t)i;
}

static void put_validator(uint32_t i)
{
    struct vm_account_row const owner = {.address = {{1, (uint8_t)(i >> 8), (uint8_t)i}}};
    struct vm_validator_row const row = {.pool = {vm_money(100 + i), vm_shares(100 + i)},
                                         .status = VM_VALIDATOR_ACTIVE};
    struct nv_row_key key;
    vm_key_account(&key, account_of(i));
    PUT(account, &key, &owner);
    vm_key_validator(&key, account_of(i));
    PUT(validator, &key, &row);
}

/* put_set makes the first `members` the set in force, of whom `counted` are counted. */
static void put_set(uint8_t members, uint8_t counted)
{
    struct vm_set_row page = {.count = members, .size = members};
    struct vm_uptime_row uptime = {.blocks = 50, .count = counted};
    struct nv_row_key key;
    for (uint32_t i = 0; i < members; i++) {
        page.member[i] = (struct vm_member){account_of(i), {{(uint8_t)i}}, vm_money(9 + i)};
        uptime.present[i] = 40 + i;
    }
    vm_key_set(&key, 0, 0);
    PUT(set, &key, &page);
    vm_key_uptime(&key);
    PUT(uptime, &key, &uptime);
}

static int setup(void **state)
{
    (void)state;
    struct vm_staking_row const staking = {.epoch = 3, .validators = VALIDATORS};
    struct nv_row_key key;
    rows.count = 0;
    failure = NV_OK;
    told = 0;
    vm_key_staking(&key);
    PUT(staking, &key, &staking);
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        put_validator(i);
    }
    return 0;
}

static enum nv_err note(void *ctx, const struct vm_read_validator *validator)
{
    (void)ctx;
    newest = *validator;
    told++;
    return NV_OK;
}

static enum nv_err read_page(struct vm_read_page *page)
{
    told = 0;
    NV_TRY(vm_read_in_force(&source, &in_force));
    return vm_read_validators(&source, page, &in_force, note, NULL);
}

static void nobody_serves_in_an_empty_set(void **state)
{
    (void)state;
    struct vm_read_page page = {.limit = 1};
    assert_int_equal(read_page(&page), NV_OK);
    assert_int_equal(in_force.staking.epoch, 3);
    assert_int_equal(in_force.count + in_force.uptime.blocks, 0);
    assert_int_equal(newest.account, account_of(0));
    assert_false(newest.serves);
}

static void who_serves_is_told_with_its_place(void **state)
{
    (void)state;
    put_set(3, 3);
    for (uint32_t i = 0; i < 4; i++) {
        struct vm_read_page page = {.first = account_of(i), .limit = 1};
        assert_int_equal(read_page(&page), NV_OK);
        assert_int_equal(newest.account, account_of(i));
        assert_int_equal(newest.address.bytes[2], i);
        assert_int_equal(newest.serves, i < 3);
        if (newest.serves) {
            assert_int_equal(newest.index, i);
            assert_int_equal(vm_money_raw(newest.power), 9 + i);
            assert_int_equal(newest.present, 40 + i);
        }
    }
    put_set(3, 2); /* of the third nothing is counted */
    struct vm_read_page page = {.first = account_of(2), .limit = 1};
    assert_int_equal(read_page(&page), NV_OK);
    assert_false(newest.serves);
}

static void a_page_ends_at_the_first_of_the_next(void **state)
{
    (void)state;
    static uint32_t const limits[][2] = {
        {0, 1}, {1, 1}, {7, 7}, {VM_READ_PAGE_MAX, VM_READ_PAGE_MAX}, {~0u, VM_READ_PAGE_MAX}};
    for (uint32_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct vm_read_page page = {.limit = limits[i][0]};
        struct nv_row_key next;
        assert_int_equal(read_page(&page), NV_OK);
        assert_int_equal(told, limits[i][1]);
        assert_int_equal(page.next, account_of(told));
        vm_key_validator(&next, page.next);
        assert_memory_equal(&walked_to, &next, sizeof next);
    }
}

static void the_last_page_has_no_next(void **state)
{
    (void)state;
    struct vm_read_page page = {.first = account_of(VALIDATORS - 4), .limit = 4, .next = 99};
    assert_int_equal(read_page(&page), NV_OK);
    assert_int_equal(told, 4);
    assert_int_equal(page.next, 0);
    page.first = account_of(VALIDATORS - 4) - 1; /* between two */
    assert_int_equal(read_page(&page), NV_OK);
    assert_int_equal(told, 4);
    page.first = UINT64_MAX;
    assert_int_equal(read_page(&page), NV_OK);
    assert_int_equal(told + page.next, 0);
}

static void what_is_wrong_comes_back(void **state)
{
    (void)state;
    struct vm_read_page page = {.limit = 3};
    struct nv_row_key key;
    vm_key_account(&key, account_of(2));
    assert_true(model_remove(&rows, &key)); /* a validator without an account */
    assert_int_equal(read_page(&page), NV_ERR_NOT_FOUND);
    assert_int_equal(told, 2);
    vm_key_validator(&key, account_of(1));
    struct nv_row const cut = {key, nv_view_of(&key, 20)};
    assert_true(model_put(&rows, &cut));
    assert_int_equal(read_page(&page), NV_ERR_TRUNCATED);
    failure = NV_ERR_MISMATCH;
    assert_int_equal(read_page(&page), NV_ERR_MISMATCH);
}

/* ---- of one account ---- */

#define OWNER   500000u
#define STAKES  5u
#define WAITING 4u

static uint32_t stakes_told, waiting_told;
static int64_t worth_told; /* distinct powers of two: who was told, and whether twice */

/* put_own gives an account stakes with the first validators, and two batches that wait with
 * each of two. */
static void put_own(uint64_t account)
{
    struct nv_row_key key;
    for (uint32_t i = 0; i < STAKES; i++) {
        struct vm_delegation_row const row = {.shares = vm_shares(1 << i)};
        vm_key_delegation(&key, account, account_of(i));
        PUT(delegation, &key, &row);
    }
    for (uint32_t i = 0; i < WAITING; i++) {
        struct vm_batch_row const batch = {.pool = {vm_money(10000), vm_shares(10000)}};
        struct vm_unbonding_row const row = {.shares = vm_shares(1 << (STAKES + i)),
                                             .release_ms = i};
        vm_key_batch(&key, account_of(i / 2), 1 + i % 2);
        PUT(batch, &key, &batch);
        vm_key_unbonding(&key, account, account_of(i / 2), 1 + i % 2);
        PUT(unbonding, &key, &row);
    }
}

static int setup_own(void **state)
{
    (void)setup(state);
    put_own(OWNER - 1);
    put_own(OWNER);
    put_own(OWNER + 1);
    stakes_told = 0;
    waiting_told = 0;
    worth_told = 0;
    return 0;
}

static enum nv_err note_stake(void *ctx, const struct vm_read_stake *stake)
{
    (void)ctx;
    assert_int_equal(waiting_told, 0); /* stakes come first */
    assert_int_equal(vm_shares_raw(stake->shares), 1 << stakes_told);
    stakes_told++;
    worth_told += vm_shares_raw(stake->shares);
    return NV_OK;
}

static enum nv_err note_waiting(void *ctx, const struct vm_read_waiting *waiting)
{
    (void)ctx;
    assert_int_equal(waiting->release_ms, waiting_told);
    assert_int_equal(waiting->epoch, 1 + waiting_told % 2);
    waiting_told++;
    worth_told += vm_money_raw(waiting->worth);
    return NV_OK;
}

static void read_own(struct vm_read_own *own, const struct nv_row_key *first, uint32_t limit)
{
    assert_int_equal(vm_read_own_begin(own, OWNER, first, limit), NV_OK);
    assert_int_equal(vm_read_stakes(&source, own, note_stake, NULL), NV_OK);
    assert_int_equal(vm_read_waiting(&source, own, note_waiting, NULL), NV_OK);
}

static void what_an_account_has_is_told_whole_in_pages_of_any_size(void **state)
{
    for (uint32_t limit = 1; limit <= STAKES + WAITING + 1; limit++) {
        struct vm_read_own own;
        struct nv_row_key first;
        uint32_t pages = 0;
        (void)setup_own(state);
        do {
            first = own.next;
            read_own(&own, pages == 0 ? NULL : &first, limit);
            pages++;
            assert_true(stakes_told + waiting_told <= pages * limit);
            assert_true(!own.more || nv_row_key_cmp(&walked_to, &own.next) == 0);
        } while (own.more);
        assert_int_equal(worth_told, (1 << (STAKES + WAITING)) - 1);
        assert_int_equal(pages, (STAKES + WAITING + limit - 1) / limit);
    }
}

static void a_page_may_begin_between_two(void **state)
{
    (void)state;
    struct vm_read_own own;
    struct nv_row_key first;
    vm_key_delegation(&first, OWNER, account_of(2) + 1);
    stakes_told = 3;
    read_own(&own, &first, 2);
    assert_int_equal(stakes_told, STAKES);
    assert_int_equal(waiting_told, 0);
    assert_true(own.more);
    vm_key_unbonding(&first, OWNER, account_of(0), 1);
    assert_memory_equal(&own.next, &first, sizeof first);
    vm_key_unbonding(&first, OWNER, UINT64_MAX, 0); /* after the last of all */
    read_own(&own, &first, 2);
    assert_int_equal(waiting_told, 0);
    assert_false(own.more);
}

static void a_page_begins_at_rows_of_the_account_alone(void **state)
{
    (void)state;
    struct vm_read_own own;
    struct nv_row_key keys[5];
    vm_key_delegation(&keys[0], OWNER + 1, account_of(0));
    vm_key_delegation(&keys[1], OWNER - 1, account_of(0));
    vm_key_unbonding(&keys[2], OWNER + 1, account_of(0), 1);
    vm_key_batch(&keys[3], OWNER, 1);
    vm_key_validator(&keys[4], OWNER);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(vm_read_own_begin(&own, OWNER, &keys[i], 5), NV_ERR_MALFORMED);
    }
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup(test, setup)
    const struct CMUnitTest tests[] = {
        CASE(nobody_serves_in_an_empty_set),
        CASE(who_serves_is_told_with_its_place),
        CASE(a_page_ends_at_the_first_of_the_next),
        CASE(the_last_page_has_no_next),
        CASE(what_is_wrong_comes_back),
        cmocka_unit_test(what_an_account_has_is_told_whole_in_pages_of_any_size),
        cmocka_unit_test_setup(a_page_may_begin_between_two, setup_own),
        CASE(a_page_begins_at_rows_of_the_account_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
