#ifndef NV_VM_STATE_ROWS_PUT_H
#define NV_VM_STATE_ROWS_PUT_H

/* rows_put.h - the quantities of the VM in canonical bytes, for the row,
 * receipt and event codecs.  Each is an i64. */

#include "base/codec.h"

#include "vm/number/units.h"

static inline void vm_put_money(struct nv_writer *w, struct vm_money m)
{
    nv_put_i64(w, vm_money_raw(m));
}
static inline void vm_put_price(struct nv_writer *w, struct vm_price p)
{
    nv_put_i64(w, vm_price_raw(p));
}
static inline void vm_put_lots(struct nv_writer *w, struct vm_lots l)
{
    nv_put_i64(w, vm_lots_raw(l));
}
static inline void vm_put_ratio(struct nv_writer *w, struct vm_ratio r)
{
    nv_put_i64(w, vm_ratio_raw(r));
}
static inline struct vm_money vm_get_money(struct nv_reader *r)
{
    return vm_money(nv_get_i64(r));
}
static inline struct vm_price vm_get_price(struct nv_reader *r)
{
    return vm_price(nv_get_i64(r));
}
static inline struct vm_lots vm_get_lots(struct nv_reader *r)
{
    return vm_lots(nv_get_i64(r));
}
static inline struct vm_ratio vm_get_ratio(struct nv_reader *r)
{
    return vm_ratio(nv_get_i64(r));
}

/* vm_order_put writes one order of an order page. */
struct vm_order_row;
#define VM_ORDER_SIZE 59u

void vm_order_put(struct nv_writer *w, uint8_t ordinal, const struct vm_order_row *row);

/* vm_get_symbol reads VM_SYMBOL_SIZE bytes of NUL-padded printable ASCII, at
 * least one character, at most all but the last; else it fails the reader's
 * caller by returning false. */
bool vm_get_symbol(struct nv_reader *r, char *symbol);
void vm_put_symbol(struct nv_writer *w, const char *symbol);

/* vm_symbol_ok says whether a symbol is in that form. */
bool vm_symbol_ok(const char *symbol);

#endif /* NV_VM_STATE_ROWS_PUT_H */
