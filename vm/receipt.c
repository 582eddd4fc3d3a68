#include "vm/receipt.h"

#include <stddef.h>

#include "base/assert.h"

#include "vm/state/rows_put.h"

#include "base/pure.h"

void vm_receipt_encode(struct nv_writer *w, const struct vm_receipt *receipt)
{
    nv_put_bytes(w, receipt->tx_hash.bytes, sizeof receipt->tx_hash.bytes);
    struct nv_writer out = *w; /* whose fields no byte that is written can be */
    nv_put_u64(&out, receipt->account);
    nv_put_u16(&out, receipt->code);
    vm_put_money(&out, receipt->fee);
    nv_put_u8(&out, (uint8_t)receipt->outcome_count);
    for (uint32_t i = 0; i < receipt->outcome_count; i++) {
        nv_put_u16(&out, receipt->outcomes[i].code);
        nv_put_u64(&out, receipt->outcomes[i].result);
    }
    *w = out;
}

enum nv_err vm_receipt_decode(struct vm_receipt *receipt, struct nv_view bytes)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    nv_get_bytes(&r, receipt->tx_hash.bytes, sizeof receipt->tx_hash.bytes);
    receipt->account = nv_get_u64(&r);
    receipt->code = nv_get_u16(&r);
    receipt->fee = vm_get_money(&r);
    receipt->outcome_count = nv_get_u8(&r);
    if (receipt->outcome_count > VM_ACTIONS_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    for (uint32_t i = 0; i < receipt->outcome_count; i++) {
        receipt->outcomes[i].code = nv_get_u16(&r);
        receipt->outcomes[i].result = nv_get_u64(&r);
    }
    NV_TRY(nv_reader_end(&r));
    bool const whole = (receipt->code == VM_OK) == (receipt->outcome_count > 0);
    return whole && vm_money_raw(receipt->fee) >= 0 ? NV_OK : NV_ERR_MALFORMED;
}

/* SPEC receipts 1.3: "So receipt i of n is number i mod 16 of leaf i / 16" */
enum nv_err
vm_receipt_in_group(struct nv_view *receipt, struct nv_view group, uint32_t index, uint32_t count)
{
    NV_ASSERT(index < count);
    uint32_t const ordinal = index % VM_RECEIPT_GROUP;
    uint32_t const left = count - (index - ordinal);
    uint32_t const members = left < VM_RECEIPT_GROUP ? left : VM_RECEIPT_GROUP;
    struct nv_reader r;
    nv_reader_init(&r, group);
    for (uint32_t i = 0; i < members; i++) {
        struct nv_view const member = nv_get_view(&r, nv_get_u16(&r));
        *receipt = i == ordinal ? member : *receipt;
    }
    return nv_reader_end(&r);
}

struct reject_text {
    uint16_t code;
    const char *name;
    const char *text;
    const char *hint;
};

static const struct reject_text reject_texts[] = {
    {VM_OK, "ok", "It succeeded.", "Nothing needs doing."},
#define XX(code, NAME, name, text, hint) {(code), #name, text, hint},
#include "vm/rejects.def"
#undef XX
};

static const struct reject_text *reject_find(uint16_t code)
{
    for (size_t i = 0; i < sizeof reject_texts / sizeof reject_texts[0]; i++) {
        if (reject_texts[i].code == code) {
            return &reject_texts[i];
        }
    }
    return NULL;
}

const char *vm_reject_name(uint16_t code)
{
    const struct reject_text *const found = reject_find(code);
    return found != NULL ? found->name : NULL;
}

const char *vm_reject_text(uint16_t code)
{
    const struct reject_text *const found = reject_find(code);
    return found != NULL ? found->text : NULL;
}

const char *vm_reject_hint(uint16_t code)
{
    const struct reject_text *const found = reject_find(code);
    return found != NULL ? found->hint : NULL;
}
