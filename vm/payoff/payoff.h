#ifndef NV_VM_PAYOFF_PAYOFF_H
#define NV_VM_PAYOFF_PAYOFF_H

/* payoff.h - payoff programs: straight-line, typed, register bytecode.
 *
 * No jumps, so a program always ends and its cost is a sum known at listing.
 * Types: value (micro per unit), ratio (1e-9), mask.  price × price is a type
 * error.  Bytes, ops and types: docs/spec/payoff.md; ops in vm/payoff/ops.def. */

#include "base/bytes.h"

#include "vm/number/units.h"

enum vm_payoff_verdict {
    VM_PAYOFF_OK = 0,
    VM_PAYOFF_FORM,      /* magic, version, counts, lengths, trailing bytes, reserved bits */
    VM_PAYOFF_TYPE,      /* operand or result of the wrong type, undefined register */
    VM_PAYOFF_CANONICAL, /* dead code, unsorted or unused constants, register order */
    VM_PAYOFF_COST,
    VM_PAYOFF_INTERVAL, /* an intermediate could leave ±2^62 for inputs in range */
};

/* Inputs lie in [0, this]: the check proves programs for that range, and
 * evaluation clamps what is given to it. */
#define VM_PAYOFF_SETTLE_MAX_MICRO (INT64_C(1) << 52)

#define VM_PAYOFF_LINEAR_SIZE 12u

/* Inputs of settlement and of valuation, all in micro per unit of the underlying. */
struct vm_payoff_inputs {
    struct vm_money settle; /* S */
};

/* vm_payoff_linear writes the program `RET S`: what is paid is the price
 * itself.  Perpetuals and futures are listings of it. */
void vm_payoff_linear(uint8_t program[VM_PAYOFF_LINEAR_SIZE]);

/* vm_payoff_check verifies a program once, at listing; *at is the index of the
 * offending instruction (0 when the form is wrong).  Only checked programs may
 * be evaluated.  Accepts hostile bytes. */
enum vm_payoff_verdict vm_payoff_check(struct nv_view program, uint32_t *at);

/* vm_payoff_eval runs a checked program: micro per unit.  Total. */
struct vm_money vm_payoff_eval(struct nv_view program, const struct vm_payoff_inputs *inputs);

/* vm_payoff_per_lot is floor(eval / lots_per_unit): micro per lot, floored once. */
struct vm_money vm_payoff_per_lot(struct nv_view program,
                                  uint32_t lots_per_unit,
                                  const struct vm_payoff_inputs *inputs);

#endif /* NV_VM_PAYOFF_PAYOFF_H */
