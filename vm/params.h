#ifndef NV_VM_PARAMS_H
#define NV_VM_PARAMS_H

/* params.h - the numbers and the table of the chain's parameters.
 *
 * One list, vm/params.def, makes the enum, the table below and
 * docs/spec/parameters.md.  Numbers are committed: a parameter is row
 * 0x0a || number.  Values live in state (vm_param).  Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

struct vm_state;

enum vm_param_number {
#define XX(number, NAME, unit, min, max, devnet, text) VM_PARAM_##NAME = (number),
#include "vm/params.def"
#undef XX
};

#define VM_PARAM_NUMBER_MAX 255u

struct vm_param_spec {
    uint16_t number;
    const char *name; /* "TX_FEE" */
    const char *unit; /* "micro", "ppb", "ms", … */
    int64_t minimum;
    int64_t maximum;
    int64_t devnet; /* value unless genesis says otherwise */
    const char *text;
};

/* vm_param_count returns how many there are; vm_param_spec_at the i-th in
 * ascending number; vm_param_spec_of the one with a number, or NULL. */
uint32_t vm_param_count(void);
const struct vm_param_spec *vm_param_spec_at(uint32_t i);
const struct vm_param_spec *vm_param_spec_of(uint16_t number);

/* vm_params_hash_of writes the hash of all values in force:
 * TH("novate/params/v1", number u16 || value i64 of each, ascending). */
void vm_params_hash_of(struct nv_hash *out, const struct vm_state *s);

#endif /* NV_VM_PARAMS_H */
