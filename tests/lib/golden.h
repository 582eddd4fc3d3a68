#ifndef NV_TESTS_LIB_GOLDEN_H
#define NV_TESTS_LIB_GOLDEN_H

/* golden.h - reading the vectors of tests/golden/NAME.json.
 *
 * What is not there, or is of another kind than asked for, fails the test. */

#include <jansson.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"

/* golden_load returns a document, which the caller gives back with json_decref; NULL,
 * and a line that says why, when it cannot be read. */
json_t *golden_load(const char *name);

/* golden_member returns a member of any kind; golden_list a list that is not empty. */
json_t *golden_member(const json_t *object, const char *name);
json_t *golden_list(const json_t *object, const char *name);

const char *golden_text(const json_t *object, const char *name);
struct nv_hash golden_hash(const json_t *object, const char *name);

/* golden_small reads a number, golden_number one that is written as a text, signed or
 * not, as 64 bits. */
uint32_t golden_small(const json_t *object, const char *name);
uint64_t golden_number(const json_t *object, const char *name);

/* golden_bytes reads at most `cap` bytes, written as 0x and hex digits, into `out`;
 * golden_parse those of a text. */
struct nv_view golden_bytes(uint8_t *out, uint32_t cap, const json_t *object, const char *name);
struct nv_view golden_parse(uint8_t *out, uint32_t cap, const char *text);

#endif /* NV_TESTS_LIB_GOLDEN_H */
