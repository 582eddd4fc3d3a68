/* Goal: the rows of a state go through chunks into another database and come to
 * the same root; whatever is wrong with a manifest or a chunk is noticed with the
 * one chunk, and laid at the right door; a load that is killed leaves the rows of
 * before.
 * Method: states of many small and of some large rows; bits changed everywhere;
 * manifests that cut the keys otherwise; frames that lie about their size; a child
 * process that dies in the middle of a load. */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "base/heap.h"

#include "storage/snapshot.h"
#include "storage/snapshot_parts.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

#define HEIGHT 7u

static char dir[TEMP_DIR_SIZE];
static struct st_snapshots at;
static uint8_t manifest_bytes[ST_MANIFEST_SIZE_MAX];
static uint8_t packed_bytes[ST_CHUNK_PACKED_MAX];
static uint8_t chunk_bytes[ST_CHUNK_SIZE_MAX];

static int begin(void **state)
{
    (void)state;
    temp_dir_new(dir);
    at = (struct st_snapshots){.files = st_files_system(), .dir = dir};
    return 0;
}

static int end(void **state)
{
    (void)state;
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    assert_int_equal(st_snapshot_list(&at, heights, &count, ST_SNAPSHOT_DONE), NV_OK);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(st_snapshot_remove(&at, heights[i], ST_SNAPSHOT_DONE), NV_OK);
    }
    temp_dir_remove(dir);
    return 0;
}

/* state_of makes a state of `count` rows, the n-th with about `size` bytes. */
static struct st_state *state_of(uint32_t count, uint32_t size)
{
    struct st_limits const limits = {.rows_max = count + 1,
                                     .versions_max = 1,
                                     .writes_max = count,
                                     .dirty_max = count,
                                     .dirty_bytes_max = (uint64_t)count * NV_ROW_VALUE_MAX,
                                     .blocks_max = 1,
                                     .txs_max = 1};
    struct nv_test_rng rng = {count};
    struct st_state *state = NULL;
    struct nv_row *const rows = nv_heap_alloc(count * sizeof *rows);
    static uint8_t noise[2 * NV_ROW_VALUE_MAX];
    nv_test_fill(&rng, noise, sizeof noise);
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    for (uint32_t i = 0; i < count; i++) {
        rows[i].key.bytes[1] = (uint8_t)(i >> 12);
        rows[i].key.bytes[9] = (uint8_t)(i >> 4);
        rows[i].key.bytes[31] = (uint8_t)(i & 15u);
        uint32_t const longer = size > 0 ? nv_test_below(&rng, size / 4 + 1) : 0;
        rows[i].value = nv_view_of(noise + nv_test_below(&rng, 1000), size + longer);
    }
    struct st_block const block = {.height = HEIGHT, .writes = rows, .write_count = count};
    assert_int_equal(st_apply(state, &block), NV_OK);
    nv_heap_free(rows);
    return state;
}

static struct st_manifest read_manifest(void)
{
    struct nv_view view;
    struct st_manifest manifest;
    assert_int_equal(st_snapshot_get(&at,
                                     &view,
                                     HEIGHT,
                                     ST_SNAPSHOT_DONE,
                                     ST_PART_MANIFEST,
                                     manifest_bytes,
                                     sizeof manifest_bytes),
                     NV_OK);
    assert_int_equal(st_manifest_decode(&manifest, view), NV_OK);
    return manifest;
}

static struct nv_view read_chunk(uint32_t index)
{
    struct nv_view view;
    assert_int_equal(
        st_snapshot_get(
            &at, &view, HEIGHT, ST_SNAPSHOT_DONE, index, packed_bytes, sizeof packed_bytes),
        NV_OK);
    return view;
}

static struct st_db *open_db(void)
{
    struct st_db *db = NULL;
    struct st_db_options const options = {
        .dir = dir, .map_size = 256u << 20, .readers_max = ST_READERS_DEFAULT};
    assert_int_equal(st_db_open(&db, &options), NV_OK);
    return db;
}

