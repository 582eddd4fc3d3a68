#include "base/assert.h"
#include "base/int.h"

#include "vm/payoff/payoff.h"
#include "vm/payoff/program.h"

#include "base/pure.h"

enum type { TYPE_NONE = 0, TYPE_VALUE, TYPE_RATIO, TYPE_MASK };

/* --- types ------------------------------------------------------------------------------- */

static enum type
operand_type(const struct payoff_program *p, const enum type *registers, uint8_t operand)
{
    if (operand < PAYOFF_REGISTERS) {
        return registers[operand];
    }
    if (operand == PAYOFF_INPUT_S) {
        return TYPE_VALUE;
    }
    return operand - PAYOFF_CONSTANT < p->value_count ? TYPE_VALUE : TYPE_RATIO;
}

static bool is_number(enum type type)
{
    return type == TYPE_VALUE || type == TYPE_RATIO;
}

/* result_type returns the type of what an instruction gives, TYPE_NONE when its
 * operands do not fit it.  `d` is the type of the destination before. */
static enum type result_type(enum payoff_rule rule, enum type d, enum type a, enum type b)
{
    switch (rule) {
    case PAYOFF_BINARY: return is_number(a) && a == b ? a : TYPE_NONE;
    case PAYOFF_UNARY: return is_number(a) ? a : TYPE_NONE;
    case PAYOFF_TERNARY: return is_number(a) && a == b && a == d ? a : TYPE_NONE;
    case PAYOFF_SCALE: return is_number(a) && b == TYPE_RATIO ? a : TYPE_NONE;
    case PAYOFF_DIVIDE: return a == TYPE_VALUE && b == TYPE_VALUE ? TYPE_RATIO : TYPE_NONE;
    case PAYOFF_COMPARE: return is_number(a) && a == b ? TYPE_MASK : TYPE_NONE;
    case PAYOFF_LOGIC: return a == TYPE_MASK && b == TYPE_MASK ? TYPE_MASK : TYPE_NONE;
    case PAYOFF_INVERT: return a == TYPE_MASK ? TYPE_MASK : TYPE_NONE;
    case PAYOFF_SELECT: return d == TYPE_MASK && is_number(a) && a == b ? a : TYPE_NONE;
    case PAYOFF_RETURN: return a == TYPE_VALUE ? TYPE_VALUE : TYPE_NONE;
    }
    return TYPE_NONE;
}

static bool types_ok(const struct payoff_program *p, uint32_t *at)
{
    enum type registers[PAYOFF_REGISTERS] = {TYPE_NONE};
    for (uint32_t i = 0; i < p->insn_count; i++) {
        struct payoff_insn const insn = vm__payoff_insn(p, i);
        enum type const a = operand_type(p, registers, insn.a);
        enum type const b = operand_type(p, registers, insn.b);
        enum type const d = registers[insn.d];
        enum type const result = result_type(vm__payoff_rule(insn.op), d, a, b);
        if (result == TYPE_NONE) {
            *at = i;
            return false;
        }
        registers[insn.d] = result;
    }
    return true;
}

/* --- canonical form ---------------------------------------------------------------------- */

static bool commutes(uint8_t op)
{
    return op == PAYOFF_ADD || op == PAYOFF_MIN || op == PAYOFF_MAX || op == PAYOFF_EQ ||
           op == PAYOFF_AND || op == PAYOFF_OR;
}

static uint32_t register_bit(uint8_t operand)
{
    return operand < PAYOFF_REGISTERS ? UINT32_C(1) << operand : 0;
}

static uint32_t constant_bit(uint8_t operand)
{
    return operand >= PAYOFF_CONSTANT ? UINT32_C(1) << (operand - PAYOFF_CONSTANT) : 0;
}

/* What the instructions from one on need. */
struct needs {
    uint32_t registers; /* bit set */
    uint32_t constants;
};

/* destination_ok: the result is needed, and lies in the lowest register that is
 * free for it. */
static bool destination_ok(struct payoff_insn insn, enum payoff_rule rule, uint32_t needed)
{
    uint32_t const bit = register_bit(insn.d);
    if ((needed & bit) == 0) {
        return false;
    }
    uint32_t const busy = needed & ~bit;
    uint32_t const lowest = ~busy & (busy + 1);
    return vm__payoff_reads_d(rule) || bit == lowest;
}

