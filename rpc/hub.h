#ifndef NV_RPC_HUB_H
#define NV_RPC_HUB_H

/* hub.h - the inside of the hub: channels, subscriptions, the ring of blocks.
 * Only the files that make up the hub include it. Loop thread.
 *
 *     channel.c   names of channels
 *     ring.c      the newest blocks
 *     hub.c       which channels there are and who listens
 *     deliver.c   one message to one listener; gaps, conflation
 *     tell.c      what blocks, events and transactions say; resuming
 *     account_stream.c  accounts: the number of an address
 *     replaced.c  tickers and the like: read anew when something moved
 *     book_stream.c  books: a mirror of the levels (book.h), and its differences
 *     hear.c      beginning, and catching up
 *     stream.c    blocks: events to channels
 *
 * Each calls those above it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/critbit.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/row.h"

#include "rpc/catalogue.h"
#include "rpc/events.h"
#include "rpc/json_write.h"
#include "rpc/params.h"
#include "rpc/rpc.h"
#include "rpc/subscribe.h"

struct rpc_book;
struct rpc_conn;
struct rpc_tx_outcome;

enum rpc_channel_kind {
#define XX(symbol, prefix, suffix, argument, style) RPC_CHANNEL_##symbol,
#include "rpc/channels.def"
#undef XX
    RPC_CHANNEL_KINDS,
};

enum rpc_channel_style { RPC_STYLE_ORDERED = 1, RPC_STYLE_REPLACED, RPC_STYLE_BOOK };

/* What a channel's name says. */
struct rpc_topic {
    enum rpc_channel_kind kind;
    struct rpc_listing listing; /* argument MARKET */
    struct rpc_feed feed;       /* argument FEED */
    struct nv_address address;  /* argument ADDRESS */
    struct nv_hash hash;        /* argument HASH */
};

/* rpc__topic_read reads a channel's name. VM_REJECT_MARKET_UNKNOWN and the like,
 * RPC_ERROR_UNKNOWN_CHANNEL, or 0. */
int32_t
rpc__topic_read(struct rpc_topic *topic, const struct rpc_catalogue *catalogue, const char *name);
enum rpc_channel_style rpc__channel_style(enum rpc_channel_kind kind);

/* rpc__topic_key makes the key under which the channel is found. */
void rpc__topic_key(struct nv_row_key *key, const struct rpc_topic *topic);

/* A place in the order of all events. */
struct rpc_seq {
    uint64_t height;
    uint32_t index;
};

static inline bool rpc__seq_after(struct rpc_seq a, struct rpc_seq b)
{
    return a.height > b.height || (a.height == b.height && a.index > b.index);
}

enum rpc_sub_step {
    RPC_SUB_NEW = 1, /* its request is not answered yet */
    RPC_SUB_WAITING, /* for a snapshot, or for its account to be found */
    RPC_SUB_LIVE,
};

struct rpc_sub {
    struct rpc_conn *conn;
    struct rpc_channel *channel;
    struct rpc_sub *conn_next;
    struct rpc_sub *channel_next;
    enum rpc_sub_step step;
    struct rpc_seq last; /* what the client has */
    bool gap;            /* it was left out of everything up to ... */
    struct rpc_seq gap_to;
    bool stale; /* it was left out of newer state */
};

struct rpc_channel {
    struct rpc_topic topic;
    struct nv_row_key key;
    char name[RPC_NAME_TEXT];
    struct rpc_sub *subs;
    uint32_t slot;
    uint32_t busy;            /* jobs under way for it */
    struct rpc_channel *next; /* all channels */

    uint64_t account; /* ACCOUNT: its number, 0 while it is not known */
    bool id_indexed;

    struct rpc_json latest; /* REPLACED: the newest data */
    struct rpc_head latest_head;
    bool has_latest;
    bool dirty;
    bool refreshing;

    struct rpc_book *book; /* BOOK */
};

/* A block in the ring. */
struct rpc_ring_block {
    struct rpc_head head;
    struct nv_view *events; /* owned, with their bytes behind */
    uint32_t event_count;
    uint32_t tx_count;
    struct nv_row *levels; /* owned likewise: the writes of table 04 */
    uint32_t level_count;
    size_t bytes;
};

struct rpc_hub {
    struct rpc *rpc;
    struct nv_critbit *index; /* key -> slot */
    size_t index_size;
    struct rpc_channel **slots;
    uint32_t slot_cap;
    uint32_t slot_next; /* where to look for a free one */
    struct rpc_channel *channels;
    struct rpc_json message; /* scratch */
    struct rpc_json data;    /* scratch */

