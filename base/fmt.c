#include "base/fmt.h"

#include "base/assert.h"
#include "base/int.h"
#include "base/keccak.h"

static const char hex_digits[] = "0123456789abcdef";

/* --- hex ------------------------------------------------------------------ */

void nv_hex_encode(char *out, const void *bytes, uint32_t size)
{
    const uint8_t *const in = (const uint8_t *)bytes;
    for (uint32_t i = 0; i < size; i++) {
        out[2 * i] = hex_digits[in[i] >> 4];
        out[2 * i + 1] = hex_digits[in[i] & 0xfu];
    }
    out[2 * size] = '\0';
}

/* nibble returns the value of a hex digit, or 16. */
static uint32_t nibble(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return (uint32_t)c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return (uint32_t)c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return (uint32_t)c - 'A' + 10;
    }
    return 16;
}

enum nv_err nv_hex_decode(void *out, uint32_t size, struct nv_view text)
{
    uint8_t *const bytes = (uint8_t *)out;
    if ((uint64_t)text.size != 2 * (uint64_t)size) {
        return NV_ERR_MALFORMED;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint32_t const high = nibble(text.bytes[2 * i]);
        uint32_t const low = nibble(text.bytes[2 * i + 1]);
        if (high > 15 || low > 15) {
            return NV_ERR_MALFORMED;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return NV_OK;
}

void nv_bytes_format(char *out, const void *bytes, uint32_t size)
{
    out[0] = '0';
    out[1] = 'x';
    nv_hex_encode(out + 2, bytes, size);
}

static bool has_upper_case(struct nv_view text)
{
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.bytes[i] >= 'A' && text.bytes[i] <= 'Z') {
            return true;
        }
    }
    return false;
}

/* digits_after_0x writes the view without its 0x. */
static bool digits_after_0x(struct nv_view *digits, struct nv_view text)
{
    if (text.size < 2 || text.bytes[0] != '0' || text.bytes[1] != 'x') {
        return false;
    }
    *digits = nv_view_of(text.bytes + 2, text.size - 2);
    return true;
}

enum nv_err nv_bytes_parse(void *out, uint32_t size, struct nv_view text)
{
    struct nv_view digits = {0};
    if (!digits_after_0x(&digits, text) || has_upper_case(digits)) {
        return NV_ERR_MALFORMED;
    }
    return nv_hex_decode(out, size, digits);
}

enum nv_err nv_bytes_parse_up_to(void *out, uint32_t *size_out, uint32_t cap, struct nv_view text)
{
    struct nv_view digits = {0};
    if (!digits_after_0x(&digits, text) || digits.size % 2 != 0) {
        return NV_ERR_MALFORMED;
    }
    if (digits.size / 2 > cap) {
        return NV_ERR_TOO_LARGE;
    }
    NV_TRY(nv_bytes_parse(out, digits.size / 2, text));
    *size_out = digits.size / 2;
    return NV_OK;
}

/* --- addresses ------------------------------------------------------------ */

void nv_address_format(char *out, const struct nv_address *address)
{
    nv_bytes_format(out, address->bytes, sizeof address->bytes);
    /* EIP-55: a letter is upper case where the hash of the text has a digit of
     * 8 or more. */
    struct nv_hash hash;
    nv_keccak256(&hash, nv_view_of(out + 2, 40));
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t const digit = (uint32_t)hash.bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xfu;
        char const c = out[2 + i];
        if (c >= 'a' && digit >= 8) {
            out[2 + i] = (char)(c - 'a' + 'A');
        }
    }
}

enum nv_err nv_address_parse(struct nv_address *out, struct nv_view text)
{
    struct nv_view digits = {0};
    struct nv_address address;
    if (!digits_after_0x(&digits, text)) {
        return NV_ERR_MALFORMED;
    }
    NV_TRY(nv_hex_decode(address.bytes, sizeof address.bytes, digits));
    *out = address;
    char canonical[NV_ADDRESS_TEXT];
    nv_address_format(canonical, &address);
    return nv_view_eq(text, nv_view_of_text(canonical)) ? NV_OK : NV_ERR_MISMATCH;
}

/* --- decimals ------------------------------------------------------------- */

void nv_u64_format(char *out, uint64_t value)
{
    char digits[20];
    uint32_t count = 0;
    do {
        digits[count] = (char)('0' + value % 10);
        value /= 10;
        count++;
    } while (value != 0);
    for (uint32_t i = 0; i < count; i++) {
        out[i] = digits[count - 1 - i];
    }
    out[count] = '\0';
}