static uint32_t rows_shown(const struct nv_proof *proof, const struct nv_row_range *range)
{
    struct nv_row row;
    uint32_t count = 0;
    for (uint32_t cursor = 0; nv_proof_next(proof, &cursor, &row);) {
        bool const in = nv_row_key_cmp(&range->first, &row.key) <= 0 &&
                        nv_row_key_cmp(&row.key, &range->last) <= 0;
        count += in ? 1 : 0;
    }
    return count;
}

/* ---- there and back ---- */

static void round_trip(uint32_t count, uint32_t size, uint32_t chunks_least)
{
    struct st_state *const state = state_of(count, size);
    struct st_head const head = *st_newest(state);
    assert_int_equal(st_snapshot_export(&at, state, nv_view_of("why", 3)), NV_OK);
    assert_int_equal(st_snapshot_export(&at, state, nv_view_of("again", 5)), NV_OK);
    st_state_close(state);
    struct st_manifest const manifest = read_manifest();
    assert_true(manifest.chunk_count >= chunks_least);
    assert_int_equal(manifest.head.row_count, count);
    assert_memory_equal(&manifest.head.root, &head.root, 32);
    uint32_t total = 0;
    for (uint32_t i = 0; i < manifest.chunk_count; i++) {
        struct nv_proof proof;
        struct nv_row_range range;
        assert_int_equal(st_chunk_open(&proof, &manifest, i, read_chunk(i), chunk_bytes), NV_OK);
        st_manifest_range(&manifest, &range, i);
        uint32_t const shown = rows_shown(&proof, &range);
        assert_true(shown <= ST_CHUNK_ROWS_MAX);
        total += shown;
    }
    assert_int_equal(total, count);

    struct st_db *const db = open_db();
    struct st_state *copy = NULL;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < 2; i++) { /* twice: over rows that are there */
        assert_int_equal(st_snapshot_load(&at, db, &manifest, ST_SNAPSHOT_DONE, &bad), NV_OK);
        assert_int_equal(st_snapshot_copy(&copy, db), NV_OK);
        assert_memory_equal(&st_newest(copy)->root, &head.root, 32);
        assert_int_equal(st_newest(copy)->height, HEIGHT);
        st_state_close(copy);
    }
    st_db_close(db);
}

static void many_small_rows(void **state)
{
    (void)state;
    round_trip(40000, 0, 3);
}

static void large_rows(void **state)
{
    (void)state;
    round_trip(2000, 1500, 3);
}

static void one_row(void **state)
{
    (void)state;
    round_trip(1, 100, 1);
}

static void a_single_row_too_many_makes_a_chunk(void **state)
{
    (void)state;
    round_trip(ST_CHUNK_ROWS_MAX + 1, 4, 2);
}

static void exactly_one_chunk_of_rows(void **state)
{
    (void)state;
    round_trip(ST_CHUNK_ROWS_MAX, 4, 1);
    assert_int_equal(read_manifest().chunk_count, 1);
}

/* ---- what is wrong ---- */

static void export_some(void)
{
    struct st_state *const state = state_of(350, 1500);
    assert_int_equal(st_snapshot_export(&at, state, nv_view_of("", 0)), NV_OK);
    st_state_close(state);
}

static void a_changed_chunk_is_its_senders(void **state)
{
    (void)state;
    struct nv_test_rng rng = {3};
    struct nv_proof proof;
    export_some();
    struct st_manifest const manifest = read_manifest();
    assert_int_equal(manifest.chunk_count, 2);
    struct nv_view const packed = read_chunk(1);
    assert_int_equal(st_chunk_open(&proof, &manifest, 0, packed, chunk_bytes), NV_ERR_REFUSED);
    assert_int_equal(st_chunk_open(&proof, &manifest, 1, packed, chunk_bytes), NV_OK);
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t const byte = i < 20 ? i : nv_test_below(&rng, packed.size);
        packed_bytes[byte] ^= (uint8_t)(1u << (i & 7u));
        assert_int_equal(st_chunk_open(&proof, &manifest, 1, packed, chunk_bytes), NV_ERR_REFUSED);
        packed_bytes[byte] ^= (uint8_t)(1u << (i & 7u));
    }
    struct nv_view const shorter = nv_view_of(packed.bytes, packed.size - 1);
    assert_int_equal(st_chunk_open(&proof, &manifest, 1, shorter, chunk_bytes), NV_ERR_REFUSED);
}

