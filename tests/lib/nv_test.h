#ifndef NV_TESTS_LIB_NV_TEST_H
#define NV_TESTS_LIB_NV_TEST_H

/* nv_test.h - what unit tests share: cmocka with what it must be preceded by,
 * a seeded source of numbers, hex, and assertions that are expected to fail. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* SplitMix64: any start gives a good sequence, the same everywhere. */
struct nv_test_rng {
    uint64_t state;
};

uint64_t nv_test_next(struct nv_test_rng *rng);

/* nv_test_below returns a number below `bound`, which is not 0. */
uint32_t nv_test_below(struct nv_test_rng *rng, uint32_t bound);

/* nv_test_fill writes `size` bytes. */
void nv_test_fill(struct nv_test_rng *rng, void *out, size_t size);

/* nv_test_hex reads hex digits into `out`, of which there must be two for each
 * of `size` bytes, and returns `out`. */
uint8_t *nv_test_hex(uint8_t *out, size_t size, const char *text);

/* What is to be run where it may die. */
typedef void (*nv_test_fn)(void *ctx);

/* nv_test_dies returns whether `fn` ends its process by an assertion.  It runs
 * in a child process, with stderr closed. */
bool nv_test_dies(nv_test_fn fn, void *ctx);

/* NV_TEST_DIES and NV_TEST_SURVIVES check that. */
#define NV_TEST_DIES(fn, ctx)     assert_true(nv_test_dies((fn), (ctx)))
#define NV_TEST_SURVIVES(fn, ctx) assert_false(nv_test_dies((fn), (ctx)))

#endif /* NV_TESTS_LIB_NV_TEST_H */
