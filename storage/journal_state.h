#ifndef NV_STORAGE_JOURNAL_STATE_H
#define NV_STORAGE_JOURNAL_STATE_H

/* journal_state.h - what an open journal remembers (private to journal*.c). */

#include <stdint.h>

#include "storage/segment.h"

enum st__stage {
    ST__READY = 1, /* everything written is durable */
    ST__WRITTEN,   /* a batch waits for its sync */
    ST__FAILED,    /* nobody knows what is on the disk */
};

struct st_journal {
    struct st_journal_options options;
    uint8_t id[ST_JOURNAL_ID_SIZE];
    enum st__stage stage;
    struct st__segment segment; /* the present one, open for writing */
    uint32_t first;             /* oldest segment there is */
    uint32_t last;              /* newest segment there is; at least the present one */
    uint32_t end;               /* offset behind the last batch in the present segment */
    uint64_t sequence;          /* of the next batch */
    struct nv_hash previous;    /* checksum of the last batch */
};

/* st__journal_new returns a closed journal with these options, or NULL. */
struct st_journal *st__journal_new(const struct st_journal_options *options);

#endif /* NV_STORAGE_JOURNAL_STATE_H */
