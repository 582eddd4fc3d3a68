#include "base/int.h"

#include "base/pure.h"

/* away_from_zero returns whether a quotient that was cut towards zero and left
 * a remainder has to move one step away from zero.  `negative` is the sign of
 * the exact quotient. */
static bool away_from_zero(enum nv_round round, bool negative)
{
    NV_ASSERT(round >= NV_ROUND_FLOOR && round <= NV_ROUND_AWAY);
    switch (round) {
    case NV_ROUND_FLOOR: return negative;
    case NV_ROUND_CEIL: return !negative;
    case NV_ROUND_ZERO: return false;
    case NV_ROUND_AWAY: break;
    }
    return true;
}

static nv_u128 magnitude(nv_i128 a)
{
    return a < 0 ? 0 - (nv_u128)a : (nv_u128)a;
}

bool nv_div_i128(nv_i128 a, nv_i128 b, enum nv_round round, nv_i128 *out)
{
    if (b == 0) {
        return false;
    }
    /* On magnitudes, where NV_I128_MIN / -1 is no trap. */
    bool const negative = (a < 0) != (b < 0);
    nv_u128 const divisor = magnitude(b);
    nv_u128 quotient = magnitude(a) / divisor;
    if (quotient * divisor != magnitude(a) && away_from_zero(round, negative)) {
        quotient++; /* the divisor is at least 2 here, so this fits */
    }
    nv_u128 const limit = (nv_u128)NV_I128_MAX + (negative ? 1 : 0);
    if (quotient > limit) {
        return false;
    }
    *out = (nv_i128)(negative ? 0 - quotient : quotient);
    return true;
}

bool nv_div_i64(int64_t a, int64_t b, enum nv_round round, int64_t *out)
{
    if (b == 0 || (a == INT64_MIN && b == -1)) {
        return false;
    }
    int64_t const quotient = a / b; /* cut towards zero */
    bool const negative = (a < 0) != (b < 0);
    bool const moves = a % b != 0 && away_from_zero(round, negative);
    *out = quotient + (!moves ? 0 : negative ? -1 : 1);
    return true;
}

bool nv_muldiv_i64(int64_t a, int64_t b, int64_t c, enum nv_round round, int64_t *out)
{
    nv_i128 quotient = 0;
    return nv_div_i128((nv_i128)a * b, c, round, &quotient) && nv_narrow_try_i64(quotient, out);
}
