/* test_sessions.c - what a session key could do, at any height that is still known.
 *
 * Method: rows as the VM writes them are fed height by height, by hand and at
 * random; then every height is asked, and compared with a plain list of all that was. */

#include <string.h>

#include "node/replica/sessions.h"
#include "tests/lib/nv_test.h"
#include "vm/rows.h"

#define KEYS    7u
#define HEIGHTS 3000u

static struct node_sessions *s;
static struct vm_session_row was[HEIGHTS][KEYS]; /* scopes 0: not there */

static struct nv_pubkey key_of(uint32_t name)
{
    return (struct nv_pubkey){.bytes = {(uint8_t)(name + 1), 9}};
}

/* feed writes the row of a key of account 1 + name % 2. */
static void feed(uint64_t height, uint32_t name, uint32_t scopes, uint64_t expires_ms)
{
    uint8_t value[VM_ROW_SIZE_MAX];
    struct vm_session_row const session = {key_of(name), scopes, expires_ms};
    struct nv_writer w;
    struct nv_row row = {.value = {NULL, 0}};
    nv_writer_init(&w, value, sizeof value);
    vm_session_row_encode(&w, &session);
    vm_key_session(&row.key, 1 + name % 2, &session.key);
    if (scopes != 0) {
        row.value = nv_writer_view(&w);
    }
    node_sessions_feed(s, height, &row, 1);
}

static enum node_session ask(uint64_t height, uint32_t name, uint32_t scopes, uint64_t time_ms)
{
    struct node_signer const signer = {.key = key_of(name), .scopes = scopes};
    return node_sessions_judge(s, height, time_ms, 1 + name % 2, &signer);
}

static void open_sessions(uint32_t count)
{
    assert_int_equal(node_sessions_open(&s, count), NV_OK);
    assert_false(node_sessions_known(s, 0));
    node_sessions_feed(s, 0, NULL, 0);
    assert_true(node_sessions_known(s, 0));
    assert_false(node_sessions_known(s, 1));
}

static void a_key_has_scopes_and_an_end(void **state)
{
    (void)state;
    open_sessions(4);
    feed(0, 0, VM_SCOPE_TRADE | VM_SCOPE_REPORT, 1000);
    assert_int_equal(ask(0, 0, VM_SCOPE_TRADE, 999), NODE_SESSION_GOOD);
    assert_int_equal(ask(0, 0, VM_SCOPE_TRADE | VM_SCOPE_REPORT, 999), NODE_SESSION_GOOD);
    assert_int_equal(ask(0, 0, VM_SCOPE_TRADE, 1000), NODE_SESSION_EXPIRED);
    assert_int_equal(ask(0, 0, VM_SCOPE_TRANSFER, 1), NODE_SESSION_SCOPE);
    assert_int_equal(ask(0, 0, VM_SCOPE_TRADE | VM_SCOPE_STAKE, 1), NODE_SESSION_SCOPE);
    assert_int_equal(ask(0, 1, VM_SCOPE_TRADE, 1), NODE_SESSION_UNKNOWN);
    node_sessions_close(s);
}

static void a_key_is_that_of_one_account(void **state)
{
    (void)state;
    struct node_signer const signer = {.key = key_of(0), .scopes = VM_SCOPE_TRADE};
    open_sessions(4);
    feed(0, 0, VM_SCOPES_ALL, 1000);
    assert_int_equal(node_sessions_judge(s, 0, 1, 1, &signer), NODE_SESSION_GOOD);
    assert_int_equal(node_sessions_judge(s, 0, 1, 2, &signer), NODE_SESSION_UNKNOWN);
    assert_int_equal(node_sessions_judge(s, 0, 1, 0, &signer), NODE_SESSION_UNKNOWN);
    node_sessions_close(s);
}

