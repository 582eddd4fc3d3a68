/* load_accept.c - what loading a row of any table needs. */

#include "vm/state/internal.h"

#include "base/pure.h"

enum nv_err vm__load_account(const struct vm_state *s, uint64_t id, uint32_t *index)
{
    if (id == 0 || id > vm_account_count(s)) {
        return NV_ERR_CORRUPT;
    }
    *index = (uint32_t)(id - 1);
    return NV_OK;
}

/* Whether the element's own key is the one that the row came with. */
static bool
key_is(const struct vm_state *s, enum vm_set_id id, uint32_t index, const struct nv_row_key *key)
{
    struct nv_row_key own;
    vm__row_key(s, id, index, &own);
    return nv_row_key_cmp(&own, key) == 0;
}

enum nv_err
vm__load_accept(struct vm_state *s, enum vm_set_id id, uint32_t index, const struct nv_row *row)
{
    if (!key_is(s, id, index, &row->key)) {
        return NV_ERR_CORRUPT;
    }
    vm__image_set(s, id, index, row->value);
    return NV_OK;
}
