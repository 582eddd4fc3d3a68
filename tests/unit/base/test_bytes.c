/* Goal: bytes are ordered as unsigned numbers, and views are equal by them, also empty
 * ones without a pointer.
 * Method: a table of pairs, each checked both ways round. */

#include "base/bytes.h"

#include "tests/lib/nv_test.h"

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

static void bytes_are_ordered(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b; /* as long */
        int order;
    } cases[] = {
        {"", "", 0},
        {"a", "a", 0},
        {"a", "b", -1},
        {"ba", "ab", 1},
        {"abc", "abd", -1},
        {"\x7f", "\x80", -1},
        {"\xff", "\x01", 1},
        {"abc", "abc", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nv_view const a = nv_view_of_text(cases[i].a);
        struct nv_view const b = nv_view_of_text(cases[i].b);
        assert_int_equal(a.size, b.size);
        assert_int_equal(sign_of(nv_bytes_cmp(a.bytes, b.bytes, a.size)), cases[i].order);
        assert_int_equal(sign_of(nv_bytes_cmp(b.bytes, a.bytes, a.size)), -cases[i].order);
        assert_int_equal(nv_view_eq(a, b), cases[i].order == 0);
    }
}

static void views_of_other_sizes_differ(void **state)
{
    (void)state;
    struct nv_view const some = nv_view_of_text("ab");
    struct nv_view const more = nv_view_of_text("abc");
    assert_false(nv_view_eq(some, more));
    assert_false(nv_view_eq(more, some));
    assert_false(nv_view_eq(some, nv_view_of_text("")));
}

static void empty_views_need_no_pointer(void **state)
{
    (void)state;
    struct nv_view const none = nv_view_of(NULL, 0);
    struct nv_view const empty = nv_view_of_text("");
    struct nv_view const one = nv_view_of_text("a");
    assert_true(nv_view_eq(none, empty));
    assert_true(nv_view_eq(none, none));
    assert_false(nv_view_eq(none, one));
    assert_int_equal(nv_bytes_cmp(NULL, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_ordered),
        cmocka_unit_test(views_of_other_sizes_differ),
        cmocka_unit_test(empty_views_need_no_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
