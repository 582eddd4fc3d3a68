/* Goal: the program agrees with the second implementation of docs/spec/state.md
 * sections 2 to 5.
 * Method: every vector of tests/golden/state.json: rows are applied and loaded and
 * have the root; proofs are the same bytes, open, and say the same; what is no
 * proof is refused; the journal and the head are the same bytes. */

#include <string.h>

#include "base/fmt.h"
#include "base/proof.h"

#include "storage/db.h"
#include "storage/journal.h"
#include "storage/storage.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/golden.h"
#include "tests/lib/nv_test.h"

#define ROWS_MAX    300u
#define RANGES_MAX  8u
#define VALUES_SIZE (1u << 20)

static json_t *document;
static uint8_t values[VALUES_SIZE];
static uint8_t expected[1u << 20];
static uint8_t got[1u << 20];

static void parse_key(struct nv_row_key *key, const json_t *text)
{
    assert_int_equal(golden_parse(key->bytes, 32, json_string_value(text)).size, 32);
}

static uint32_t parse_rows(struct nv_row *rows, const json_t *list)
{
    uint32_t used = 0;
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(list, i, row)
    {
        assert_true(i < ROWS_MAX);
        parse_key(&rows[i].key, golden_member(row, "key"));
        rows[i].value = golden_bytes(values + used, VALUES_SIZE - used, row, "value");
        used += rows[i].value.size;
    }
    return (uint32_t)i;
}

static void check_proof(const struct st_state *state, const json_t *proof_vector)
{
    struct nv_row_range ranges[RANGES_MAX];
    struct nv_writer w;
    struct nv_proof proof;
    struct nv_row row;
    struct nv_row_key key;
    struct nv_view value;
    size_t count = 0;
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(golden_member(proof_vector, "ranges"), count, item)
    {
        parse_key(&ranges[count].first, json_array_get(item, 0));
        parse_key(&ranges[count].last, json_array_get(item, 1));
    }
    struct nv_view const bytes = golden_bytes(expected, sizeof expected, proof_vector, "bytes");
    nv_writer_init(&w, got, sizeof got);
    assert_int_equal(st_prove(state, &w, 0, ranges, (uint32_t)count), NV_OK);
    assert_true(nv_view_eq(nv_writer_view(&w), bytes));
    assert_int_equal(nv_proof_open(&proof, &st_newest(state)->root, bytes), NV_OK);
    for (i = 0; i < count; i++) {
        assert_true(nv_proof_covers(&proof, &ranges[i]));
    }
    uint32_t cursor = 0;
    json_array_foreach(golden_member(proof_vector, "shown"), i, item)
    {
        parse_key(&key, item);
        assert_true(nv_proof_next(&proof, &cursor, &row));
        assert_memory_equal(&row.key, &key, 32);
        assert_int_equal(nv_proof_find(&proof, &key, &value), NV_SHOWN_PRESENT);
    }
    assert_false(nv_proof_next(&proof, &cursor, &row));
    json_array_foreach(golden_member(proof_vector, "absent"), i, item)
    {
        parse_key(&key, item);
        assert_int_equal(nv_proof_find(&proof, &key, &value), NV_SHOWN_ABSENT);
    }
}

static void roots_and_proofs(void **unused)
{
    (void)unused;
    static struct nv_row rows[ROWS_MAX];
    struct st_limits const limits = {.rows_max = ROWS_MAX,
                                     .versions_max = 1,
                                     .writes_max = ROWS_MAX,
                                     .dirty_max = ROWS_MAX,
                                     .dirty_bytes_max = ROWS_MAX * NV_ROW_VALUE_MAX,
                                     .blocks_max = 1,
                                     .txs_max = 1};
    size_t i = 0;
    const json_t *vector = NULL;
    json_array_foreach(golden_member(document, "states"), i, vector)
    {
        struct st_state *state = NULL;
        uint32_t const count = parse_rows(rows, golden_member(vector, "rows"));
        struct nv_hash const root = golden_hash(vector, "root");
        struct st_block const block = {.writes = rows, .write_count = count};
        assert_int_equal(st_state_open(&state, &limits), NV_OK);
        assert_int_equal(st_apply(state, &block), NV_OK);
        assert_memory_equal(&st_newest(state)->root, &root, 32);
        size_t j = 0;
        const json_t *proof = NULL;
        json_array_foreach(golden_member(vector, "proofs"), j, proof)
        {
            check_proof(state, proof);
        }
        assert_true(j > 3);
        st_state_close(state);
    }
    assert_true(i > 3);
}

