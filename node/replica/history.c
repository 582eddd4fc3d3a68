#include "node/replica/history.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#define NONE UINT32_MAX

/* A figure, and where the one before it is: a number of the ring, from 1. */
struct version {
    struct node_figure figure;
    uint64_t since;  /* the height that wrote it */
    uint64_t before; /* 0: it was not there */
    bool there;
};

struct node_history__older {
    struct version version;
    uint64_t until; /* the height that wrote the next */
    uint32_t place; /* whose it is */
};

struct node_history__thing {
    struct version newest;
    uint8_t key[NV_CRITBIT_KEY_SIZE];
    uint32_t next_free;
};

/* places returns how many things there may be: those that are there, and those that
 * are gone but stand in the ring. */
static uint32_t places(const struct node_history *h)
{
    return h->size.things_max + h->size.older_max;
}

static size_t things_size(const struct node_history *h)
{
    return sizeof *h->things * (size_t)places(h);
}

static size_t ring_size(const struct node_history *h)
{
    return sizeof *h->ring * (size_t)h->size.older_max;
}

enum nv_err node_history_open(struct node_history *h, const struct node_history_size *size)
{
    NV_ASSERT(size->things_max >= 1 && size->older_max >= 1);
    NV_ASSERT(size->things_max <= NV_CRITBIT_CAP_MAX - size->older_max);
    h->size = *size;
    h->free = NONE;
    void *const index = nv_heap_reserve(nv_critbit_footprint(places(h)));
    h->things = nv_heap_reserve(things_size(h));
    h->ring = nv_heap_reserve(ring_size(h));
    if (index != NULL) {
        h->index = nv_critbit_init(index, places(h));
    }
    return index != NULL && h->things != NULL && h->ring != NULL ? NV_OK : NV_ERR_NO_MEMORY;
}

void node_history_close(struct node_history *h)
{
    if (h->index != NULL) {
        nv_heap_unreserve(h->index, nv_critbit_footprint(places(h)));
    }
    if (h->things != NULL) {
        nv_heap_unreserve(h->things, things_size(h));
    }
    if (h->ring != NULL) {
        nv_heap_unreserve(h->ring, ring_size(h));
    }
    *h = (struct node_history){.free = NONE};
}

/* ---- places ---- */

static uint32_t take_place(struct node_history *h, const uint8_t *key32)
{
    uint32_t at = h->free;
    if (at != NONE) {
        h->free = h->things[at].next_free;
    } else {
        at = h->untouched;
        NV_ASSERT(at < places(h)); /* the owner's limit */
        h->untouched++;
    }
    struct node_history__thing *const thing = &h->things[at];
    memset(thing, 0, sizeof *thing);
    memcpy(thing->key, key32, sizeof thing->key);
    enum nv_err const err = nv_critbit_insert(h->index, key32, at);
    NV_ASSERT(err == NV_OK);
    return at;
}

static void free_place(struct node_history *h, uint32_t at)
{
    bool const there = nv_critbit_remove(h->index, h->things[at].key, NULL);
    NV_ASSERT(there);
    h->things[at].next_free = h->free;
    h->free = at;
}

/* ---- the ring ---- */

/* put_away moves the newest figure of a thing into the ring, which has room, and
 * returns its number there. */
static uint64_t put_away(struct node_history *h, uint32_t at)
{
    struct node_history__older *const place = &h->ring[h->older_end % h->size.older_max];
    *place = (struct node_history__older){h->things[at].newest, h->height, at};
    h->older_end++;
    return h->older_end;
}

/* make_room forgets the oldest figure when the ring is full: heights before its end
 * are not known any more, and of a thing that is gone nothing is left. */
static void make_room(struct node_history *h)
{
    if (h->older_end - h->older_first < h->size.older_max) {
        return;
    }
    const struct node_history__older *const old = &h->ring[h->older_first % h->size.older_max];
    const struct version *const newest = &h->things[old->place].newest;
    h->older_first++;
    h->floor = old->until > h->floor ? old->until : h->floor;
    if (!newest->there && newest->before == h->older_first) {
        free_place(h, old->place);
    }
}

/* ---- feeding ---- */

void node_history_feed(struct node_history *h, uint64_t height)
{
    NV_ASSERT(!h->fed || height >= h->height);
    if (!h->fed) {
        h->floor = height;
    }
    h->fed = true;
    h->height = height;
}

static bool says(const struct version *version, const struct node_figure *figure)
{
    if (figure == NULL || !version->there) {
        return figure == NULL && !version->there;
    }
    return version->figure.word[0] == figure->word[0] && version->figure.word[1] == figure->word[1];
}

void node_history_put(struct node_history *h,
                      const uint8_t key32[NV_CRITBIT_KEY_SIZE],
                      const struct node_figure *figure)
{
    uint32_t at = 0;
    struct version version = {.since = h->height, .there = figure != NULL};
    if (figure != NULL) {
        version.figure = *figure;
    }
    bool held = nv_critbit_lookup(h->index, key32, &at);
    if (held && says(&h->things[at].newest, figure)) {
        return;
    }
    if (held) {
        make_room(h);
        held = nv_critbit_lookup(h->index, key32, &at); /* it may be what was forgotten */
    }
    if (held) {
        version.before = put_away(h, at);
        h->things[at].newest = version;
    } else if (figure != NULL) {
        h->things[take_place(h, key32)].newest = version;
    }
}

void node_history_forget(struct node_history *h)
{
    h->floor = h->height;
}

/* ---- asking ---- */

bool node_history_known(const struct node_history *h, uint64_t height)
{
    return h->fed && h->floor <= height && height <= h->height;
}

uint64_t node_history_newest(const struct node_history *h)
{
    return h->height;
}

bool node_history_place(const struct node_history *h,
                        const uint8_t key32[NV_CRITBIT_KEY_SIZE],
                        uint32_t *place)
{
    return nv_critbit_lookup(h->index, key32, place);
}

const struct node_figure *node_history_at(const struct node_history *h,
                                          uint64_t height,
                                          const uint8_t key32[NV_CRITBIT_KEY_SIZE])
{
    uint32_t at = 0;
    if (!nv_critbit_lookup(h->index, key32, &at)) {
        return NULL;
    }
    const struct version *version = &h->things[at].newest;
    while (version->since > height && version->before != 0) {
        version = &h->ring[(version->before - 1) % h->size.older_max].version;
    }
    return version->since <= height && version->there ? &version->figure : NULL;
}
