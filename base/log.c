#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

static atomic_int threshold = NV_LOG_INFO;
static int sink = STDERR_FILENO;

static const char *const level_names[] = {
    [NV_LOG_DEBUG] = "debug",
    [NV_LOG_INFO] = "info",
    [NV_LOG_WARN] = "warn",
    [NV_LOG_ERROR] = "error",
};

void nv_log_set_level(enum nv_log_level level)
{
    NV_ASSERT(level >= NV_LOG_DEBUG && level <= NV_LOG_ERROR);
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool nv_log_wants(enum nv_log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

void nv_log_set_fd(int fd)
{
    sink = fd;
}

/* head writes the time and the level, and returns how many bytes they are. */
static size_t head(char *line, size_t cap, enum nv_log_level level)
{
    struct timespec now = {0};
    struct tm utc = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t const at = strftime(line, cap, "at=%Y-%m-%dT%H:%M:%S", &utc);
    int const rest = snprintf(
        line + at, cap - at, ".%03ldZ level=%s ", now.tv_nsec / 1000000, level_names[level]);
    NV_ASSERT(rest > 0 && (size_t)rest < cap - at);
    return at + (size_t)rest;
}

/* tidy replaces what would break the line; UTF-8 passes. */
static void tidy(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char const c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f) {
            text[i] = '?';
        }
    }
}

void nv_log(enum nv_log_level level, const char *format, ...)
{
    NV_ASSERT(level >= NV_LOG_DEBUG && level <= NV_LOG_ERROR);
    if (!nv_log_wants(level)) {
        return;
    }
    char line[NV_LOG_LINE_MAX + 2]; /* with the newline and the terminator */
    size_t size = head(line, NV_LOG_LINE_MAX, level);
    va_list args;
    va_start(args, format);
    int const wanted = vsnprintf(line + size, NV_LOG_LINE_MAX + 1 - size, format, args);
    va_end(args);
    NV_ASSERT(wanted >= 0);

    size_t const body = size;
    size += (size_t)wanted;
    if (size > NV_LOG_LINE_MAX) {
        size = NV_LOG_LINE_MAX;
        memcpy(line + size - 3, "...", 3);
    }
    tidy(line + body, size - body);
    line[size] = '\n';
    /* One write a line: lines of several threads do not mix. */
    ssize_t const written = write(sink, line, size + 1);
    (void)written; /* a log that cannot be written has nowhere to say so */
}

const char *nv_log_quote(char *out, uint32_t cap, struct nv_view text)
{
    static const char digits[] = "0123456789abcdef";
    NV_ASSERT(cap >= 8);
    uint32_t at = 0;
    out[at++] = '"';
    for (uint32_t i = 0; i < text.size && at + 6 <= cap; i++) { /* \xNN, quote, terminator */
        uint8_t const c = text.bytes[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            out[at++] = (char)c;
        } else {
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = digits[c >> 4];
            out[at++] = digits[c & 0xfu];
        }
    }
    out[at++] = '"';
    out[at] = '\0';
    return out;
}
