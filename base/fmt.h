#ifndef NV_BASE_FMT_H
#define NV_BASE_FMT_H

/* fmt.h - numbers, hex and addresses as text, and back.
 *
 * Every value has one text.  A parser takes that text only; where a reader
 * would still understand what was meant ("1.50"), it says what the canonical
 * text is ("1.5").
 *
 *     decimal   -?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?   and never "-0"
 *     bytes     0x and lower-case hex digits, two a byte
 *     address   0x and 40 hex digits in the mixed case of EIP-55
 *
 * Not for pure code.  Any thread; parsers take hostile text. */

#include <inttypes.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/key.h"

/* Conversion letters: nv_log(NV_LOG_INFO, "event=x height=%" NV_U64, height). */
#define NV_U64 PRIu64
#define NV_I64 PRId64
#define NV_U32 PRIu32

/* Sizes with the terminator. */
#define NV_HEX_TEXT(size)   (2u * (size) + 1u)
#define NV_BYTES_TEXT(size) (2u * (size) + 3u)
#define NV_DECIMAL_TEXT     24u
#define NV_ADDRESS_TEXT     43u

/* Digits after the point of a micro amount. */
#define NV_MICRO_PLACES 6u
/* The most digits after the point that decimals know. */
#define NV_PLACES_MAX 18u

/* nv_hex_encode writes 2 * size lower-case digits and a terminator. */
void nv_hex_encode(char *out, const void *bytes, uint32_t size);

/* nv_hex_decode reads exactly 2 * size digits, of either case and without 0x,
 * into `size` bytes.  NV_ERR_MALFORMED otherwise. */
NV_MUST_USE enum nv_err nv_hex_decode(void *out, uint32_t size, struct nv_view text);

/* nv_bytes_format writes 0x, 2 * size lower-case digits and a terminator:
 * NV_BYTES_TEXT(size) bytes. */
void nv_bytes_format(char *out, const void *bytes, uint32_t size);

/* nv_bytes_parse reads 0x and exactly 2 * size lower-case digits. */
NV_MUST_USE enum nv_err nv_bytes_parse(void *out, uint32_t size, struct nv_view text);

/* nv_bytes_parse_up_to reads 0x and at most 2 * cap lower-case digits, and
 * writes how many bytes they are.  NV_ERR_TOO_LARGE when they are more. */
NV_MUST_USE enum nv_err
nv_bytes_parse_up_to(void *out, uint32_t *size_out, uint32_t cap, struct nv_view text);

/* nv_address_format writes the EIP-55 text: NV_ADDRESS_TEXT bytes. */
void nv_address_format(char *out, const struct nv_address *address);

/* nv_address_parse reads the EIP-55 text.  NV_ERR_MALFORMED when it is no
 * address; NV_ERR_MISMATCH when only the case of its letters is wrong, and then
 * `*out` is set all the same, so that the caller can name the right text. */
NV_MUST_USE enum nv_err nv_address_parse(struct nv_address *out, struct nv_view text);

/* nv_decimal_format writes value / 10^places as canonical text:
 * NV_DECIMAL_TEXT bytes.  `places` is at most NV_PLACES_MAX. */
void nv_decimal_format(char *out, int64_t value, uint32_t places);

/* nv_decimal_parse reads a canonical decimal into value * 10^places.
 *
 * NV_ERR_MALFORMED: no number, or not canonical.  NV_ERR_RANGE: more places
 * than `places`, or too large.  Whenever the text is a number that fits, also
 * one written otherwise (+1, 01, 1.50, .5, 1., -0), `canonical` holds how it
 * should be written, else the empty string; NV_DECIMAL_TEXT bytes. */
NV_MUST_USE enum nv_err
nv_decimal_parse(int64_t *out, char *canonical, struct nv_view text, uint32_t places);

/* nv_u64_format and nv_u64_parse are the same for whole numbers such as
 * heights and identifiers: (0|[1-9][0-9]*). */
void nv_u64_format(char *out, uint64_t value);
NV_MUST_USE enum nv_err nv_u64_parse(uint64_t *out, struct nv_view text);

#endif /* NV_BASE_FMT_H */