static void bytes_that_are_no_proof(void **unused)
{
    (void)unused;
    size_t i = 0;
    const json_t *vector = NULL;
    json_array_foreach(golden_member(document, "refused"), i, vector)
    {
        struct nv_proof proof;
        struct nv_hash const root = {{0}};
        struct nv_view const bytes = golden_bytes(expected, sizeof expected, vector, "bytes");
        enum nv_err const err = nv_proof_open(&proof, &root, bytes);
        assert_int_not_equal(err, NV_OK);
        assert_int_not_equal(err, NV_ERR_MISMATCH); /* it is the form that is wrong */
    }
    assert_true(i > 10);
}

/* append appends one batch of the vectors. */
static void append(struct st_journal *journal, const json_t *vector)
{
    static uint8_t memory[8192];
    struct st_batch batch;
    size_t i = 0;
    const json_t *record = NULL;
    st_batch_init(&batch, memory, sizeof memory);
    json_array_foreach(golden_member(vector, "records"), i, record)
    {
        uint8_t const type = (uint8_t)json_integer_value(golden_member(record, "type"));
        struct nv_view const part = golden_bytes(expected, sizeof expected, record, "bytes");
        assert_int_equal(st_batch_add(&batch, NULL, type, &part, 1), NV_OK);
    }
    assert_int_equal(st_journal_append(journal, &batch), NV_OK);
}

static void the_journal(void **unused)
{
    (void)unused;
    const json_t *const vector = golden_member(document, "journal");
    struct disk *const disk = disk_new();
    struct st_files const files = disk_port(disk);
    struct st_journal_options const options = {
        .files = &files, .dir = "d", .segment_size = 4096, .batch_max = 2048};
    struct st_journal *journal = NULL;
    uint8_t id[ST_JOURNAL_ID_SIZE];
    assert_int_equal(golden_bytes(id, sizeof id, vector, "id").size, sizeof id);
    assert_int_equal(st_journal_create(&journal, &options, id), NV_OK);
    const struct disk_file *const file = disk_file_named(disk, "journal-00000001");
    assert_non_null(file);
    assert_int_equal(file->seen_size, json_integer_value(golden_member(vector, "size")));
    struct nv_view bytes = golden_bytes(expected, sizeof expected, vector, "head");
    assert_memory_equal(file->seen, bytes.bytes, bytes.size);
    uint32_t at = ST_SECTOR_SIZE;
    size_t i = 0;
    const json_t *batch = NULL;
    json_array_foreach(golden_member(vector, "batches"), i, batch)
    {
        append(journal, batch);
        bytes = golden_bytes(expected, sizeof expected, batch, "bytes");
        assert_memory_equal(file->seen + at, bytes.bytes, bytes.size);
        at += (bytes.size + ST_SECTOR_SIZE - 1) / ST_SECTOR_SIZE * ST_SECTOR_SIZE;
        assert_int_equal(st_journal_end(journal).offset, at);
    }
    st_journal_close(journal);
    disk_free(disk);
}

static void the_head(void **unused)
{
    (void)unused;
    const json_t *const vector = golden_member(document, "head");
    struct st_head head = {.block_hash = golden_hash(vector, "block_hash"),
                           .root = golden_hash(vector, "root")};
    uint8_t bytes[ST__HEAD_SIZE];
    const char *const height = json_string_value(golden_member(vector, "height"));
    const char *const rows = json_string_value(golden_member(vector, "rows"));
    assert_int_equal(nv_u64_parse(&head.height, nv_view_of_text(height)), NV_OK);
    assert_int_equal(nv_u64_parse(&head.row_count, nv_view_of_text(rows)), NV_OK);
    st__head_encode(bytes, &head);
    struct nv_view const want = golden_bytes(expected, sizeof expected, vector, "bytes");
    assert_true(nv_view_eq(nv_view_of(bytes, sizeof bytes), want));
}

int main(void)
{
    document = golden_load("state");
    if (document == NULL) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_and_proofs),
        cmocka_unit_test(bytes_that_are_no_proof),
        cmocka_unit_test(the_journal),
        cmocka_unit_test(the_head),
    };
    int const failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(document);
    return failed;
}
