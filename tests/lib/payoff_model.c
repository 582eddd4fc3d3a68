#include "tests/lib/payoff_model.h"

#include "base/assert.h"
#include "base/int.h"

#include "vm/payoff/program.h"

static int64_t floored(nv_i128 product, int64_t divisor)
{
    nv_i128 quotient = 0;
    int64_t result = 0;
    NV_ASSERT(nv_div_i128(product, divisor, NV_ROUND_FLOOR, &quotient));
    NV_ASSERT(nv_narrow_try_i64(quotient, &result));
    return result;
}

/* OP defines an operation on the destination's value and two operands. */
#define OP(name, expression)                                                                       \
    static int64_t op_##name(int64_t d, int64_t a, int64_t b)                                      \
    {                                                                                              \
        (void)d;                                                                                   \
        (void)b;                                                                                   \
        return (expression);                                                                       \
    }

OP(add, a + b)
OP(sub, a - b)
OP(neg, -a)
OP(abs, a < 0 ? -a : a)
OP(min, a < b ? a : b)
OP(max, a > b ? a : b)
OP(clamp, op_min(0, op_max(0, d, a), b))
OP(mulr, floored((nv_i128)a *b, PAYOFF_RATIO_ONE))
OP(div, floored((nv_i128)a *PAYOFF_RATIO_ONE, b))
OP(ge, -(int64_t)(a >= b))
OP(gt, -(int64_t)(a > b))
OP(eq, -(int64_t)(a == b))
OP(and, (a) & (b))
OP(or, a | b)
OP(not, ~a)
OP(sel, (a & d) | (b & ~d))
OP(ret, a)

typedef int64_t (*op_fn)(int64_t d, int64_t a, int64_t b);

static const op_fn ops[PAYOFF_OP_MAX + 1] = {
#define XX(code, NAME, name, rule, cost) [code] = op_##name,
#include "vm/payoff/ops.def"
#undef XX
};

int64_t payoff_model_eval(struct nv_view program, const struct vm_payoff_inputs *inputs)
{
    struct payoff_program p;
    int64_t at[PAYOFF_CONSTANT + PAYOFF_CONSTANTS_MAX] = {0}; /* by operand */
    uint32_t wrong = 0;
    int64_t const price = vm_money_raw(inputs->settle);
    NV_ASSERT(vm__payoff_parse(&p, program, &wrong));
    at[PAYOFF_INPUT_S] = op_clamp(price, 0, VM_PAYOFF_SETTLE_MAX_MICRO);
    for (uint32_t i = 0; i < p.constant_count; i++) {
        at[PAYOFF_CONSTANT + i] = vm__payoff_constant(&p, i);
    }
    for (uint32_t i = 0; i < p.insn_count; i++) {
        struct payoff_insn const insn = vm__payoff_insn(&p, i);
        int64_t *const d = &at[insn.d];
        *d = ops[insn.op](*d, at[insn.a], at[insn.b]);
    }
    return at[0]; /* ret is last, and its destination 0 */
}
