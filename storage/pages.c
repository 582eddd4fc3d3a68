#include "storage/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"

#include "storage/files.h"

#define PAGE       4096u
#define PAGE_HEAD  16u
#define NODE_HEAD  8u
#define DEPTH_MAX  32u
#define TABLES_MAX 8u
#define META_MAGIC 0xbeefc0deu
#define VERSION    1u
#define NO_PAGE    UINT64_MAX
#define FREE_LEAST 2u /* the pages before are the two metas */
#define FREE_ID    8u /* bytes of a page's number in the list of free ones */

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4, PAGE_META = 8 };
enum { NODE_BIG = 1, NODE_TABLE = 2 };

/* Offsets of the fields that are looked at; all little-endian. */
enum {
    AT_NUMBER = 0,
    AT_FLAGS = 10,
    AT_LOWER = 12,
    AT_UPPER = 14,
    AT_PAGES = 12,
    AT_MAGIC = 16,
    AT_VERSION = 20,
    AT_FREE = 40, /* table */
    AT_MAIN = 88, /* table */
    AT_LAST = 136,
    AT_TXN = 144,
    TABLE_PAGE_SIZE = 0, /* of the free table: the size of pages */
    TABLE_DEPTH = 6,
    TABLE_ROOT = 40,
    TABLE_SIZE = 48,
};

struct table {
    uint64_t root;
    uint32_t depth;
};

struct walk {
    const struct st_files *files;
    struct st_file file;
    uint64_t page_count; /* in the file */
    uint64_t last;       /* the highest number in use */
    uint8_t *seen;       /* a bit by page */
    struct table table[TABLES_MAX];
    uint32_t table_count;
    uint8_t page[DEPTH_MAX][PAGE];
    uint8_t ids[PAGE]; /* of a list of free pages */
};

/* What is done with a leaf's node, of `room` bytes to the end of its page. */
typedef enum nv_err (*leaf_fn)(struct walk *w, const uint8_t *node, uint32_t room);

static uint64_t load(const uint8_t *at, uint32_t size)
{
    uint64_t value = 0;
    for (uint32_t i = size; i > 0; i--) {
        value = value << 8 | at[i - 1];
    }
    return value;
}

static struct table table_of(const uint8_t *at)
{
    return (struct table){.root = load(at + TABLE_ROOT, 8),
                          .depth = (uint32_t)load(at + TABLE_DEPTH, 2)};
}

static enum nv_err read_page(struct walk *w, uint8_t *out, uint64_t number)
{
    size_t got = 0;
    NV_TRY(w->files->read(w->files->ctx, w->file, out, PAGE, number * PAGE, &got));
    return got == PAGE ? NV_OK : NV_ERR_CORRUPT;
}

/* take notes that a page is used, once. */
static bool take(struct walk *w, uint64_t number)
{
    if (number < FREE_LEAST || number > w->last || number >= w->page_count ||
        (((uint32_t)w->seen[number / 8] >> number % 8) & 1u) != 0) {
        return false;
    }
    w->seen[number / 8] = (uint8_t)(w->seen[number / 8] | 1u << number % 8);
    return true;
}

/* ---- trees ---- */

/* sound returns whether the head of a page is that of such a page. */
static bool sound(const uint8_t *page, uint64_t number, uint32_t flags)
{
    uint64_t const lower = load(page + AT_LOWER, 2);
    uint64_t const upper = load(page + AT_UPPER, 2);
    return load(page + AT_NUMBER, 8) == number && load(page + AT_FLAGS, 2) == flags &&
           lower >= PAGE_HEAD && lower % 2 == 0 && lower <= upper && upper <= PAGE;
}

/* node_at returns the i-th node of a page, or NULL when its head or its key is
 * not inside. */
static const uint8_t *node_at(const uint8_t *page, uint32_t i, uint32_t *room)
{
    uint64_t const at = load(page + PAGE_HEAD + 2u * i, 2);
    if (at < load(page + AT_UPPER, 2) || at % 2 != 0 || at + NODE_HEAD > PAGE) {
        return NULL;
    }
    *room = (uint32_t)(PAGE - at);
    uint64_t const key_size = load(page + at + 6, 2);
    return NODE_HEAD + key_size <= *room ? page + at : NULL;
}

