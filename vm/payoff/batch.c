/* batch.c - the fast evaluator: each instruction runs over a row of inputs
 * before the next one does, so that dispatch is paid once a row and the loops
 * are plain vector code.  Same results as eval.c, bit for bit. */

#include <string.h>

#include "base/assert.h"

#include "vm/payoff/eval.h"
#include "vm/payoff/payoff.h"

#include "base/pure.h"

#define LANES 64u

/* Where an instruction reads and writes.  `out` is a row that nothing reads. */
struct rows {
    int64_t *out;
    const int64_t *d;
    const int64_t *a;
    const int64_t *b;
};

#define ROW(name, expression)                                                                      \
    static void row_##name(struct rows rows)                                                       \
    {                                                                                              \
        int64_t *restrict const out = rows.out;                                                    \
        const int64_t *const dd = rows.d;                                                          \
        const int64_t *const aa = rows.a;                                                          \
        const int64_t *const bb = rows.b;                                                          \
        for (uint32_t i = 0; i < LANES; i++) {                                                     \
            int64_t const d = dd[i];                                                               \
            int64_t const a = aa[i];                                                               \
            int64_t const b = bb[i];                                                               \
            (void)d;                                                                               \
            (void)b;                                                                               \
            out[i] = (expression);                                                                 \
        }                                                                                          \
    }

ROW(add, a + b)
ROW(sub, a - b)
ROW(neg, -a)
ROW(abs, a < 0 ? -a : a)
ROW(min, a < b ? a : b)
ROW(max, a > b ? a : b)
ROW(clamp, (d > a ? d : a) < b ? (d > a ? d : a) : b)
ROW(mulr, vm__payoff_mulr(a, b))
ROW(div, vm__payoff_div(a, b))
ROW(ge, -(int64_t)(a >= b))
ROW(gt, -(int64_t)(a > b))
ROW(eq, -(int64_t)(a == b))
ROW(and, (a) & (b))
ROW(or, a | b)
ROW(not, ~a)
ROW(sel, (a & d) | (b & ~d))
ROW(ret, a)

typedef void (*row_fn)(struct rows rows);

static const row_fn row_of[PAYOFF_OP_MAX + 1] = {
#define XX(code, NAME, name, rule, cost) [code] = row_##name,
#include "vm/payoff/ops.def"
#undef XX
};

/* A program spread out: a row for each register, for S and for each constant,
 * and a spare one that takes a result and then changes places with the
 * destination. */
struct sheet {
    int64_t *registers[PAYOFF_REGISTERS];
    int64_t *spare;
    int64_t s[LANES];
    int64_t constants[PAYOFF_CONSTANTS_MAX][LANES];
    int64_t memory[PAYOFF_REGISTERS + 1][LANES];
};

static void sheet_init(struct sheet *sheet, const struct payoff_program *p)
{
    memset(sheet->memory, 0, sizeof sheet->memory);
    for (uint32_t i = 0; i < PAYOFF_REGISTERS; i++) {
        sheet->registers[i] = sheet->memory[i];
    }
    sheet->spare = sheet->memory[PAYOFF_REGISTERS];
    for (uint32_t i = 0; i < p->constant_count; i++) {
        int64_t const value = vm__payoff_constant(p, i);
        for (uint32_t lane = 0; lane < LANES; lane++) {
            sheet->constants[i][lane] = value;
        }
    }
}

static const int64_t *sheet_row(const struct sheet *sheet, uint8_t operand)
{
    if (operand < PAYOFF_REGISTERS) {
        return sheet->registers[operand];
    }
    return operand == PAYOFF_INPUT_S ? sheet->s : sheet->constants[operand - PAYOFF_CONSTANT];
}

/* sheet_run returns the row of results; it lives until the sheet is used again. */
static const int64_t *sheet_run(struct sheet *sheet, const struct payoff_program *p)
{
    const int64_t *result = sheet->s;
    for (uint32_t i = 0; i < p->insn_count; i++) {
        struct payoff_insn const insn = vm__payoff_insn(p, i);
        int64_t *const out = sheet->spare;
        row_of[insn.op]((struct rows){
            .out = out,
            .d = sheet->registers[insn.d],
            .a = sheet_row(sheet, insn.a),
            .b = sheet_row(sheet, insn.b),
        });
        sheet->spare = sheet->registers[insn.d];
        sheet->registers[insn.d] = out;
        result = out;
    }
    return result;
}

void vm_payoff_eval_batch(struct nv_view program,
                          const struct vm_payoff_inputs *inputs,
                          uint32_t count,
                          struct vm_money *out)
{
    struct payoff_program p;
    uint32_t at = 0;
    NV_ASSERT(vm__payoff_parse(&p, program, &at));
    struct sheet sheet;
    sheet_init(&sheet, &p);
    for (uint32_t done = 0; done < count;) {
        uint32_t const lanes = count - done < LANES ? count - done : LANES;
        for (uint32_t i = 0; i < LANES; i++) {
            /* lanes past the end repeat the last input, so that they cannot divide by 0 */
            uint32_t const from = done + (i < lanes ? i : lanes - 1);
            sheet.s[i] = vm__payoff_input(inputs[from].settle);
        }
        const int64_t *const results = sheet_run(&sheet, &p);
        for (uint32_t i = 0; i < lanes; i++) {
            out[done + i] = vm_money(results[i]);
        }
        done += lanes;
    }
}
