#include "node/replica/sessions.h"

#include <string.h>

#include "base/assert.h"
#include "base/critbit.h"
#include "base/heap.h"

#include "vm/rows.h"

/* Older figures kept, for each session key that there may be. */
#define OLDER_PER_SESSION 4u
#define NONE              UINT32_MAX

/* What a key may do, and where what it could do before is: a number of the ring,
 * from 1. */
struct figure {
    uint64_t expires_ms;
    uint64_t since;  /* the height that wrote it */
    uint64_t before; /* 0: it was not there */
    uint32_t scopes; /* 0: it is not there */
};

struct older {
    struct figure figure;
    uint64_t until; /* the height that wrote the next */
    uint32_t at;    /* whose it is: a place in newest */
};

struct place {
    struct nv_row_key key;
    struct figure figure;
    uint32_t next_free;
};

struct node_sessions {
    struct nv_critbit *index; /* row key -> place in newest */
    struct place *newest;
    struct older *ring;
    size_t index_size;
    size_t newest_size;
    size_t ring_size;
    uint32_t cap;
    uint32_t ring_cap;
    uint32_t free;        /* the first place that is free again */
    uint32_t untouched;   /* places from here on were never used */
    uint64_t older_first; /* of all that the ring ever took, those from here ... */
    uint64_t older_end;   /* ... to here stand in it */
    uint64_t floor;       /* the lowest height that is known */
    uint64_t height;      /* of the last rows */
    bool fed;
};

enum nv_err node_sessions_open(struct node_sessions **out, uint32_t sessions_max)
{
    NV_ASSERT(sessions_max >= 1 && sessions_max <= UINT32_MAX / (2 * OLDER_PER_SESSION));
    struct node_sessions *const s = nv_heap_alloc(sizeof *s);
    if (s == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    uint32_t const ring_cap = sessions_max * OLDER_PER_SESSION;
    /* Those that are there, those that a block adds before it takes others away, and
     * those that are gone but stand in the ring. */
    uint32_t const cap = 2 * sessions_max + ring_cap;
    *s = (struct node_sessions){.index_size = nv_critbit_footprint(cap),
                                .newest_size = sizeof(struct place) * (size_t)cap,
                                .ring_size = sizeof(struct older) * (size_t)ring_cap,
                                .cap = cap,
                                .ring_cap = ring_cap,
                                .free = NONE};
    void *const index = nv_heap_reserve(s->index_size);
    s->newest = nv_heap_reserve(s->newest_size);
    s->ring = nv_heap_reserve(s->ring_size);
    if (index != NULL) {
        s->index = nv_critbit_init(index, cap);
    }
    if (index == NULL || s->newest == NULL || s->ring == NULL) {
        node_sessions_close(s);
        return NV_ERR_NO_MEMORY;
    }
    *out = s;
    return NV_OK;
}

void node_sessions_close(struct node_sessions *s)
{
    if (s == NULL) {
        return;
    }
    if (s->index != NULL) {
        nv_heap_unreserve(s->index, s->index_size);
    }
    if (s->newest != NULL) {
        nv_heap_unreserve(s->newest, s->newest_size);
    }
    if (s->ring != NULL) {
        nv_heap_unreserve(s->ring, s->ring_size);
    }
    nv_heap_free(s);
}

/* ---- feeding ---- */

static uint32_t take_place(struct node_sessions *s, const struct nv_row_key *key)
{
    uint32_t at = s->free;
    if (at != NONE) {
        s->free = s->newest[at].next_free;
    } else {
        at = s->untouched;
        NV_ASSERT(at < s->cap); /* the VM has no more */
        s->untouched++;
    }
    s->newest[at] = (struct place){.key = *key};
    enum nv_err const err = nv_critbit_insert(s->index, key->bytes, at);
    NV_ASSERT(err == NV_OK);
    return at;
}

static void free_place(struct node_sessions *s, uint32_t at)
{
    bool const there = nv_critbit_remove(s->index, s->newest[at].key.bytes, NULL);
    NV_ASSERT(there);
    s->newest[at].next_free = s->free;
    s->free = at;
}

/* make_room ends what the ring knows first, when it is full: heights before that are
 * not known any more, and of a key that is gone nothing is left. */
static void make_room(struct node_sessions *s)
{
    if (s->older_end - s->older_first < s->ring_cap) {
        return;
    }
    const struct older *const old = &s->ring[s->older_first % s->ring_cap];
    const struct figure *const newest = &s->newest[old->at].figure;
    s->older_first++;
    s->floor = old->until > s->floor ? old->until : s->floor;
    if (newest->scopes == 0 && newest->before == s->older_first) {
        free_place(s, old->at);
    }
}

/* put_away moves a key's figure into the ring and returns its number there. */
static uint64_t put_away(struct node_sessions *s, uint32_t at, uint64_t until)
{
    s->ring[s->older_end % s->ring_cap] = (struct older){s->newest[at].figure, until, at};
    s->older_end++;
    return s->older_end;
}

static void take_session(struct node_sessions *s, uint64_t height, const struct nv_row *row)
{
    struct figure figure = {.since = height};
    uint32_t at = 0;
    if (row->value.bytes != NULL) {
        struct vm_session_row session;
        enum nv_err const err = vm_session_row_decode(&session, row->value);
        NV_ASSERT(err == NV_OK && session.scopes != 0); /* the VM wrote it */
        figure.scopes = session.scopes;
        figure.expires_ms = session.expires_ms;
    }
    make_room(s); /* first: it may take the place away */
    if (nv_critbit_lookup(s->index, row->key.bytes, &at)) {
        figure.before = put_away(s, at, height);
        s->newest[at].figure = figure;
    } else if (figure.scopes != 0) {
        s->newest[take_place(s, &row->key)].figure = figure;
    }
}

void node_sessions_feed(struct node_sessions *s,
                        uint64_t height,
                        const struct nv_row *rows,
                        uint32_t row_count)
{
    NV_ASSERT(!s->fed || height >= s->height);
    if (!s->fed) {
        s->floor = height;
    }
    s->fed = true;
    s->height = height;
    for (uint32_t i = 0; i < row_count; i++) {
        if (rows[i].key.bytes[0] == VM_TABLE_SESSION) {
            take_session(s, height, &rows[i]);
        }
    }
}

/* ---- asking ---- */

bool node_sessions_known(const struct node_sessions *s, uint64_t height)
{
    return s->fed && s->floor <= height && height <= s->height;
}

uint64_t node_sessions_newest(const struct node_sessions *s)
{
    return s->height;
}

enum node_session node_sessions_judge(const struct node_sessions *s,
                                      uint64_t height,
                                      uint64_t time_ms,
                                      uint64_t number,
                                      const struct node_signer *signer)
{
    NV_ASSERT(node_sessions_known(s, height));
    struct nv_row_key key;
    uint32_t at = 0;
    vm_key_session(&key, number, &signer->key);
    if (!nv_critbit_lookup(s->index, key.bytes, &at)) {
        return NODE_SESSION_UNKNOWN;
    }
    const struct figure *figure = &s->newest[at].figure;
    while (figure->since > height && figure->before != 0) {
        figure = &s->ring[(figure->before - 1) % s->ring_cap].figure;
    }
    if (figure->since > height || figure->scopes == 0) {
        return NODE_SESSION_UNKNOWN;
    }
    if (figure->expires_ms <= time_ms) {
        return NODE_SESSION_EXPIRED;
    }
    return (signer->scopes & ~figure->scopes) == 0 ? NODE_SESSION_GOOD : NODE_SESSION_SCOPE;
}
