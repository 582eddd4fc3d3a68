/* Goal: every consensus message and journal record has one encoding.
 * Method: the first byte gives the type (0: a record), the rest is the message. */

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#include "consensus/message.h"
#include "consensus/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t again[2 * CS_MESSAGE_SIZE_MAX];

static void same(const struct nv_writer *w, struct nv_view bytes)
{
    if (w->overflow || w->size != bytes.size || memcmp(again, bytes.bytes, w->size) != 0) {
        abort();
    }
}

static void record_try(struct nv_view bytes)
{
    struct cs_record record;
    struct nv_reader r;
    struct nv_writer w;
    nv_reader_init(&r, bytes);
    if (cs_record_get(&r, &record) != NV_OK || nv_reader_end(&r) != NV_OK) {
        return;
    }
    nv_writer_init(&w, again, sizeof again);
    cs_record_put(&w, &record);
    same(&w, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct cs_message message;
    struct nv_writer w;
    if (size < 1 || size > CS_MESSAGE_SIZE_MAX) {
        return 0;
    }
    struct nv_view const rest = nv_view_of(bytes + 1, (uint32_t)size - 1);
    if (bytes[0] == 0) {
        record_try(rest);
        return 0;
    }
    if (cs_message_decode(&message, bytes[0], rest) == NV_OK) {
        nv_writer_init(&w, again, sizeof again);
        cs_message_encode(&w, &message);
        same(&w, rest);
    }
    return 0;
}
