/* eval.c - what a program yields (docs/spec/payoff.md section 3). */

#include "base/assert.h"
#include "base/int.h"

#include "vm/payoff/payoff.h"
#include "vm/payoff/program.h"

#include "base/pure.h"

static int64_t
operand(const struct payoff_program *p, const int64_t *registers, int64_t s, uint8_t at)
{
    if (at < PAYOFF_REGISTERS) {
        return registers[at];
    }
    return at == PAYOFF_INPUT_S ? s : vm__payoff_constant(p, at - PAYOFF_CONSTANT);
}

static int64_t mask(bool set)
{
    return set ? -1 : 0;
}

static int64_t clamp(int64_t x, int64_t lo, int64_t hi)
{
    int64_t const raised = x > lo ? x : lo;
    return raised < hi ? raised : hi;
}

/* floored is floor(product / divisor), for a quotient that the check bounded.  Most
 * products fit 64 bits, where division is five times cheaper. */
static int64_t floored(nv_i128 product, int64_t divisor)
{
    if (product == (int64_t)product) {
        int64_t const narrow = (int64_t)product;
        int64_t const quotient = narrow / divisor;
        return quotient - (narrow % divisor != 0 && (narrow < 0) != (divisor < 0));
    }
    nv_i128 const quotient = product / divisor;
    return (int64_t)(quotient - (product % divisor != 0 && (product < 0) != (divisor < 0)));
}

static int64_t step(enum payoff_op op, int64_t d, int64_t a, int64_t b)
{
    switch (op) {
    case PAYOFF_ADD: return a + b;
    case PAYOFF_SUB: return a - b;
    case PAYOFF_NEG: return -a;
    case PAYOFF_ABS: return a < 0 ? -a : a;
    case PAYOFF_MIN: return a < b ? a : b;
    case PAYOFF_MAX: return a > b ? a : b;
    case PAYOFF_CLAMP: return clamp(d, a, b);
    case PAYOFF_MULR: return floored((nv_i128)a * b, PAYOFF_RATIO_ONE);
    case PAYOFF_DIV: return floored((nv_i128)a * PAYOFF_RATIO_ONE, b);
    case PAYOFF_GE: return mask(a >= b);
    case PAYOFF_GT: return mask(a > b);
    case PAYOFF_EQ: return mask(a == b);
    case PAYOFF_AND: return a & b;
    case PAYOFF_OR: return a | b;
    case PAYOFF_NOT: return ~a;
    case PAYOFF_SEL: return d != 0 ? a : b;
    case PAYOFF_RET: return a;
    }
    return 0;
}

struct vm_money vm_payoff_eval(struct nv_view program, const struct vm_payoff_inputs *inputs)
{
    struct payoff_program p;
    uint32_t at = 0;
    NV_ASSERT(vm__payoff_parse(&p, program, &at));
    int64_t const s = clamp(vm_money_raw(inputs->settle), 0, VM_PAYOFF_SETTLE_MAX_MICRO);
    int64_t registers[PAYOFF_REGISTERS] = {0};
    int64_t result = 0;
    for (uint32_t i = 0; i < p.insn_count; i++) {
        struct payoff_insn const insn = vm__payoff_insn(&p, i);
        int64_t const a = operand(&p, registers, s, insn.a);
        int64_t const b = operand(&p, registers, s, insn.b);
        result = step((enum payoff_op)insn.op, registers[insn.d], a, b);
        registers[insn.d] = result;
    }
    return vm_money(result);
}

struct vm_money vm_payoff_per_lot(struct nv_view program,
                                  uint32_t lots_per_unit,
                                  const struct vm_payoff_inputs *inputs)
{
    NV_ASSERT(lots_per_unit >= 1);
    int64_t per_lot = 0;
    int64_t const per_unit = vm_money_raw(vm_payoff_eval(program, inputs));
    NV_ASSERT(nv_div_i64(per_unit, (int64_t)lots_per_unit, NV_ROUND_FLOOR, &per_lot));
    return vm_money(per_lot);
}
