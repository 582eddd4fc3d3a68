/* Goal: secrets are wiped, and live in locked pages of their own.
 * Method: look at the memory; ask the kernel about the mapping. */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/secret.h"

#include "tests/lib/nv_test.h"

static void wiping_leaves_zeros_and_neighbours(void **state)
{
    (void)state;
    uint8_t bytes[40];
    memset(bytes, 0xcc, sizeof bytes);
    nv_wipe(bytes + 4, 32);
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], i >= 4 && i < 36 ? 0 : 0xcc);
    }
}

/* flags_of reads the kernel's flags of the mapping that begins at `memory`. */
static bool flags_of(const void *memory, char *flags, int cap)
{
    char begin[32];
    char line[512];
    bool inside = false;
    bool found = false;
    FILE *const maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    snprintf(begin, sizeof begin, "%llx-", (unsigned long long)(uintptr_t)memory);
    while (!found && fgets(line, sizeof line, maps) != NULL) {
        inside = inside || strncmp(line, begin, strlen(begin)) == 0;
        found = inside && strncmp(line, "VmFlags:", 8) == 0;
    }
    snprintf(flags, (size_t)cap, "%s", line);
    fclose(maps);
    return found;
}

/* locking_shows returns whether the kernel shows a lock of our own: the
 * sanitizers replace mlock by nothing. */
static bool locking_shows(void)
{
    char flags[512] = "";
    void *const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    assert_int_equal(madvise(page, 4096, MADV_DONTDUMP), 0); /* a mapping of its own */
    assert_int_equal(mlock(page, 4096), 0);
    assert_true(flags_of(page, flags, sizeof flags));
    munmap(page, 4096);
    return strstr(flags, " lo") != NULL;
}

static void pages_are_locked_and_not_dumped(void **state)
{
    (void)state;
    char flags[512] = "";
    uint8_t *const memory = (uint8_t *)nv_secret_open(64);
    assert_non_null(memory);
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(memory[i], 0);
    }
    assert_true(flags_of(memory, flags, sizeof flags));
    assert_int_equal(strstr(flags, " lo") != NULL, locking_shows()); /* locked */
    assert_non_null(strstr(flags, " dd"));                           /* do not dump */
    nv_secret_close(memory, 64);
    nv_secret_close(NULL, 64);
}

static void asks_beyond_the_limit(void *ctx)
{
    (void)ctx;
    struct rlimit const none = {0, 0};
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || seteuid(65534) != 0) {
        return;
    }
    void *const memory = nv_secret_open(64);
    _exit(memory == NULL ? 0 : 1);
}

static void a_refusal_is_reported(void **state)
{
    (void)state;
    NV_TEST_SURVIVES(asks_beyond_the_limit, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wiping_leaves_zeros_and_neighbours),
        cmocka_unit_test(pages_are_locked_and_not_dumped),
        cmocka_unit_test(a_refusal_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
