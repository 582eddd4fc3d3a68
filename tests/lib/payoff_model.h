#ifndef NV_TESTS_LIB_PAYOFF_MODEL_H
#define NV_TESTS_LIB_PAYOFF_MODEL_H

/* payoff_model.h - another evaluator of payoff programs, to compare the VM's with.
 *
 * It has a function for each operation instead of a switch, and rounds by the exact
 * division of base/int.h. */

#include "vm/payoff/payoff.h"

/* payoff_model_eval runs a checked program: micro per unit. */
int64_t payoff_model_eval(struct nv_view program, const struct vm_payoff_inputs *inputs);

#endif /* NV_TESTS_LIB_PAYOFF_MODEL_H */
