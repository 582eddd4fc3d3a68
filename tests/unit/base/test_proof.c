/* Goal: a proof tells the truth or does not open.
 * Method: proofs cut by the slow model of rows for keys there and not there, for
 * ranges and for lists of both; what each tells is compared with the list of rows.
 * Then hostile bytes: every bit flipped, every length, every form that the page
 * forbids, and lies that fold to the right root. */

#include "base/codec.h"
#include "base/proof.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/row_model.h"

static struct row_model model;
static uint8_t memory[NV_PROOF_SIZE_MAX];

/* Keys of few distinct bits make neighbours, long shared prefixes and hits. */
static void random_key(struct nv_test_rng *rng, struct nv_row_key *key)
{
    memset(key, 0, sizeof *key);
    key->bytes[0] = (uint8_t)nv_test_below(rng, 4);
    key->bytes[7] = (uint8_t)nv_test_below(rng, 16);
    key->bytes[31] = (uint8_t)nv_test_below(rng, 8);
}

static void fill_model(struct nv_test_rng *rng, uint32_t count)
{
    uint8_t value[NV_ROW_VALUE_MAX];
    model.count = 0;
    while (model.count < count) {
        struct nv_row row;
        random_key(rng, &row.key);
        uint32_t const size = nv_test_below(rng, 8) == 0 ? NV_ROW_VALUE_MAX : 40;
        row.value = nv_view_of(value, nv_test_below(rng, size + 1));
        nv_test_fill(rng, value, row.value.size);
        assert_true(model_put(&model, &row));
    }
}

static struct nv_view prove(const struct nv_row_range *ranges, uint32_t count)
{
    struct nv_writer w;
    nv_writer_init(&w, memory, sizeof memory);
    model_prove(&w, &model, ranges, count);
    return nv_writer_view(&w);
}

static void open_proof(struct nv_proof *proof, struct nv_view bytes)
{
    struct nv_hash root;
    model_root(&root, &model);
    assert_int_equal(nv_proof_open(proof, &root, bytes), NV_OK);
}

/* What the proof tells of a key must be true. */
static void check_find(const struct nv_proof *proof, const struct nv_row_key *key, bool must_tell)
{
    struct nv_view value = {NULL, 0};
    const struct model_row *const row = model_get(&model, key);
    enum nv_shown const shown = nv_proof_find(proof, key, &value);
    if (shown == NV_SHOWN_NOT) {
        assert_false(must_tell);
    } else if (shown == NV_SHOWN_PRESENT) {
        assert_non_null(row);
        assert_true(nv_view_eq(value, nv_view_of(row->value, row->size)));
    } else {
        assert_int_equal(shown, NV_SHOWN_ABSENT);
        assert_null(row);
    }
}

static void a_key_is_shown_there_or_absent(void **state)
{
    (void)state;
    struct nv_test_rng rng = {2};
    for (uint32_t round = 0; round < 60; round++) {
        fill_model(&rng, round < 20 ? round : 1 + nv_test_below(&rng, 150));
        for (uint32_t i = 0; i < 20; i++) {
            struct nv_row_range range;
            struct nv_row_key other;
            struct nv_proof proof;
            random_key(&rng, &range.first);
            range.last = range.first;
            open_proof(&proof, prove(&range, 1));
            check_find(&proof, &range.first, true);
            assert_true(nv_proof_covers(&proof, &range));
            random_key(&rng, &other);
            check_find(&proof, &other, false);
        }
    }
}

/* All rows of the range, and in order, and nothing else in the range. */
static void check_range(const struct nv_proof *proof, const struct nv_row_range *range)
{
    assert_true(nv_proof_covers(proof, range));
    uint32_t at = model_find(&model, &range->first);
    struct nv_row row;
    for (uint32_t cursor = 0; nv_proof_next(proof, &cursor, &row);) {
        if (nv_row_key_cmp(&row.key, &range->first) < 0 ||
            nv_row_key_cmp(&row.key, &range->last) > 0) {
            continue;
        }
        assert_true(at < model.count);
        assert_memory_equal(&row.key, &model.rows[at].key, 32);
        assert_true(nv_view_eq(row.value, nv_view_of(model.rows[at].value, model.rows[at].size)));
        at++;
    }
    assert_true(at == model.count || nv_row_key_cmp(&model.rows[at].key, &range->last) > 0);
}

static void ordered_range(struct nv_test_rng *rng, struct nv_row_range *range)
{
    random_key(rng, &range->first);
    random_key(rng, &range->last);
    if (nv_row_key_cmp(&range->first, &range->last) > 0) {
        struct nv_row_key const first = range->first;
        range->first = range->last;
        range->last = first;
    }
}