enum nv_err nv_u64_parse(uint64_t *out, struct nv_view text)
{
    if (text.size == 0 || (text.size > 1 && text.bytes[0] == '0')) {
        return NV_ERR_MALFORMED;
    }
    uint64_t value = 0;
    bool fits = true;
    for (uint32_t i = 0; i < text.size; i++) {
        uint8_t const c = text.bytes[i];
        if (c < '0' || c > '9') {
            return NV_ERR_MALFORMED;
        }
        fits =
            fits && nv_mul_u64(value, 10, &value) && nv_add_u64(value, (uint64_t)c - '0', &value);
    }
    if (!fits) {
        return NV_ERR_RANGE;
    }
    *out = value;
    return NV_OK;
}

static uint64_t power_of_ten(uint32_t exponent)
{
    uint64_t power = 1;
    for (uint32_t i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

void nv_decimal_format(char *out, int64_t value, uint32_t places)
{
    NV_ASSERT(places <= NV_PLACES_MAX);
    uint64_t const scale = power_of_ten(places);
    uint64_t const magnitude = nv_magnitude_i64(value);
    uint64_t fraction = magnitude % scale;
    if (value < 0) {
        *out++ = '-';
    }
    nv_u64_format(out, magnitude / scale);
    if (fraction == 0) {
        return;
    }
    out += strlen(out);
    *out++ = '.';
    for (uint64_t unit = scale / 10; fraction != 0; unit /= 10) {
        *out++ = (char)('0' + fraction / unit);
        fraction %= unit;
    }
    *out = '\0';
}

/* A number as a lenient reader takes it, before the question whether it is
 * written canonically. */
struct loose {
    struct nv_view whole;    /* digits before the point, maybe none */
    struct nv_view fraction; /* digits after it, without zeros at the end */
    bool negative;
};

/* take_digits writes the digits from `*at` on and moves past them. */
static void take_digits(struct nv_view *digits, uint32_t *at, struct nv_view text)
{
    uint32_t const first = *at;
    while (*at < text.size && text.bytes[*at] >= '0' && text.bytes[*at] <= '9') {
        (*at)++;
    }
    *digits = nv_view_of(text.bytes + first, *at - first);
}

static bool read_loosely(struct loose *n, struct nv_view text)
{
    uint32_t at = 0;
    n->negative = text.size > 0 && text.bytes[0] == '-';
    if (text.size > 0 && (text.bytes[0] == '-' || text.bytes[0] == '+')) {
        at++;
    }
    take_digits(&n->whole, &at, text);
    n->fraction = nv_view_of(NULL, 0);
    if (at < text.size && text.bytes[at] == '.') {
        at++;
        take_digits(&n->fraction, &at, text);
    }
    if (at != text.size || n->whole.size + n->fraction.size == 0) {
        return false;
    }
    while (n->fraction.size > 0 && n->fraction.bytes[n->fraction.size - 1] == '0') {
        n->fraction.size--;
    }
    return true;
}

static bool append_digits(uint64_t *value, struct nv_view digits)
{
    for (uint32_t i = 0; i < digits.size; i++) {
        uint64_t const digit = (uint64_t)digits.bytes[i] - '0';
        if (!nv_mul_u64(*value, 10, value) || !nv_add_u64(*value, digit, value)) {
            return false;
        }
    }
    return true;
}

/* scale_loose writes the number * 10^places.  False when it is no int64_t. */
static bool scale_loose(int64_t *out, const struct loose *n, uint32_t places)
{
    uint64_t value = 0;
    if (n->fraction.size > places || !append_digits(&value, n->whole) ||
        !append_digits(&value, n->fraction) ||
        !nv_mul_u64(value, power_of_ten(places - n->fraction.size), &value)) {
        return false;
    }
    nv_i128 const wide = n->negative ? -(nv_i128)value : (nv_i128)value;
    return nv_narrow_try_i64(wide, out);
}

/* SPEC bytes 6.2: "A parser MUST refuse a number that is written otherwise, and names the canonical
 * text in its error if there is one." */
enum nv_err nv_decimal_parse(int64_t *out, char *canonical, struct nv_view text, uint32_t places)
{
    NV_ASSERT(places <= NV_PLACES_MAX);
    struct loose n;
    int64_t value = 0;
    canonical[0] = '\0';
    if (!read_loosely(&n, text)) {
        return NV_ERR_MALFORMED;
    }
    if (!scale_loose(&value, &n, places)) {
        return NV_ERR_RANGE;
    }
    nv_decimal_format(canonical, value, places);
    if (!nv_view_eq(text, nv_view_of_text(canonical))) {
        return NV_ERR_MALFORMED;
    }
    *out = value;
    return NV_OK;
}
