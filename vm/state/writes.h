#ifndef NV_VM_STATE_WRITES_H
#define NV_VM_STATE_WRITES_H

/* writes.h - what the files of the write set share:
 *
 *     row.c           which row an element has
 *     orders_write.c  order pages, whose committed values are mended
 *     writes.c        dirty rows that are not as committed, sorted
 *     retire.c        what goes when its row does */

#include "vm/state/internal.h"

/* vm__row_slab returns the slab whose elements carry the rows of a set;
 * VM_SLAB_COUNT: they are always there. */
enum vm_slab_id vm__row_slab(enum vm_set_id id);

/* vm__row_lives returns whether an element has a row now. */
bool vm__row_lives(const struct vm_state *s, enum vm_set_id id, uint32_t index);

/* vm__orders_encode writes the value of an order page. */
void vm__orders_encode(const struct vm_state *s, uint32_t index, struct nv_writer *w);

/* vm__orders_write writes a dirty order page to *out if it is not as committed, and
 * makes it so.  *gone: there is no such row any more. */
bool vm__orders_write(struct vm_state *s, uint32_t index, struct nv_row *out, bool *gone);

/* vm__orders_prefetch asks for what an order page takes from elsewhere, and for where
 * in the committed value it goes. */
void vm__orders_prefetch(const struct vm_state *s, uint32_t index);

/* vm__retire_all ends the elements of rows that are gone, which the lists of dirty
 * rows hold, and empties the lists. */
void vm__retire_all(struct vm_state *s);

#endif /* NV_VM_STATE_WRITES_H */
