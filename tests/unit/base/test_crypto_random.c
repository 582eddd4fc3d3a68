/* Goal: every byte of the output is written, for sizes around the request of
 * 256 bytes that the kernel answers whole.
 * Method: a byte that stays equal in 40 draws was not written (the chance that
 * a good one does is 2^-320), and the fence behind them stays. */

#include <string.h>

#include "base/random.h"

#include "tests/lib/nv_test.h"

static void every_byte_is_written(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 32, 255, 256, 257, 512, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t bytes[1001];
        uint8_t seen[1001] = {0};
        memset(bytes, 0xcc, sizeof bytes);
        for (uint32_t draw = 0; draw < 40; draw++) {
            nv_random_bytes(bytes, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at++) {
                seen[at] |= bytes[at] ^ 0xcc;
            }
        }
        for (size_t at = 0; at < sizes[i]; at++) {
            assert_int_not_equal(seen[at], 0);
        }
        assert_int_equal(bytes[sizes[i]], 0xcc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
