/* Goal: no bytes harm the program check, and evaluation is right.
 * Method: the input is checked as a program; it is also taken as the choices of
 * the program builder, so that most inputs reach the evaluator.  What is accepted is run
 * over prices taken from the input, and compared with a model. */

#include <stdlib.h>
#include <string.h>

#include "tests/lib/payoff_build.h"
#include "tests/lib/payoff_model.h"
#include "vm/payoff/payoff.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define PRICES 70u

static void run(struct nv_view program, const uint8_t *bytes, size_t size)
{
    uint32_t at = 0;
    if (vm_payoff_check(program, &at) != VM_PAYOFF_OK) {
        return;
    }
    for (uint32_t i = 0; i < PRICES; i++) {
        int64_t price = 0;
        size_t const offset = size > 0 ? (i * 7) % size : 0;
        size_t const room = size - offset < sizeof price ? size - offset : sizeof price;
        memcpy(&price, bytes + offset, room);
        struct vm_payoff_inputs const inputs = {vm_money(price)};
        int64_t const result = vm_money_raw(vm_payoff_eval(program, &inputs));
        if (result != payoff_model_eval(program, &inputs) || result <= -(INT64_C(1) << 62) ||
            result >= INT64_C(1) << 62) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 4096) {
        return 0;
    }
    run(nv_view_of(bytes, (uint32_t)size), bytes, size);
    uint8_t program[PAYOFF_BUILD_MAX];
    struct payoff_bytes from = {bytes, size, 0};
    uint32_t const built = payoff_build(program, &from);
    if (built > 0) {
        run(nv_view_of(program, built), bytes, size);
    }
    return 0;
}
