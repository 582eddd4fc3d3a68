#include "tests/lib/auction_model.h"

#include <stdlib.h>

static bool alive(const struct model_order *o)
{
    return !o->removed && !o->late && o->lots > 0;
}

static bool older(const struct model_order *a, const struct model_order *b)
{
    if (a->height != b->height) {
        return a->height < b->height;
    }
    return a->tie != b->tie ? a->tie < b->tie : a->slot < b->slot;
}

/* before: better price, then older; of one side. */
static bool before(const struct model_order *a, const struct model_order *b)
{
    if (a->price != b->price) {
        return (a->price > b->price) == a->buys;
    }
    return older(a, b);
}

static int64_t demand(const struct model_auction *m, int64_t price)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_order *const o = &m->order[i];
        sum += alive(o) && o->buys && o->price >= price ? o->lots : 0;
    }
    return sum;
}

static int64_t supply(const struct model_auction *m, int64_t price)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_order *const o = &m->order[i];
        sum += alive(o) && !o->buys && o->price <= price ? o->lots : 0;
    }
    return sum;
}

static int64_t matched_at(const struct model_auction *m, int64_t price)
{
    int64_t const d = demand(m, price);
    int64_t const s = supply(m, price);
    return d < s ? d : s;
}

static void price_range(const struct model_auction *m, int64_t *lo, int64_t *hi)
{
    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (uint32_t i = 0; i < m->count; i++) {
        if (alive(&m->order[i])) {
            *lo = m->order[i].price < *lo ? m->order[i].price : *lo;
            *hi = m->order[i].price > *hi ? m->order[i].price : *hi;
        }
    }
}

static int64_t size_of(int64_t x)
{
    return x < 0 ? -x : x;
}

static void choose_price(struct model_auction *m)
{
    int64_t lo = 0;
    int64_t hi = 0;
    price_range(m, &lo, &hi);
    m->matched = 0;
    for (int64_t p = lo; p <= hi; p++) {
        int64_t const lots = matched_at(m, p);
        int64_t const imbalance = demand(m, p) - supply(m, p);
        bool better = lots > m->matched;
        if (!better && lots > 0 && lots == m->matched) {
            bool const same = size_of(imbalance) == size_of(m->imbalance);
            better = size_of(imbalance) < size_of(m->imbalance) ||
                     (same && size_of(p - m->reference) < size_of(m->price - m->reference));
        }
        if (better) {
            m->matched = lots;
            m->price = p;
            m->imbalance = imbalance;
        }
    }
}

/* Lots of the side's orders that come before one. */
static int64_t lots_before(const struct model_auction *m, const struct model_order *o)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_order *const other = &m->order[i];
        if (other != o && alive(other) && other->buys == o->buys && before(other, o)) {
            sum += other->lots;
        }
    }
    return sum;
}

/* An order is touched when less than the matched lots come before it; the group of
 * the last one touched takes part as a whole. */
static void find_participants(struct model_auction *m)
{
    choose_price(m);
    const struct model_order *last[2] = {NULL, NULL};
    for (uint32_t i = 0; i < m->count; i++) {
        struct model_order *const o = &m->order[i];
        o->participates = alive(o) && lots_before(m, o) < m->matched;
        if (o->participates && (last[o->buys] == NULL || before(last[o->buys], o))) {
            last[o->buys] = o;
        }
    }
    for (uint32_t i = 0; i < m->count; i++) {
        struct model_order *const o = &m->order[i];
        const struct model_order *const end = last[o->buys];
        if (alive(o) && end != NULL && o->price == end->price && o->height == end->height) {
            o->participates = true;
        }
    }
}

static int64_t room_of(const struct model_auction *m, const struct model_order *o)
{
    int64_t room = o->buys ? -m->held[o->account] : m->held[o->account];
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_order *const other = &m->order[i];
        if (other != o && alive(other) && other->account == o->account && other->buys == o->buys &&
            before(other, o)) {
            room -= other->lots;
        }
    }
    return room > 0 ? room : 0;
}

/* Rooms are found for all before any order shrinks; one that comes before has
 * shrunk to its own room by then, so go by book order. */
