/* book_stream.c - the channel of a book: a mirror of its level rows, told whole
 * to who begins and by its differences from block to block.
 *
 * The mirror is read once, at some height, on the state; the blocks after that
 * height come from the ring. So it does not matter how far the executor is
 * ahead of what has been published. */

#include "base/heap.h"
#include "base/log.h"

#include "rpc/book.h"
#include "rpc/hub.h"
#include "rpc/server.h"
#include "vm/rows.h"
#include "vm/tx.h"

#define CHECKSUM_LEVELS 10u

struct load {
    struct rpc_work work; /* first */
    struct rpc *rpc;
    struct rpc_channel *channel;
    struct rpc_book *book; /* being filled */
    uint32_t market;
    enum nv_err err;
};

/* ---- as JSON ---- */

static uint8_t side_of(const struct nv_row_key *key)
{
    return key->bytes[5];
}

static int64_t tick_of(const struct nv_row_key *key, uint32_t i)
{
    uint64_t const ordered = nv_be64_load(key->bytes + 6);
    uint64_t const page = (side_of(key) == VM_BUY ? ~ordered : ordered) ^ (UINT64_C(1) << 63);
    return vm_price_raw(vm_page_tick(page, i));
}

/* A writer of levels that also makes the checksum of the first ones. */
struct levels {
    struct rpc_json *out;
    const struct rpc_listing *listing;
};

static void write_level(const struct levels *to, int64_t ticks, int64_t lots)
{
    rpc__json_array(to->out, NULL);
    rpc__json_price(to->out, NULL, to->listing, ticks);
    rpc__json_size(to->out, NULL, to->listing, lots);
    rpc__json_end(to->out, ']');
}

/* best_first is the i-th tick of a page, best first. */
static uint32_t best_first(uint8_t side, uint32_t i)
{
    return side == VM_BUY ? VM_LEVEL_TICKS - 1 - i : i;
}

static void
write_side(const struct rpc_book *book, uint8_t side, uint32_t limit, const struct levels *to)
{
    uint32_t given = 0;
    for (uint32_t p = 0; p < book->count && given < limit; p++) {
        const struct rpc_page *page = book->pages[p];
        for (uint32_t i = 0; side_of(&page->key) == side && i < VM_LEVEL_TICKS && given < limit;
             i++) {
            uint32_t const tick = best_first(side, i);
            int64_t const lots = vm_lots_raw(page->row.lots[tick]);
            if (lots != 0) {
                write_level(to, tick_of(&page->key, tick), lots);
                given++;
            }
        }
    }
}

/* crc32 is the CRC-32 of IEEE 802.3, as zlib's. */
static uint32_t crc32(struct nv_view bytes)
{
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.bytes[i];
        for (uint32_t bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1u) != 0 ? UINT32_C(0xedb88320) : 0);
        }
    }
    return ~crc;
}

/* write_checksum writes the CRC-32 of the ten best levels of each side, bids
 * first, as they stand in a snapshot: [["price","size"],...][[...]]. */
static void write_checksum(const struct rpc_book *book, const struct levels *to)
{
    struct rpc_json text;
    struct levels const top = {.out = &text, .listing = to->listing};
    rpc__json_init(&text, 8192);
    rpc__json_array(&text, NULL);
    write_side(book, VM_BUY, CHECKSUM_LEVELS, &top);
    rpc__json_end(&text, ']');
    text.comma = false;
    rpc__json_array(&text, NULL);
    write_side(book, VM_SELL, CHECKSUM_LEVELS, &top);
    rpc__json_end(&text, ']');
    rpc__json_number(to->out, "checksum", crc32(rpc__json_view(&text)));
    rpc__json_deinit(&text);
}

static void send_snapshot(struct rpc_hub *hub, struct rpc_sub *sub)
{
    const struct rpc_book *book = sub->channel->book;
    struct levels const to = {.out = &hub->data, .listing = &sub->channel->topic.listing};
    rpc__json_reset(to.out);
    rpc__json_object(to.out, NULL);
    rpc__json_array(to.out, "bids");
    write_side(book, VM_BUY, UINT32_MAX, &to);
    rpc__json_end(to.out, ']');
    rpc__json_array(to.out, "asks");
    write_side(book, VM_SELL, UINT32_MAX, &to);
    rpc__json_end(to.out, ']');
    write_checksum(book, &to);
    rpc__json_end(to.out, '}');
    struct rpc_told const told = {.type = "snapshot",
                                  .seq = {.height = book->height},
                                  .time_ms = book->time_ms,
                                  .data = rpc__json_view(to.out)};
    sub->step = RPC_SUB_LIVE;
    rpc__deliver(sub, &told);
}

