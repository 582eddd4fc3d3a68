#ifndef NV_TESTS_LIB_VM_ROWS_H
#define NV_TESTS_LIB_VM_ROWS_H

/* vm_rows.h - sets of rows to compare a VM's state with: dumps of everything
 * that a state holds, and rows kept by applying write sets. */

#include <stdbool.h>
#include <stdint.h>

#include "base/row.h"

#include "vm/state/state.h"

#define VM_ROWS_CAP 16384u

/* Rows in ascending key order; memory is reserved by vm_rows_new. */
struct vm_rows {
    uint32_t count;
    struct nv_row *row; /* values lie in `bytes` */
    uint8_t *bytes;     /* NV_ROW_VALUE_MAX a row, by the row's place when it came */
    uint32_t slots;     /* places used of `bytes` */
};

struct vm_rows *vm_rows_new(void);
void vm_rows_free(struct vm_rows *rows);

/* vm_rows_dump replaces the contents by every row of the state except the two
 * rings, which a state does not keep. */
void vm_rows_dump(struct vm_rows *rows, const struct vm_state *s);

/* vm_rows_apply changes the rows as a write set says; rings may be left out.
 * Returns false when the set is unsorted, deletes what is not there or writes
 * what is there already. */
bool vm_rows_apply(struct vm_rows *rows, const struct nv_row *writes, uint32_t count, bool rings);

/* vm_rows_equal compares; on a difference it prints the first key. */
bool vm_rows_equal(const struct vm_rows *a, const struct vm_rows *b);

void vm_rows_copy(struct vm_rows *to, const struct vm_rows *from);

/* vm_rows_load gives every row to an empty state, and ends the loading. */
enum nv_err vm_rows_load(const struct vm_rows *rows, struct vm_state *s);

/* A state alone in its own memory. */
struct vm_state_box {
    void *memory;
    size_t size;
    struct vm_state *state;
};
void vm_state_box_open(struct vm_state_box *box, const struct vm_limits *limits);
void vm_state_box_close(struct vm_state_box *box);

/* vm_state_sound says whether everything that is derived agrees: lists, pages,
 * queues, counters, sums. */
bool vm_state_sound(const struct vm_state *s);

/* vm_state_alike says whether two states of the same rows would behave alike:
 * slots, queues and lists in the same order. */
bool vm_state_alike(const struct vm_state *a, const struct vm_state *b);

#endif /* NV_TESTS_LIB_VM_ROWS_H */
