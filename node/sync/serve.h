#ifndef NV_NODE_SYNC_SERVE_H
#define NV_NODE_SYNC_SERVE_H

/* serve.h - answers peers that ask for snapshots (docs/spec/sync.md section
 * 1).
 *
 * A request costs one read of a file of at most half a megabyte, and a peer has
 * SYNC_ANSWERS_MAX in a second.  One thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"

#include "node/sync/message.h"

#define SYNC_ANSWERS_MAX 16u
#define SYNC_ASKERS_MAX  64u /* counted at a time */

struct sync_server {
    struct st_snapshots at;
    struct sync_offers offers; /* of the finished snapshots */
    struct {
        uint32_t peer;
        uint32_t count;
        uint64_t second_ms;
    } asker[SYNC_ASKERS_MAX];
    struct sync_message answer;
    uint8_t bytes[ST_MANIFEST_SIZE_MAX];
};

/* sync_server_open begins with what is in the folder; sync_server_look looks
 * again.  The server is about half a megabyte, the caller's. */
void sync_server_open(struct sync_server *server, const struct st_snapshots *at);
void sync_server_look(struct sync_server *server);

enum sync_served {
    SYNC_SERVED_ANSWER = 1, /* `*answer` is to be sent; borrowed until the next call */
    SYNC_SERVED_NOTHING,
    SYNC_SERVED_BAN, /* the message is none */
};

/* sync_serve takes a message of a type of sync_is_type. */
enum sync_served sync_serve(struct sync_server *server,
                            const struct sync_message **answer,
                            uint32_t peer,
                            uint64_t now_ms,
                            uint64_t executed_height,
                            uint32_t type,
                            struct nv_view bytes);

#endif /* NV_NODE_SYNC_SERVE_H */