static void a_range_is_shown_whole(void **state)
{
    (void)state;
    struct nv_test_rng rng = {3};
    for (uint32_t round = 0; round < 300; round++) {
        struct nv_row_range range;
        struct nv_row_range other;
        struct nv_proof proof;
        fill_model(&rng, nv_test_below(&rng, 100));
        ordered_range(&rng, &range);
        open_proof(&proof, prove(&range, 1));
        check_range(&proof, &range);
        /* Whatever else it says to cover, it does. */
        ordered_range(&rng, &other);
        if (nv_proof_covers(&proof, &other)) {
            check_range(&proof, &other);
        }
    }
}

static void a_range_that_is_not_asked_for_is_not_covered(void **state)
{
    (void)state;
    struct nv_test_rng rng = {4};
    fill_model(&rng, 50);
    struct nv_row_range const one = {model.rows[20].key, model.rows[20].key};
    struct nv_row_range const two = {model.rows[20].key, model.rows[21].key};
    struct nv_row_range const before = {model.rows[19].key, model.rows[20].key};
    struct nv_row_range const backwards = {model.rows[21].key, model.rows[20].key};
    struct nv_row_range all;
    struct nv_proof proof;
    memset(&all.first, 0, 32);
    memset(&all.last, 0xff, 32);
    open_proof(&proof, prove(&one, 1));
    assert_true(nv_proof_covers(&proof, &one));
    assert_false(nv_proof_covers(&proof, &two));
    assert_false(nv_proof_covers(&proof, &before));
    assert_false(nv_proof_covers(&proof, &all));
    assert_true(nv_proof_covers(&proof, &backwards));
    open_proof(&proof, prove(&all, 1));
    assert_true(nv_proof_covers(&proof, &all));
    check_range(&proof, &all);
}

static void many_keys_and_ranges_share_one_proof(void **state)
{
    (void)state;
    struct nv_test_rng rng = {5};
    for (uint32_t round = 0; round < 100; round++) {
        struct nv_row_range ranges[8];
        struct nv_proof proof;
        uint32_t count = 0;
        fill_model(&rng, 1 + nv_test_below(&rng, 200));
        while (count < 8) {
            struct nv_row_range *const range = &ranges[count];
            ordered_range(&rng, range);
            if (nv_test_below(&rng, 2) == 0) {
                range->last = range->first;
            }
            if (count > 0 && nv_row_key_cmp(&range->first, &ranges[count - 1].last) <= 0) {
                break;
            }
            count++;
        }
        open_proof(&proof, prove(ranges, count));
        for (uint32_t i = 0; i < count; i++) {
            check_range(&proof, &ranges[i]);
        }
    }
}

static void every_flipped_bit_is_found(void **state)
{
    (void)state;
    struct nv_test_rng rng = {6};
    for (uint32_t round = 0; round < 12; round++) {
        struct nv_row_range range;
        struct nv_proof proof;
        struct nv_hash root;
        fill_model(&rng, round * 5);
        ordered_range(&rng, &range);
        if (round % 2 == 0) {
            range.last = range.first;
        }
        struct nv_view const bytes = prove(&range, 1);
        model_root(&root, &model);
        for (uint32_t i = 0; i < bytes.size * 8; i++) {
            uint8_t const mask = (uint8_t)(1u << (i % 8));
            memory[i / 8] = (uint8_t)(memory[i / 8] ^ mask);
            assert_int_not_equal(nv_proof_open(&proof, &root, bytes), NV_OK);
            memory[i / 8] = (uint8_t)(memory[i / 8] ^ mask);
        }
        assert_int_equal(nv_proof_open(&proof, &root, bytes), NV_OK);
    }
}

static void every_other_length_is_found(void **state)
{
    (void)state;
    struct nv_test_rng rng = {7};
    struct nv_row_range range;
    struct nv_proof proof;
    struct nv_hash root;
    fill_model(&rng, 40);
    ordered_range(&rng, &range);
    struct nv_view const bytes = prove(&range, 1);
    model_root(&root, &model);
    for (uint32_t size = 0; size < bytes.size; size++) {
        assert_int_equal(nv_proof_open(&proof, &root, nv_view_of(memory, size)), NV_ERR_TRUNCATED);
    }
    memory[bytes.size] = 0;
    assert_int_equal(nv_proof_open(&proof, &root, nv_view_of(memory, bytes.size + 1)),
                     NV_ERR_TRAILING);
    assert_int_equal(nv_proof_open(&proof, &root, nv_view_of(memory, sizeof memory)),
                     NV_ERR_TRAILING);
    assert_int_equal(nv_proof_open(&proof, &root, nv_view_of(memory, NV_PROOF_SIZE_MAX + 1)),
                     NV_ERR_TOO_LARGE);
}

static void another_root_is_found(void **state)
{
    (void)state;
    struct nv_test_rng rng = {8};
    struct nv_row_range range;
    struct nv_proof proof;
    struct nv_hash root;
    fill_model(&rng, 40);
    ordered_range(&rng, &range);
    struct nv_view const bytes = prove(&range, 1);
    assert_true(model_remove(&model, &model.rows[7].key));
    model_root(&root, &model);
    assert_int_equal(nv_proof_open(&proof, &root, bytes), NV_ERR_MISMATCH);
}

