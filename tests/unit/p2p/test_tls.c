/* Goal: two ends agree on an exporter that no third party can have, and bytes that are not TLS are
 * told from bytes that are missing.
 * Method: both ends in memory, joined by hand; a man in the middle with a connection to each; damage
 * at every byte of a record. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "p2p/p2p.h"
#include "p2p/tls.h"
#include "tests/lib/nv_test.h"

static char dir[] = "/tmp/p2p-tls-XXXXXX";
static struct p2p__tls_context *context;

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(p2p_make_certificate(dir), NV_OK);
    assert_int_equal(p2p__tls_context_open(&context, dir), NV_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char path[64];
    p2p__tls_context_close(context);
    (void)snprintf(path, sizeof(path), "%s/p2p.key", dir);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/p2p.crt", dir);
    (void)unlink(path);
    (void)rmdir(dir);
    return 0;
}

struct pair {
    struct p2p__tls *dialler, *listener;
};

/* carry moves what one end has to say to the other, `piece` bytes at a time. */
static uint32_t carry(struct p2p__tls *from, struct p2p__tls *to, uint32_t piece)
{
    uint8_t bytes[P2P__TLS_RECORD];
    uint32_t const size = p2p__tls_drain(from, bytes, piece);
    assert_int_equal(p2p__tls_feed(to, nv_view_of(bytes, size)), NV_OK);
    return size;
}

static struct pair joined(uint32_t piece)
{
    struct pair pair = {p2p__tls_open(context, true), p2p__tls_open(context, false)};
    enum nv_err a = NV_ERR_BUSY;
    enum nv_err b = NV_ERR_BUSY;
    while (a == NV_ERR_BUSY || b == NV_ERR_BUSY) {
        a = a == NV_ERR_BUSY ? p2p__tls_handshake(pair.dialler) : a;
        b = b == NV_ERR_BUSY ? p2p__tls_handshake(pair.listener) : b;
        (void)carry(pair.dialler, pair.listener, piece);
        (void)carry(pair.listener, pair.dialler, piece);
    }
    assert_int_equal(a, NV_OK);
    assert_int_equal(b, NV_OK);
    return pair;
}

static void part(struct pair *pair)
{
    p2p__tls_close(pair->dialler);
    p2p__tls_close(pair->listener);
}

static struct nv_hash exporter_of(struct p2p__tls *tls)
{
    struct nv_hash out;
    assert_int_equal(p2p__tls_exporter(tls, &out), NV_OK);
    return out;
}

static void test_both_ends_have_the_same_exporter_and_no_other_connection_has(void **state)
{
    (void)state;
    struct pair first = joined(4096);
    struct pair second = joined(1); /* byte by byte */
    struct nv_hash const a = exporter_of(first.dialler);
    struct nv_hash const b = exporter_of(first.listener);
    struct nv_hash const c = exporter_of(second.dialler);
    struct nv_hash const d = exporter_of(second.listener);
    assert_true(nv_hash_eq(&a, &b));
    assert_true(nv_hash_eq(&c, &d));
    /* `first` and `second` are also what a man in the middle has: he cannot make them equal. */
    assert_false(nv_hash_eq(&a, &c));
    assert_false(nv_hash_is_zero(&a));
    part(&first);
    part(&second);
}

static void test_plaintext_goes_through_in_any_pieces(void **state)
{
    (void)state;
    static uint8_t sent[P2P__TLS_RECORD];
    static uint8_t got[P2P__TLS_RECORD];
    struct nv_test_rng rng = {3};
    nv_test_fill(&rng, sent, sizeof(sent));
    struct pair pair = joined(4096);
    for (uint32_t size = 1; size <= sizeof(sent); size = size * 3 + 1) {
        assert_int_equal(p2p__tls_write(pair.dialler, nv_view_of(sent, size)), NV_OK);
        uint32_t have = 0;
        while (have < size) {
            uint32_t count = 0;
            uint32_t const carried = carry(pair.dialler, pair.listener, 1000);
            do {
                assert_int_equal(p2p__tls_read(pair.listener, got + have, 1 + size / 3, &count),
                                 NV_OK);
                have += count;
            } while (count != 0 && have < size);
            assert_true(carried != 0 || have == size);
        }
        assert_memory_equal(got, sent, size);
    }
    part(&pair);
}

