#ifndef NV_VM_PAYOFF_PROGRAM_H
#define NV_VM_PAYOFF_PROGRAM_H

/* program.h - a payoff program taken apart.  Private to vm/payoff.
 *
 * docs/spec/payoff.md sections 2 and 3. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"

#define PAYOFF_REGISTERS     16u
#define PAYOFF_INPUT_S       32u
#define PAYOFF_CONSTANT      64u /* operand of the first constant */
#define PAYOFF_CONSTANTS_MAX 32u
#define PAYOFF_INSNS_MAX     64u
#define PAYOFF_COST_MAX      160u
#define PAYOFF_RATIO_ONE     INT64_C(1000000000)

enum payoff_op {
#define XX(code, NAME, name, rule, cost) PAYOFF_##NAME = (code),
#include "vm/payoff/ops.def"
#undef XX
};
#define PAYOFF_OP_MAX PAYOFF_RET

enum payoff_rule {
    PAYOFF_BINARY = 1,
    PAYOFF_UNARY,
    PAYOFF_TERNARY,
    PAYOFF_SCALE,
    PAYOFF_DIVIDE,
    PAYOFF_COMPARE,
    PAYOFF_LOGIC,
    PAYOFF_INVERT,
    PAYOFF_SELECT,
    PAYOFF_RETURN,
};

/* One instruction; all fields in range once the form is checked. */
struct payoff_insn {
    uint8_t op; /* enum payoff_op */
    uint8_t d;
    uint8_t a;
    uint8_t b;
};

/* Borrows the bytes it was parsed from. */
struct payoff_program {
    uint32_t value_count;
    uint32_t constant_count; /* values, then ratios */
    uint32_t insn_count;
    const uint8_t *constants;
    const uint8_t *insns;
};

/* vm__payoff_parse checks the form and fills *p; *at is the instruction that is
 * wrong, 0 when it is not one. */
bool vm__payoff_parse(struct payoff_program *p, struct nv_view bytes, uint32_t *at);

enum payoff_rule vm__payoff_rule(uint8_t op);
uint32_t vm__payoff_cost(uint8_t op);

static inline struct payoff_insn vm__payoff_insn(const struct payoff_program *p, uint32_t i)
{
    const uint8_t *bytes = p->insns + 4 * (size_t)i;
    return (struct payoff_insn){bytes[0], bytes[1], bytes[2], bytes[3]};
}

static inline int64_t vm__payoff_constant(const struct payoff_program *p, uint32_t i)
{
    return (int64_t)nv_be64_load(p->constants + 8 * (size_t)i);
}

/* What an instruction reads and writes besides `a`, which all read. */
static inline bool vm__payoff_reads_d(enum payoff_rule rule)
{
    return rule == PAYOFF_TERNARY || rule == PAYOFF_SELECT;
}
static inline bool vm__payoff_reads_b(enum payoff_rule rule)
{
    return rule != PAYOFF_UNARY && rule != PAYOFF_INVERT && rule != PAYOFF_RETURN;
}
static inline bool vm__payoff_writes_d(enum payoff_rule rule)
{
    return rule != PAYOFF_RETURN;
}

#endif /* NV_VM_PAYOFF_PROGRAM_H */
