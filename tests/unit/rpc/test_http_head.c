/* Goal: a head is read the one way that nobody can read otherwise, or refused.
 *
 * Method: heads as bytes; what leaves two readers in disagreement must fail. */

#include <stdio.h>
#include <string.h>

#include "rpc/error.h"
#include "rpc/http.h"
#include "tests/lib/nv_test.h"

static struct rpc_http_head head;

static int32_t read_head(const char *text)
{
    return rpc__http_head(&head, nv_view_of_text(text)).code;
}

static void the_end_of_a_head_is_found(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nA: b\r\n\r\nrest";
    struct nv_view const whole = nv_view_of_text(text);
    uint32_t const size = (uint32_t)strlen(text) - 4;
    assert_int_equal(rpc__http_head_size(whole, 0), size);
    for (uint32_t from = 0; from < size; from++) {
        assert_int_equal(rpc__http_head_size(whole, from), size);
        assert_int_equal(rpc__http_head_size(nv_view_of(text, from), 0), 0);
    }
}

static void a_good_head_is_read(void **state)
{
    (void)state;
    assert_int_equal(read_head("POST /a?b=c HTTP/1.1\r\nhOST: x:1\r\nContent-Length: 17\r\n"
                               "Origin: http://x:1\r\nExpect: 100-Continue\r\n\r\n"),
                     0);
    assert_int_equal(head.method, RPC_HTTP_POST);
    assert_string_equal(head.path, "/a");
    assert_string_equal(head.host, "x:1");
    assert_string_equal(head.origin, "http://x:1");
    assert_int_equal(head.content_length, 17);
    assert_true(head.keep_alive && head.expects_continue && !head.upgrade);
    assert_int_equal(read_head("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 0);
    assert_false(head.keep_alive);
    assert_int_equal(read_head("GET / HTTP/1.0\r\nHost: x\r\n\r\n"), 0);
    assert_false(head.keep_alive);
    assert_int_equal(read_head("PUT / HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
    assert_int_equal(head.method, RPC_HTTP_OTHER);
    assert_int_equal(read_head("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n"
                               "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: abc\r\n\r\n"),
                     0);
    assert_true(head.upgrade && head.websocket_version_right);
    assert_string_equal(head.websocket_key, "abc");
}

static void ambiguous_heads_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
        "GET /\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "get / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\nOrigin: b\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (read_head(bad[i]) != RPC_ERROR_BAD_HTTP) {
            print_error("%zu: %s\n", i, bad[i]);
        }
        assert_int_equal(read_head(bad[i]), RPC_ERROR_BAD_HTTP);
    }
    assert_int_equal(read_head("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
                     RPC_ERROR_LENGTH_REQUIRED);
    struct nv_view const nul = nv_view_of("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29);
    assert_int_equal(rpc__http_head(&head, nul).code, RPC_ERROR_BAD_HTTP);
}

static void long_values_are_refused_where_they_matter(void **state)
{
    (void)state;
    char text[4096];
    char value[2048];
    memset(value, 'a', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", value);
    assert_int_equal(read_head(text), RPC_ERROR_HEAD_TOO_LARGE);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nOrigin: %s\r\n\r\n", value);
    assert_int_equal(read_head(text), RPC_ERROR_HEAD_TOO_LARGE);
    snprintf(text, sizeof text, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", value);
    assert_int_equal(read_head(text), RPC_ERROR_NO_SUCH_PATH);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n", value);
    assert_int_equal(read_head(text), 0);
}

/* Any bytes may come: the reader gives a verdict and stays within its memory
 * (a sanitizer sees to that). */
static void noise_is_survived(void **state)
{
    (void)state;
    struct nv_test_rng rng = {.state = 3};
    static const char base[] = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                               "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for (int i = 0; i < 50000; i++) {
        char text[sizeof base];
        memcpy(text, base, sizeof base);
        for (uint32_t j = 0; j < 1 + nv_test_below(&rng, 3); j++) {
            text[nv_test_below(&rng, sizeof base - 1)] = (char)nv_test_next(&rng);
        }
        struct rpc_http_fault const fault =
            rpc__http_head(&head, nv_view_of(text, sizeof base - 1));
        assert_true(fault.code == 0 || fault.code >= 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_head_is_found),
        cmocka_unit_test(a_good_head_is_read),
        cmocka_unit_test(ambiguous_heads_are_refused),
        cmocka_unit_test(long_values_are_refused_where_they_matter),
        cmocka_unit_test(noise_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
