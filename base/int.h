#ifndef NV_BASE_INT_H
#define NV_BASE_INT_H

/* int.h - checked integer arithmetic, 128-bit intermediates, rounding.
 *
 * A function whose result does not fit its type returns false and leaves
 * `*out` alone.  Division names its rounding.
 *
 * Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/err.h"

__extension__ typedef __int128 nv_i128;
__extension__ typedef unsigned __int128 nv_u128;

#define NV_I128_MAX ((nv_i128)(((nv_u128)1 << 127) - 1))
#define NV_I128_MIN (-NV_I128_MAX - 1)
#define NV_U128_MAX (~(nv_u128)0)

/* Where a quotient goes that is not whole.  The values are not stored. */
enum nv_round {
    NV_ROUND_FLOOR = 1, /* towards minus infinity */
    NV_ROUND_CEIL,      /* towards plus infinity */
    NV_ROUND_ZERO,      /* towards zero */
    NV_ROUND_AWAY,      /* away from zero */
};

/* nv_add_X, nv_sub_X and nv_mul_X write a + b, a - b and a * b for X of i32,
 * u32, i64, u64, i128 and u128:
 *
 *     bool nv_add_i64(int64_t a, int64_t b, int64_t *out); */
#define NV_INT_CHECKED(verb, suffix, type)                                                         \
    NV_MUST_USE static inline bool nv_##verb##_##suffix(type a, type b, type *out)                 \
    {                                                                                              \
        type result;                                                                               \
        if (__builtin_##verb##_overflow(a, b, &result)) {                                          \
            return false;                                                                          \
        }                                                                                          \
        *out = result;                                                                             \
        return true;                                                                               \
    }

NV_INT_CHECKED(add, i32, int32_t)
NV_INT_CHECKED(sub, i32, int32_t)
NV_INT_CHECKED(mul, i32, int32_t)
NV_INT_CHECKED(add, u32, uint32_t)
NV_INT_CHECKED(sub, u32, uint32_t)
NV_INT_CHECKED(mul, u32, uint32_t)
NV_INT_CHECKED(add, i64, int64_t)
NV_INT_CHECKED(sub, i64, int64_t)
NV_INT_CHECKED(mul, i64, int64_t)
NV_INT_CHECKED(add, u64, uint64_t)
NV_INT_CHECKED(sub, u64, uint64_t)
NV_INT_CHECKED(mul, u64, uint64_t)
NV_INT_CHECKED(add, i128, nv_i128)
NV_INT_CHECKED(sub, i128, nv_i128)
NV_INT_CHECKED(mul, i128, nv_i128)
NV_INT_CHECKED(add, u128, nv_u128)
NV_INT_CHECKED(sub, u128, nv_u128)
NV_INT_CHECKED(mul, u128, nv_u128)

#undef NV_INT_CHECKED

/* nv_neg_i64 and nv_abs_i64 write -a and |a|; they fail for INT64_MIN. */
NV_MUST_USE static inline bool nv_neg_i64(int64_t a, int64_t *out)
{
    return nv_sub_i64(0, a, out);
}

NV_MUST_USE static inline bool nv_abs_i64(int64_t a, int64_t *out)
{
    return a < 0 ? nv_neg_i64(a, out) : nv_add_i64(a, 0, out);
}

/* nv_magnitude_i64 returns |a|, which always fits. */
static inline uint64_t nv_magnitude_i64(int64_t a)
{
    return a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
}

/* nv_narrow_try_X writes `value` as an X if it is one.  nv_narrow_X returns it
 * and asserts that it is: for values that the caller has bounded. */
#define NV_INT_NARROW(suffix, type, min, max)                                                      \
    NV_MUST_USE static inline bool nv_narrow_try_##suffix(nv_i128 value, type *out)                \
    {                                                                                              \
        if (value < (min) || value > (max)) {                                                      \
            return false;                                                                          \
        }                                                                                          \
        *out = (type)value;                                                                        \
        return true;                                                                               \
    }                                                                                              \
    NV_MUST_USE static inline type nv_narrow_##suffix(nv_i128 value)                               \
    {                                                                                              \
        NV_ASSERT(value >= (min) && value <= (max));                                               \
        return (type)value;                                                                        \
    }

NV_INT_NARROW(u8, uint8_t, 0, UINT8_MAX)
NV_INT_NARROW(u16, uint16_t, 0, UINT16_MAX)
NV_INT_NARROW(u32, uint32_t, 0, UINT32_MAX)
NV_INT_NARROW(u64, uint64_t, 0, UINT64_MAX)
NV_INT_NARROW(i8, int8_t, INT8_MIN, INT8_MAX)
NV_INT_NARROW(i16, int16_t, INT16_MIN, INT16_MAX)
NV_INT_NARROW(i32, int32_t, INT32_MIN, INT32_MAX)
NV_INT_NARROW(i64, int64_t, INT64_MIN, INT64_MAX)

#undef NV_INT_NARROW

/* nv_div_i64 and nv_div_i128 write a / b, rounded.  They fail when b is zero
 * and when the quotient does not fit. */
NV_MUST_USE bool nv_div_i64(int64_t a, int64_t b, enum nv_round round, int64_t *out);
NV_MUST_USE bool nv_div_i128(nv_i128 a, nv_i128 b, enum nv_round round, nv_i128 *out);

/* nv_muldiv_i64 writes a * b / c with an exact 128-bit product and one rounding.  It
 * fails when c is zero and when the quotient does not fit. */
NV_MUST_USE bool nv_muldiv_i64(int64_t a, int64_t b, int64_t c, enum nv_round round, int64_t *out);

#endif /* NV_BASE_INT_H */
