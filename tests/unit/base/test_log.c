/* Goal: a line is one line of logfmt, whole, whatever is put into it.
 * Method: send lines to a pipe and read them; threads that write at once. */

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

#include "tests/lib/nv_test.h"

/* captured writes what is logged by `fn` into `out`. */
static void captured(char *out, size_t cap, void (*fn)(void *ctx), void *ctx)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    nv_log_set_fd(ends[1]);
    fn(ctx);
    nv_log_set_fd(STDERR_FILENO);
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got = 1; got > 0 && size < cap - 1; size += (size_t)got) {
        got = read(ends[0], out + size, cap - 1 - size);
        assert_true(got >= 0);
    }
    out[size] = '\0';
    close(ends[0]);
}

static void logs_one(void *ctx)
{
    (void)ctx;
    nv_log(NV_LOG_WARN, "event=test number=%d", 7);
}

static void a_line_has_time_level_and_pairs(void **state)
{
    (void)state;
    char line[256];
    captured(line, sizeof line, logs_one, NULL);
    uint32_t year = 0;
    uint32_t rest[6] = {0};
    int at = 0;
    int const read = sscanf(line,
                            "at=%4u-%2u-%2uT%2u:%2u:%2u.%3uZ%n",
                            &year,
                            &rest[0],
                            &rest[1],
                            &rest[2],
                            &rest[3],
                            &rest[4],
                            &rest[5],
                            &at);
    assert_int_equal(read, 7);
    assert_true(year >= 2024 && rest[0] >= 1 && rest[0] <= 12 && rest[2] < 24 && rest[3] < 60);
    assert_int_equal(at, strlen("at=2026-11-22T14:05:09.123Z"));
    assert_string_equal(line + at, " level=warn event=test number=7\n");
}

static void logs_all_levels(void *ctx)
{
    (void)ctx;
    nv_log(NV_LOG_DEBUG, "event=debug");
    nv_log(NV_LOG_INFO, "event=info");
    nv_log(NV_LOG_WARN, "event=warn");
    nv_log(NV_LOG_ERROR, "event=error");
}

static void levels_below_the_threshold_are_silent(void **state)
{
    (void)state;
    static const char *const names[] = {"", "debug", "info", "warn", "error"};
    for (int threshold = NV_LOG_DEBUG; threshold <= NV_LOG_ERROR; threshold++) {
        char lines[1024];
        nv_log_set_level((enum nv_log_level)threshold);
        captured(lines, sizeof lines, logs_all_levels, NULL);
        for (int level = NV_LOG_DEBUG; level <= NV_LOG_ERROR; level++) {
            char expected[64];
            snprintf(expected, sizeof expected, " level=%s event=%s\n", names[level], names[level]);
            assert_int_equal(strstr(lines, expected) != NULL, level >= threshold);
            assert_int_equal(nv_log_wants((enum nv_log_level)level), level >= threshold);
        }
    }
    nv_log_set_level(NV_LOG_INFO);
}

static void logs_text(void *ctx)
{
    nv_log(NV_LOG_INFO, "event=test text=%s", (const char *)ctx);
}

static void control_bytes_cannot_break_the_line(void **state)
{
    (void)state;
    char line[256];
    char text[] = "a\nat=1970 level=error\r\x1b[31m\x7f\tz\xc3\xa4";
    captured(line, sizeof line, logs_text, text);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    assert_non_null(strstr(line, "text=a?at=1970 level=error??[31m??z\xc3\xa4\n"));
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    static char text[5000];
    static char line[6000];
    for (uint32_t size = NV_LOG_LINE_MAX - 80; size < NV_LOG_LINE_MAX + 5; size++) {
        memset(text, 'x', size);
        text[size] = '\0';
        captured(line, sizeof line, logs_text, text);
        size_t const got = strlen(line);
        assert_true(got <= NV_LOG_LINE_MAX + 1);
        assert_int_equal(line[got - 1], '\n');
        bool const cut = got == NV_LOG_LINE_MAX + 1 && line[got - 2] == '.';
        assert_int_equal(memcmp(line + got - 4, cut ? "..." : "xxx", 3), 0);
        size_t const head = strlen("at=2026-11-22T14:05:09.123Z level=info event=test text=");
        assert_int_equal(cut, head + size > NV_LOG_LINE_MAX);
    }
}

static void quoting_leaves_plain_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *quoted;
    } cases[] = {
        {"", "\"\""},
        {"plain text", "\"plain text\""},
        {"say \"a=b\"", "\"say \\x22a=b\\x22\""},
        {"back\\slash", "\"back\\x5cslash\""},
        {"\n\x7f\xff", "\"\\x0a\\x7f\\xff\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[64];
        const char *const got = nv_log_quote(out, sizeof out, nv_view_of_text(cases[i].text));
        assert_ptr_equal(got, out);
        assert_string_equal(got, cases[i].quoted);
    }
}

static void quoting_stays_inside(void **state)
{
    (void)state;
    for (uint32_t cap = 8; cap < 40; cap++) {
        char out[48];
        memset(out, '#', sizeof out);
        (void)nv_log_quote(out, cap, nv_view_of_text("ab\ncd\xffghijklmnopqrstuvwxyz0123456789"));
        assert_true(strlen(out) < cap);
        assert_int_equal(out[cap], '#');
        assert_int_equal(out[strlen(out) - 1], '"');
    }
}

#define THREADS 4u
#define LINES   100u

static void *logs_many(void *ctx)
{
    for (uint32_t i = 0; i < LINES; i++) {
        nv_log(NV_LOG_INFO, "event=test who=%u line=%03u end=yes", *(const uint32_t *)ctx, i);
    }
    return NULL;
}

static void logs_from_threads(void *ctx)
{
    (void)ctx;
    pthread_t threads[THREADS];
    uint32_t numbers[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, logs_many, &numbers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    static char lines[60000]; /* less than a pipe holds */
    captured(lines, sizeof lines, logs_from_threads, NULL);
    uint32_t count = 0;
    for (char *at = lines; *at != '\0'; count++) {
        char *const end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0';
        uint32_t who = 0;
        uint32_t line = 0;
        const char *const event = strstr(at, " level=info event=test who=");
        assert_non_null(event);
        assert_int_equal(
            sscanf(event, " level=info event=test who=%u line=%u end=yes", &who, &line), 2);
        assert_true(who < THREADS && line < LINES);
        assert_string_equal(end - 8, " end=yes");
        at = end + 1;
    }
    assert_int_equal(count, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_and_pairs),
        cmocka_unit_test(levels_below_the_threshold_are_silent),
        cmocka_unit_test(control_bytes_cannot_break_the_line),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(quoting_leaves_plain_text),
        cmocka_unit_test(quoting_stays_inside),
        cmocka_unit_test(lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