static enum nv_err
visit(struct walk *w, uint32_t level, const struct table *table, uint64_t number, leaf_fn leaf)
{
    uint8_t *const page = w->page[level];
    bool const is_leaf = level + 1 == table->depth;
    if (!take(w, number)) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(read_page(w, page, number));
    if (!sound(page, number, is_leaf ? PAGE_LEAF : PAGE_BRANCH)) {
        return NV_ERR_CORRUPT;
    }
    uint32_t const count = (uint32_t)(load(page + AT_LOWER, 2) - PAGE_HEAD) / 2;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t room = 0;
        const uint8_t *const node = node_at(page, i, &room);
        if (node == NULL) {
            return NV_ERR_CORRUPT;
        }
        NV_TRY(is_leaf ? leaf(w, node, room) : visit(w, level + 1, table, load(node, 6), leaf));
    }
    return count > 0 ? NV_OK : NV_ERR_CORRUPT;
}

static enum nv_err visit_table(struct walk *w, const struct table *table, leaf_fn leaf)
{
    if (table->root == NO_PAGE) {
        return table->depth == 0 ? NV_OK : NV_ERR_CORRUPT;
    }
    if (table->depth == 0 || table->depth > DEPTH_MAX) {
        return NV_ERR_CORRUPT;
    }
    return visit(w, 0, table, table->root, leaf);
}

/* ---- leaves ---- */

/* value_of returns a leaf's value that stands in its page, or NULL. */
static const uint8_t *value_of(const uint8_t *node, uint32_t room, uint32_t *size)
{
    uint64_t const at = NODE_HEAD + load(node + 6, 2);
    uint64_t const value_size = load(node, 4);
    *size = (uint32_t)value_size;
    return at + value_size <= room ? node + at : NULL;
}

/* row_leaf: rows and the two indices are small values and nothing else. */
static enum nv_err row_leaf(struct walk *w, const uint8_t *node, uint32_t room)
{
    (void)w;
    uint32_t size = 0;
    bool const plain = load(node + 4, 2) == 0 && value_of(node, room, &size) != NULL;
    return plain ? NV_OK : NV_ERR_CORRUPT;
}

/* main_leaf: the tables. */
static enum nv_err main_leaf(struct walk *w, const uint8_t *node, uint32_t room)
{
    uint32_t size = 0;
    const uint8_t *const value = value_of(node, room, &size);
    if (load(node + 4, 2) != NODE_TABLE || value == NULL || size != TABLE_SIZE ||
        w->table_count == TABLES_MAX) {
        return NV_ERR_CORRUPT;
    }
    w->table[w->table_count++] = table_of(value);
    return NV_OK;
}

/* free_ids notes pages that are listed as free: they descend, and a page that is
 * not in the file yet may be one. */
static enum nv_err free_ids(struct walk *w, const uint8_t *ids, uint32_t count, uint64_t *before)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t const id = load(ids + (size_t)FREE_ID * i, FREE_ID);
        if (id >= *before || id < FREE_LEAST || (id < w->page_count && !take(w, id))) {
            return NV_ERR_CORRUPT;
        }
        *before = id;
    }
    return NV_OK;
}

/* big_free reads a list of free pages that has pages of its own. */
static enum nv_err big_free(struct walk *w, uint64_t number, uint64_t size)
{
    uint64_t const pages = (PAGE_HEAD + size + PAGE - 1) / PAGE;
    uint64_t before = w->last + 1;
    uint32_t skip = PAGE_HEAD + FREE_ID; /* the head, and the count of ids */
    for (uint64_t i = 0; i < pages; i++) {
        if (!take(w, number + i)) {
            return NV_ERR_CORRUPT;
        }
        NV_TRY(read_page(w, w->ids, number + i));
        if (i == 0 &&
            (load(w->ids + AT_NUMBER, 8) != number || load(w->ids + AT_FLAGS, 2) != PAGE_OVERFLOW ||
             load(w->ids + AT_PAGES, 4) != pages ||
             load(w->ids + PAGE_HEAD, FREE_ID) != size / FREE_ID - 1)) {
            return NV_ERR_CORRUPT;
        }
        uint64_t const end = PAGE_HEAD + size - i * PAGE;
        uint32_t const stop = end < PAGE ? (uint32_t)end : PAGE;
        NV_TRY(free_ids(w, w->ids + skip, (stop - skip) / FREE_ID, &before));
        skip = 0;
    }
    return NV_OK;
}

