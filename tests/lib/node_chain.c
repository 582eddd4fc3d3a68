#include "tests/lib/node_chain.h"

#include <string.h>

#include "base/arena.h"

#include "tests/lib/nv_test.h"
#include "vm/wire/wire.h"

#define VALIDATORS 4u

uint64_t node_chain_final_height(uint64_t height)
{
    return (height + 3) / 4 * 4;
}

/* make_tx signs one transaction that expires 30 s after its block. */
static void make_tx(struct made_chain *chain,
                    struct made_block *b,
                    uint32_t i,
                    struct nv_arena *arena,
                    uint8_t *memory)
{
    struct nv_seckey secret;
    struct nv_pubkey key;
    uint32_t size = 0;
    uint8_t const seed[32] = {9};
    struct vm_action const action = {.kind = VM_ACTION_CANCEL, .cancel_order = 1};
    assert_int_equal(nv_key_from_seed(&secret, &key, seed), NV_OK);
    struct vm_tx tx = {
        .expires_ms = b->block.header.time_ms + 30000,
        .salt = b->block.header.height * 10 + i,
        .action_count = 1,
        .actions = &action,
    };
    nv_address_of_key(&tx.account, &key);
    assert_int_equal(vm_tx_encode(&tx, memory, &size, &chain->chain_id, &secret), NV_OK);
    assert_int_equal(vm_tx_decode(&b->txs[i], nv_view_of(memory, size), &chain->chain_id, arena),
                     NV_OK);
}

static void make_body(struct made_chain *chain, struct made_block *b)
{
    struct nv_arena arena;
    struct nv_writer w;
    uint32_t const count = (uint32_t)(b->block.header.height % 3);
    nv_arena_init(&arena, b->arena, sizeof b->arena);
    for (uint32_t i = 0; i < count; i++) {
        make_tx(chain, b, i, &arena, NV_ARENA_NEW(&arena, uint8_t, VM_TX_SIZE_MAX));
    }
    if (count == 2 && nv_hash_cmp(&b->txs[0].hash, &b->txs[1].hash) > 0) {
        struct vm_tx const first = b->txs[0];
        b->txs[0] = b->txs[1];
        b->txs[1] = first;
    }
    nv_writer_init(&w, b->body, sizeof b->body);
    for (uint32_t i = 0; i < count; i++) {
        cs_body_put(&w, b->txs[i].bytes);
    }
    assert_false(w.overflow);
    b->block.body = nv_view_of(b->body, w.size);
    b->block.txs = b->txs;
    b->block.tx_count = count;
    b->block.header.tx_count = count;
    b->block.header.body_size = w.size;
    cs_body_root(&b->block.header.body_root, b->block.body);
}

static void make_block(struct made_chain *chain, uint64_t height)
{
    struct made_block *const b = &chain->block[height];
    struct nv_writer w;
    memset(b, 0, sizeof *b);
    b->block.header = (struct cs_header){
        .chain_id = chain->chain_id,
        .epoch = 1,
        .height = height,
        .view = height,
        .parent_view = height - 1,
        .parent_hash = height == 1 ? chain->chain_id : chain->block[height - 1].block.hash,
        .time_ms = chain->start_ms + 1000 * height,
    };
    make_body(chain, b);
    cs_header_hash(&b->block.hash, &b->block.header);
    struct cs_block const stored = {.header = b->block.header};
    nv_writer_init(&w, b->record, sizeof b->record);
    cs_block_put(&w, &stored);
    assert_false(w.overflow);
    b->record_size = w.size;
}

static struct cs_certificate final_of(const struct cs_header *header, const struct nv_hash *hash)
{
    static const struct nv_sig sigs[3];
    struct cs_certificate certificate = {
        .ballot = {.kind = CS_FINALIZE,
                   .epoch = header->epoch,
                   .view = header->view,
                   .parent_view = header->parent_view,
                   .block_hash = *hash},
        .signer_count = 3,
        .sigs = sigs,
    };
    for (uint32_t i = 0; i < 3; i++) {
        cs_bitmap_add(&certificate.signers, i);
    }
    return certificate;
}

static void make_final(struct made_chain *chain, uint64_t height)
{
    struct made_block *const b = &chain->block[height];
    const struct replica_block *const top = &chain->block[node_chain_final_height(height)].block;
    struct cs_certificate const certificate = final_of(&top->header, &top->hash);
    struct nv_writer w;
    nv_writer_init(&w, b->final, sizeof b->final);
    cs_certificate_put(&w, &certificate);
    assert_false(w.overflow);
    b->block.final = nv_view_of(b->final, w.size);
    b->block.final_hash = top->hash;
}

void node_chain_make(struct made_chain *chain, const struct nv_hash *chain_id, uint32_t count)
{
    assert_true(count % 4 == 0 && count <= NODE_CHAIN_MAX);
    chain->chain_id = *chain_id;
    chain->start_ms = UINT64_C(1700000000000);
    chain->count = count;
    for (uint64_t h = 1; h <= count; h++) {
        make_block(chain, h);
    }
    for (uint64_t h = 1; h <= count; h++) {
        make_final(chain, h);
    }
}

uint32_t node_chain_handover(const struct made_chain *chain, uint64_t epoch, uint8_t *out)
{
    struct cs_valset set;
    struct nv_seckey secret;
    uint8_t bytes[CS_VALSET_SIZE_MAX];
    struct cs_validator member = {.stake = epoch};
    uint8_t const seed[32] = {(uint8_t)epoch, 3};
    struct nv_hash hash;
    struct nv_writer w;
    assert_int_equal(nv_key_from_seed(&secret, &member.key, seed), NV_OK);
    assert_int_equal(cs_valset_init(&set, &member, 1), NV_OK);
    struct cs_handover handover = {
        .header = {.chain_id = chain->chain_id,
                   .epoch = epoch,
                   .height = 1000 * epoch,
                   .view = 1000,
                   .parent_view = 999,
                   .time_ms = chain->start_ms + 1000000 * epoch,
                   .next_valset_hash = set.hash},
        .set = nv_view_of(bytes, cs_valset_encode(&set, bytes)),
    };
    cs_header_hash(&hash, &handover.header);
    handover.final = final_of(&handover.header, &hash);
    nv_writer_init(&w, out, CS_HANDOVER_SIZE_MAX);
    cs_handover_put(&w, &handover);
    assert_false(w.overflow);
    return w.size;
}

struct nv_view node_chain_genesis(void)
{
    static const char text[] =
        "{\"format\":\"novate-genesis-1\",\"name\":\"test\",\"salt\":"
        "\"0x0000000000000000000000000000000000000000000000000000000000000001\",\"devnet\":true,"
        "\"time_ms\":1700000000000,"
        "\"consensus\":{\"delta_ms\":100,\"idle_ms\":1000,\"interval_min_ms\":0,\"epoch_ms\":0,"
        "\"body_bytes_max\":1048576},\"validators\":[{\"name\":\"v0\",\"key\":"
        "\"0xf9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9\",\"node_key\":"
        "\"0xdff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659\",\"stake\":\"1\"}],"
        "\"fee_account\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\","
        "\"insurance_account\":\"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\","
        "\"accounts\":[{\"address\":\"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\",\"cash\":"
        "\"1000\"}],\"reporters\":[{\"address\":\"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb\","
        "\"stake\":\"1\"}],"
        "\"feeds\":[{\"symbol\":\"BTC\",\"range_initial\":\"0.08\",\"range_maintenance\":"
        "\"0.04\"}],\"markets\":[],\"params\":{}}";
    return nv_view_of(text, sizeof text - 1);
}
