#ifndef NV_BASE_LOG_H
#define NV_BASE_LOG_H

/* log.h - lines for the operator, in logfmt, on stderr:
 *
 *     at=2026-11-22T14:05:09.123Z level=info event=peer_up peer=3 rtt_ms=12
 *
 * The format string holds the pairs, the first being event=name_of_it, and is
 * always a literal.  Log once, where an error is understood, with the numbers.
 * Text that came from outside goes through nv_log_quote first; a control byte
 * that slips through is shown as '?', so a line is always one line.
 *
 * Not for pure code.  Any thread; a line is written whole. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum nv_log_level {
    NV_LOG_DEBUG = 1, /* for who works on the program */
    NV_LOG_INFO,      /* the course of things */
    NV_LOG_WARN,      /* unexpected, and handled */
    NV_LOG_ERROR,     /* the operator should act */
};

/* A line is cut at this many bytes, and then ends in "...". */
#define NV_LOG_LINE_MAX 2048u

/* nv_log writes a line unless `level` is below the threshold. */
__attribute__((format(printf, 2, 3))) void nv_log(enum nv_log_level level, const char *format, ...);

/* nv_log_set_level sets the threshold, NV_LOG_INFO at start. */
void nv_log_set_level(enum nv_log_level level);

/* nv_log_wants returns whether lines of `level` are written, to spare the work
 * of making them. */
bool nv_log_wants(enum nv_log_level level);

/* nv_log_set_fd sends the lines to another file descriptor, which the caller
 * keeps open.  Call it before threads start. */
void nv_log_set_fd(int fd);

/* nv_log_quote writes `text` into `out` in double quotes, with quotes,
 * backslashes and bytes outside printable ASCII as \xNN, cut to `cap` bytes
 * with the terminator.  `cap` is at least 8.  It returns `out`. */
const char *nv_log_quote(char *out, uint32_t cap, struct nv_view text);

#endif /* NV_BASE_LOG_H */