/* ---- differences ---- */

/* write_difference writes the levels of one page that changed. */
static void write_difference(const struct rpc_page *before,
                             const struct rpc_page *after,
                             const struct levels *to)
{
    uint8_t const side = side_of(&after->key);
    for (uint32_t i = 0; i < VM_LEVEL_TICKS; i++) {
        uint32_t const tick = best_first(side, i);
        int64_t const lots = vm_lots_raw(after->row.lots[tick]);
        if (lots != vm_lots_raw(before->row.lots[tick])) {
            write_level(to, tick_of(&after->key, tick), lots);
        }
    }
}

/* apply_side applies the block's rows of one side and writes what changed. */
static enum nv_err apply_side(struct rpc_channel *channel,
                              const struct rpc_ring_block *block,
                              uint8_t side,
                              const struct levels *to)
{
    for (uint32_t i = 0; i < block->level_count; i++) {
        const struct nv_row *row = &block->levels[i];
        struct rpc_page before;
        struct rpc_page after;
        if (nv_be32_load(row->key.bytes + 1) == channel->topic.listing.market &&
            side_of(&row->key) == side) {
            NV_TRY(rpc__book_put(channel->book, row, &before, &after));
            write_difference(&before, &after, to);
        }
    }
    return NV_OK;
}

static bool touches(const struct rpc_channel *channel, const struct rpc_ring_block *block)
{
    for (uint32_t i = 0; i < block->level_count; i++) {
        if (nv_be32_load(block->levels[i].key.bytes + 1) == channel->topic.listing.market) {
            return true;
        }
    }
    return false;
}

/* apply brings the mirror one block on; the difference is in hub->data. */
static enum nv_err
apply(struct rpc_hub *hub, struct rpc_channel *channel, const struct rpc_ring_block *block)
{
    struct levels const to = {.out = &hub->data, .listing = &channel->topic.listing};
    rpc__json_reset(to.out);
    rpc__json_object(to.out, NULL);
    rpc__json_array(to.out, "bids");
    NV_TRY(apply_side(channel, block, VM_BUY, &to));
    rpc__json_end(to.out, ']');
    rpc__json_array(to.out, "asks");
    NV_TRY(apply_side(channel, block, VM_SELL, &to));
    rpc__json_end(to.out, ']');
    write_checksum(channel->book, &to);
    rpc__json_end(to.out, '}');
    channel->book->height = block->head.height;
    channel->book->time_ms = block->head.time_ms;
    return NV_OK;
}

/* start_over drops the mirror; everybody gets a new snapshot. */
static void start_over(struct rpc_hub *hub, struct rpc_channel *channel)
{
    struct rpc_sub *waiting = channel->subs;
    rpc__book_free(channel->book);
    channel->book = NULL;
    for (struct rpc_sub *sub = channel->subs; sub != NULL; sub = sub->channel_next) {
        if (sub->step == RPC_SUB_LIVE) {
            sub->step = RPC_SUB_WAITING;
        }
    }
    if (waiting != NULL) {
        rpc__book_begin(hub, waiting);
    }
}

void rpc__book_block(struct rpc_hub *hub,
                     struct rpc_channel *channel,
                     const struct rpc_ring_block *block)
{
    struct rpc_book *book = channel->book;
    if (book == NULL) {
        start_over(hub, channel); /* its last reading could not begin */
        return;
    }
    if (book->loading || block->head.height <= book->height) {
        return;
    }
    if (!touches(channel, block)) {
        book->height = block->head.height;
        book->time_ms = block->head.time_ms;
        return;
    }
    if (apply(hub, channel, block) != NV_OK) {
        nv_log(NV_LOG_WARN, "event=rpc_book_lost market=%s", channel->topic.listing.symbol);
        start_over(hub, channel);
        return;
    }
    struct rpc_told const told = {.type = "update",
                                  .seq = {.height = book->height},
                                  .time_ms = book->time_ms,
                                  .data = rpc__json_view(&hub->data)};
    rpc__deliver_all(channel, &told);
}

