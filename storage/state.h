#ifndef NV_STORAGE_STATE_H
#define NV_STORAGE_STATE_H

/* state.h - what storage.h calls a state (private): the tree and the two
 * overlays, in one reservation.  While one overlay is out with the
 * checkpointer, the other collects. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/overlay.h"
#include "storage/storage.h"
#include "storage/tree.h"

struct st_state {
    size_t size; /* of the reservation that begins here */
    struct st__tree tree;
    struct st_overlay overlays[2];
    uint32_t active; /* the one that collects */
    bool frozen;     /* the other is out */
};

#endif /* NV_STORAGE_STATE_H */