static bool shrink_reduce_only(struct model_auction *m)
{
    bool changed = false;
    for (uint32_t round = 0; round < m->count; round++) {
        struct model_order *first = NULL;
        for (uint32_t i = 0; i < m->count; i++) {
            struct model_order *const o = &m->order[i];
            bool const excess =
                o->participates && alive(o) && o->reduce_only && o->lots > room_of(m, o);
            if (excess && (first == NULL || (first->buys == o->buys && before(o, first)))) {
                first = o;
            }
        }
        if (first == NULL) {
            return changed;
        }
        first->lots = room_of(m, first);
        first->removed = first->lots == 0;
        changed = true;
    }
    return changed;
}

static bool crosses(const struct model_order *a, const struct model_order *b)
{
    const struct model_order *const bid = a->buys ? a : b;
    const struct model_order *const ask = a->buys ? b : a;
    return a->buys != b->buys && bid->price >= ask->price;
}

static bool self_crosses(const struct model_auction *m, const struct model_order *o)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_order *const other = &m->order[i];
        if (alive(other) && other->account == o->account && crosses(o, other)) {
            return true;
        }
    }
    return false;
}

/* The oldest order of an account that is not decided, by `kept` and `removed`. */
static struct model_order *oldest(struct model_auction *m, uint32_t account, const bool *kept)
{
    struct model_order *found = NULL;
    for (uint32_t i = 0; i < m->count; i++) {
        struct model_order *const o = &m->order[i];
        if (alive(o) && o->account == account && !kept[i] && (found == NULL || older(o, found))) {
            found = o;
        }
    }
    return found;
}

static bool uncross(struct model_auction *m, uint32_t account)
{
    bool kept[MODEL_ORDERS_MAX] = {false};
    bool changed = false;
    struct model_order *o = oldest(m, account, kept);
    while (o != NULL) {
        bool stays = true;
        for (uint32_t i = 0; i < m->count; i++) {
            stays = stays && !(kept[i] && crosses(o, &m->order[i]));
        }
        kept[o - m->order] = stays;
        o->removed = !stays;
        changed = changed || !stays;
        o = oldest(m, account, kept);
    }
    return changed;
}

static bool remove_self_crossing(struct model_auction *m)
{
    bool account[MODEL_ACCOUNTS_MAX] = {false};
    bool changed = false;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_order *const o = &m->order[i];
        if (o->participates && alive(o) && self_crosses(m, o)) {
            account[o->account] = true;
        }
    }
    for (uint32_t i = 0; i < MODEL_ACCOUNTS_MAX; i++) {
        changed = (account[i] && uncross(m, i)) || changed;
    }
    return changed;
}

/* What an order shares its side with. */
struct standing {
    int64_t ahead;  /* lots that come before its group */
    int64_t group;  /* lots of its price and height */
    int64_t floors; /* what the group's floors add up to */
    uint32_t rank;  /* older orders of the group */
};

static bool same_group(const struct model_order *a, const struct model_order *b)
{
    return a->price == b->price && a->height == b->height;
}

static struct standing standing_of(const struct model_auction *m, const struct model_order *o)
{
    struct standing s = {0, 0, 0, 0};
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_order *const other = &m->order[i];
        if (alive(other) && other->buys == o->buys) {
            bool const same = same_group(other, o);
            s.ahead += !same && before(other, o) ? other->lots : 0;
            s.group += same ? other->lots : 0;
            s.rank += same && other != o && older(other, o);
        }
    }
    for (uint32_t i = 0; i < m->count && m->matched > s.ahead; i++) {
        const struct model_order *const other = &m->order[i];
        bool const shares = alive(other) && other->buys == o->buys && same_group(other, o);
        s.floors += shares ? other->lots * (m->matched - s.ahead) / s.group : 0;
    }
    return s;
}

static void share(struct model_auction *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        struct model_order *const o = &m->order[i];
        o->fill = 0;
        if (!alive(o)) {
            continue;
        }
        struct standing const s = standing_of(m, o);
        int64_t const rest = m->matched - s.ahead;
        if (rest >= s.group) {
            o->fill = o->lots;
        } else if (rest > 0) {
            o->fill = o->lots * rest / s.group + (s.rank < rest - s.floors ? 1 : 0);
        }
    }
}

void model_run(struct model_auction *m)
{
    bool changed = true;
    while (changed) {
        find_participants(m);
        changed = shrink_reduce_only(m);
        changed = changed || remove_self_crossing(m);
    }
    share(m);
}
