/* Goal: what people write as an address means one thing or is refused.
 * Method: tables of good and bad texts. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "p2p/endpoint.h"
#include "tests/lib/nv_test.h"

static void test_good_endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
        int family; /* 0: a name */
    } rows[] = {
        {"127.0.0.1:27656", "127.0.0.1", 27656, AF_INET},
        {"0.0.0.0:0", "0.0.0.0", 0, AF_INET},
        {"[::1]:65535", "::1", 65535, AF_INET6},
        {"[2001:db8::7]:1", "2001:db8::7", 1, AF_INET6},
        {"node-1.example.org:27656", "node-1.example.org", 27656, 0},
    };
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct p2p__endpoint endpoint;
        struct sockaddr_storage address;
        assert_int_equal(p2p__endpoint_parse(&endpoint, rows[i].text), NV_OK);
        assert_string_equal(endpoint.host, rows[i].host);
        assert_int_equal(endpoint.port, rows[i].port);
        enum nv_err const err = p2p__endpoint_numeric(&address, &endpoint);
        assert_int_equal(err, rows[i].family == 0 ? NV_ERR_NOT_FOUND : NV_OK);
        assert_int_equal(address.ss_family, rows[i].family);
    }
}

static void test_bad_endpoints(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        ":",
                                        ":1",
                                        "host",
                                        "host:",
                                        "host:x",
                                        "host:65536",
                                        "host:-1",
                                        "host:01",
                                        "host: 1",
                                        "::1:5",
                                        "[]:5",
                                        "[::1]5",
                                        "[::1:5",
                                        "a b:5",
                                        "a@b:5",
                                        "http://a:5",
                                        "h\xc3\xb6st:5",
                                        "host:18446744073709551617"};
    struct p2p__endpoint endpoint;
    for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(p2p__endpoint_parse(&endpoint, texts[i]), NV_ERR_CONFIG);
    }
    char longest[P2P__HOST_SIZE + 8];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest + P2P__HOST_SIZE - 1, ":5", 3);
    assert_int_equal(p2p__endpoint_parse(&endpoint, longest), NV_OK);
    memcpy(longest + P2P__HOST_SIZE - 1, "a:5", 4);
    assert_int_equal(p2p__endpoint_parse(&endpoint, longest), NV_ERR_CONFIG);
}

/* The x coordinate of the group's generator. */
#define KEY "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

static void test_peers(void **state)
{
    (void)state;
    struct nv_pubkey key;
    struct p2p__endpoint endpoint;
    assert_int_equal(p2p__peer_parse(&key, &endpoint, KEY "@[::1]:7"), NV_OK);
    assert_int_equal(key.bytes[0], 0x79);
    assert_int_equal(key.bytes[31], 0x98);
    assert_string_equal(endpoint.host, "::1");
    static const char *const texts[] = {
        "",
        "@host:7",
        KEY "host:7",
        KEY "@host",
        KEY "@host:0",
        KEY "00@host:7",
        "0x" KEY "@host:7",
        "79be@host:7",
        "79xx667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798@host:7",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff@host:7", /* no point */
    };
    for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(p2p__peer_parse(&key, &endpoint, texts[i]), NV_ERR_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_endpoints),
        cmocka_unit_test(test_bad_endpoints),
        cmocka_unit_test(test_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
