/* test_judge.c - what a validator says of fees and keys by the rows that it has
 * (docs/spec/transactions.md sections 6.3 and 7.4). */

#include <string.h>

#include "node/replica/internal.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/replica_parts.h"
#include "vm/scope.h"

#define FLOOR  UINT64_C(5) /* the height at which the node began */
#define NEWEST UINT64_C(8)
#define RICH   1u
#define KEY    9u

static struct rw w;
static struct node_charge charge;
static struct node_signer signer;

/* open_late opens a node that began at FLOOR and has executed NEWEST. */
static void open_late(void)
{
    int64_t cash[RW_ACCOUNTS] = {3 * RW_FEE};
    rw_open_fees(&w, 1, CS_NOBODY);
    rw_account(&w, RICH, cash[0]);
    rw_session(&w, FLOOR, RICH, KEY, VM_SCOPE_TRADE, 60000);
    rw_crash(&w, 0);
    rw_revive(&w, 0);
    rw__tell_fee(&w, 0, FLOOR);
    for (uint64_t height = FLOOR; height <= NEWEST; height++) {
        rw__tell_rows(&w, 0, height, cash);
    }
    charge = (struct node_charge){.account = w.account[0]};
    signer = (struct node_signer){.account = w.account[0], .key = w.session[0].row.key};
}

static enum replica_judgement judge_fees(uint64_t executed, uint32_t paid)
{
    struct node_body body = {.header = {.height = NEWEST + 1, .executed_height = executed}};
    charge.paid = paid;
    body.charges = (struct node_charges){&charge, paid > 0 ? 1 : 0};
    return replica__fees_judge(w.node[0].replica, &body, NULL, 0);
}

static enum replica_judgement judge_names(uint64_t executed, uint32_t scopes)
{
    struct node_body body = {.header = {.height = NEWEST + 1, .executed_height = executed}};
    body.header.time_ms = rw__now(&w).wall_ms;
    signer.scopes = scopes;
    body.signers.list = &signer;
    body.signers.count = scopes != 0 ? 1 : 0;
    return replica__names_judge(w.node[0].replica, &body);
}

static void who_pays_is_told_from_where_the_node_began(void **state)
{
    (void)state;
    open_late();
    for (uint64_t executed = FLOOR; executed <= NEWEST; executed++) {
        assert_int_equal(judge_fees(executed, 3), REPLICA_JUDGED_VALID);
        assert_int_equal(judge_fees(executed, 4), REPLICA_JUDGED_INVALID);
    }
    assert_int_equal(judge_fees(NEWEST + 1, 3), REPLICA_JUDGED_LATER);
    assert_int_equal(judge_fees(FLOOR - 1, 3), REPLICA_JUDGED_LATER);
    assert_int_equal(judge_fees(FLOOR - 1, 4), REPLICA_JUDGED_LATER);
    assert_int_equal(judge_fees(FLOOR - 1, 0), REPLICA_JUDGED_VALID);
    rw_close(&w);
}

static void whose_key_is_told_from_where_the_node_began(void **state)
{
    (void)state;
    open_late();
    for (uint64_t executed = FLOOR; executed <= NEWEST; executed++) {
        assert_int_equal(judge_names(executed, VM_SCOPE_TRADE), REPLICA_JUDGED_VALID);
        assert_int_equal(judge_names(executed, VM_SCOPE_TRANSFER), REPLICA_JUDGED_INVALID);
    }
    assert_int_equal(judge_names(NEWEST + 1, VM_SCOPE_TRADE), REPLICA_JUDGED_LATER);
    assert_int_equal(judge_names(FLOOR - 1, VM_SCOPE_TRADE), REPLICA_JUDGED_LATER);
    assert_int_equal(judge_names(FLOOR - 1, VM_SCOPE_TRANSFER), REPLICA_JUDGED_LATER);
    assert_int_equal(judge_names(FLOOR - 1, 0), REPLICA_JUDGED_VALID);
    rw_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_pays_is_told_from_where_the_node_began),
        cmocka_unit_test(whose_key_is_told_from_where_the_node_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