static bool step_back(struct needs *needs, struct payoff_insn insn)
{
    enum payoff_rule const rule = vm__payoff_rule(insn.op);
    if (vm__payoff_writes_d(rule)) {
        if (!destination_ok(insn, rule, needs->registers)) {
            return false;
        }
        needs->registers &= ~register_bit(insn.d);
    }
    if (commutes(insn.op) && insn.a > insn.b) {
        return false;
    }
    needs->registers |= register_bit(insn.a);
    needs->constants |= constant_bit(insn.a);
    if (vm__payoff_reads_b(rule)) {
        needs->registers |= register_bit(insn.b);
        needs->constants |= constant_bit(insn.b);
    }
    if (vm__payoff_reads_d(rule)) {
        needs->registers |= register_bit(insn.d);
    }
    return true;
}

static bool constants_ascend(const struct payoff_program *p)
{
    for (uint32_t i = 1; i < p->constant_count; i++) {
        if (i != p->value_count && vm__payoff_constant(p, i) <= vm__payoff_constant(p, i - 1)) {
            return false;
        }
    }
    return true;
}

static bool canonical_ok(const struct payoff_program *p, uint32_t *at)
{
    struct needs needs = {0, 0};
    for (uint32_t i = p->insn_count; i-- > 0;) {
        if (!step_back(&needs, vm__payoff_insn(p, i))) {
            *at = i;
            return false;
        }
    }
    *at = 0;
    uint32_t const all = (uint32_t)((UINT64_C(1) << p->constant_count) - 1);
    return needs.constants == all && constants_ascend(p);
}

/* --- cost -------------------------------------------------------------------------------- */

static bool cost_ok(const struct payoff_program *p, uint32_t *at)
{
    uint32_t cost = 0;
    for (uint32_t i = 0; i < p->insn_count; i++) {
        cost += vm__payoff_cost(vm__payoff_insn(p, i).op);
        if (cost > PAYOFF_COST_MAX) {
            *at = i;
            return false;
        }
    }
    return true;
}

/* --- intervals --------------------------------------------------------------------------- */

#define BOUND ((nv_i128)1 << 62) /* exclusive, both ways */

/* Ends inside the bound, so that products of two ends fit 128 bits. */
struct interval {
    nv_i128 lo;
    nv_i128 hi;
};

static nv_i128 least(nv_i128 a, nv_i128 b)
{
    return a < b ? a : b;
}

static nv_i128 most(nv_i128 a, nv_i128 b)
{
    return a > b ? a : b;
}

static struct interval hull(struct interval a, struct interval b)
{
    return (struct interval){least(a.lo, b.lo), most(a.hi, b.hi)};
}

static nv_i128 floor_div(nv_i128 a, nv_i128 b)
{
    nv_i128 quotient = 0;
    NV_ASSERT(nv_div_i128(a, b, NV_ROUND_FLOOR, &quotient));
    return quotient;
}

static struct interval point(nv_i128 at)
{
    return (struct interval){at, at};
}

static struct interval corners_mulr(struct interval a, struct interval b)
{
    struct interval const low = hull(point(floor_div(a.lo * b.lo, PAYOFF_RATIO_ONE)),
                                     point(floor_div(a.lo * b.hi, PAYOFF_RATIO_ONE)));
    struct interval const high = hull(point(floor_div(a.hi * b.lo, PAYOFF_RATIO_ONE)),
                                      point(floor_div(a.hi * b.hi, PAYOFF_RATIO_ONE)));
    return hull(low, high);
}

/* `b` does not hold 0. */
static struct interval corners_div(struct interval a, struct interval b)
{
    struct interval const low = hull(point(floor_div(a.lo * PAYOFF_RATIO_ONE, b.lo)),
                                     point(floor_div(a.lo * PAYOFF_RATIO_ONE, b.hi)));
    struct interval const high = hull(point(floor_div(a.hi * PAYOFF_RATIO_ONE, b.lo)),
                                      point(floor_div(a.hi * PAYOFF_RATIO_ONE, b.hi)));
    return hull(low, high);
}

