/* Goal: an announcement means one address, is exactly the bytes of docs/spec/p2p.md 10.1, and
 * nobody can change it.
 * Method: a fixed key; every bit of the bytes is flipped. */

#include <string.h>

#include "base/codec.h"

#include "p2p/announcement.h"
#include "tests/lib/nv_test.h"

static struct nv_seckey seckey;
static struct nv_pubkey key;
static struct nv_hash chain_id;

static int make(void **state)
{
    (void)state;
    uint8_t const seed[32] = {0x61};
    memset(chain_id.bytes, 0xc4, sizeof chain_id.bytes);
    return nv_key_from_seed(&seckey, &key, seed) == NV_OK ? 0 : -1;
}

static enum nv_err at(struct p2p__announcement *out, const char *text)
{
    struct p2p__endpoint endpoint;
    assert_int_equal(p2p__endpoint_parse(&endpoint, text), NV_OK);
    return p2p__announcement_at(out, &endpoint);
}

static struct p2p__announcement made(const char *text)
{
    struct p2p__announcement out = {.key = key, .made_ms = 1700000000123};
    assert_int_equal(at(&out, text), NV_OK);
    p2p__announcement_sign(&out, &seckey, &chain_id);
    return out;
}

static void test_addresses_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
    } cases[] = {
        {"203.0.113.7:27656", "203.0.113.7", 27656},
        {"[2001:db8::1]:1", "2001:db8::1", 1},
        {"[::1]:65535", "::1", 65535},
        {"[::ffff:203.0.113.7]:80", "203.0.113.7", 80}, /* one address, one form */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct p2p__endpoint back;
        struct p2p__announcement const one = made(cases[i].text);
        p2p__announcement_endpoint(&back, &one);
        assert_string_equal(back.host, cases[i].host);
        assert_int_equal(back.port, cases[i].port);
    }
}

static void test_what_is_no_address_of_one_host(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "node.example:27656", "0.0.0.0:27656", "[::]:27656", "[::ffff:0.0.0.0]:1", "127.0.0.1:0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct p2p__announcement one = {.port = 7};
        assert_int_equal(at(&one, bad[i]), NV_ERR_CONFIG);
        assert_int_equal(one.port, 0);
    }
}

static void test_the_bytes(void **state)
{
    (void)state;
    uint8_t bytes[P2P__ADDRESS_BYTES];
    struct p2p__announcement back;
    struct p2p__announcement const one = made("203.0.113.7:27656");
    p2p__announcement_encode(bytes, &one);
    assert_memory_equal(bytes, key.bytes, 32);
    assert_int_equal(nv_be64_load(bytes + 32), 1700000000123);
    static const uint8_t rest[] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 7, 0x6c, 0x08};
    assert_memory_equal(bytes + 40, rest, sizeof rest);

    struct nv_hash digest;
    struct nv_sig sig;
    struct nv_view const parts[2] = {nv_hash_view(&chain_id), nv_view_of(bytes, 58)};
    nv_tagged_hash(&digest, "novate/p2p-address/v1", parts, 2);
    memcpy(sig.bytes, bytes + 58, 64);
    assert_true(nv_verify(&sig, &key, &digest));

    assert_int_equal(p2p__announcement_decode(&back, nv_view_of(bytes, sizeof bytes)), NV_OK);
    assert_true(p2p__announcement_proven(&back, &chain_id));
    chain_id.bytes[0] ^= 1;
    assert_false(p2p__announcement_proven(&back, &chain_id));
    chain_id.bytes[0] ^= 1;
}

static void test_bytes_that_are_none(void **state)
{
    (void)state;
    uint8_t bytes[P2P__ADDRESS_BYTES + 1] = {0};
    struct p2p__announcement back;
    struct p2p__announcement const one = made("[2001:db8::1]:27656");
    p2p__announcement_encode(bytes, &one);
    for (uint32_t size = 0; size <= sizeof bytes; size++) {
        enum nv_err const err = p2p__announcement_decode(&back, nv_view_of(bytes, size));
        assert_int_equal(err == NV_OK, size == P2P__ADDRESS_BYTES);
    }
    memset(bytes + 56, 0, 2);
    assert_int_equal(p2p__announcement_decode(&back, nv_view_of(bytes, P2P__ADDRESS_BYTES)),
                     NV_ERR_MALFORMED);
}

static void test_every_changed_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t bytes[P2P__ADDRESS_BYTES];
    struct p2p__announcement const one = made("203.0.113.7:27656");
    p2p__announcement_encode(bytes, &one);
    for (uint32_t bit = 0; bit < 8 * P2P__ADDRESS_BYTES; bit++) {
        struct p2p__announcement back;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (p2p__announcement_decode(&back, nv_view_of(bytes, sizeof bytes)) == NV_OK) {
            assert_false(p2p__announcement_proven(&back, &chain_id));
        }
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_there_and_back),
        cmocka_unit_test(test_what_is_no_address_of_one_host),
        cmocka_unit_test(test_the_bytes),
        cmocka_unit_test(test_bytes_that_are_none),
        cmocka_unit_test(test_every_changed_bit_is_noticed),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}
