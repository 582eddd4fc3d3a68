#include "vm/payoff/program.h"

#include <string.h>

#include "base/assert.h"

#include "vm/payoff/payoff.h"

#include "base/pure.h"

#define HEADER_SIZE 8u

static const uint8_t magic[4] = {0x4e, 0x56, 0x50, 0x31};

static const struct {
    uint8_t rule;
    uint8_t cost;
} ops[PAYOFF_OP_MAX + 1] = {
#define XX(code, NAME, name, rule, cost) [code] = {PAYOFF_##rule, cost},
#include "vm/payoff/ops.def"
#undef XX
};

enum payoff_rule vm__payoff_rule(uint8_t op)
{
    NV_ASSERT(op >= 1 && op <= PAYOFF_OP_MAX);
    return (enum payoff_rule)ops[op].rule;
}

uint32_t vm__payoff_cost(uint8_t op)
{
    NV_ASSERT(op >= 1 && op <= PAYOFF_OP_MAX);
    return ops[op].cost;
}

static bool operand_ok(const struct payoff_program *p, uint8_t operand)
{
    return operand < PAYOFF_REGISTERS || operand == PAYOFF_INPUT_S ||
           (operand >= PAYOFF_CONSTANT && operand - PAYOFF_CONSTANT < p->constant_count);
}

static bool insn_ok(const struct payoff_program *p, uint32_t i)
{
    struct payoff_insn const insn = vm__payoff_insn(p, i);
    if (insn.op < 1 || insn.op > PAYOFF_OP_MAX) {
        return false;
    }
    enum payoff_rule const rule = vm__payoff_rule(insn.op);
    bool const last = i == p->insn_count - 1;
    bool const b_ok = vm__payoff_reads_b(rule) ? operand_ok(p, insn.b) : insn.b == 0;
    bool const d_ok = vm__payoff_writes_d(rule) ? insn.d < PAYOFF_REGISTERS : insn.d == 0;
    return (rule == PAYOFF_RETURN) == last && operand_ok(p, insn.a) && b_ok && d_ok;
}

bool vm__payoff_parse(struct payoff_program *p, struct nv_view bytes, uint32_t *at)
{
    *at = 0;
    if (bytes.size < HEADER_SIZE || memcmp(bytes.bytes, magic, sizeof magic) != 0) {
        return false;
    }
    uint32_t const observers = bytes.bytes[4];
    p->value_count = bytes.bytes[5];
    p->constant_count = p->value_count + bytes.bytes[6];
    p->insn_count = bytes.bytes[7];
    if (observers != 0 || p->constant_count > PAYOFF_CONSTANTS_MAX || p->insn_count < 1 ||
        p->insn_count > PAYOFF_INSNS_MAX ||
        bytes.size != HEADER_SIZE + 8 * p->constant_count + 4 * p->insn_count) {
        return false;
    }
    p->constants = bytes.bytes + HEADER_SIZE;
    p->insns = p->constants + 8 * (size_t)p->constant_count;
    for (uint32_t i = 0; i < p->insn_count; i++) {
        if (!insn_ok(p, i)) {
            *at = i;
            return false;
        }
    }
    return true;
}

void vm_payoff_linear(uint8_t program[VM_PAYOFF_LINEAR_SIZE])
{
    struct nv_writer w;
    nv_writer_init(&w, program, VM_PAYOFF_LINEAR_SIZE);
    nv_put_bytes(&w, magic, sizeof magic);
    nv_put_u8(&w, 0);
    nv_put_u8(&w, 0);
    nv_put_u8(&w, 0);
    nv_put_u8(&w, 1);
    nv_put_u8(&w, PAYOFF_RET);
    nv_put_u8(&w, 0);
    nv_put_u8(&w, PAYOFF_INPUT_S);
    nv_put_u8(&w, 0);
    NV_ASSERT(!w.overflow && w.size == VM_PAYOFF_LINEAR_SIZE);
}
