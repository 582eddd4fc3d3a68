/* Goal: no message about snapshots and no anchor crashes who reads it, and a
 * message that is accepted encodes to the same bytes.
 * Method: the first byte picks what the rest is. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"

#include "node/sync/anchor.h"
#include "node/sync/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_message(enum sync_type type, struct nv_view view)
{
    static uint8_t again[SYNC_PART_SIZE];
    struct sync_message message;
    struct nv_writer w;
    if (sync_decode(&message, type, view) != NV_OK) {
        return;
    }
    nv_writer_init(&w, again, sizeof again);
    sync_encode(&w, &message);
    NV_ASSERT(!w.overflow && w.size == view.size);
    NV_ASSERT(view.size == 0 || memcmp(again, view.bytes, view.size) == 0);
}

static void check_anchor(struct nv_view view)
{
    static struct cs_light light; /* believes nobody */
    struct sync_anchor anchor;
    struct sync_base base;
    uint64_t epoch = 0;
    uint64_t later = 0;
    if (sync_anchor_get(&anchor, view) == NV_OK) {
        NV_ASSERT(!sync_anchor_epochs(&anchor, &epoch, &later) || (epoch > 0 && later >= epoch));
        NV_ASSERT(!sync_anchor_check(&base, &anchor, &light, &light, 1, 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0 || size > SYNC_PART_SIZE) {
        return 0;
    }
    struct nv_view const rest = nv_view_of(bytes + 1, (uint32_t)size - 1);
    if (bytes[0] < 4) {
        check_message((enum sync_type)(SYNC_SNAPSHOTS_REQ + bytes[0]), rest);
    } else {
        check_anchor(rest);
    }
    return 0;
}