static struct interval absolute(struct interval a)
{
    bool const around_zero = a.lo < 0 && a.hi > 0;
    nv_i128 const lo = a.lo < 0 ? -a.lo : a.lo;
    nv_i128 const hi = a.hi < 0 ? -a.hi : a.hi;
    return (struct interval){around_zero ? 0 : least(lo, hi), most(lo, hi)};
}

/* What a result can be, for operands in d, a and b.  Masks are not numbers and
 * carry [0, 0]. */
static struct interval
result_interval(enum payoff_op op, struct interval d, struct interval a, struct interval b)
{
    switch (op) {
    case PAYOFF_ADD: return (struct interval){a.lo + b.lo, a.hi + b.hi};
    case PAYOFF_SUB: return (struct interval){a.lo - b.hi, a.hi - b.lo};
    case PAYOFF_NEG: return (struct interval){-a.hi, -a.lo};
    case PAYOFF_ABS: return absolute(a);
    case PAYOFF_MIN: return (struct interval){least(a.lo, b.lo), least(a.hi, b.hi)};
    case PAYOFF_MAX: return (struct interval){most(a.lo, b.lo), most(a.hi, b.hi)};
    case PAYOFF_CLAMP:
        return (struct interval){least(most(d.lo, a.lo), b.lo), least(most(d.hi, a.hi), b.hi)};
    case PAYOFF_MULR: return corners_mulr(a, b);
    case PAYOFF_DIV: return corners_div(a, b);
    case PAYOFF_SEL: return hull(a, b);
    case PAYOFF_RET: return a;
    case PAYOFF_GE:
    case PAYOFF_GT:
    case PAYOFF_EQ:
    case PAYOFF_AND:
    case PAYOFF_OR:
    case PAYOFF_NOT: break;
    }
    return point(0);
}

static struct interval
operand_interval(const struct payoff_program *p, const struct interval *registers, uint8_t operand)
{
    if (operand < PAYOFF_REGISTERS) {
        return registers[operand];
    }
    if (operand == PAYOFF_INPUT_S) {
        return (struct interval){0, VM_PAYOFF_SETTLE_MAX_MICRO};
    }
    return point(vm__payoff_constant(p, operand - PAYOFF_CONSTANT));
}

static bool inside(struct interval i)
{
    return i.lo > -BOUND && i.hi < BOUND;
}

static bool intervals_ok(const struct payoff_program *p, uint32_t *at)
{
    struct interval registers[PAYOFF_REGISTERS] = {{0, 0}};
    for (uint32_t i = 0; i < p->insn_count; i++) {
        *at = i;
        struct payoff_insn const insn = vm__payoff_insn(p, i);
        bool const reads_b = vm__payoff_reads_b(vm__payoff_rule(insn.op));
        struct interval const a = operand_interval(p, registers, insn.a);
        struct interval const b = reads_b ? operand_interval(p, registers, insn.b) : point(0);
        bool const divides_by_zero = insn.op == PAYOFF_DIV && b.lo <= 0 && b.hi >= 0;
        if (!inside(a) || !inside(b) || divides_by_zero) {
            return false;
        }
        struct interval const result =
            result_interval((enum payoff_op)insn.op, registers[insn.d], a, b);
        if (!inside(result)) {
            return false;
        }
        registers[insn.d] = result;
    }
    return true;
}

enum vm_payoff_verdict vm_payoff_check(struct nv_view program, uint32_t *at)
{
    struct payoff_program p;
    if (!vm__payoff_parse(&p, program, at)) {
        return VM_PAYOFF_FORM;
    }
    if (!types_ok(&p, at)) {
        return VM_PAYOFF_TYPE;
    }
    if (!canonical_ok(&p, at)) {
        return VM_PAYOFF_CANONICAL;
    }
    if (!cost_ok(&p, at)) {
        return VM_PAYOFF_COST;
    }
    if (!intervals_ok(&p, at)) {
        return VM_PAYOFF_INTERVAL;
    }
    *at = 0;
    return VM_PAYOFF_OK;
}
