/* orders_write.c - order pages in the write set.
 *
 * Orders lie anywhere in memory and most of those of a page have not changed, so the
 * committed value is mended where it lies. */

#include "base/assert.h"

#include "vm/state/rows_put.h"
#include "vm/state/writes.h"

#include "base/pure.h"

/* ones counts the bits of 16, in pairs, fours and bytes at once. */
static uint32_t ones(uint32_t bits)
{
    bits = (bits & 0x5555u) + (bits >> 1 & 0x5555u);
    bits = (bits & 0x3333u) + (bits >> 2 & 0x3333u);
    bits = (bits & 0x0f0fu) + (bits >> 4 & 0x0f0fu);
    return (bits & 0xffu) + (bits >> 8);
}

/* order_renew brings order i of a page up to date in the committed value, `image`;
 * false if it was. */
static bool
order_renew(const struct vm_state *s, struct vm_order_page *page, uint32_t i, uint8_t *image)
{
    uint32_t const bit = 1u << i;
    uint32_t const behind = ones(page->committed & (0x10000u - 2 * bit));
    uint8_t *const at = image + 1 + ones(page->committed & (bit - 1)) * VM_ORDER_SIZE;
    bool const was = (page->committed & bit) != 0;
    if ((page->taken & bit) == 0) {
        if (was) {
            memmove(at, at + VM_ORDER_SIZE, behind * VM_ORDER_SIZE);
        }
        page->committed = (uint16_t)(page->committed & ~bit);
        return was;
    }
    uint8_t bytes[VM_ORDER_SIZE];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    vm_order_put(&w, (uint8_t)i, &vm_order(s, page->own[i].slot)->row);
    if (was && memcmp(at, bytes, sizeof bytes) == 0) {
        return false;
    }
    if (!was) {
        memmove(at + VM_ORDER_SIZE, at, behind * VM_ORDER_SIZE);
    }
    memcpy(at, bytes, sizeof bytes);
    page->committed = (uint16_t)(page->committed | bit);
    return true;
}

bool vm__orders_write(struct vm_state *s, uint32_t index, struct nv_row *out, bool *gone)
{
    const struct vm_rowset *const set = &s->sets[VM_SET_ORDERS];
    struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    uint8_t *const image = vm__image_bytes(set, index);
    bool renewed = false;
    if (!vm__taken(s, VM_SLAB_ORDER_PAGE, index)) {
        return false; /* made in a scope that was undone */
    }
    *gone = page->count == 0;
    for (uint32_t left = page->changed; left != 0; left &= left - 1) {
        renewed = order_renew(s, page, (uint32_t)__builtin_ctz(left), image) || renewed;
    }
    page->changed = 0;
    image[0] = page->count;
    vm__image_resize(set, index, page->count > 0 ? 1 + page->count * VM_ORDER_SIZE : 0);
#ifdef NV_PARANOID
    uint8_t bytes[VM_ROW_SIZE_MAX];
    struct nv_writer slow;
    nv_writer_init(&slow, bytes, sizeof bytes);
    vm__orders_encode(s, index, &slow);
    NV_ASSERT(page->count == 0 || nv_view_eq(vm__image(set, index), nv_writer_view(&slow)));
#endif
    vm__row_key(s, VM_SET_ORDERS, index, &out->key);
    out->value = vm__image(set, index);
    return renewed;
}

void vm__orders_prefetch(const struct vm_state *s, uint32_t index)
{
    const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    const uint8_t *const image = vm__image_bytes(&s->sets[VM_SET_ORDERS], index);
    for (uint32_t left = page->changed; left != 0; left &= left - 1) {
        uint32_t const i = (uint32_t)__builtin_ctz(left);
        vm__hint(vm__at(s, VM_SLAB_ORDER, page->own[i].slot));
    }
    uint32_t const first = page->changed & (0u - page->changed);
    uint32_t const end = 1 + ones(page->committed) * VM_ORDER_SIZE;
    uint32_t at = ones(page->committed & (first - 1)) * VM_ORDER_SIZE;
    for (; at < end + VM_ORDER_SIZE; at += 64) {
        vm__hint(image + at);
    }
}
