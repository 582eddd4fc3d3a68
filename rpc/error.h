#ifndef NV_RPC_ERROR_H
#define NV_RPC_ERROR_H

/* error.h - an error on its way into an answer (docs/spec/rpc.md section 4).
 *
 * A fault is plain data without ownership: whoever finds the error fills it in,
 * whoever writes the answer prints it. Texts that came from the client are cut
 * to fit and escaped by the writer. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

#include "rpc/json_write.h"

enum rpc_error {
#define XX(symbol, code, http, name, text, hint) RPC_ERROR_##symbol = (code),
#include "rpc/errors.def"
#undef XX
};

#define RPC_FAULT_TEXT 160u

struct rpc_fault {
    int32_t code; /* 0: there is none */
    char reason[RPC_FAULT_TEXT];
    char field[64];
    char expected[RPC_FAULT_TEXT];
    char got[64];
    char canonical[64];
    bool has_tx_hash;
    struct nv_hash tx_hash;
    uint32_t retry_after_ms;
};

/* rpc__fault_set makes `fault` the error `code`; `reason` NULL takes the text
 * of the list. Other members become empty. */
void rpc__fault_set(struct rpc_fault *fault, int32_t code, const char *reason);

/* rpc__fault_field is rpc__fault_set for a parameter: which one, what was
 * expected ("" when there is nothing to say). */
void rpc__fault_field(struct rpc_fault *fault,
                      int32_t code,
                      const char *field,
                      const char *expected);

/* rpc__fault_of_err makes the fault that an operating error amounts to. */
void rpc__fault_of_err(struct rpc_fault *fault, enum nv_err err);

/* rpc__error_name looks a code up in errors.def and vm/rejects.def; a code of neither
 * is "unknown". */
const char *rpc__error_name(int32_t code);

/* rpc__error_http returns the HTTP status of a single request that fails so. */
uint32_t rpc__error_http(int32_t code);

/* rpc__error_counts is indexed as errors.def is listed; for metrics. */
uint32_t rpc__error_count(void);
int32_t rpc__error_at(uint32_t index);
uint32_t rpc__error_index(int32_t code); /* rpc__error_count() for a code of vm/rejects.def */

/* rpc__fault_write writes the error object as the member `key`. */
void rpc__fault_write(struct rpc_json *json, const char *key, const struct rpc_fault *fault);

#endif /* NV_RPC_ERROR_H */