/* Hand-made proofs: a small language for the nodes. */
struct maker {
    struct nv_writer w;
};

static void begin(struct maker *m)
{
    nv_writer_init(&m->w, memory, sizeof memory);
    nv_put_u8(&m->w, NV_PROOF_VERSION);
}

static void inner(struct maker *m, uint8_t depth)
{
    nv_put_u8(&m->w, NV_PROOF_INNER);
    nv_put_u8(&m->w, depth);
}

static void cut(struct maker *m)
{
    uint8_t const hash[32] = {9};
    nv_put_u8(&m->w, NV_PROOF_CUT);
    nv_put_bytes(&m->w, hash, sizeof hash);
}

static void row(struct maker *m, uint8_t first_byte, uint16_t size)
{
    uint8_t const key[32] = {first_byte};
    nv_put_u8(&m->w, NV_PROOF_ROW);
    nv_put_bytes(&m->w, key, sizeof key);
    nv_put_u16(&m->w, size);
    for (uint32_t i = 0; i < size; i++) {
        nv_put_u8(&m->w, 0);
    }
}

static enum nv_err verdict(const struct maker *m)
{
    struct nv_proof proof;
    struct nv_hash const root = {{0}};
    return nv_proof_open(&proof, &root, nv_writer_view(&m->w));
}

static void forms_that_the_page_forbids(void **state)
{
    (void)state;
    struct maker m;
    begin(&m); /* well-formed, of another root: the forms below differ in one thing */
    inner(&m, 0);
    row(&m, 0x00, NV_ROW_VALUE_MAX);
    inner(&m, 1);
    cut(&m);
    row(&m, 0xc0, 0);
    assert_int_equal(verdict(&m), NV_ERR_MISMATCH);
    begin(&m); /* a value too large */
    row(&m, 0, NV_ROW_VALUE_MAX + 1);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m); /* a depth that does not grow */
    inner(&m, 1);
    row(&m, 0x00, 0);
    inner(&m, 1);
    cut(&m);
    row(&m, 0x40, 0);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m); /* both sides cut */
    inner(&m, 0);
    cut(&m);
    cut(&m);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m); /* nothing but a cut */
    cut(&m);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m); /* empty below an inner node */
    inner(&m, 0);
    nv_put_u8(&m.w, NV_PROOF_EMPTY);
    row(&m, 0x80, 0);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m); /* no such kind */
    nv_put_u8(&m.w, 5);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    memory[0] = 2; /* no such version */
    assert_int_equal(verdict(&m), NV_ERR_VERSION);
}

static void keys_on_the_wrong_side_are_found(void **state)
{
    (void)state;
    struct maker m;
    begin(&m); /* left and right exchanged */
    inner(&m, 0);
    row(&m, 0x80, 0);
    row(&m, 0x00, 0);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m); /* the keys differ before the depth */
    inner(&m, 2);
    row(&m, 0x00, 0);
    row(&m, 0xe0, 0);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m); /* the only key is on the wrong side of a cut */
    inner(&m, 0);
    row(&m, 0x80, 0);
    cut(&m);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m);
    inner(&m, 0);
    cut(&m);
    row(&m, 0x00, 0);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
    begin(&m); /* the same key twice */
    inner(&m, 3);
    row(&m, 0x00, 0);
    row(&m, 0x00, 0);
    assert_int_equal(verdict(&m), NV_ERR_MALFORMED);
}

/* The deepest tree there is: 257 keys, each differing from the last one bit
 * later than the one before. */
static void the_deepest_tree_opens(void **state)
{
    (void)state;
    struct nv_proof proof;
    struct nv_row_range range;
    memset(&range, 0, sizeof range);
    model.count = 0;
    struct nv_row row_of_zeros = {.value = nv_view_of("v", 1)};
    memset(&row_of_zeros.key, 0, sizeof row_of_zeros.key);
    assert_true(model_put(&model, &row_of_zeros));
    for (uint32_t i = 0; i < 256; i++) {
        struct nv_row one = row_of_zeros;
        one.key.bytes[i / 8] = (uint8_t)(0x80u >> (i % 8));
        assert_true(model_put(&model, &one));
    }
    open_proof(&proof, prove(&range, 1));
    check_range(&proof, &range);
    memset(&range.last, 0xff, sizeof range.last);
    open_proof(&proof, prove(&range, 1));
    check_range(&proof, &range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_shown_there_or_absent),
        cmocka_unit_test(a_range_is_shown_whole),
        cmocka_unit_test(a_range_that_is_not_asked_for_is_not_covered),
        cmocka_unit_test(many_keys_and_ranges_share_one_proof),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(every_other_length_is_found),
        cmocka_unit_test(another_root_is_found),
        cmocka_unit_test(forms_that_the_page_forbids),
        cmocka_unit_test(keys_on_the_wrong_side_are_found),
        cmocka_unit_test(the_deepest_tree_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
