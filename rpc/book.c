#include "rpc/book.h"

#include <string.h>

#include "base/heap.h"

#define PAGES_MAX 65536u

void rpc__book_free(struct rpc_book *book)
{
    for (uint32_t i = 0; book != NULL && i < book->count; i++) {
        nv_heap_free(book->pages[i]);
    }
    if (book != NULL) {
        nv_heap_free(book->pages);
        nv_heap_free(book);
    }
}

/* place_of returns where a key is or would be. */
static uint32_t place_of(const struct rpc_book *book, const struct nv_row_key *key, bool *there)
{
    uint32_t low = 0;
    uint32_t high = book->count;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        if (nv_row_key_cmp(&book->pages[middle]->key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *there = low < book->count && nv_row_key_cmp(&book->pages[low]->key, key) == 0;
    return low;
}

static enum nv_err grow(struct rpc_book *book)
{
    if (book->count < book->cap) {
        return NV_OK;
    }
    uint32_t const cap = book->cap == 0 ? 64 : book->cap * 2;
    struct rpc_page **pages = cap <= PAGES_MAX ? nv_heap_alloc(cap * sizeof *pages) : NULL;
    if (pages == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    if (book->count > 0) {
        memcpy(pages, book->pages, book->count * sizeof *pages);
    }
    nv_heap_free(book->pages);
    book->pages = pages;
    book->cap = cap;
    return NV_OK;
}

static enum nv_err page_insert(struct rpc_book *book, uint32_t at, const struct rpc_page *page)
{
    NV_TRY(grow(book));
    struct rpc_page *copy = nv_heap_alloc(sizeof *copy);
    if (copy == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    *copy = *page;
    memmove(book->pages + at + 1, book->pages + at, (book->count - at) * sizeof *book->pages);
    book->pages[at] = copy;
    book->count++;
    return NV_OK;
}

static void page_remove(struct rpc_book *book, uint32_t at)
{
    nv_heap_free(book->pages[at]);
    book->count--;
    memmove(book->pages + at, book->pages + at + 1, (book->count - at) * sizeof *book->pages);
}

enum nv_err rpc__book_put(struct rpc_book *book,
                          const struct nv_row *row,
                          struct rpc_page *before,
                          struct rpc_page *after)
{
    bool there = false;
    memset(before, 0, sizeof *before);
    memset(after, 0, sizeof *after);
    after->key = row->key;
    uint32_t const at = place_of(book, &row->key, &there);
    if (there) {
        *before = *book->pages[at];
    }
    if (row->value.bytes == NULL) {
        if (there) {
            page_remove(book, at);
        }
        return NV_OK;
    }
    NV_TRY(vm_level_row_decode(&after->row, row->value));
    if (there) {
        *book->pages[at] = *after;
        return NV_OK;
    }
    return page_insert(book, at, after);
}
