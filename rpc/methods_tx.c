/* methods_tx.c - tx_*, dev_*: transactions on their way, and what became of
 * them. */

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/merkle.h"

#include "rpc/call.h"
#include "rpc/methods.h"
#include "rpc/proof.h"
#include "rpc/tx.h"
#include "vm/receipt.h"
#include "vm/rows.h"

static void fail_with_hash(struct rpc_call *call, int32_t code)
{
    rpc__call_fail(call, code);
    call->fault.has_tx_hash = true;
    call->fault.tx_hash = call->tx_hash;
}

static void write_outcome_of(struct rpc_call *call, const struct rpc_tx_outcome *outcome)
{
    rpc__tx_outcome_write(&call->out, outcome);
    rpc__json_bool(&call->out, "duplicate", call->duplicate);
}

/* ---- waiting for execution ---- */

static void tx_woken(struct rpc_wait *wait, enum rpc_wake wake, const void *detail)
{
    struct rpc_call *call = rpc__call_of_wait(wait);
    const struct rpc_tx_outcome *outcome = detail;
    if (wake == RPC_WAKE_CANCELLED) {
        return;
    }
    if (wake == RPC_WAKE_TIMEOUT) {
        fail_with_hash(call, RPC_ERROR_OUTCOME_UNKNOWN);
    } else if (!nv_hash_eq(&outcome->hash, &call->tx_hash)) {
        rpc__wait_add(&call->rpc->waits, wait); /* another with the same first bytes */
        return;
    } else if (outcome->final) {
        write_outcome_of(call, outcome);
    } else {
        fail_with_hash(call, outcome->reason);
    }
    rpc__call_done(call);
}

/* known writes what the node knows of the transaction; false: nothing. */
static bool known(struct rpc_call *call, struct rpc_tx_outcome *outcome, struct rpc_tx *tx)
{
    if (call->rpc->port.tx(call->rpc->port.ctx, &call->tx_hash, tx) != NV_OK) {
        return false;
    }
    *outcome = (struct rpc_tx_outcome){.hash = call->tx_hash,
                                       .final = tx->state == RPC_TX_FINAL,
                                       .height = tx->height,
                                       .index = tx->index,
                                       .receipt = tx->receipt};
    return true;
}

/* wait_final parks the call until its transaction is executed; true when it is
 * already and the result is written. */
static bool wait_final(struct rpc_call *call)
{
    struct rpc_tx_outcome outcome;
    struct rpc_tx tx = {.state = RPC_TX_PENDING};
    if (known(call, &outcome, &tx) && outcome.final) {
        write_outcome_of(call, &outcome);
        return true;
    }
    rpc__call_park(call, RPC_WAIT_TX, rpc__tx_key(&call->tx_hash), tx_woken);
    return false;
}

void rpc__tx_wait(struct rpc_call *call)
{
    (void)rpc__param_hash(call->params, "tx_hash", &call->tx_hash);
    (void)wait_final(call);
}

/* ---- the proof of a receipt: its group, the group's path in its block, and the block's result ---- */

/* The leaves of a block's receipts, and the data of the one that is asked for. */
struct leaves {
    struct nv_hash *hash;
    uint8_t *group;  /* the leaf at hand */
    uint8_t *wanted; /* the leaf that is asked for */
    uint32_t wanted_size;
};

/* take_group writes the next receipts, at most a group, as a leaf's data. */
static void take_group(struct nv_writer *w, struct nv_reader *receipts, uint32_t left)
{
    for (uint32_t i = 0; i < left && i < VM_RECEIPT_GROUP; i++) {
        struct nv_view const receipt = nv_get_view(receipts, nv_get_u32(receipts));
        nv_put_u16(w, (uint16_t)receipt.size);
        nv_put_bytes(w, receipt.bytes, receipt.size);
    }
}

/* hash_leaves fills the leaves; false when the receipts are not whole. */
static bool hash_leaves(struct leaves *leaves, const struct rpc_tx *tx)
{
    struct nv_reader reader;
    nv_reader_init(&reader, tx->receipts);
    for (uint32_t i = 0; i < vm_receipt_leaves(tx->receipt_count); i++) {
        struct nv_writer w;
        bool const wanted = i == tx->index / VM_RECEIPT_GROUP;
        nv_writer_init(&w, wanted ? leaves->wanted : leaves->group, VM_RECEIPT_GROUP_SIZE_MAX);
        take_group(&w, &reader, tx->receipt_count - i * VM_RECEIPT_GROUP);
        if (w.overflow) {
            return false;
        }
        nv_merkle_leaf(&leaves->hash[i], nv_writer_view(&w));
        leaves->wanted_size = wanted ? w.size : leaves->wanted_size;
    }
    return nv_reader_end(&reader) == NV_OK && tx->index < tx->receipt_count;
}

