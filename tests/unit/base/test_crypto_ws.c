/* Goal: the accept value is RFC 6455's, for canonical keys only.
 * Method: the RFC's example; keys that are almost right. */

#include "base/websocket.h"

#include "tests/lib/nv_test.h"

static void the_example_of_the_rfc(void **state)
{
    (void)state;
    char text[NV_WEBSOCKET_ACCEPT_TEXT];
    struct nv_view const key = nv_view_of_text("dGhlIHNhbXBsZSBub25jZQ==");
    assert_int_equal(nv_websocket_accept(text, key), NV_OK);
    assert_string_equal(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "",
        "dGhlIHNhbXBsZSBub25jZQ",        /* no padding */
        "dGhlIHNhbXBsZSBub25jZQ=",       /* too little */
        "dGhlIHNhbXBsZSBub25jZQ===",     /* too much */
        "dGhlIHNhbXBsZSBub25jZR==",      /* stray bits in the last digit */
        "dGhlIHNhbXBsZSBub25jZUE=",      /* 17 bytes */
        "dGhlIHNhbXBsZSBub25jZUFB",      /* 18 bytes */
        "dGhlIHNhbXBsZSBub25j",          /* 15 bytes */
        " dGhlIHNhbXBsZSBub25jZQ=",      /* white space */
        "dGhlIHNhbXBsZSBub25jZ\n==",     /* white space inside */
        "dGhlIHNhbXBsZSBub25jZQ=\n",     /* white space behind */
        "dGhlIHNh=XBsZSBub25jZQ==",      /* padding inside */
        "dGhlIHNhbXBsZSBub25j====",      /* padding only */
        "dGhlIHNhbXBsZSBub25jZQ=a",      /* padding and then not */
        "dGhlIHNhbXBsZS-ub25jZQ==",      /* the other alphabet */
        "dGhlIHNhbXBsZSBub2\xc3\xa4Q==", /* not ASCII */
    };
    char text[NV_WEBSOCKET_ACCEPT_TEXT];
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(nv_websocket_accept(text, nv_view_of_text(keys[i])), NV_ERR_MALFORMED);
    }
    assert_int_equal(nv_websocket_accept(text, nv_view_of(NULL, 0)), NV_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(other_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
