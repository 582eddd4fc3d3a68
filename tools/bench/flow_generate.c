#include "tools/bench/flow_generate.h"

#include <inttypes.h>
#include <stdio.h>

#include "tools/bench/bench.h"

#define TICKS       65536u
#define START       32768u
#define RECENT      2000u
#define NEAR_MEAN   5u
#define FAR_MEAN    200u
#define LOTS_MEAN   20u
#define STEP_NS     1000u
#define CANCEL_LOOK 8u

enum side { BUY = 0, SELL = 1 };

struct order {
    uint32_t account;
    uint32_t price;
    uint32_t lots;  /* that are left */
    uint32_t next;  /* at its price, younger; 0 none */
    uint32_t place; /* in `live` */
    uint8_t side;
};

struct level {
    uint32_t first; /* order id, the oldest; orders that are gone are passed by */
    uint32_t last;
    uint64_t lots;
};

struct maker {
    const struct flow_recipe *recipe;
    FILE *file;
    uint64_t random;
    uint32_t fair;
    struct level *level[2]; /* by side and tick */
    uint32_t best[2];       /* 0 and TICKS: none */
    struct order *order;    /* by id */
    uint32_t order_count;   /* ids given so far */
    uint32_t *live;
    uint32_t live_count;
};

static uint64_t draw(struct maker *m)
{
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t below(struct maker *m, uint32_t bound)
{
    return (uint32_t)(draw(m) % bound);
}

/* geometric returns failures before a success of chance 1 in mean + 1. */
static uint32_t geometric(struct maker *m, uint32_t mean)
{
    uint32_t count = 0;
    while (below(m, mean + 1) != 0) {
        count++;
    }
    return count;
}

static void find_best(struct maker *m, enum side side)
{
    uint32_t at = m->best[side];
    while (at > 0 && at < TICKS && m->level[side][at].lots == 0) {
        at = side == BUY ? at - 1 : at + 1;
    }
    m->best[side] = at;
}

static void
write_line(struct maker *m, uint32_t number, char action, const struct order *o, uint32_t id)
{
    (void)fprintf(m->file,
                  "%" PRIu64 ",%" PRIu32 ",0,%c,%c,%" PRIu32 ",%" PRIu32 ",%" PRIu32 "\n",
                  (uint64_t)number * STEP_NS,
                  o->account,
                  action,
                  o->side == BUY ? 'B' : 'S',
                  o->price,
                  o->lots,
                  id);
}

static void forget(struct maker *m, uint32_t id)
{
    struct order *const o = &m->order[id];
    m->live_count--;
    m->live[o->place] = m->live[m->live_count];
    m->order[m->live[o->place]].place = o->place;
    o->lots = 0;
}

/* passive returns a price around the fair one that does not cross. */
static uint32_t passive(struct maker *m, enum side side)
{
    uint32_t const away = 1 + geometric(m, below(m, 10) < 6 ? NEAR_MEAN : FAR_MEAN);
    if (side == BUY) {
        uint32_t const price = m->fair > away ? m->fair - away : 1;
        return price < m->best[SELL] ? price : m->best[SELL] - 1;
    }
    uint32_t const price = m->fair + away < TICKS ? m->fair + away : TICKS - 1;
    return price > m->best[BUY] ? price : m->best[BUY] + 1;
}

static void add(struct maker *m, uint32_t number)
{
    uint32_t const id = ++m->order_count;
    enum side const side = below(m, 2) == 0 ? BUY : SELL;
    struct order *const o = &m->order[id];
    *o = (struct order){.account = below(m, m->recipe->accounts),
                        .price = passive(m, side),
                        .lots = 1 + geometric(m, LOTS_MEAN),
                        .place = m->live_count,
                        .side = (uint8_t)side};
    struct level *const level = &m->level[side][o->price];
    if (level->first == 0) {
        level->first = id;
    } else {
        m->order[level->last].next = id;
    }
    level->last = id;
    level->lots += o->lots;
    m->live[m->live_count++] = id;
    bool const better = side == BUY ? o->price > m->best[BUY] : o->price < m->best[SELL];
    m->best[side] = better ? o->price : m->best[side];
    write_line(m, number, 'A', o, id);
}

/* cancel takes a recent order in seven of ten cases, else any; false when none
 * was found. */
static bool cancel(struct maker *m, uint32_t number)
{
    bool const recent = below(m, 10) < 7;
    uint32_t const span = m->order_count < RECENT ? m->order_count : RECENT;
    uint32_t id = 0;
    for (uint32_t i = 0; recent && span > 0 && i < CANCEL_LOOK && id == 0; i++) {
        uint32_t const candidate = m->order_count - below(m, span);
        id = m->order[candidate].lots > 0 ? candidate : 0;
    }
    if (id == 0 && m->live_count > 0) {
        id = m->live[below(m, m->live_count)];
    }
    if (id == 0) {
        return false;
    }
    struct order *const o = &m->order[id];
    write_line(m, number, 'C', o, id);
    m->level[o->side][o->price].lots -= o->lots;
    forget(m, id);
    find_best(m, o->side);
    return true;
}

/* eat fills lots from the oldest order of a level. */
static uint32_t eat(struct maker *m, struct level *level, uint32_t lots)
{
    while (level->first != 0 && m->order[level->first].lots == 0) {
        level->first = m->order[level->first].next;
    }
    struct order *const o = &m->order[level->first];
    uint32_t const taken = o->lots < lots ? o->lots : lots;
    level->lots -= taken;
    if (taken == o->lots) {
        forget(m, level->first);
    } else {
        o->lots -= taken;
    }
    return taken;
}

/* take writes an order that fills whole; false when the other side is empty. */
static bool take(struct maker *m, uint32_t number)
{
    enum side const side = below(m, 2) == 0 ? BUY : SELL;
    enum side const other = side == BUY ? SELL : BUY;
    uint32_t const wanted = 1 + geometric(m, LOTS_MEAN);
    struct order whole = {.account = below(m, m->recipe->accounts), .side = (uint8_t)side};
    while (whole.lots < wanted && m->best[other] > 0 && m->best[other] < TICKS) {
        whole.price = m->best[other];
        whole.lots += eat(m, &m->level[other][whole.price], wanted - whole.lots);
        find_best(m, other);
    }
    if (whole.lots == 0) {
        return false;
    }
    m->order_count++; /* its id; m->order of it stays without lots */
    write_line(m, number, 'X', &whole, m->order_count);
    return true;
}

static void message(struct maker *m, uint32_t number)
{
    uint32_t const kind = below(m, 100);
    if (below(m, 50) == 0) {
        m->fair = below(m, 2) == 0 && m->fair > 1 ? m->fair - 1 : m->fair + 1;
        m->fair = m->fair < TICKS ? m->fair : TICKS - 1;
    }
    bool const cancels = kind >= m->recipe->adds && kind < m->recipe->adds + m->recipe->cancels;
    bool const takes = kind >= m->recipe->adds + m->recipe->cancels;
    bool const done = (cancels && cancel(m, number)) || (takes && take(m, number));
    if (!done) {
        add(m, number);
    }
}

bool flow_generate(const char *path, const struct flow_recipe *recipe)
{
    struct maker m = {.recipe = recipe, .random = recipe->seed, .fair = START, .best = {0, TICKS}};
    m.file = fopen(path, "w");
    if (m.file == NULL) {
        return false;
    }
    m.level[BUY] = bench_memory((TICKS + 1) * sizeof *m.level[BUY]);
    m.level[SELL] = bench_memory((TICKS + 1) * sizeof *m.level[SELL]);
    m.order = bench_memory(((size_t)recipe->count + 1) * sizeof *m.order);
    m.live = bench_memory(((size_t)recipe->count + 1) * sizeof *m.live);
    (void)fprintf(m.file, "time,account,book,action,side,price,qty,id\n");
    for (uint32_t i = 0; i < recipe->count; i++) {
        message(&m, i);
    }
    bench_memory_free(m.level[BUY]);
    bench_memory_free(m.level[SELL]);
    bench_memory_free(m.order);
    bench_memory_free(m.live);
    return fclose(m.file) == 0;
}
