/* Goal: views compare by their bytes, also empty ones without a pointer.
 * Method: a table of pairs, each checked both ways round. */

#include "base/bytes.h"

#include "tests/lib/nv_test.h"

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

static void views_are_ordered(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        int order;
    } cases[] = {
        {"", "", 0},
        {"", "a", -1},
        {"a", "a", 0},
        {"a", "b", -1},
        {"a", "aa", -1},
        {"b", "aa", 1},
        {"abc", "abd", -1},
        {"\x7f", "\x80", -1},
        {"\xff", "\x01", 1},
        {"ab", "abc", -1},
        {"abc", "abc", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nv_view const a = nv_view_of_text(cases[i].a);
        struct nv_view const b = nv_view_of_text(cases[i].b);
        assert_int_equal(sign_of(nv_view_cmp(a, b)), cases[i].order);
        assert_int_equal(sign_of(nv_view_cmp(b, a)), -cases[i].order);
        assert_int_equal(nv_view_eq(a, b), cases[i].order == 0);
    }
}

static void empty_views_need_no_pointer(void **state)
{
    (void)state;
    struct nv_view const none = nv_view_of(NULL, 0);
    struct nv_view const empty = nv_view_of_text("");
    struct nv_view const one = nv_view_of_text("a");
    assert_true(nv_view_eq(none, empty));
    assert_true(nv_view_eq(none, none));
    assert_int_equal(nv_view_cmp(none, empty), 0);
    assert_true(nv_view_cmp(none, one) < 0);
    assert_true(nv_view_cmp(one, none) > 0);
    assert_int_equal(nv_bytes_cmp(NULL, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_ordered),
        cmocka_unit_test(empty_views_need_no_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
