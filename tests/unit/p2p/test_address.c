/* Goal: one node has one address however its connection is told, and a stranger has one network
 * however many addresses of it are its own.
 * Method: addresses of both families at each border of their networks. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "p2p/address.h"
#include "tests/lib/nv_test.h"

static struct p2p__address address(const char *text)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET6};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct p2p__address out;
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        memcpy(&storage, &v6, sizeof(v6));
    } else {
        assert_int_equal(inet_pton(AF_INET, text, &v4.sin_addr), 1);
        memcpy(&storage, &v4, sizeof(v4));
    }
    p2p__address_of(&out, &storage);
    return out;
}

static bool same_network(const char *a, const char *b, bool known)
{
    struct p2p__address const addresses[2] = {address(a), address(b)};
    struct p2p__network const first = p2p__network_of(&addresses[0], known);
    struct p2p__network const second = p2p__network_of(&addresses[1], known);
    return p2p__network_eq(&first, &second);
}

static void test_one_form_for_ipv4(void **state)
{
    (void)state;
    struct p2p__address const plain = address("203.0.113.7");
    struct p2p__address const mapped = address("::ffff:203.0.113.7");
    assert_true(p2p__address_eq(&plain, &mapped));
    assert_false(p2p__address_is_none(&plain));
}

static void test_what_has_no_family_is_nobody(void **state)
{
    (void)state;
    struct sockaddr_storage const storage = {.ss_family = AF_UNSPEC};
    struct p2p__address out;
    p2p__address_of(&out, &storage);
    assert_true(p2p__address_is_none(&out));
}

static void test_networks_of_strangers(void **state)
{
    (void)state;
    assert_true(same_network("203.0.113.0", "203.0.113.255", false));
    assert_false(same_network("203.0.113.255", "203.0.114.0", false));
    assert_true(same_network("2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", false));
    assert_false(same_network("2001:db8:1:ffff::", "2001:db8:2::", false));
    assert_false(same_network("::1", "127.0.0.1", false));
}

static void test_a_known_address_is_a_network(void **state)
{
    (void)state;
    assert_true(same_network("203.0.113.1", "203.0.113.1", true));
    assert_false(same_network("203.0.113.1", "203.0.113.2", true));
    assert_false(same_network("2001:db8:1::1", "2001:db8:1::2", true));
    struct p2p__address const zero_host = address("2001:db8:1::");
    struct p2p__network const known = p2p__network_of(&zero_host, true);
    struct p2p__network const stranger = p2p__network_of(&zero_host, false);
    assert_false(p2p__network_eq(&known, &stranger));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_form_for_ipv4),
        cmocka_unit_test(test_what_has_no_family_is_nobody),
        cmocka_unit_test(test_networks_of_strangers),
        cmocka_unit_test(test_a_known_address_is_a_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
