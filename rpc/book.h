#ifndef NV_RPC_BOOK_H
#define NV_RPC_BOOK_H

/* book.h - a mirror of the level rows of one book. Who fills it owns it: the
 * thread of the state while it is read, the loop afterwards. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/row.h"

#include "vm/rows.h"

struct rpc_page {
    struct nv_row_key key;
    struct vm_level_row row;
};

struct rpc_book {
    struct rpc_page **pages; /* owned, by key: bids best first, then asks best first */
    uint32_t count;
    uint32_t cap;
    uint64_t height; /* the mirror is of this height; 0: not read yet */
    uint64_t time_ms;
    bool loading;
};

/* rpc__book_put applies one written row and gives back its page as it was
 * before and is after; zeros where there is none. */
NV_MUST_USE enum nv_err rpc__book_put(struct rpc_book *book,
                                      const struct nv_row *row,
                                      struct rpc_page *before,
                                      struct rpc_page *after);

void rpc__book_free(struct rpc_book *book); /* NULL does nothing */

#endif /* NV_RPC_BOOK_H */