/* ---- reading the mirror ---- */

static enum nv_err load_pages(struct load *load, const struct rpc_state *state)
{
    struct nv_row_range range;
    uint32_t count = 32;
    uint8_t prefix[5] = {VM_TABLE_LEVEL};
    nv_be32_store(prefix + 1, load->market);
    nv_row_range_prefix(&range, prefix, sizeof prefix);
    while (count == 32) {
        struct nv_row rows[32];
        struct rpc_page before;
        struct rpc_page after;
        NV_TRY(state->ops->rows(state->ctx, rows, &count, &range, 32));
        for (uint32_t i = 0; i < count; i++) {
            NV_TRY(rpc__book_put(load->book, &rows[i], &before, &after));
        }
        if (count > 0) {
            range.first = rows[count - 1].key;
            (void)nv_row_key_next(&range.first); /* keys end in zeros: it is in the range */
        }
    }
    load->book->height = state->head.height;
    load->book->time_ms = state->head.time_ms;
    return NV_OK;
}

static void run(struct rpc_job *job, const struct rpc_state *state)
{
    struct load *load = (struct load *)(void *)job;
    load->err = load_pages(load, state);
}

/* catch_up applies the published blocks that came after the reading. */
static enum nv_err catch_up(struct rpc_hub *hub, struct rpc_channel *channel)
{
    for (uint64_t height = channel->book->height + 1; height <= hub->rpc->head.height; height++) {
        const struct rpc_ring_block *block = rpc__ring_block(hub, height);
        if (block == NULL) {
            return NV_ERR_NOT_FOUND;
        }
        NV_TRY(apply(hub, channel, block));
    }
    return NV_OK;
}

static void loaded(struct rpc_work *work)
{
    struct load *load = (struct load *)(void *)work;
    struct rpc_channel *channel = load->channel;
    struct rpc_hub *hub = load->rpc->hub;
    enum nv_err err = work->job.err != NV_OK ? work->job.err : load->err;
    channel->book->loading = false;
    if (err == NV_OK) {
        err = catch_up(hub, channel);
    }
    if (err == NV_OK) {
        for (struct rpc_sub *sub = channel->subs; sub != NULL; sub = sub->channel_next) {
            if (sub->step == RPC_SUB_WAITING) {
                send_snapshot(hub, sub);
            }
        }
    } else {
        rpc__book_free(channel->book); /* the next block begins again */
        channel->book = NULL;
    }
    channel->busy--;
    nv_heap_free(load);
    rpc__channel_idle(hub, channel);
}

static enum nv_err load_start(struct rpc_hub *hub, struct rpc_channel *channel)
{
    struct load *load = nv_heap_alloc(sizeof *load);
    struct rpc_book *book = nv_heap_alloc(sizeof *book);
    if (load == NULL || book == NULL) {
        nv_heap_free(load);
        nv_heap_free(book);
        return NV_ERR_NO_MEMORY;
    }
    book->loading = true;
    channel->book = book;
    *load = (struct load){
        .rpc = hub->rpc, .channel = channel, .book = book, .market = channel->topic.listing.market};
    load->work.job.run = run;
    load->work.done = loaded;
    channel->busy++;
    enum nv_err const err = rpc__work_start(hub->rpc, &load->work);
    if (err != NV_OK) {
        channel->busy--;
        channel->book = NULL;
        nv_heap_free(load);
        nv_heap_free(book);
    }
    return err;
}

void rpc__book_begin(struct rpc_hub *hub, struct rpc_sub *sub)
{
    struct rpc_channel *channel = sub->channel;
    sub->step = RPC_SUB_WAITING;
    if (channel->book == NULL) {
        (void)load_start(hub, channel); /* failed: the next block begins again */
    } else if (!channel->book->loading) {
        send_snapshot(hub, sub);
    }
}

void rpc__book_again(struct rpc_hub *hub, struct rpc_sub *sub)
{
    if (sub->channel->book != NULL && !sub->channel->book->loading) {
        send_snapshot(hub, sub);
    }
}
