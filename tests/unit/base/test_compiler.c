/* test_compiler.c - the compiler, with the flags of this build, does what the
 * code relies on.
 *
 * Method: what some compiler got wrong once, in the smallest form that shows
 * it. */

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

#include "tests/lib/nv_test.h"

struct inner {
    struct nv_hash list[4];
    uint32_t depth;
};

struct outer {
    uint32_t index; /* padding follows */
    struct nv_view view;
    struct inner inner;
};

struct source {
    const struct source *next;
    uint32_t index;
    uint32_t size;
    struct inner inner;
    uint8_t bytes[];
};

/* gcc 12 with -ftrivial-auto-var-init clears bytes 4 to 7 of `inner`. */
__attribute__((noinline)) static bool copied(const struct source *first)
{
    bool same = true;
    for (const struct source *s = first; s != NULL; s = s->next) {
        struct outer const outer = {s->index, nv_view_of(s->bytes, s->size), s->inner};
        same = same && memcmp(&outer.inner, &s->inner, sizeof outer.inner) == 0;
    }
    return same;
}

static void nested_structs_are_copied_whole(void **state)
{
    (void)state;
    static union {
        struct source source;
        uint8_t bytes[1024];
    } memory;
    memset(&memory, 0xaa, sizeof memory);
    memory.source.next = NULL;
    assert_true(copied(&memory.source));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_structs_are_copied_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
