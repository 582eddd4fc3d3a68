#include "tests/lib/payoff_build.h"

#include <string.h>

#define NODES_MAX     40u
#define CONSTANTS_MAX 32u
#define REGISTERS     16u
#define NOTHING       0xffffu

/* Numbers of docs/spec/payoff.md section 3. */
enum { ADD = 1, SUB, NEG, ABS, MIN, MAX, CLAMP, MULR, DIV, GE, GT, EQ, AND, OR, NOT, SEL, RET };
enum type { VALUE, RATIO, MASK };

/* A reference: S, a constant (by place in the pool) or a node. */
enum kind { IS_S, IS_CONSTANT, IS_NODE };
struct ref {
    enum kind kind;
    uint32_t index;
};

struct node {
    uint8_t op;
    enum type type;
    bool needed;
    bool taken; /* its one use is fixed: the d of clamp or sel */
    uint32_t last_use;
    uint8_t where; /* register */
    struct ref d, a, b;
    bool has_d, has_b;
};

struct graph {
    struct payoff_bytes *from;
    struct node node[NODES_MAX];
    uint32_t node_count;
    int64_t constant[CONSTANTS_MAX];
    enum type constant_type[CONSTANTS_MAX];
    bool constant_needed[CONSTANTS_MAX];
    uint32_t constant_count;
};

static uint32_t take(struct payoff_bytes *from)
{
    return from->at < from->size ? from->bytes[from->at++] : 0;
}

static int64_t take_constant(struct payoff_bytes *from, enum type type)
{
    uint64_t raw = 0;
    uint32_t const bytes = 1 + take(from) % 8;
    for (uint32_t i = 0; i < bytes; i++) {
        raw = raw << 8 | take(from);
    }
    int64_t const bound = type == RATIO ? INT64_C(8000000000) : INT64_C(1) << 52;
    return (int64_t)(raw % (uint64_t)bound) * (take(from) % 4 == 0 ? -1 : 1);
}

static struct ref pick_constant(struct graph *g, enum type type)
{
    int64_t const value = take_constant(g->from, type);
    for (uint32_t i = 0; i < g->constant_count; i++) {
        if (g->constant_type[i] == type &&
            (g->constant[i] == value || g->constant_count == CONSTANTS_MAX)) {
            return (struct ref){IS_CONSTANT, i};
        }
    }
    g->constant[g->constant_count] = value;
    g->constant_type[g->constant_count] = type;
    return (struct ref){IS_CONSTANT, g->constant_count++};
}

static struct ref add_node(struct graph *g, struct node node);

/* pick returns an operand of a type: a node if one fits, else a leaf. */
static struct ref pick(struct graph *g, enum type type)
{
    uint32_t const start = take(g->from);
    for (uint32_t i = 0; i < g->node_count && start % 3 != 0; i++) {
        uint32_t const at = (start + i) % g->node_count;
        if (g->node[at].type == type && !g->node[at].taken) {
            return (struct ref){IS_NODE, at};
        }
    }
    if (type == VALUE && start % 2 == 0) {
        return (struct ref){IS_S, 0};
    }
    if (type == MASK) {
        struct ref const a = pick_constant(g, VALUE);
        return add_node(
            g, (struct node){.op = GE, .type = MASK, .a = {IS_S, 0}, .b = a, .has_b = true});
    }
    return pick_constant(g, type);
}

static struct ref add_node(struct graph *g, struct node node)
{
    g->node[g->node_count] = node;
    return (struct ref){IS_NODE, g->node_count++};
}

/* reserve makes a node that nobody else may use. */
static struct ref reserve(struct graph *g, enum type type)
{
    struct node node = {.taken = true, .has_b = true, .type = type};
    if (type == MASK) {
        node.op = (uint8_t)(GE + take(g->from) % 3);
        node.a = pick(g, VALUE);
        node.b = pick(g, VALUE);
    } else {
        node.op = SUB;
        node.a = pick(g, type);
        node.b = pick(g, type);
    }
    return add_node(g, node);
}

static void grow(struct graph *g)
{
    struct node node = {.op = (uint8_t)(ADD + take(g->from) % 16), .has_b = true};
    enum type const number = take(g->from) % 4 == 0 ? RATIO : VALUE;
    bool const logic = node.op == AND || node.op == OR || node.op == NOT;
    bool const compare = node.op == GE || node.op == GT || node.op == EQ;
    node.has_d = node.op == CLAMP || node.op == SEL;
    node.has_b = node.op != NEG && node.op != ABS && node.op != NOT;
    node.type = logic || compare ? MASK : node.op == DIV ? RATIO : number;
    enum type const operand = logic ? MASK : node.op == DIV ? VALUE : number;
    node.a = pick(g, operand);
    if (node.has_b) {
        node.b = pick(g, node.op == MULR ? RATIO : operand);
    }
    if (node.has_d) {
        node.d = reserve(g, node.op == SEL ? MASK : number);
    }
    add_node(g, node);
}

