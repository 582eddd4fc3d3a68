/* Goal: no bytes harm the transaction decoder, and what it accepts is the one
 * spelling of what it says.
 * Method: the input is decoded as a transaction, and once more as a body inside
 * a frame that is right; what is accepted is encoded anew and the bodies must be
 * equal.  The arena has exactly the memory that the header promises to suffice. */

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/heap.h"

#include "vm/wire/frame.h"
#include "vm/wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct nv_hash chain_id = {{1, 2, 3}};

/* The proof of a bond is signed by a key that nobody has here. */
static bool bonds(const struct vm_tx *tx)
{
    bool some = false;
    for (uint32_t i = 0; i < tx->action_count; i++) {
        some = some || tx->actions[i].kind == VM_ACTION_BOND;
    }
    return some;
}

static void run(struct nv_view bytes, struct nv_arena *arena)
{
    static uint8_t out[VM_TX_SIZE_MAX];
    struct vm_tx tx;
    struct nv_hash hash;
    uint32_t out_size = 0;
    nv_arena_reset(arena);
    enum nv_err const err = vm_tx_decode(&tx, bytes, &chain_id, arena);
    if (err == NV_ERR_NO_MEMORY) {
        abort();
    }
    if (err != NV_OK) {
        return;
    }
    struct vm_frame before, after;
    struct nv_seckey key = {{0}};
    key.bytes[31] = 7;
    if (vm_tx_hash_of(&hash, bytes, &chain_id) != NV_OK || !nv_hash_eq(&hash, &tx.hash) ||
        vm_frame_read(&before, bytes) != NV_OK ||
        vm_tx_encode(&tx, out, &out_size, &chain_id, &key) != NV_OK ||
        vm_frame_read(&after, nv_view_of(out, out_size)) != NV_OK ||
        !nv_view_eq(before.body, after.body) || (!bonds(&tx) && !vm_tx_signature_ok(&tx))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void *memory;
    static uint8_t framed[VM_TX_SIZE_MAX];
    struct nv_arena arena;
    if (memory == NULL) {
        memory = nv_heap_reserve(VM_TX_DECODE_MEMORY);
        nv_arena_init_zeroed(&arena, memory, VM_TX_DECODE_MEMORY);
    }
    nv_arena_init(&arena, memory, VM_TX_DECODE_MEMORY);
    if (size > VM_TX_SIZE_MAX + 16) {
        return 0;
    }
    run(nv_view_of(bytes, (uint32_t)size), &arena);
    if (size >= 1 && size <= VM_BODY_SIZE_MAX) {
        struct vm_frame const frame = {.body = nv_view_of(bytes, (uint32_t)size)};
        run(nv_view_of(framed, vm_frame_write(framed, &frame)), &arena);
    }
    return 0;
}