/* vouch makes a manifest of one chunk that has the hash of `packed`. */
static struct st_manifest
vouch(const struct st_head *head, const struct nv_row_key *last, struct nv_view packed)
{
    struct nv_writer w;
    struct st_manifest manifest;
    struct nv_row_key end_key;
    memset(&end_key, 0xff, sizeof end_key);
    nv_writer_init(&w, manifest_bytes, sizeof manifest_bytes);
    st__manifest_begin(&w, head);
    st__manifest_add(&w, last != NULL ? last : &end_key, packed);
    if (last != NULL) {
        st__manifest_add(&w, &end_key, packed);
    }
    st__manifest_end(&w, last != NULL ? 2 : 1);
    assert_int_equal(st_manifest_decode(&manifest, nv_writer_view(&w)), NV_OK);
    return manifest;
}

static void a_manifest_that_lies_is_noticed(void **state)
{
    (void)state;
    struct nv_proof proof;
    struct nv_row_range range;
    export_some();
    struct st_manifest manifest = read_manifest();
    struct st_head head = manifest.head;
    struct nv_view const packed = read_chunk(0);
    st_manifest_range(&manifest, &range, 0);
    struct nv_row_key last = range.last;

    manifest = vouch(&head, &last, packed); /* as it is */
    assert_int_equal(st_chunk_open(&proof, &manifest, 0, packed, chunk_bytes), NV_OK);
    manifest = vouch(&head, NULL, packed); /* the chunk is said to be everything */
    assert_int_equal(st_chunk_open(&proof, &manifest, 0, packed, chunk_bytes), NV_ERR_RANGE);
    last.bytes[1]++; /* a few rows more than it shows */
    manifest = vouch(&head, &last, packed);
    assert_int_equal(st_chunk_open(&proof, &manifest, 0, packed, chunk_bytes), NV_ERR_RANGE);
    head.root.bytes[5] ^= 1;
    manifest = vouch(&head, &range.last, packed);
    assert_int_equal(st_chunk_open(&proof, &manifest, 0, packed, chunk_bytes), NV_ERR_MISMATCH);
}

static enum nv_err open_lie(struct nv_view packed)
{
    struct nv_proof proof;
    struct st_head const head = {.height = 1};
    struct st_manifest const manifest = vouch(&head, NULL, packed);
    return st_chunk_open(&proof, &manifest, 0, packed, chunk_bytes);
}

static void frames_that_lie_are_noticed(void **state)
{
    (void)state;
    static uint8_t big[ST_CHUNK_SIZE_MAX + 1];
    struct nv_view packed;
    assert_int_equal(open_lie(nv_view_of("\0\0\0\1", 4)), NV_ERR_TRUNCATED);
    assert_int_equal(st__chunk_pack(&packed, nv_view_of(big, 1000), packed_bytes), NV_OK);
    assert_int_equal(open_lie(packed), NV_ERR_VERSION); /* unpacked: no proof begins so */
    packed_bytes[3]++;                                  /* one byte more than the frame says */
    assert_int_equal(open_lie(packed), NV_ERR_MALFORMED);
    packed_bytes[3]--;
    assert_int_equal(open_lie(nv_view_of(packed.bytes, packed.size + 1)), NV_ERR_MALFORMED);
    packed_bytes[8] &= (uint8_t)~4u; /* no checksum */
    assert_int_equal(open_lie(packed), NV_ERR_MALFORMED);

    /* A frame of more than a chunk may hold, which says so, and one that does not. */
    size_t const size =
        ZSTD_compress(packed_bytes + 4, sizeof packed_bytes - 4, big, sizeof big, 1);
    assert_true(size < 1000);
    memcpy(packed_bytes, "\0\x06\x80\1", 4);
    packed = nv_view_of(packed_bytes, (uint32_t)size + 4);
    assert_int_equal(open_lie(packed), NV_ERR_TOO_LARGE);
    memcpy(packed_bytes, "\0\x06\x80\0", 4);
    assert_int_equal(open_lie(packed), NV_ERR_MALFORMED);
    memcpy(packed_bytes, "\0\0\0\0", 4);
    assert_int_equal(open_lie(packed), NV_ERR_TOO_LARGE);
}

