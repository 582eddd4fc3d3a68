#ifndef NV_BASE_ASSERT_H
#define NV_BASE_ASSERT_H

/* assert.h - assertions that stay on in every build.
 *
 * A wrong state is worse than a stop: a broken contract ends the process at
 * the spot.  So an assertion is for the caller's mistakes only, and never for
 * bytes that came from outside: in a replicated machine an assertion that a
 * transaction can reach stops every honest node at once.
 *
 * NV_PARANOID (a macro set by the debug, fuzz and simulation flavours) adds
 * checks that cost more than the work they guard.
 *
 * Pure for its callers; any thread. */

/* NV_ASSERT ends the process with a line on stderr when `c` is false. */
#define NV_ASSERT(c) ((c) ? (void)0 : nv_assert_fail(#c, __FILE__, __LINE__, __func__))

/* NV_ASSERT_PARANOID is NV_ASSERT where NV_PARANOID is defined and otherwise
 * does not evaluate `c`. */
#ifdef NV_PARANOID
#define NV_ASSERT_PARANOID(c) NV_ASSERT(c)
#else
#define NV_ASSERT_PARANOID(c) ((void)sizeof((c) ? 1 : 0))
#endif

/* What to do with the last moments of the process, such as writing the most
 * recent trace records.  It may not allocate, lock or return to the code that
 * failed. */
typedef void (*nv_last_words_fn)(void);

/* nv_assert_last_words makes a failing assertion call `fn` once, after its own
 * line is written.  NULL takes it away.  Call it before threads start. */
void nv_assert_last_words(nv_last_words_fn fn);

/* nv_assert_fail reports and aborts.  Use NV_ASSERT. */
_Noreturn void
nv_assert_fail(const char *condition, const char *file, int line, const char *function);

#endif /* NV_BASE_ASSERT_H */
