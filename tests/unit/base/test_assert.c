/* Goal: a failing assertion ends the process, says where, and calls the last
 * words once, even when these fail too.
 * Method: let child processes die, and read what they wrote. */

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

#include "tests/lib/nv_test.h"

static void fails(void *ctx)
{
    NV_ASSERT(ctx == NULL);
}

static void dies_only_when_false(void **state)
{
    (void)state;
    int something = 0;
    NV_TEST_SURVIVES(fails, NULL);
    NV_TEST_DIES(fails, &something);
}

static void say_and_fail_again(void)
{
    static const char words[] = "last words\n";
    ssize_t const written = write(STDERR_FILENO, words, sizeof words - 1);
    NV_ASSERT(written == 0);
}

/* dying_words runs a child that fails and reads its stderr. */
static size_t dying_words(char *out, size_t cap)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        nv_assert_last_words(say_and_fail_again);
        NV_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got = 1; got > 0 && size<cap - 1; size += got> 0 ? (size_t)got : 0) {
        got = read(ends[0], out + size, cap - 1 - size);
    }
    out[size] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    return size;
}

static uint32_t occurrences(const char *text, const char *part)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void reports_the_place_and_the_last_words_once(void **state)
{
    (void)state;
    char text[4096];
    assert_true(dying_words(text, sizeof text) > 0);
    assert_non_null(strstr(text, "level=fatal event=assertion_failed at=tests/unit/base/"));
    assert_non_null(strstr(text, " in=dying_words expected=\"1 + 1 == 3\"\n"));
    assert_int_equal(occurrences(text, "last words\n"), 1);
    assert_int_equal(occurrences(text, "in=say_and_fail_again"), 1);
}

static void fails_at_length(void *ctx)
{
    nv_assert_fail((const char *)ctx, __FILE__, __LINE__, __func__);
}

static void a_long_condition_is_cut(void **state)
{
    (void)state;
    static char condition[5000];
    memset(condition, 'x', sizeof condition - 1);
    NV_TEST_DIES(fails_at_length, condition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dies_only_when_false),
        cmocka_unit_test(reports_the_place_and_the_last_words_once),
        cmocka_unit_test(a_long_condition_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
