/* Goal: every chunk of a body can be checked alone and no other bytes pass for
 * it; frames are read exactly.
 * Method: bodies around the chunk size; each chunk moved, cut, changed. */

#include <string.h>

#include "consensus/body.h"
#include "tests/lib/nv_test.h"

static uint8_t body[5 * CS_CHUNK_SIZE];

static void chunk_is_checked_alone(void **state)
{
    (void)state;
    struct nv_test_rng rng = {3};
    uint32_t const sizes[] = {1,
                              CS_CHUNK_SIZE - 1,
                              CS_CHUNK_SIZE,
                              CS_CHUNK_SIZE + 1,
                              3 * CS_CHUNK_SIZE,
                              5 * CS_CHUNK_SIZE - 7};
    nv_test_fill(&rng, body, sizeof body);
    for (uint32_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct nv_view const whole = nv_view_of(body, sizes[s]);
        struct nv_hash root;
        cs_body_root(&root, whole);
        for (uint32_t i = 0; i < cs_body_chunk_count(sizes[s]); i++) {
            struct cs_chunk chunk = {.index = i, .bytes = cs_body_chunk(whole, i)};
            cs_body_path(&chunk.path, whole, i);
            assert_true(cs_body_chunk_check(&root, sizes[s], &chunk));
            assert_false(cs_body_chunk_check(&root, sizes[s] + CS_CHUNK_SIZE, &chunk));
            chunk.index = i + 1;
            assert_false(cs_body_chunk_check(&root, sizes[s], &chunk));
            chunk.index = UINT32_MAX;
            assert_false(cs_body_chunk_check(&root, sizes[s], &chunk));
            chunk.index = i;
            chunk.bytes.size--;
            assert_false(cs_body_chunk_check(&root, sizes[s], &chunk));
            chunk.bytes.size++;
            body[i * CS_CHUNK_SIZE] ^= 1;
            assert_false(cs_body_chunk_check(&root, sizes[s], &chunk));
            body[i * CS_CHUNK_SIZE] ^= 1;
            chunk.path.depth++;
            assert_false(cs_body_chunk_check(&root, sizes[s], &chunk));
        }
    }
}

static void sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    struct nv_hash const root = {{0}};
    struct cs_chunk const chunk = {.bytes = nv_view_of(body, CS_CHUNK_SIZE)};
    assert_false(cs_body_chunk_check(&root, CS_BODY_SIZE_MAX + 1, &chunk));
    assert_false(cs_body_chunk_check(&root, UINT32_MAX, &chunk));
    assert_false(cs_body_chunk_check(&root, 0, &chunk));
    assert_int_equal(cs_body_chunk_count(0), 0);
    assert_int_equal(cs_body_chunk_count(CS_BODY_SIZE_MAX), CS_BODY_CHUNKS_MAX);
}

static void frames_are_read_exactly(void **state)
{
    (void)state;
    struct nv_writer w;
    nv_writer_init(&w, body, sizeof body);
    cs_body_put(&w, nv_view_of_text("a"));
    cs_body_put(&w, nv_view_of_text("bcd"));
    assert_int_equal(w.size, 12);
    assert_int_equal(cs_body_check(nv_view_of(body, 12), 2), NV_OK);
    assert_int_not_equal(cs_body_check(nv_view_of(body, 12), 1), NV_OK);
    assert_int_not_equal(cs_body_check(nv_view_of(body, 12), 3), NV_OK);
    assert_int_equal(cs_body_check(nv_view_of(body, 0), 0), NV_OK);
    assert_int_not_equal(cs_body_check(nv_view_of(body, 0), 1), NV_OK);
    for (uint32_t size = 1; size < 12; size++) {
        if (size != 5) { /* where the first transaction ends */
            assert_int_not_equal(cs_body_check(nv_view_of(body, size), 1), NV_OK);
            assert_int_not_equal(cs_body_check(nv_view_of(body, size), 2), NV_OK);
        }
    }
    memset(body, 0xff, 4); /* a size beyond the end */
    assert_int_not_equal(cs_body_check(nv_view_of(body, 12), 2), NV_OK);
    memset(body, 0, 4); /* an empty transaction */
    assert_int_not_equal(cs_body_check(nv_view_of(body, 4), 1), NV_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunk_is_checked_alone),
        cmocka_unit_test(sizes_out_of_range_are_refused),
        cmocka_unit_test(frames_are_read_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