static void every_height_keeps_what_it_had(void **state)
{
    (void)state;
    open_sessions(4);
    feed(2, 0, VM_SCOPE_TRADE, 1000);
    feed(4, 0, VM_SCOPE_REPORT, 2000);
    feed(6, 0, 0, 0);
    feed(8, 0, VM_SCOPE_TRADE, 3000);
    node_sessions_feed(s, 9, NULL, 0);
    for (uint64_t h = 0; h <= 9; h++) {
        bool const there = (h >= 2 && h < 6) || h >= 8;
        bool const trades = there && !(h >= 4 && h < 6);
        assert_true(node_sessions_known(s, h));
        assert_int_equal(ask(h, 0, VM_SCOPE_TRADE, 1),
                         !there   ? NODE_SESSION_UNKNOWN
                         : trades ? NODE_SESSION_GOOD
                                  : NODE_SESSION_SCOPE);
        assert_int_equal(ask(h, 0, VM_SCOPE_TRADE, 2500),
                         !there   ? NODE_SESSION_UNKNOWN
                         : h >= 8 ? NODE_SESSION_GOOD
                                  : NODE_SESSION_EXPIRED);
    }
    node_sessions_close(s);
}

static enum node_session expected(uint64_t height, uint32_t name, uint32_t scopes, uint64_t time_ms)
{
    const struct vm_session_row *const row = &was[height][name];
    if (row->scopes == 0) {
        return NODE_SESSION_UNKNOWN;
    }
    return row->expires_ms <= time_ms     ? NODE_SESSION_EXPIRED
           : (scopes & ~row->scopes) == 0 ? NODE_SESSION_GOOD
                                          : NODE_SESSION_SCOPE;
}

/* change gives or takes a few keys away, never more than `live_max` being there. */
static void change(struct nv_test_rng *rng, uint64_t height, uint32_t live_max)
{
    uint32_t live = 0;
    memcpy(was[height], was[height - 1], sizeof was[height]);
    for (uint32_t name = 0; name < KEYS; name++) {
        live += was[height][name].scopes != 0 ? 1u : 0u;
    }
    node_sessions_feed(s, height, NULL, 0);
    for (uint32_t name = 0; name < KEYS; name++) {
        struct vm_session_row *const row = &was[height][name];
        if (nv_test_below(rng, 4) != 0) {
            continue;
        }
        bool const there = row->scopes != 0;
        bool const stays = (there || live < live_max) && nv_test_below(rng, 3) != 0;
        row->scopes = stays ? 1 + nv_test_below(rng, VM_SCOPES_ALL) : 0;
        row->expires_ms = nv_test_below(rng, 100);
        live += (stays ? 1u : 0u) - (there ? 1u : 0u);
        feed(height, name, row->scopes, row->expires_ms);
    }
}

/* known_near asks all keys at the last heights and returns how many of these are known. */
static uint64_t known_near(struct nv_test_rng *rng, uint64_t height)
{
    uint64_t known = 0;
    for (uint64_t at = height > 100 ? height - 100 : 0; at <= height; at++) {
        uint32_t const scopes = 1 + nv_test_below(rng, VM_SCOPES_ALL);
        uint64_t const time_ms = nv_test_below(rng, 100);
        if (!node_sessions_known(s, at)) {
            continue;
        }
        known++;
        for (uint32_t name = 0; name < KEYS; name++) {
            assert_int_equal(ask(at, name, scopes, time_ms), expected(at, name, scopes, time_ms));
        }
    }
    return known;
}

/* Whatever the ring has lost, a height that is known is told right; and there is always
 * room for those that are there. */
static void what_is_forgotten_is_not_known(void **state)
{
    (void)state;
    struct nv_test_rng rng = {7};
    for (uint32_t live_max = 1; live_max <= 4; live_max++) {
        uint64_t most = 0;
        memset(was, 0, sizeof was);
        open_sessions(live_max);
        for (uint64_t h = 1; h < HEIGHTS; h++) {
            change(&rng, h, live_max);
            uint64_t const known = known_near(&rng, h);
            assert_true(known >= 1);
            most = known > most ? known : most;
        }
        assert_true(most >= 3 * live_max && most < 100);
        node_sessions_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_has_scopes_and_an_end),
        cmocka_unit_test(a_key_is_that_of_one_account),
        cmocka_unit_test(every_height_keeps_what_it_had),
        cmocka_unit_test(what_is_forgotten_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
