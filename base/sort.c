#include "base/sort.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

/* Runs of this many elements are sorted by insertion. */
#define RUN 8u

struct range {
    uint8_t *base;
    uint8_t *scratch;
    size_t size;
    const struct nv_order *order;
};

static int compare(const struct range *r, const uint8_t *a, const uint8_t *b)
{
    int const order = r->order->cmp(r->order->ctx, a, b);
    NV_ASSERT_PARANOID((order > 0) == (r->order->cmp(r->order->ctx, b, a) < 0));
    return order;
}

/* sort_run sorts elements [first, end) in place; scratch holds one element. */
static void sort_run(const struct range *r, size_t first, size_t end)
{
    for (size_t i = first + 1; i < end; i++) {
        size_t at = i;
        while (at > first && compare(r, r->base + (at - 1) * r->size, r->base + i * r->size) > 0) {
            at--;
        }
        if (at < i) {
            uint8_t *const place = r->base + at * r->size;
            memcpy(r->scratch, r->base + i * r->size, r->size);
            memmove(place + r->size, place, (i - at) * r->size);
            memcpy(place, r->scratch, r->size);
        }
    }
}

/* merge joins the sorted [first, middle) and [middle, end) of `from` into `to`.
 * Of equal elements the left one goes first, which makes the sort stable. */
static void merge(const struct range *r, const uint8_t *from, uint8_t *to, const size_t bounds[3])
{
    size_t left = bounds[0];
    size_t right = bounds[1];
    for (size_t at = bounds[0]; at < bounds[2]; at++) {
        bool const take_left =
            right == bounds[2] ||
            (left < bounds[1] && compare(r, from + left * r->size, from + right * r->size) <= 0);
        memcpy(to + at * r->size, from + (take_left ? left : right) * r->size, r->size);
        left += take_left ? 1 : 0;
        right += take_left ? 0 : 1;
    }
}

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* merge_all doubles the length of the sorted runs until one is left. */
static void merge_all(const struct range *r, size_t count)
{
    uint8_t *from = r->base;
    uint8_t *to = r->scratch;
    for (size_t run = RUN; run < count; run *= 2) {
        for (size_t first = 0; first < count; first += 2 * run) {
            size_t const middle = at_most(first + run, count);
            size_t const bounds[3] = {first, middle, at_most(middle + run, count)};
            merge(r, from, to, bounds);
        }
        uint8_t *const merged = to;
        to = from;
        from = merged;
    }
    if (from != r->base) {
        memcpy(r->base, from, count * r->size);
    }
}

void nv_sort_with(
    void *base, uint32_t count, size_t size, const struct nv_order *order, void *scratch)
{
    NV_ASSERT(size >= 1);
    if (count < 2) {
        return;
    }
    NV_ASSERT(base != NULL && scratch != NULL);

    struct range const r = {(uint8_t *)base, (uint8_t *)scratch, size, order};
    for (size_t first = 0; first < count; first += RUN) {
        sort_run(&r, first, at_most(first + RUN, count));
    }
    merge_all(&r, count);
}

struct plain {
    nv_cmp_fn cmp;
};

static int compare_plain(const void *ctx, const void *a, const void *b)
{
    return ((const struct plain *)ctx)->cmp(a, b);
}

void nv_sort(void *base, uint32_t count, size_t size, nv_cmp_fn cmp, void *scratch)
{
    struct plain const plain = {cmp};
    struct nv_order const order = {compare_plain, &plain};
    nv_sort_with(base, count, size, &order, scratch);
}