static void need(struct graph *g, struct ref ref, uint32_t by)
{
    if (ref.kind == IS_CONSTANT) {
        g->constant_needed[ref.index] = true;
    } else if (ref.kind == IS_NODE) {
        struct node *const node = &g->node[ref.index];
        node->last_use = node->needed && node->last_use > by ? node->last_use : by;
        node->needed = true;
    }
}

/* mark walks back from what is returned. */
static void mark(struct graph *g, struct ref result)
{
    need(g, result, g->node_count);
    for (uint32_t i = g->node_count; i-- > 0;) {
        struct node *const node = &g->node[i];
        if (!node->needed) {
            continue;
        }
        need(g, node->a, i);
        if (node->has_b) {
            need(g, node->b, i);
        }
        if (node->has_d) {
            need(g, node->d, i);
        }
    }
}

/* allot gives each needed node the lowest register that is free. */
static bool allot(struct graph *g)
{
    for (uint32_t i = 0; i < g->node_count; i++) {
        uint32_t busy = 0;
        struct node *const node = &g->node[i];
        for (uint32_t j = 0; j < i; j++) {
            if (g->node[j].needed && g->node[j].last_use > i) {
                busy |= 1u << g->node[j].where;
            }
        }
        uint8_t where = 0;
        while (where < REGISTERS && (busy >> where & 1u) != 0) {
            where++;
        }
        node->where = node->has_d ? g->node[node->d.index].where : where;
        if (node->needed && node->where >= REGISTERS) {
            return false;
        }
    }
    return true;
}

/* rank returns where a needed constant stands among its type, by value. */
static uint32_t rank(const struct graph *g, uint32_t index)
{
    uint32_t below = 0;
    for (uint32_t i = 0; i < g->constant_count; i++) {
        bool const first = g->constant_type[i] < g->constant_type[index];
        bool const less =
            g->constant_type[i] == g->constant_type[index] && g->constant[i] < g->constant[index];
        below += g->constant_needed[i] && (first || less);
    }
    return below;
}

static uint8_t operand(const struct graph *g, struct ref ref)
{
    if (ref.kind == IS_S) {
        return 32;
    }
    return ref.kind == IS_NODE ? g->node[ref.index].where : (uint8_t)(64 + rank(g, ref.index));
}

static uint32_t write_insn(uint8_t *out, const struct graph *g, const struct node *node)
{
    bool const commutes = node->op == ADD || node->op == MIN || node->op == MAX || node->op == EQ ||
                          node->op == AND || node->op == OR;
    uint8_t const a = operand(g, node->a);
    uint8_t const b = node->has_b ? operand(g, node->b) : 0;
    bool const swap = commutes && a > b;
    out[0] = node->op;
    out[1] = node->where;
    out[2] = swap ? b : a;
    out[3] = swap ? a : b;
    return 4;
}

static uint32_t write_program(uint8_t *out, const struct graph *g, struct ref result)
{
    uint32_t counts[2] = {0, 0};
    uint32_t size = 8;
    for (uint32_t i = 0; i < g->constant_count; i++) {
        if (g->constant_needed[i]) {
            uint32_t const at = 8 + 8 * rank(g, i);
            for (uint32_t byte = 0; byte < 8; byte++) {
                out[at + byte] = (uint8_t)((uint64_t)g->constant[i] >> (56 - 8 * byte));
            }
            counts[g->constant_type[i]]++;
            size += 8;
        }
    }
    uint32_t insns = 0;
    for (uint32_t i = 0; i < g->node_count; i++) {
        if (g->node[i].needed) {
            size += write_insn(out + size, g, &g->node[i]);
            insns++;
        }
    }
    const uint8_t ret[4] = {RET, 0, operand(g, result), 0};
    memcpy(out + size, ret, 4);
    const uint8_t head[8] = {
        'N', 'V', 'P', '1', 0, (uint8_t)counts[0], (uint8_t)counts[1], (uint8_t)(insns + 1)};
    memcpy(out, head, 8);
    return size + 4;
}

uint32_t payoff_build(uint8_t *out, struct payoff_bytes *from)
{
    struct graph g;
    memset(&g, 0, sizeof g);
    g.from = from;
    uint32_t const wanted = take(from) % (NODES_MAX - 8);
    while (g.node_count < wanted) {
        grow(&g);
    }
    struct ref result = {IS_S, 0};
    for (uint32_t i = 0; i < g.node_count; i++) {
        if (g.node[i].type == VALUE && !g.node[i].taken) {
            result = (struct ref){IS_NODE, i};
        }
    }
    mark(&g, result);
    return allot(&g) ? write_program(out, &g, result) : 0;
}