static void write_path(struct rpc_call *call, const struct rpc_tx *tx, const struct leaves *leaves)
{
    struct nv_merkle_path path;
    nv_merkle_path(
        &path, leaves->hash, vm_receipt_leaves(tx->receipt_count), tx->index / VM_RECEIPT_GROUP);
    rpc__json_object(&call->out, "receipt_proof");
    rpc__json_number(&call->out, "index", tx->index);
    rpc__json_number(&call->out, "count", tx->receipt_count);
    rpc__json_hex(&call->out, "group", nv_view_of(leaves->wanted, leaves->wanted_size));
    rpc__json_array(&call->out, "path");
    for (uint32_t i = 0; i < path.depth; i++) {
        rpc__json_hash(&call->out, NULL, &path.sibling[i]);
    }
    rpc__json_end(&call->out, ']');
    rpc__json_end(&call->out, '}');
}

static enum nv_err write_receipt_proof(struct rpc_call *call, const struct rpc_tx *tx)
{
    size_t const hashes = vm_receipt_leaves(tx->receipt_count) * sizeof(struct nv_hash);
    uint8_t *const memory = nv_heap_alloc(hashes + 2 * (size_t)VM_RECEIPT_GROUP_SIZE_MAX);
    if (memory == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct leaves leaves = {
        .hash = (struct nv_hash *)memory,
        .group = memory + hashes,
        .wanted = memory + hashes + VM_RECEIPT_GROUP_SIZE_MAX,
    };
    bool const whole = hash_leaves(&leaves, tx);
    if (whole) {
        write_path(call, tx, &leaves);
    }
    nv_heap_free(memory);
    return whole ? NV_OK : NV_ERR_CORRUPT;
}

/* read_result reads the row of the block's result, so that it is proved. */
static void read_result(struct rpc_call *call)
{
    struct nv_row_key key;
    struct nv_view value = {0};
    struct vm_block_result_row row;
    if (call->head.height < call->tx_height) {
        rpc__call_fail(call, RPC_ERROR_FUTURE_HEIGHT);
        return;
    }
    vm_key_block_result(&key, call->tx_height);
    enum nv_err err = rpc__row_get(call, &value, &key);
    err = err == NV_OK ? vm_block_result_row_decode(&row, value) : err;
    if (err != NV_OK) {
        rpc__call_fail_err(call, err);
    } else if (row.height != call->tx_height) {
        rpc__call_fail(call, RPC_ERROR_PRUNED); /* a later block's stands in its place */
    }
}

static void prove_receipt(struct rpc_call *call, const struct rpc_tx *tx)
{
    if (tx->state != RPC_TX_FINAL) {
        rpc__call_fail(call, RPC_ERROR_FUTURE_HEIGHT);
        return;
    }
    if (tx->receipts.size == 0) {
        rpc__call_fail(call, tx->receipt.size > 0 ? RPC_ERROR_BUSY : RPC_ERROR_PRUNED);
        return;
    }
    enum nv_err const err = write_receipt_proof(call, tx);
    if (err != NV_OK) {
        rpc__call_fail_err(call, err);
        return;
    }
    call->tx_height = tx->height;
    rpc__call_prove(call, read_result);
}

void rpc__tx_get(struct rpc_call *call)
{
    struct rpc_tx_outcome outcome;
    struct rpc_tx tx = {.state = RPC_TX_PENDING};
    (void)rpc__param_hash(call->params, "tx_hash", &call->tx_hash);
    if (!known(call, &outcome, &tx)) {
        fail_with_hash(call, RPC_ERROR_TX_NOT_FOUND);
        return;
    }
    rpc__tx_outcome_write(&call->out, &outcome);
    rpc__json_hex(&call->out, "bytes", tx.bytes);
    if (rpc__param_bool(call->params, "proof")) {
        prove_receipt(call, &tx);
    }
}

/* ---- submitting ---- */

static bool wants_final(const struct rpc_call *call)
{
    const char *wait = NULL;
    return rpc__param_text(call->params, "wait", &wait) && strcmp(wait, "finalised") == 0;
}

/* wait_legal checks the parameter `wait`. */
static bool wait_legal(struct rpc_call *call)
{
    const char *wait = "accepted";
    (void)rpc__param_text(call->params, "wait", &wait);
    if (strcmp(wait, "accepted") == 0 || strcmp(wait, "finalised") == 0) {
        return true;
    }
    rpc__fault_field(&call->fault, RPC_ERROR_INVALID_PARAMS, "wait", "accepted or finalised");
    return false;
}

static void refused(struct rpc_call *call, const struct rpc_verdict *verdict)
{
    rpc__call_fail(call, (int32_t)verdict->reason);
    call->fault.retry_after_ms = verdict->retry_after_ms;
    call->fault.has_tx_hash = !nv_hash_is_zero(&verdict->tx_hash);
    call->fault.tx_hash = verdict->tx_hash;
}

static void verdict_woken(struct rpc_wait *wait, enum rpc_wake wake, const void *detail)
{
    struct rpc_call *call = rpc__call_of_wait(wait);
    const struct rpc_verdict *verdict = detail;
    if (wake == RPC_WAKE_CANCELLED) {
        return;
    }
    if (wake == RPC_WAKE_TIMEOUT) {
        rpc__call_fail(call, RPC_ERROR_OUTCOME_UNKNOWN);
    } else if (verdict->outcome == RPC_SUBMIT_REFUSED) {
        refused(call, verdict);
    } else {
        call->tx_hash = verdict->tx_hash;
        call->duplicate = verdict->outcome == RPC_SUBMIT_DUPLICATE;
        if (wants_final(call)) {
            if (!wait_final(call)) {
                return;
            }
        } else {
            struct rpc_tx_outcome const pending = {.hash = verdict->tx_hash};
            write_outcome_of(call, &pending);
        }
    }
    rpc__call_done(call);
}

/* park_for_verdict gives the call a ticket. */
static uint64_t park_for_verdict(struct rpc_call *call)
{
    uint64_t const ticket = ++call->rpc->tickets;
    rpc__call_park(call, RPC_WAIT_TICKET, ticket, verdict_woken);
    return ticket;
}

void rpc__tx_submit(struct rpc_call *call)
{
    const char *text = NULL;
    uint32_t size = 0;
    (void)rpc__param_text(call->params, "transaction", &text);
    NV_ASSERT(text != NULL); /* it is required */
    if (!wait_legal(call)) {
        return;
    }
    uint8_t *bytes = nv_heap_alloc(VM_TX_SIZE_MAX);
    if (bytes == NULL) {
        rpc__call_fail(call, RPC_ERROR_BUSY);
        return;
    }
    enum nv_err const err =
        nv_bytes_parse_up_to(bytes, &size, VM_TX_SIZE_MAX, nv_view_of_text(text));
    if (err != NV_OK) {
        char expected[64];
        snprintf(expected,
                 sizeof expected,
                 "0x and at most %u bytes as lower-case digits",
                 VM_TX_SIZE_MAX);
        rpc__fault_field(&call->fault, RPC_ERROR_INVALID_PARAMS, "transaction", expected);
    } else {
        struct rpc *rpc = call->rpc;
        uint64_t const ticket = park_for_verdict(call);
        rpc->port.submit(rpc->port.ctx, nv_view_of(bytes, size), ticket);
    }
    nv_heap_free(bytes);
}

/* ---- devnet ---- */

/* positive_micro reads an amount above 0. */
static bool positive_micro(struct rpc_call *call, const char *name, int64_t *micro)
{
    const char *text = NULL;
    char canonical[NV_DECIMAL_TEXT];
    bool const there =
        rpc__param_text(call->params, name, &text) &&
        nv_decimal_parse(micro, canonical, nv_view_of_text(text), NV_MICRO_PLACES) == NV_OK;
    if (!there || *micro <= 0) {
        rpc__fault_field(&call->fault, RPC_ERROR_INVALID_PARAMS, name, "a number above 0");
        return false;
    }
    return true;
}

void rpc__dev_faucet(struct rpc_call *call)
{
    struct rpc *rpc = call->rpc;
    struct nv_address to;
    int64_t micro = 0;
    if (rpc->port.dev_faucet == NULL) {
        rpc__call_fail(call, RPC_ERROR_UNSUPPORTED);
        return;
    }
    if (!positive_micro(call, "amount", &micro) || !wait_legal(call)) {
        return;
    }
    (void)rpc__param_address(call->params, "address", &to);
    uint64_t const ticket = park_for_verdict(call);
    rpc->port.dev_faucet(rpc->port.ctx, &to, micro, ticket);
}

void rpc__dev_set_price(struct rpc_call *call)
{
    struct rpc *rpc = call->rpc;
    const char *feed = NULL;
    int64_t micro = 0;
    (void)rpc__param_text(call->params, "feed", &feed);
    if (rpc->port.dev_set_price == NULL) {
        rpc__call_fail(call, RPC_ERROR_UNSUPPORTED);
        return;
    }
    if (!positive_micro(call, "price", &micro)) {
        return;
    }
    enum nv_err const err = rpc->port.dev_set_price(rpc->port.ctx, feed, micro);
    if (err == NV_ERR_NOT_FOUND) {
        rpc__fault_field(&call->fault, VM_REJECT_FEED_UNKNOWN, "feed", "");
    } else if (err != NV_OK) {
        rpc__call_fail_err(call, err);
    } else {
        rpc__json_text(&call->out, "feed", feed);
        rpc__json_micro(&call->out, "price", micro);
    }
}
