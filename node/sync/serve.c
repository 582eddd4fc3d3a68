#include "node/sync/serve.h"

#include <string.h>

/* read_part reads a file of a finished snapshot; empty when it is not there. */
static struct nv_view read_part(struct sync_server *server, uint64_t height, uint32_t part)
{
    struct nv_view bytes;
    enum nv_err const err = st_snapshot_get(
        &server->at, &bytes, height, ST_SNAPSHOT_DONE, part, server->bytes, sizeof server->bytes);
    return err == NV_OK ? bytes : nv_view_of(server->bytes, 0);
}

void sync_server_open(struct sync_server *server, const struct st_snapshots *at)
{
    memset(server, 0, sizeof *server);
    server->at = *at;
    sync_server_look(server);
}

void sync_server_look(struct sync_server *server)
{
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    struct sync_offers *const offers = &server->offers;
    offers->count = 0;
    if (st_snapshot_list(&server->at, heights, &count, ST_SNAPSHOT_DONE) != NV_OK) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct st_manifest manifest;
        struct nv_view const bytes = read_part(server, heights[i], ST_PART_MANIFEST);
        if (st_manifest_decode(&manifest, bytes) == NV_OK && manifest.head.height == heights[i]) {
            struct sync_offer *const offer = &offers->offer[offers->count++];
            offer->height = heights[i];
            offer->root = manifest.head.root;
            nv_sha256(&offer->manifest_hash, bytes);
        }
    }
}

/* allowed counts a request of a peer. */
static bool allowed(struct sync_server *server, uint32_t peer, uint64_t now_ms)
{
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < SYNC_ASKERS_MAX; i++) {
        if (server->asker[i].peer == peer && server->asker[i].count > 0) {
            oldest = i;
            break;
        }
        oldest = server->asker[i].second_ms < server->asker[oldest].second_ms ? i : oldest;
    }
    bool const same = server->asker[oldest].peer == peer && server->asker[oldest].count > 0;
    if (!same || now_ms - server->asker[oldest].second_ms >= 1000) {
        server->asker[oldest].peer = peer;
        server->asker[oldest].count = 0;
        server->asker[oldest].second_ms = now_ms;
    }
    return ++server->asker[oldest].count <= SYNC_ANSWERS_MAX;
}

enum sync_served sync_serve(struct sync_server *server,
                            const struct sync_message **answer,
                            uint32_t peer,
                            uint64_t now_ms,
                            uint64_t executed_height,
                            uint32_t type,
                            struct nv_view bytes)
{
    struct sync_message message;
    if (sync_decode(&message, (enum sync_type)type, bytes) != NV_OK) {
        return SYNC_SERVED_BAN;
    }
    bool const request = type == SYNC_SNAPSHOTS_REQ || type == SYNC_PART_REQ;
    if (!request || !allowed(server, peer, now_ms)) {
        return SYNC_SERVED_NOTHING; /* an answer that comes too late, or one too many */
    }
    server->answer = (struct sync_message){.type = SYNC_SNAPSHOTS, .offers = server->offers};
    server->answer.offers.executed_height = executed_height;
    if (type == SYNC_PART_REQ) {
        server->answer = message;
        server->answer.type = SYNC_PART;
        server->answer.part.bytes = read_part(server, message.part.height, message.part.part);
    }
    *answer = &server->answer;
    return SYNC_SERVED_ANSWER;
}
