#ifndef NV_BASE_ERR_H
#define NV_BASE_ERR_H

/* err.h - the operating errors of the whole program.
 *
 * Three kinds of wrong have three mechanisms.  An *operating error* (the disk
 * is full, a frame is cut short) is an enum nv_err and must be looked at.  A
 * *verdict* on untrusted input is an enum of the operation that gives it.  A
 * *programmer's error* is NV_ASSERT (base/assert.h).
 *
 * The numbers are private to one build: they are never stored, sent or hashed.
 *
 * Pure; any thread. */

/* One line a code: name, text for a reader of the log. */
#define NV_ERR(XX)                                                                                 \
    XX(TRUNCATED, "the bytes end before the value does")                                           \
    XX(TRAILING, "bytes are left over after the value")                                            \
    XX(MALFORMED, "the value is not in its canonical form")                                        \
    XX(TOO_LARGE, "the value is larger than its limit")                                            \
    XX(RANGE, "the number is out of range")                                                        \
    XX(SIGNATURE, "the signature does not verify")                                                 \
    XX(NO_MEMORY, "no memory is left")                                                             \
    XX(IO, "the operating system reports an input or output error")                                \
    XX(DISK_FULL, "the disk is full")                                                              \
    XX(CORRUPT, "stored bytes are damaged")                                                        \
    XX(NOT_FOUND, "no such thing")                                                                 \
    XX(EXISTS, "it exists already")                                                                \
    XX(LOCKED, "another process holds it")                                                         \
    XX(VERSION, "the version is not supported")                                                    \
    XX(CONFIG, "the configuration is wrong")                                                       \
    XX(CLOSED, "the other side has closed")                                                        \
    XX(BUSY, "no slot is free now")                                                                \
    XX(TIMEOUT, "the time limit has passed")                                                       \
    XX(REFUSED, "the other side refuses")                                                          \
    XX(UNSUPPORTED, "this is not supported here")                                                  \
    XX(PERMISSION, "permission is denied")                                                         \
    XX(MISMATCH, "two values that must agree differ")                                              \
    XX(CRYPTO, "the cryptographic library reports a failure")

enum nv_err {
    NV_OK = 0,
#define NV_ERR_MEMBER(name, text) NV_ERR_##name,
    NV_ERR(NV_ERR_MEMBER)
#undef NV_ERR_MEMBER
};

/* NV_MUST_USE marks a function whose result the caller must look at. */
#define NV_MUST_USE __attribute__((warn_unused_result))

/* NV_TRY returns from the calling function with the error of `expr`, if it is
 * one.  Only where nothing needs undoing. */
#define NV_TRY(expr)                                                                               \
    do {                                                                                           \
        enum nv_err const nv_try_result_ = (expr);                                                 \
        if (nv_try_result_ != NV_OK) {                                                             \
            return nv_try_result_;                                                                 \
        }                                                                                          \
    } while (0)

/* nv_err_name returns the code's name, such as "TRUNCATED" ("OK" for NV_OK).
 * The string is static.  A number that is no code gives "UNKNOWN". */
const char *nv_err_name(enum nv_err err);

/* nv_err_text returns a sentence without a capital or full stop, to be put
 * after a colon.  The string is static. */
const char *nv_err_text(enum nv_err err);

#endif /* NV_BASE_ERR_H */