static void test_what_is_pending_is_read_and_no_more(void **state)
{
    (void)state;
    uint8_t out[64];
    uint32_t count = 0;
    struct pair pair = joined(4096);
    assert_false(p2p__tls_pending(pair.listener));
    assert_int_equal(p2p__tls_write(pair.dialler, nv_view_of("two", 3)), NV_OK);
    assert_int_equal(p2p__tls_write(pair.dialler, nv_view_of("records", 7)), NV_OK);
    (void)carry(pair.dialler, pair.listener, 4096);
    for (uint32_t i = 0; i < 10; i++) { /* also inside a record, and between two */
        assert_true(p2p__tls_pending(pair.listener));
        assert_int_equal(p2p__tls_read(pair.listener, out + i, 1, &count), NV_OK);
        assert_int_equal(count, 1);
    }
    assert_memory_equal(out, "tworecords", 10);
    assert_false(p2p__tls_pending(pair.listener));
    assert_int_equal(p2p__tls_write(pair.dialler, nv_view_of("cut", 3)), NV_OK);
    (void)carry(pair.dialler, pair.listener, 9); /* a part of a record may be nothing yet */
    assert_true(p2p__tls_pending(pair.listener));
    assert_int_equal(p2p__tls_read(pair.listener, out, sizeof(out), &count), NV_OK);
    assert_int_equal(count, 0);
    assert_false(p2p__tls_pending(pair.listener));
    (void)carry(pair.dialler, pair.listener, 4096);
    assert_true(p2p__tls_pending(pair.listener));
    assert_int_equal(p2p__tls_read(pair.listener, out, sizeof(out), &count), NV_OK);
    assert_int_equal(count, 3);
    part(&pair);
}

static void test_a_record_adds_no_more_than_it_says(void **state)
{
    (void)state;
    static uint8_t sent[P2P__TLS_RECORD];
    static uint8_t out[2 * P2P__TLS_RECORD];
    struct pair pair = joined(4096);
    assert_int_equal(p2p__tls_write(pair.dialler, nv_view_of(sent, sizeof(sent))), NV_OK);
    uint32_t const size = p2p__tls_drain(pair.dialler, out, sizeof(out));
    assert_in_range(size, P2P__TLS_RECORD + 1, P2P__TLS_RECORD + P2P__TLS_RECORD_EXTRA);
    part(&pair);
}

static void test_a_damaged_record_is_noticed(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 31; at++) {
        struct pair pair = joined(4096);
        uint8_t bytes[256];
        uint8_t out[64];
        uint32_t count = 0;
        assert_int_equal(p2p__tls_write(pair.dialler, nv_view_of("a message", 9)), NV_OK);
        uint32_t const size = p2p__tls_drain(pair.dialler, bytes, sizeof(bytes));
        assert_int_equal(size, 31);
        bytes[at] ^= 1;
        assert_int_equal(p2p__tls_feed(pair.listener, nv_view_of(bytes, size)), NV_OK);
        enum nv_err const err = p2p__tls_read(pair.listener, out, sizeof(out), &count);
        assert_int_equal(count, 0);
        assert_true(err == NV_ERR_CRYPTO || at == 3 ||
                    at == 4); /* 3, 4: it waits for a longer one */
        part(&pair);
    }
}

static void test_garbage_fails_and_silence_waits(void **state)
{
    (void)state;
    struct p2p__tls *listener = p2p__tls_open(context, false);
    assert_int_equal(p2p__tls_handshake(listener), NV_ERR_BUSY);
    assert_int_equal(p2p__tls_handshake(listener), NV_ERR_BUSY);
    assert_int_equal(p2p__tls_feed(listener, nv_view_of_text("GET / HTTP/1.1\r\n\r\n")), NV_OK);
    assert_int_equal(p2p__tls_handshake(listener), NV_ERR_CRYPTO);
    p2p__tls_close(listener);
}

static void test_the_key_is_for_its_owner_only(void **state)
{
    (void)state;
    char path[64];
    struct stat status;
    (void)snprintf(path, sizeof(path), "%s/p2p.key", dir);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(p2p_make_certificate(dir), NV_ERR_EXISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_have_the_same_exporter_and_no_other_connection_has),
        cmocka_unit_test(test_plaintext_goes_through_in_any_pieces),
        cmocka_unit_test(test_what_is_pending_is_read_and_no_more),
        cmocka_unit_test(test_a_record_adds_no_more_than_it_says),
        cmocka_unit_test(test_a_damaged_record_is_noticed),
        cmocka_unit_test(test_garbage_fails_and_silence_waits),
        cmocka_unit_test(test_the_key_is_for_its_owner_only),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
