/* Goal: no single flipped bit of a proof, of the finality certificate or of the
 * header that it hangs on is ever believed.
 *
 * Method: exhaustively, on 200 different proofs. They are cut by the real tree
 * from states of 0 to 300 rows, with values of 0 to 1,984 bytes: one key that is
 * there, one that is not, both, several, a range with rows, a range without.
 * Each state has a final header and a certificate of its own, by 1 to 10
 * validators. Each proof is first opened as it is, and what it shows compared
 * with the rows; then every bit of it is flipped, one at a time; so is every bit
 * of every header and certificate. */

#include <stdio.h>
#include <string.h>

#include "base/proof.h"
#include "base/sort.h"

#include "consensus/light_client.h"
#include "storage/storage.h"
#include "tests/lib/light_build.h"
#include "tests/lib/nv_test.h"

#define PROOFS    200u
#define STATES    48u
#define QUERIES   6u
#define ROWS_MAX  300u
#define PROOF_MAX (1u << 14)

static struct nv_test_rng rng = {.state = 3};
static struct nv_row rows[ROWS_MAX];
static uint8_t values[ROWS_MAX][NV_ROW_VALUE_MAX];
static uint32_t row_count;
static struct light_world world;
static struct cs_light light;
static uint8_t proof_bytes[PROOF_MAX];
static struct nv_hash met[PROOFS]; /* hashes of the proofs had so far */
static uint32_t met_count;
static uint64_t proof_bits;
static uint64_t header_bits;
static uint64_t certificate_bits;

/* ---- states ---- */

static int row_cmp(const void *a, const void *b)
{
    return nv_row_key_cmp(&((const struct nv_row *)a)->key, &((const struct nv_row *)b)->key);
}

/* make_rows makes rows whose keys share long prefixes here and none there. */
static void make_rows(uint32_t count)
{
    static struct nv_row scratch[ROWS_MAX];
    row_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct nv_row_key *const key = &rows[i].key;
        uint32_t const size = i % 31 == 30 ? NV_ROW_VALUE_MAX : nv_test_below(&rng, 90);
        nv_test_fill(&rng, key->bytes, sizeof key->bytes);
        if (i % 3 != 0) {
            memcpy(key->bytes, rows[i - 1].key.bytes, nv_test_below(&rng, 31));
        }
        nv_test_fill(&rng, values[i], size);
        rows[i].value = nv_view_of(values[i], size);
    }
    nv_sort(rows, count, sizeof rows[0], row_cmp, scratch);
}

static struct st_state *make_state(void)
{
    struct st_limits const limits = {.rows_max = ROWS_MAX,
                                     .versions_max = 2,
                                     .writes_max = ROWS_MAX,
                                     .dirty_max = ROWS_MAX,
                                     .dirty_bytes_max = ROWS_MAX * NV_ROW_VALUE_MAX,
                                     .blocks_max = 2,
                                     .txs_max = 1};
    struct st_block const block = {.height = 5, .writes = rows, .write_count = row_count};
    struct st_state *state = NULL;
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    assert_int_equal(st_apply(state, &block), NV_OK);
    return state;
}

/* ---- what is asked ---- */

struct query {
    struct nv_row_range range[3];
    uint32_t count;
};

static void one_key(struct query *q, const struct nv_row_key *key)
{
    q->range[q->count] = (struct nv_row_range){*key, *key};
    q->count++;
}

/* beside makes a key that no row has, next to one that is there. */
static struct nv_row_key beside(uint32_t i)
{
    struct nv_row_key key;
    nv_test_fill(&rng, key.bytes, sizeof key.bytes);
    if (row_count > 0) {
        memcpy(key.bytes, rows[i % row_count].key.bytes, 31);
        key.bytes[31] = (uint8_t)(rows[i % row_count].key.bytes[31] ^ 0x5au);
    }
    return key;
}

/* sort_ranges puts the one-key ranges in order, as st_prove wants them. */
static int range_cmp(const void *a, const void *b)
{
    return nv_row_key_cmp(&((const struct nv_row_range *)a)->first,
                          &((const struct nv_row_range *)b)->first);
}

static bool make_query(struct query *q, uint32_t kind)
{
    struct nv_row_range scratch[3];
    uint32_t const i = row_count > 0 ? nv_test_below(&rng, row_count) : 0;
    uint32_t const j = row_count > 3 ? (i + 1 + nv_test_below(&rng, row_count - 3)) % row_count : i;
    struct nv_row_key const absent = beside(i);
    q->count = 0;
    if (row_count == 0 || kind == 1) {
        one_key(q, &absent);
        return true;
    }
    if (kind == 4 && i + 3 < row_count) {
        q->range[0] = (struct nv_row_range){rows[i].key, rows[i + 3].key};
        q->count = 1;
        return true;
    }
    if (kind == 5 && i + 1 < row_count) {
        q->range[0] = (struct nv_row_range){rows[i].key, rows[i + 1].key};
        q->range[0].first.bytes[31]++;
        q->range[0].last.bytes[31]--;
        q->count = 1;
        return rows[i].key.bytes[31] != UINT8_MAX && rows[i + 1].key.bytes[31] != 0;
    }
    one_key(q, &rows[i].key);
    if (kind >= 2) {
        one_key(q, &absent);
    }
    if (kind >= 3 && j != i) {
        one_key(q, &rows[j].key);
    }
    nv_sort(q->range, q->count, sizeof q->range[0], range_cmp, scratch);
    return true;
}

