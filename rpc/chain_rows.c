/* chain_rows.c - chain_rows: all rows of one pinned checkpoint, page by page. */

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/fmt.h"
#include "base/heap.h"

#include "rpc/call.h"
#include "rpc/methods.h"

#define ROWS_DEFAULT 1000u
#define ROWS_MAX     4096u
#define PAGE_BYTES   (2u << 20)
/* When a client may ask again for the first checkpoint. */
#define FIRST_WAIT_MS 1000u

/* A cursor is the pin, a point, and the last key that was given. */
static bool cursor_read(struct rpc_rows *page, const char *text)
{
    const char *point = strchr(text, '.');
    if (point == NULL) {
        return false;
    }
    struct nv_view const pin = nv_view_of(text, (uint32_t)(point - text));
    page->has_after = true;
    return nv_u64_parse(&page->pin, pin) == NV_OK && page->pin != 0 &&
           nv_hex_decode(page->after.bytes, sizeof page->after.bytes, nv_view_of_text(point + 1)) ==
               NV_OK;
}

/* write_rows writes the page's rows and returns the key of the last. */
static bool write_rows(struct rpc_json *out, const struct rpc_rows *page, struct nv_row_key *last)
{
    struct nv_reader reader;
    nv_reader_init(&reader, nv_view_of(page->bytes, page->size));
    rpc__json_array(out, "rows");
    for (uint32_t i = 0; i < page->count; i++) {
        nv_get_bytes(&reader, last->bytes, sizeof last->bytes);
        struct nv_view const value = nv_get_view(&reader, nv_get_u16(&reader));
        rpc__json_array(out, NULL);
        rpc__json_hex(out, NULL, nv_view_of(last->bytes, sizeof last->bytes));
        rpc__json_hex(out, NULL, value);
        rpc__json_end(out, ']');
    }
    rpc__json_end(out, ']');
    return nv_reader_end(&reader) == NV_OK;
}

static void
write_cursor(struct rpc_json *out, const struct rpc_rows *page, const struct nv_row_key *last)
{
    char text[NV_DECIMAL_TEXT + 1 + NV_HEX_TEXT(NV_ROW_KEY_SIZE)];
    char key[NV_HEX_TEXT(NV_ROW_KEY_SIZE)];
    if (page->end || page->count == 0) {
        rpc__json_null(out, "cursor");
        return;
    }
    nv_hex_encode(key, last->bytes, sizeof last->bytes);
    snprintf(text, sizeof text, "%" NV_U64 ".%s", page->pin, key);
    rpc__json_text(out, "cursor", text);
}

static void write_page(struct rpc_call *call, const struct rpc_rows *page)
{
    struct rpc_json *out = &call->out;
    struct nv_row_key last = {{0}};
    rpc__json_u64(out, "height", page->head.height);
    rpc__json_hash(out, "block_hash", &page->head.block_hash);
    rpc__json_hash(out, "state_root", &page->head.state_root);
    if (page->header.size > 0) {
        rpc__json_hex(out, "header", page->header);
        rpc__json_hex(out, "certificate", page->certificate);
    } else {
        rpc__json_null(out, "header");
        rpc__json_null(out, "certificate");
    }
    if (!write_rows(out, page, &last)) {
        rpc__call_fail(call, RPC_ERROR_INTERNAL);
        return;
    }
    write_cursor(out, page, &last);
}

static void page_done(struct rpc_rows *page)
{
    struct rpc_call *call = page->server;
    if (page->err == NV_ERR_NOT_FOUND && !page->has_after) {
        rpc__fault_set(
            &call->fault, RPC_ERROR_BUSY, "the node has not written its first checkpoint yet");
        call->fault.retry_after_ms = FIRST_WAIT_MS;
    } else if (page->err == NV_ERR_NOT_FOUND) {
        rpc__fault_set(&call->fault,
                       RPC_ERROR_PRUNED,
                       "the checkpoint of this cursor is no longer held: begin again");
    } else if (page->err != NV_OK) {
        rpc__call_fail_err(call, page->err);
    } else {
        write_page(call, page);
    }
    rpc__call_done(call);
}

static enum nv_err page_new(struct rpc_call *call)
{
    struct rpc_rows *page = nv_heap_alloc(sizeof *page);
    if (page == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    call->rows = page;
    page->bytes = nv_heap_alloc(PAGE_BYTES);
    page->cap = PAGE_BYTES;
    page->server = call;
    page->done = page_done;
    uint32_t const limit = rpc__param_count(call->params, "limit", ROWS_DEFAULT);
    page->max_rows = limit < ROWS_MAX ? limit : ROWS_MAX;
    page->max_rows += page->max_rows == 0 ? 1 : 0;
    return page->bytes != NULL ? NV_OK : NV_ERR_NO_MEMORY;
}

void rpc__chain_rows(struct rpc_call *call)
{
    struct rpc *rpc = call->rpc;
    const char *cursor = NULL;
    if (rpc->port.rows == NULL) {
        rpc__call_fail(call, RPC_ERROR_UNSUPPORTED);
        return;
    }
    enum nv_err const err = page_new(call);
    if (err != NV_OK) {
        rpc__call_fail_err(call, err);
        return;
    }
    if (rpc__param_text(call->params, "cursor", &cursor) && !cursor_read(call->rows, cursor)) {
        rpc__fault_field(
            &call->fault, RPC_ERROR_INVALID_PARAMS, "cursor", "the cursor of the page before");
        return;
    }
    call->step = RPC_CALL_QUEUED;
    rpc->borrowed++;
    rpc->port.rows(rpc->port.ctx, call->rows);
}
