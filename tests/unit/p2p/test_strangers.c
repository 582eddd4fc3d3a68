/* Goal: strangers' handshakes are begun at a bounded rate, whatever else they do, a known address has
 * its turn among them, and no more connections are taken than a tick allows.
 * Method: clients that shake hands, and bare sockets from many networks of loopback; what is begun is
 * compared with the loop's clock. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/p2p_net.h"
#include "tests/lib/p2p_raw.h"

#define FIRST_BYTES 5000u /* more than one that waits may send */

static struct p2p_net net;
static uint64_t opened_ms;

/* within returns whether node 0 has begun as many handshakes as it may, and no more. */
static bool within(uint32_t per_second)
{
    uint64_t const at_once = per_second < 8 ? 1 : per_second / 4;
    uint64_t const since_ms = uv_now(net.loop) - opened_ms;
    return p2p_net_totals(&net, 0).handshakes <= at_once + since_ms * per_second / 1000;
}

static bool all_are_secured(struct p2p_net *n, void *ctx)
{
    (void)n;
    const struct p2p_raw *raw = ctx;
    uint32_t there = 0;
    assert_true(within(20));
    while (there < 15 && raw[there].reached == P2P_RAW_SECURED) {
        there++;
    }
    return there == 15;
}

static void test_handshakes_begin_at_a_bounded_rate(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    net.nodes[0].config.limits.handshakes_per_second = 20;
    opened_ms = uv_now(net.loop);
    p2p_net_open(&net, 0);
    static struct p2p_raw raw[15];
    for (uint32_t i = 0; i < 15; i++) {
        p2p_raw_open(&raw[i], &net, P2P_RAW_SECURED, 1, 2);
    }
    p2p_net_until(&net, all_are_secured, raw);
    struct p2p_totals const totals = p2p_net_totals(&net, 0);
    assert_int_equal(totals.handshakes, 15);
    assert_true(totals.handshakes_waited >= 1);
    assert_int_equal(totals.waiting, 0);
    assert_int_equal(totals.half_open, 15);
    for (uint32_t i = 0; i < 15; i++) {
        p2p_raw_hang_up(&raw[i]);
    }
    p2p_raw_link(&net);
    p2p_raw_end_linked(&net);
}

/* stranger_from connects from a network of its own and sends `size` bytes of a record of TLS
 * that is longer. */
static int stranger_from(uint32_t network, uint32_t size)
{
    static const uint8_t record[FIRST_BYTES] = {0x16, 3, 1, 0x14, 0};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to;
    from.sin_addr.s_addr = htonl(0x7f000001u + (network << 8));
    assert_int_equal(uv_ip4_addr("127.0.0.1", p2p_listen_port(net.nodes[0].p2p), &to), 0);
    int const fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    assert_true(size <= sizeof(record));
    assert_int_equal(send(fd, record, size, 0), size);
    return fd;
}

static bool strangers_wait(struct p2p_net *n, void *ctx)
{
    const uint32_t *count = ctx;
    return p2p_net_totals(n, 0).accepted >= *count;
}

static void test_a_known_address_is_served_before_a_crowd(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    net.nodes[0].config.limits.handshakes_per_second = 4;
    p2p_net_open(&net, 0);
    p2p_raw_link(&net); /* 127.0.0.1 is known from here on */
    int fds[40];
    uint32_t accepted = (uint32_t)p2p_net_totals(&net, 0).accepted + 40;
    for (uint32_t i = 0; i < 40; i++) {
        fds[i] = stranger_from(1 + i, 1);
    }
    p2p_net_until(&net, strangers_wait, &accepted);
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 1, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    assert_true(p2p_net_totals(&net, 0).waiting >= 20); /* of the crowd most */
    for (uint32_t i = 0; i < 40; i++) {
        assert_int_equal(close(fds[i]), 0);
    }
    p2p_raw_hang_up(&raw);
    p2p_raw_end(&net); /* while they wait */
}

static bool one_is_cut(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return p2p_net_totals(n, 0).ended[P2P_REASON_TLS] == 1;
}

static void test_who_waits_may_not_send_much(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    net.nodes[0].config.limits.handshakes_per_second = 1;
    opened_ms = uv_now(net.loop);
    p2p_net_open(&net, 0);
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_SECURED, 1, 2); /* takes what there is at once */
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    int const fd = stranger_from(1, FIRST_BYTES);
    p2p_net_until(&net, one_is_cut, NULL);
    assert_true(within(1));
    assert_int_equal(close(fd), 0);
    p2p_raw_hang_up(&raw);
    p2p_raw_link(&net);
    p2p_raw_end_linked(&net);
}

static void test_so_many_are_accepted_in_a_tick(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    net.nodes[0].config.limits.tick_ms = 500;
    opened_ms = uv_now(net.loop);
    p2p_net_open(&net, 0);
    int fds[120];
    for (uint32_t i = 0; i < 120; i++) {
        fds[i] = stranger_from(i, 0);
        p2p_net_turns(&net, 2);
    }
    uint64_t accepted = p2p_net_totals(&net, 0).accepted;
    while (accepted < 120) {
        p2p_net_turns(&net, 1);
        accepted = p2p_net_totals(&net, 0).accepted;
        uint64_t const ticks = (uv_now(net.loop) - opened_ms) / 500 + 1;
        assert_true(accepted <= 100 * (ticks + 1));
    }
    assert_true(uv_now(net.loop) - opened_ms >= 500);
    for (uint32_t i = 0; i < 120; i++) {
        assert_int_equal(close(fds[i]), 0);
    }
    p2p_raw_end(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshakes_begin_at_a_bounded_rate),
        cmocka_unit_test(test_a_known_address_is_served_before_a_crowd),
        cmocka_unit_test(test_who_waits_may_not_send_much),
        cmocka_unit_test(test_so_many_are_accepted_in_a_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