/* check_rows compares what a proof shows in the ranges with the rows. */
static void check_rows(const struct nv_proof *proof, const struct query *q)
{
    for (uint32_t r = 0; r < q->count; r++) {
        struct nv_view value;
        bool there = false;
        assert_true(nv_proof_covers(proof, &q->range[r]));
        for (uint32_t i = 0; i < row_count; i++) {
            if (nv_row_key_cmp(&rows[i].key, &q->range[r].first) < 0 ||
                nv_row_key_cmp(&rows[i].key, &q->range[r].last) > 0) {
                continue;
            }
            assert_int_equal(nv_proof_find(proof, &rows[i].key, &value), NV_SHOWN_PRESENT);
            assert_true(nv_view_eq(value, rows[i].value));
            there = there || nv_row_key_cmp(&rows[i].key, &q->range[r].first) == 0;
        }
        if (!there) {
            assert_int_equal(nv_proof_find(proof, &q->range[r].first, &value), NV_SHOWN_ABSENT);
        }
    }
}

/* ---- flipping ---- */

typedef enum cs_light_verdict (*look_fn)(const void *ctx);

/* flip_all flips each bit of some bytes; not one may be believed. */
static uint64_t flip_all(uint8_t *bytes, uint32_t size, look_fn look, const void *ctx)
{
    for (uint32_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        enum cs_light_verdict const verdict = look(ctx);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (verdict == CS_LIGHT_OK) {
            fail_msg("bit %u of %u bytes was flipped and believed", bit, size);
        }
    }
    assert_int_equal(look(ctx), CS_LIGHT_OK);
    return 8 * (uint64_t)size;
}

static enum cs_light_verdict look_at_block(const void *ctx)
{
    struct cs_light_final final;
    struct cs_light_block const block = light_world_block(&world);
    (void)ctx;
    return cs_light_final(&final, &light, LIGHT_TIME_MS, &block);
}

struct shown {
    const struct cs_light_final *final;
    struct nv_view bytes;
};

static enum cs_light_verdict look_at_proof(const void *ctx)
{
    const struct shown *const shown = ctx;
    struct nv_proof proof;
    return cs_light_open(&proof, shown->final, shown->bytes);
}

/* is_new returns whether no proof before had these bytes. */
static bool is_new(struct nv_view bytes)
{
    struct nv_hash hash;
    nv_sha256(&hash, bytes);
    for (uint32_t i = 0; i < met_count; i++) {
        if (nv_hash_eq(&met[i], &hash)) {
            return false;
        }
    }
    met[met_count] = hash;
    met_count++;
    return true;
}

static void
flip_proof(const struct st_state *state, const struct cs_light_final *final, const struct query *q)
{
    struct nv_writer writer;
    struct nv_proof proof;
    nv_writer_init(&writer, proof_bytes, sizeof proof_bytes);
    assert_int_equal(st_prove(state, &writer, 5, q->range, q->count), NV_OK);
    struct shown const shown = {final, nv_writer_view(&writer)};
    if (!is_new(shown.bytes)) {
        return;
    }
    assert_int_equal(cs_light_open(&proof, final, shown.bytes), CS_LIGHT_OK);
    check_rows(&proof, q);
    proof_bits += flip_all(proof_bytes, writer.size, look_at_proof, &shown);
}

/* ---- all of it ---- */

static void flip_state(uint32_t number)
{
    static const uint32_t sizes[] = {7, 1, 40, 2, 0, 300, 3, 12, 100, 5, 20, 4};
    static const uint32_t validators[] = {4, 1, 7, 3, 4, 2, 10, 5};
    struct cs_light_final final;
    make_rows(sizes[number % (sizeof sizes / sizeof sizes[0])]);
    struct st_state *const state = make_state();
    light_world_init(&world, NULL, validators[number % (sizeof validators / sizeof validators[0])]);
    cs_light_init(&light, &world.net.chain_id, LIGHT_TIME_MS, 1, &world.net.set);
    light_world_final(&world, &st_newest(state)->root, 5, 0);
    struct cs_light_block const block = light_world_block(&world);
    assert_int_equal(cs_light_final(&final, &light, LIGHT_TIME_MS, &block), CS_LIGHT_OK);
    for (uint32_t kind = 0; kind < QUERIES && met_count < PROOFS; kind++) {
        struct query q;
        if (make_query(&q, kind)) {
            flip_proof(state, &final, &q);
        }
    }
    header_bits += flip_all(world.header_bytes, sizeof world.header_bytes, look_at_block, NULL);
    certificate_bits +=
        flip_all(world.certificate_bytes, world.certificate_size, look_at_block, NULL);
    st_state_close(state);
}

static void no_flipped_bit_is_believed(void **unused)
{
    (void)unused;
    uint32_t states = 0;
    for (; states < STATES && met_count < PROOFS; states++) {
        flip_state(states);
    }
    print_message("# %u proofs of %u states: %llu bits of proofs, %llu of headers, %llu of "
                  "certificates flipped\n",
                  met_count,
                  states,
                  (unsigned long long)proof_bits,
                  (unsigned long long)header_bits,
                  (unsigned long long)certificate_bits);
    assert_int_equal(met_count, PROOFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_flipped_bit_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