    struct rpc_ring_block *ring; /* by height % ring_cap */
    uint32_t ring_cap;
    uint64_t ring_first; /* the oldest height held; above the newest: none */
    size_t ring_bytes;
};

/* ---- ring.c ---- */

/* rpc__ring_put adds a block and drops what no longer fits. NULL: no memory, and
 * the ring is empty. */
const struct rpc_ring_block *
rpc__ring_put(struct rpc_hub *hub, const struct rpc_executed *executed);
/* rpc__ring_block returns the block of a height, or NULL when it is not held. */
const struct rpc_ring_block *rpc__ring_block(const struct rpc_hub *hub, uint64_t height);
/* rpc__ring_holds returns whether the ring goes back to just after `seq`. */
bool rpc__ring_holds(const struct rpc_hub *hub, struct rpc_seq seq);
/* rpc__ring_position is the place after everything published. */
struct rpc_seq rpc__ring_position(const struct rpc_hub *hub);
void rpc__ring_free(struct rpc_hub *hub);

/* ---- hub.c ---- */

/* rpc__hub_subscription returns a connection's subscription to a channel, or
 * NULL; rpc__hub_join makes one, NULL: no room. */
struct rpc_sub *rpc__hub_subscription(struct rpc_conn *conn, const char *name);
struct rpc_sub *
rpc__hub_join(struct rpc_conn *conn, const struct rpc_topic *topic, const char *name);
struct rpc_channel *rpc__hub_find(struct rpc_hub *hub, const struct nv_row_key *key);
void rpc__hub_index_account(struct rpc_hub *hub, struct rpc_channel *channel);
void rpc__account_key(struct nv_row_key *key, uint64_t account);
void rpc__sub_end(struct rpc_hub *hub, struct rpc_sub *sub);
/* rpc__channel_idle frees a channel that nobody listens to and no job is for. */
void rpc__channel_idle(struct rpc_hub *hub, struct rpc_channel *channel);

/* ---- deliver.c ---- */

/* One message of a channel. */
struct rpc_told {
    const char *type; /* "snapshot" or "update" */
    struct rpc_seq seq;
    uint64_t time_ms;
    struct nv_view data; /* JSON */
};

void rpc__deliver(struct rpc_sub *sub, const struct rpc_told *told);
void rpc__deliver_all(struct rpc_channel *channel, const struct rpc_told *told);
/* rpc__deliver_gap tells that messages were left out. */
void rpc__deliver_gap(struct rpc_sub *sub);

/* ---- tell.c ---- */

/* rpc__channel_tells returns whether an ordered channel tells this event. */
bool rpc__channel_tells(const struct rpc_channel *channel, const struct vm_event *event);

/* rpc__told_block makes the message of `blocks`, rpc__told_event that of an event;
 * they are in hub->data. */
struct rpc_told rpc__told_block(struct rpc_hub *hub, const struct rpc_ring_block *block);
struct rpc_told rpc__told_event(struct rpc_hub *hub,
                                const struct rpc_ring_block *block,
                                uint32_t index,
                                const struct vm_event *event);

/* rpc__tell_tx tells what became of a transaction and ends the subscriptions. */
void rpc__tell_tx(struct rpc_hub *hub, const struct rpc_tx_outcome *outcome);

/* rpc__tell_missed tells what came after sub->last. */
void rpc__tell_missed(struct rpc_hub *hub, struct rpc_sub *sub);

/* ---- replaced.c ---- */

void rpc__replaced_begin(struct rpc_hub *hub, struct rpc_sub *sub);
void rpc__replaced_refresh(struct rpc_hub *hub, struct rpc_channel *channel);
void rpc__replaced_again(struct rpc_sub *sub); /* tells the newest to one left out */

/* ---- book_stream.c ---- */

void rpc__book_begin(struct rpc_hub *hub, struct rpc_sub *sub);
void rpc__book_block(struct rpc_hub *hub,
                     struct rpc_channel *channel,
                     const struct rpc_ring_block *block);
void rpc__book_again(struct rpc_hub *hub, struct rpc_sub *sub);

/* ---- account_stream.c ---- */

/* rpc__account_begin finds the number of the channel's account. */
void rpc__account_begin(struct rpc_hub *hub, struct rpc_sub *sub);
/* rpc__account_block looks whether a block has opened the account. */
void rpc__account_block(struct rpc_hub *hub,
                        struct rpc_channel *channel,
                        const struct rpc_executed *block);

#endif /* NV_RPC_HUB_H */
