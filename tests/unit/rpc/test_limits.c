/* Goal: an address gets what the bucket holds and not a call more, whatever
 * other addresses do.
 *
 * Method: the table with a clock of our own; a plain model of one bucket. */

#include <netinet/in.h>
#include <string.h>

#include "rpc/limits.h"
#include "tests/lib/nv_test.h"

static struct rpc_buckets buckets;

static struct rpc_address address(uint32_t number)
{
    struct rpc_address out = {{0}};
    memcpy(out.bytes + 12, &number, sizeof number);
    return out;
}

static void init(uint32_t per_second, uint32_t burst)
{
    struct rpc_limits limits = {.calls_per_second = per_second, .calls_burst = burst};
    rpc__limits_fill(&limits);
    rpc__buckets_init(&buckets, &limits, 42);
}

static void zeros_become_defaults(void **state)
{
    (void)state;
    struct rpc_limits limits = {.batch_items = 7};
    rpc__limits_fill(&limits);
    assert_int_equal(limits.batch_items, 7);
    assert_int_equal(limits.body_bytes, 1u << 20);
    assert_int_equal(limits.calls_burst, 2 * limits.calls_per_second);
}

static void a_bucket_runs_empty_and_fills(void **state)
{
    (void)state;
    struct rpc_address const a = address(1);
    init(10, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rpc__buckets_take(&buckets, &a, 1, 1000), 0);
    }
    uint32_t const wait = rpc__buckets_take(&buckets, &a, 1, 1000);
    assert_in_range(wait, 100, 101);
    assert_true(rpc__buckets_take(&buckets, &a, 1, 1000 + wait - 2) > 0);
    assert_int_equal(rpc__buckets_take(&buckets, &a, 1, 1000 + wait), 0);
    assert_int_equal(rpc__buckets_left(&buckets, &a, 100000), 5);
}

static void weights_count(void **state)
{
    (void)state;
    struct rpc_address const a = address(1);
    init(10, 20);
    assert_int_equal(rpc__buckets_take(&buckets, &a, 20, 0), 0);
    assert_in_range(rpc__buckets_take(&buckets, &a, 20, 0), 2000, 2001);
    assert_int_equal(rpc__buckets_left(&buckets, &a, 1000), 10);
}

static void addresses_do_not_share(void **state)
{
    (void)state;
    init(1, 1);
    for (uint32_t i = 0; i < 100; i++) {
        struct rpc_address const a = address(i);
        assert_int_equal(rpc__buckets_take(&buckets, &a, 1, 0), 0);
    }
    struct rpc_address const a = address(5);
    assert_true(rpc__buckets_take(&buckets, &a, 1, 0) > 0);
}

/* With more addresses than places, nobody gets less than its due, and an empty
 * bucket is not forgotten while fuller ones can make room. */
static void a_full_table_favours_nobody_for_long(void **state)
{
    (void)state;
    struct rpc_address const mine = address(7);
    init(1, 2);
    assert_int_equal(rpc__buckets_take(&buckets, &mine, 2, 0), 0);
    uint32_t forgotten = 0;
    for (uint32_t i = 100; i < 3000; i++) {
        struct rpc_address const other = address(i);
        assert_int_equal(rpc__buckets_take(&buckets, &other, 1, 1), 0);
        forgotten += rpc__buckets_left(&buckets, &mine, 1) > 0 ? 1 : 0;
    }
    assert_int_equal(forgotten, 0);
}

static void a_long_pause_does_not_overflow(void **state)
{
    (void)state;
    struct rpc_address const a = address(1);
    init(UINT32_MAX, UINT32_MAX);
    assert_int_equal(rpc__buckets_take(&buckets, &a, UINT32_MAX, 0), 0);
    assert_int_equal(rpc__buckets_left(&buckets, &a, UINT64_MAX), UINT32_MAX);
    assert_int_equal(rpc__buckets_left(&buckets, &a, UINT32_MAX), UINT32_MAX);
}

static void addresses_are_told_apart_by_network(void **state)
{
    (void)state;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct rpc_address a;
    struct rpc_address b;
    v4.sin_addr.s_addr = htonl(0x7f000001);
    rpc__address_of(&a, (struct sockaddr *)&v4);
    v6.sin6_addr.s6_addr[10] = 0xff;
    v6.sin6_addr.s6_addr[11] = 0xff;
    v6.sin6_addr.s6_addr[12] = 127;
    v6.sin6_addr.s6_addr[15] = 1;
    rpc__address_of(&b, (struct sockaddr *)&v6);
    assert_true(rpc__address_eq(&a, &b)); /* IPv4 mapped into IPv6 */
    memset(&v6.sin6_addr, 0x20, sizeof v6.sin6_addr);
    rpc__address_of(&a, (struct sockaddr *)&v6);
    v6.sin6_addr.s6_addr[15] = 9;
    rpc__address_of(&b, (struct sockaddr *)&v6);
    assert_true(rpc__address_eq(&a, &b)); /* the same /64 */
    v6.sin6_addr.s6_addr[7] = 9;
    rpc__address_of(&b, (struct sockaddr *)&v6);
    assert_false(rpc__address_eq(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_become_defaults),
        cmocka_unit_test(a_bucket_runs_empty_and_fills),
        cmocka_unit_test(weights_count),
        cmocka_unit_test(addresses_do_not_share),
        cmocka_unit_test(a_full_table_favours_nobody_for_long),
        cmocka_unit_test(a_long_pause_does_not_overflow),
        cmocka_unit_test(addresses_are_told_apart_by_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
