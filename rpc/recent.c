#include "rpc/recent.h"

#include "base/fmt.h"
#include "base/heap.h"

#include "rpc/events.h"
#include "rpc/server.h"

#define RING 16384u

/* Where an event stands, and when. */
struct place {
    uint64_t height;
    uint64_t time_ms;
    uint32_t index;
};

struct trade {
    struct place place;
    struct vm_event_auction auction;
};

struct fill {
    struct place place;
    struct vm_event_fill fill;
};

struct rpc_recent {
    struct trade trades[RING];
    struct fill fills[RING];
    uint64_t trade_count; /* noted so far; the newest is at (count - 1) % RING */
    uint64_t fill_count;
};

struct rpc_recent *rpc__recent_new(void)
{
    return nv_heap_alloc(sizeof(struct rpc_recent));
}

void rpc__recent_free(struct rpc_recent *recent)
{
    nv_heap_free(recent);
}

void rpc__recent_note(struct rpc_recent *recent,
                      const struct rpc_head *head,
                      uint32_t index,
                      const struct vm_event *event)
{
    struct place const place = {.height = head->height, .time_ms = head->time_ms, .index = index};
    if (event->kind == VM_EVENT_AUCTION && vm_lots_raw(event->auction.lots) > 0) {
        struct trade *trade = &recent->trades[recent->trade_count++ % RING];
        trade->place = place;
        trade->auction = event->auction;
    } else if (event->kind == VM_EVENT_FILL) {
        struct fill *fill = &recent->fills[recent->fill_count++ % RING];
        fill->place = place;
        fill->fill = event->fill;
    }
}

static void write_place(struct rpc_json *out, const struct place *place)
{
    char seq[RPC_SEQ_TEXT];
    rpc__seq_format(seq, place->height, place->index);
    rpc__json_text(out, "seq", seq);
    rpc__json_u64(out, "height", place->height);
    rpc__json_number(out, "block_time_ms", (int64_t)place->time_ms);
}

void rpc__recent_trades(struct rpc *rpc,
                        struct rpc_json *out,
                        const struct rpc_listing *listing,
                        uint32_t limit)
{
    const struct rpc_recent *recent = rpc->recent;
    uint64_t const held = recent->trade_count < RING ? recent->trade_count : RING;
    uint32_t given = 0;
    rpc__json_array(out, "trades");
    for (uint64_t i = 1; i <= held && given < limit; i++) {
        const struct trade *trade = &recent->trades[(recent->trade_count - i) % RING];
        if (trade->auction.market == listing->market) {
            rpc__json_object(out, NULL);
            write_place(out, &trade->place);
            rpc__auction_write(out, listing, &trade->auction);
            rpc__json_end(out, '}');
            given++;
        }
    }
    rpc__json_end(out, ']');
}

void rpc__recent_fills(struct rpc *rpc, struct rpc_json *out, uint64_t account, uint32_t limit)
{
    const struct rpc_recent *recent = rpc->recent;
    uint64_t const held = recent->fill_count < RING ? recent->fill_count : RING;
    uint32_t given = 0;
    rpc__json_array(out, "fills");
    for (uint64_t i = 1; i <= held && given < limit; i++) {
        const struct fill *fill = &recent->fills[(recent->fill_count - i) % RING];
        const struct rpc_listing *listing = rpc__listing_of(&rpc->catalogue, fill->fill.market);
        if (fill->fill.account == account && listing != NULL) {
            rpc__json_object(out, NULL);
            write_place(out, &fill->place);
            rpc__fill_write(out, listing, &fill->fill);
            rpc__json_end(out, '}');
            given++;
        }
    }
    rpc__json_end(out, ']');
}