static void manifests_are_checked(void **state)
{
    (void)state;
    struct st_manifest manifest;
    export_some();
    (void)read_manifest();
    struct nv_view const good = nv_view_of(manifest_bytes, ST_MANIFEST_HEAD + 128);
    assert_int_equal(st_manifest_decode(&manifest, good), NV_OK);
    for (uint32_t size = 0; size < good.size; size++) {
        assert_int_equal(st_manifest_decode(&manifest, nv_view_of(good.bytes, size)),
                         NV_ERR_TRUNCATED);
    }
    assert_int_equal(st_manifest_decode(&manifest, nv_view_of(good.bytes, good.size + 1)),
                     NV_ERR_TRAILING);
    manifest_bytes[3] = 2;
    assert_int_equal(st_manifest_decode(&manifest, good), NV_ERR_VERSION);
    manifest_bytes[3] = 1;
    manifest_bytes[87] = 0;
    assert_int_equal(st_manifest_decode(&manifest, good), NV_ERR_MALFORMED);
    manifest_bytes[87] = 2;
    manifest_bytes[88 + 64 + 31] = 0xfe; /* the last key is not the last of all */
    assert_int_equal(st_manifest_decode(&manifest, good), NV_ERR_MALFORMED);
    manifest_bytes[88 + 64 + 31] = 0xff;
    memset(manifest_bytes + 88, 0xff, 32); /* two of the same */
    assert_int_equal(st_manifest_decode(&manifest, good), NV_ERR_MALFORMED);
}

/* ---- a database in between ---- */

struct killed {
    struct st_manifest manifest;
    uint32_t at_chunk;
};

static enum nv_err chunk_or_death(void *ctx, struct nv_proof *proof, uint32_t index)
{
    const struct killed *const k = ctx;
    if (index == k->at_chunk) {
        (void)kill(getpid(), SIGKILL);
    }
    return st_chunk_open(proof, &k->manifest, index, read_chunk(index), chunk_bytes);
}

static void a_killed_load_leaves_what_was(void **state)
{
    (void)state;
    struct st_state *before = state_of(10, 10);
    struct st_head const head = *st_newest(before);
    struct st_db *db = open_db();
    struct st_overlay *const overlay = st_freeze(before);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    st_state_close(before);
    st_db_close(db);
    export_some();
    struct killed killed = {.manifest = read_manifest()};
    for (; killed.at_chunk < killed.manifest.chunk_count; killed.at_chunk++) {
        int status = 0;
        pid_t const child = fork();
        if (child == 0) {
            db = open_db();
            _exit((int)st_db_replace(db, &killed.manifest, chunk_or_death, &killed));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        db = open_db();
        assert_int_equal(st_snapshot_copy(&before, db), NV_OK);
        assert_memory_equal(&st_newest(before)->root, &head.root, 32);
        st_state_close(before);
        st_db_close(db);
    }
}

static void too_few_rows_are_noticed(void **state)
{
    (void)state;
    uint32_t bad = 0;
    export_some();
    struct st_manifest manifest = read_manifest();
    struct st_db *const db = open_db();
    manifest.head.row_count++;
    assert_int_equal(st_snapshot_load(&at, db, &manifest, ST_SNAPSHOT_DONE, &bad), NV_ERR_CORRUPT);
    st_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_small_rows, begin, end),
        cmocka_unit_test_setup_teardown(large_rows, begin, end),
        cmocka_unit_test_setup_teardown(one_row, begin, end),
        cmocka_unit_test_setup_teardown(a_single_row_too_many_makes_a_chunk, begin, end),
        cmocka_unit_test_setup_teardown(exactly_one_chunk_of_rows, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_chunk_is_its_senders, begin, end),
        cmocka_unit_test_setup_teardown(a_manifest_that_lies_is_noticed, begin, end),
        cmocka_unit_test_setup_teardown(frames_that_lie_are_noticed, begin, end),
        cmocka_unit_test_setup_teardown(manifests_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(a_killed_load_leaves_what_was, begin, end),
        cmocka_unit_test_setup_teardown(too_few_rows_are_noticed, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