/* free_leaf: the pages that one transaction has freed. */
static enum nv_err free_leaf(struct walk *w, const uint8_t *node, uint32_t room)
{
    uint64_t const flags = load(node + 4, 2);
    uint64_t const size = load(node, 4);
    if (load(node + 6, 2) != FREE_ID || size < FREE_ID || size % FREE_ID != 0) {
        return NV_ERR_CORRUPT;
    }
    if (flags == NODE_BIG) {
        bool const inside = NODE_HEAD + FREE_ID + 8u <= room;
        return inside ? big_free(w, load(node + NODE_HEAD + FREE_ID, 8), size) : NV_ERR_CORRUPT;
    }
    uint32_t value_size = 0;
    uint64_t before = w->last + 1;
    const uint8_t *const value = value_of(node, room, &value_size);
    if (flags != 0 || value == NULL || load(value, FREE_ID) != size / FREE_ID - 1) {
        return NV_ERR_CORRUPT;
    }
    return free_ids(w, value + FREE_ID, value_size / FREE_ID - 1, &before);
}

/* ---- the file ---- */

/* newer_meta reads both metas into the first two pages and returns the one that
 * LMDB will take, or NULL. */
static const uint8_t *newer_meta(struct walk *w)
{
    for (uint32_t i = 0; i < 2; i++) {
        const uint8_t *const page = w->page[i];
        if (read_page(w, w->page[i], i) != NV_OK || load(page + AT_NUMBER, 8) != i ||
            load(page + AT_FLAGS, 2) != PAGE_META || load(page + AT_MAGIC, 4) != META_MAGIC ||
            load(page + AT_VERSION, 4) != VERSION ||
            load(page + AT_FREE + TABLE_PAGE_SIZE, 4) != PAGE) {
            return NULL;
        }
    }
    return w->page[load(w->page[1] + AT_TXN, 8) > load(w->page[0] + AT_TXN, 8) ? 1 : 0];
}

static enum nv_err visit_all(struct walk *w)
{
    const uint8_t *const meta = newer_meta(w);
    if (meta == NULL) {
        return NV_ERR_CORRUPT;
    }
    struct table const free_table = table_of(meta + AT_FREE);
    struct table const main_table = table_of(meta + AT_MAIN);
    w->last = load(meta + AT_LAST, 8);
    if (w->last >= NO_PAGE / PAGE) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(visit_table(w, &main_table, main_leaf));
    for (uint32_t i = 0; i < w->table_count; i++) {
        NV_TRY(visit_table(w, &w->table[i], row_leaf));
    }
    return visit_table(w, &free_table, free_leaf);
}

static enum nv_err check(struct walk *w)
{
    uint64_t size = 0;
    NV_TRY(w->files->size(w->files->ctx, w->file, &size));
    w->page_count = size / PAGE;
    size_t const bits = (size_t)(w->page_count / 8) + 1;
    w->seen = (uint8_t *)nv_heap_reserve(bits);
    if (w->seen == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    enum nv_err const err = visit_all(w);
    nv_heap_unreserve(w->seen, bits);
    return err;
}

enum nv_err st__pages_check(const char *path)
{
    if (sysconf(_SC_PAGESIZE) != (long)PAGE) {
        return NV_OK; /* LMDB's pages are of another size here */
    }
    struct walk *const w = (struct walk *)nv_heap_alloc(sizeof *w);
    if (w == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    w->files = st_files_system();
    enum nv_err err = w->files->open(w->files->ctx, &w->file, path, ST_OPEN_READ);
    if (err == NV_OK) {
        err = check(w);
        w->files->close(w->files->ctx, w->file);
    }
    nv_heap_free(w);
    return err;
}
