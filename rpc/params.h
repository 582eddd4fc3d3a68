#ifndef NV_RPC_PARAMS_H
#define NV_RPC_PARAMS_H

/* params.h - the parameters of a call.
 *
 * A method says what it takes in one text of methods.def, "name:type" for
 * each and a "!" after what must be there:
 *
 *     "market:name! depth:count"
 *
 * rpc__params_check holds the client's object against it before the method
 * runs; the getters afterwards find the right type or nothing. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/key.h"

#include "rpc/error.h"

struct json_t;

/* The types: name in methods.def, what a client is told is expected.
 *
 *     XX(SYMBOL, name, expected) */
#define RPC_PARAM_TYPES(XX)                                                                        \
    XX(BOOL, "bool", "true or false")                                                              \
    XX(COUNT, "count", "a whole number from 0 to 2147483647")                                      \
    XX(U64, "u64", "a string of decimal digits without leading zeros")                             \
    XX(DECIMAL, "decimal", "a canonical decimal string")                                           \
    XX(HASH, "hash", "0x and 64 lower-case hexadecimal digits")                                    \
    XX(BYTES, "bytes", "0x and lower-case hexadecimal digits, two a byte")                         \
    XX(ADDRESS, "address", "0x and 40 hexadecimal digits, mixed case as of EIP-55")                \
    XX(NAME, "name", "a string of 1 to 95 bytes")                                                  \
    XX(NAMES, "names", "an array of 1 to 200 strings")                                             \
    XX(SEQS, "seqs", "an object of strings height:index by channel")

enum rpc_param_type {
#define XX(symbol, name, expected) RPC_PARAM_##symbol,
    RPC_PARAM_TYPES(XX)
#undef XX
};

#define RPC_NAME_TEXT 96u /* a name with its terminator */

/* rpc__params_check returns whether `params` (NULL: none given) fits `spec`
 * and the parameters of `common`, a second text of the same form. Else
 * `fault` says what is wrong. */
bool rpc__params_check(const struct json_t *params,
                       const char *spec,
                       const char *common,
                       struct rpc_fault *fault);

/* Each getter returns whether the parameter is there, and if so writes it.
 * What it writes is borrowed from `params`. The type must be the one checked. */
bool rpc__param_bool(const struct json_t *params, const char *name); /* false when absent */
uint32_t rpc__param_count(const struct json_t *params, const char *name, uint32_t otherwise);
bool rpc__param_u64(const struct json_t *params, const char *name, uint64_t *out);
bool rpc__param_text(const struct json_t *params, const char *name, const char **out);
bool rpc__param_hash(const struct json_t *params, const char *name, struct nv_hash *out);
bool rpc__param_address(const struct json_t *params, const char *name, struct nv_address *out);

#endif /* NV_RPC_PARAMS_H */
