/* Goal: a joiner comes to the snapshot that the chain vouches for as long as one
 * peer is honest, blames the liars and nobody else, keeps its limits, and goes on
 * from its folder after a kill at any point.
 * Method: the machine between simulated peers of every manner, in a time of its
 * own. */

#include <stdio.h>
#include <unistd.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/sync_world.h"

static struct sync_world w;

static int end(void **state)
{
    (void)state;
    sync_world_close(&w);
    return 0;
}

/* ready checks that what was fetched is the chain's. */
static void ready(void)
{
    struct sync_result result;
    sync_result(w.sync, &result);
    assert_memory_equal(&result.base->root, &w.root, 32);
    assert_memory_equal(&result.manifest->head.root, &w.root, 32);
    assert_true(result.manifest->chunk_count >= 4);
}

static void all_honest(void **state)
{
    (void)state;
    struct sync_progress p;
    sync_world_open(&w, (enum sync_manner[]){SYNC_HONEST, SYNC_HONEST, SYNC_HONEST}, 3);
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
    ready();
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(w.peer[i].banned);
        assert_true(w.peer[i].chunks_asked > 0);
    }
    sync_progress(w.sync, &p);
    assert_int_equal(p.rows, p.rows_of);
    assert_int_equal(p.rows, 1000);
    assert_int_equal(p.chunks, p.chunks_of);
    assert_int_equal(p.height, SYNC_HEIGHT);
    assert_int_equal(w.chunks_asked, p.chunks_of); /* none twice */
}

/* One peer of a manner among two honest ones: it ends well, and it is banned or
 * not. */
static void one_among(enum sync_manner manner, bool banned)
{
    for (uint32_t place = 0; place < 3; place++) {
        enum sync_manner manners[3] = {SYNC_HONEST, SYNC_HONEST, SYNC_HONEST};
        manners[place] = manner;
        sync_world_open(&w, manners, 3);
        sync_world_join(&w, 0);
        assert_int_equal(sync_world_run(&w, 120), SYNC_READY);
        ready();
        for (uint32_t i = 0; i < 3; i++) {
            /* Who is never asked is never found out. */
            bool const may = i == place && banned;
            assert_true(may || !w.peer[i].banned);
            assert_true(w.peer[i].second_max <= SYNC_RATE_MAX);
        }
        if (place < 2) {
            assert_int_equal(w.peer[place].banned, banned);
        }
        sync_world_close(&w);
        w.sync = NULL;
    }
    sync_world_open(&w, NULL, 0);
}

static void a_bad_chunk(void **state)
{
    (void)state;
    one_among(SYNC_BAD_CHUNK, true);
}

static void a_chunk_cut_off(void **state)
{
    (void)state;
    one_among(SYNC_SHORT, true);
}

static void silence(void **state)
{
    (void)state;
    one_among(SYNC_SILENT, false);
}

static void nothing_at_all(void **state)
{
    (void)state;
    one_among(SYNC_MUTE, false);
}

static void nothing_held(void **state)
{
    (void)state;
    one_among(SYNC_EMPTY, false);
}

static void no_message(void **state)
{
    (void)state;
    one_among(SYNC_GARBAGE, true);
}

/* alone lets a liar be the only one at first; nothing is believed, and the honest
 * one that comes later is. */
static void alone(enum sync_manner manner)
{
    sync_world_open(&w, (enum sync_manner[]){manner}, 1);
    sync_world_join(&w, 0);
    assert_true(sync_world_run(&w, 20) < SYNC_READY);
    assert_true(w.peer[0].banned);
    w.peer_count = 2;
    w.peer[1] = (struct sync_peer){.manner = SYNC_HONEST, .up = true};
    sync_link(w.sync, w.time, 1, true);
    assert_int_equal(sync_world_run(&w, 20), SYNC_READY);
    ready();
    assert_false(w.peer[1].banned);
}

static void a_wrong_root_is_offered(void **state)
{
    (void)state;
    alone(SYNC_BAD_ROOT);
}

static void a_wrong_anchor(void **state)
{
    (void)state;
    alone(SYNC_BAD_ANCHOR);
}

static void a_wrong_manifest(void **state)
{
    (void)state;
    alone(SYNC_BAD_MANIFEST);
}

static void a_forged_manifest(void **state)
{
    (void)state;
    alone(SYNC_FORGER);
}

static void three_lost_sources_are_enough(void **state)
{
    (void)state;
    enum sync_manner const manners[] = {
        SYNC_EMPTY, SYNC_EMPTY, SYNC_EMPTY, SYNC_SILENT, SYNC_SILENT};
    struct sync_progress p;
    sync_world_open(&w, manners, 5);
    sync_world_join(&w, 0);
    assert_true(sync_world_run(&w, 8) < SYNC_READY);
    sync_world_add(&w, 2 * SYNC_HEIGHT); /* a newer one, and who has it */
    w.peer_count = 6;
    w.peer[5] = (struct sync_peer){.manner = SYNC_HONEST, .up = true};
    sync_link(w.sync, w.time, 5, true);
    assert_int_equal(sync_world_run(&w, 60), SYNC_READY);
    sync_progress(w.sync, &p);
    assert_int_equal(p.height, 2 * SYNC_HEIGHT);
    ready();
}

static void the_newest_is_taken(void **state)
{
    (void)state;
    struct sync_progress p;
    sync_world_open(&w, (enum sync_manner[]){SYNC_HONEST}, 1);
    sync_world_add(&w, 3 * SYNC_HEIGHT);
    sync_world_add(&w, 2 * SYNC_HEIGHT);
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
    sync_progress(w.sync, &p);
    assert_int_equal(p.height, 3 * SYNC_HEIGHT);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct sync_progress p;
    sync_world_open(&w, (enum sync_manner[]){SYNC_SILENT}, 1);
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 5), SYNC_ANCHOR);
    sync_progress(w.sync, &p);
    assert_int_equal(p.sources, 1);
    assert_true(w.peer[0].second_max <= SYNC_RATE_MAX);
    w.peer[0].manner = SYNC_HONEST;
    assert_int_equal(sync_world_run(&w, 60), SYNC_READY);
    assert_true(w.peer[0].second_max <= SYNC_RATE_MAX);
}

static void far_enough_or_not(void **state)
{
    (void)state;
    sync_world_open(&w, (enum sync_manner[]){SYNC_HONEST}, 1);
    sync_world_join(&w, SYNC_HEIGHT + 1);
    assert_int_equal(sync_world_run(&w, 10), SYNC_SKIP);
    sync_world_join(&w, SYNC_HEIGHT);
    assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
}

static void nobody_there(void **state)
{
    (void)state;
    sync_world_open(&w, (enum sync_manner[]){SYNC_MUTE}, 1);
    sync_world_join(&w, 1);
    assert_int_equal(sync_world_run(&w, 10), SYNC_SKIP);
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 60), SYNC_LISTING);
}

/* ---- kills ---- */

static void killed_after_every_request(void **state)
{
    (void)state;
    sync_world_open(&w, (enum sync_manner[]){SYNC_HONEST, SYNC_HONEST}, 2);
    uint32_t kills = 0;
    enum sync_stage stage = SYNC_LISTING;
    while (stage != SYNC_READY && kills < 100) {
        w.parts_stored_max = w.chunks_asked + 1;
        sync_world_join(&w, 0); /* the old one is gone as by a kill */
        stage = sync_world_run(&w, 20);
        kills++;
    }
    ready();
    assert_true(kills >= 4);
    assert_true(kills < 20);
    /* All is there: whoever opens it next needs nobody. */
    w.peer_count = 0;
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 1), SYNC_READY);
    ready();
}

static void damaged_files_are_fetched_anew(void **state)
{
    (void)state;
    struct sync_progress p;
    char path[TEMP_DIR_SIZE + 64];
    sync_world_open(&w, (enum sync_manner[]){SYNC_HONEST}, 1);
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
    static const char *const names[] = {"chunk-00000001", "manifest", "anchor"};
    for (uint32_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%u.sync/%s", w.dir, SYNC_HEIGHT, names[i]);
        assert_int_equal(truncate(path, 10), 0);
        w.chunks_asked = 0;
        sync_world_join(&w, 0);
        sync_progress(w.sync, &p);
        assert_int_not_equal(p.stage, SYNC_READY);
        assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
        ready();
        assert_int_equal(w.chunks_asked, i == 0 ? 1 : 0);
    }
}

static enum nv_err full(void *ctx, struct st_file file, const void *bytes, size_t size, uint64_t at)
{
    (void)ctx;
    (void)file;
    (void)bytes;
    (void)size;
    (void)at;
    return NV_ERR_DISK_FULL;
}

static void a_full_disk_is_said(void **state)
{
    (void)state;
    struct sync_progress p;
    sync_world_open(&w, (enum sync_manner[]){SYNC_HONEST}, 1);
    struct st_files files = *w.at.files;
    files.write = full;
    w.at.files = &files;
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_FAILED);
    sync_progress(w.sync, &p);
    assert_int_equal(p.err, NV_ERR_DISK_FULL);
    assert_false(w.peer[0].banned);
    w.at.files = st_files_system();
}

/* ---- epochs ---- */

#define EPOCHS 6u

/* walked checks that the joiner has the ends of the epochs [from, EPOCHS], and no
 * others. */
static void walked(uint64_t from)
{
    struct sync_result result;
    sync_result(w.sync, &result);
    assert_int_equal(result.epoch, EPOCHS + 1);
    for (uint64_t epoch = 1; epoch < SYNC_WORLD_EPOCHS; epoch++) {
        bool const wanted = epoch >= from && epoch <= EPOCHS;
        assert_int_equal(w.kept[epoch].size, wanted ? w.end[epoch].size : 0);
        assert_memory_equal(w.kept[epoch].bytes, w.end[epoch].bytes, w.kept[epoch].size);
    }
}

static void several_epochs_later(void **state)
{
    (void)state;
    sync_world_later(&w, (enum sync_manner[]){SYNC_HONEST, SYNC_HONEST}, 2, EPOCHS);
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
    ready();
    walked(1);
    assert_int_equal(w.epochs_asked, EPOCHS);
    assert_false(w.peer[0].banned || w.peer[1].banned);
}

/* One liar about epochs among two honest ones. */
static void liar_of_epochs(enum sync_manner manner, bool banned)
{
    for (uint32_t place = 0; place < 3; place++) {
        enum sync_manner manners[3] = {SYNC_HONEST, SYNC_HONEST, SYNC_HONEST};
        manners[place] = manner;
        sync_world_later(&w, manners, 3, EPOCHS);
        sync_world_join(&w, 0);
        assert_int_equal(sync_world_run(&w, 90), SYNC_READY);
        ready();
        walked(1);
        for (uint32_t i = 0; i < 3; i++) {
            assert_true(i == place || !w.peer[i].banned);
        }
        assert_true(!w.peer[place].banned || banned);
        assert_true(w.peer[place].epochs_asked == 0 || w.peer[place].banned == banned);
        if (place < 2) {
            sync_world_close(&w);
        }
    }
}

static void a_wrong_signature_under_an_end(void **state)
{
    (void)state;
    liar_of_epochs(SYNC_BAD_EPOCH, true);
}

static void the_end_of_another_epoch(void **state)
{
    (void)state;
    liar_of_epochs(SYNC_OTHER_EPOCH, true);
}

static void silence_about_epochs(void **state)
{
    (void)state;
    liar_of_epochs(SYNC_NO_EPOCH, false);
}

/* An anchor of an epoch whose beginning nobody can show leads nowhere: after a while
 * another peer's is taken. */
static void an_anchor_of_an_epoch_to_come(void **state)
{
    (void)state;
    for (uint32_t place = 0; place < 2; place++) {
        enum sync_manner manners[2] = {SYNC_HONEST, SYNC_HONEST};
        manners[place] = SYNC_FAR_EPOCH;
        sync_world_later(&w, manners, 2, EPOCHS);
        sync_world_join(&w, 0);
        assert_int_equal(sync_world_run(&w, 90), SYNC_READY);
        ready();
        walked(1);
        assert_false(w.peer[1 - place].banned);
        if (place < 1) {
            sync_world_close(&w);
        }
    }
}

static void nobody_knows_the_ends(void **state)
{
    (void)state;
    struct sync_progress p;
    sync_world_later(&w, (enum sync_manner[]){SYNC_NO_EPOCH, SYNC_NO_EPOCH}, 2, EPOCHS);
    sync_world_join(&w, 0);
    enum sync_stage const stage = sync_world_run(&w, 300);
    assert_true(stage < SYNC_MANIFEST);
    assert_true(w.epochs_asked > 4);
    assert_true(w.epochs_asked < 300); /* it does not get impatient */
    sync_progress(w.sync, &p);
    assert_int_equal(p.epoch, 1);
}

static void killed_after_every_epoch(void **state)
{
    (void)state;
    sync_world_later(&w, (enum sync_manner[]){SYNC_HONEST, SYNC_HONEST}, 2, EPOCHS);
    uint32_t kills = 0;
    enum sync_stage stage = SYNC_LISTING;
    while (stage != SYNC_READY && kills < 100) {
        w.epochs_asked_max = w.epochs_asked + 1;
        sync_world_join(&w, 0);
        stage = sync_world_run(&w, 20);
        kills++;
    }
    ready();
    walked(1);
    assert_int_equal(w.epochs_asked, EPOCHS); /* none twice */
    w.peer_count = 0;
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 1), SYNC_READY);
    walked(1);
}

static void a_damaged_end_is_fetched_anew(void **state)
{
    (void)state;
    sync_world_later(&w, (enum sync_manner[]){SYNC_HONEST}, 1, EPOCHS);
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
    w.kept[3].bytes[CS_HEADER_SIZE + 100] ^= 1;
    w.epochs_asked = 0;
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
    walked(1);
    assert_int_equal(w.epochs_asked, 1);
}

static void a_disk_too_full_for_epochs(void **state)
{
    (void)state;
    struct sync_progress p;
    sync_world_later(&w, (enum sync_manner[]){SYNC_HONEST}, 1, EPOCHS);
    w.ends_full = true;
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_FAILED);
    sync_progress(w.sync, &p);
    assert_int_equal(p.err, NV_ERR_DISK_FULL);
    assert_false(w.peer[0].banned);
}

/* trust_epoch begins with a later epoch. */
static void trust_epoch(uint64_t epoch)
{
    w.trust = (struct sync_trust){.epoch = epoch, .boundary = w.boundary[epoch - 1]};
}

static void a_trusted_epoch(void **state)
{
    (void)state;
    for (uint64_t epoch = 2; epoch <= EPOCHS + 1; epoch++) {
        sync_world_later(&w, (enum sync_manner[]){SYNC_HONEST, SYNC_HONEST}, 2, EPOCHS);
        trust_epoch(epoch);
        w.light.trusting_ms = 99999; /* less than the time since the genesis */
        w.time.wall_ms = LIGHT_TIME_MS + 50000;
        sync_world_join(&w, 0);
        assert_int_equal(sync_world_run(&w, 10), SYNC_READY);
        ready();
        walked(epoch - 1);
        assert_int_equal(w.epochs_asked, EPOCHS + 2 - epoch + (epoch == 2 ? 0 : 1));
        w.peer_count = 0;
        sync_world_join(&w, 0); /* it knows the way now */
        assert_int_equal(sync_world_run(&w, 1), SYNC_READY);
        if (epoch <= EPOCHS) {
            sync_world_close(&w);
        }
    }
}

static void liars_about_a_trusted_epoch(void **state)
{
    (void)state;
    for (uint32_t place = 0; place < 3; place++) {
        enum sync_manner manners[3] = {SYNC_HONEST, SYNC_HONEST, SYNC_HONEST};
        manners[place] = SYNC_BAD_EPOCH;
        sync_world_later(&w, manners, 3, EPOCHS);
        trust_epoch(4);
        sync_world_join(&w, 0);
        assert_int_equal(sync_world_run(&w, 60), SYNC_READY);
        ready();
        walked(3);
        for (uint32_t i = 0; i < 3; i++) {
            assert_true(i == place || !w.peer[i].banned);
        }
        if (place < 2) {
            sync_world_close(&w);
        }
    }
}

/* Whoever types another hash waits, and bans nobody. */
static void a_trusted_epoch_that_nobody_has(void **state)
{
    (void)state;
    sync_world_later(&w, (enum sync_manner[]){SYNC_HONEST, SYNC_HONEST}, 2, EPOCHS);
    trust_epoch(4);
    w.trust.boundary.bytes[7] ^= 1;
    sync_world_join(&w, 0);
    assert_true(sync_world_run(&w, 60) < SYNC_MANIFEST);
    assert_false(w.peer[0].banned || w.peer[1].banned);
    for (uint64_t epoch = 1; epoch < SYNC_WORLD_EPOCHS; epoch++) {
        assert_int_equal(w.kept[epoch].size, 0);
    }
}

/* A snapshot from before what is trusted cannot be proved: a newer one is waited for. */
static void a_snapshot_from_before_the_trusted_epoch(void **state)
{
    (void)state;
    sync_world_later(&w, (enum sync_manner[]){SYNC_HONEST, SYNC_HONEST}, 2, EPOCHS);
    sync_world_end_epoch(&w, SYNC_HEIGHT + 1);
    trust_epoch(EPOCHS + 2);
    sync_world_join(&w, 0);
    assert_true(sync_world_run(&w, 30) < SYNC_MANIFEST);
    assert_false(w.peer[0].banned || w.peer[1].banned);
    sync_world_add(&w, 2 * SYNC_HEIGHT);
    assert_int_equal(sync_world_run(&w, 30), SYNC_READY);
    ready();
}

static void what_is_too_old_is_not_believed(void **state)
{
    (void)state;
    struct sync_progress p;
    sync_world_later(&w, (enum sync_manner[]){SYNC_HONEST}, 1, EPOCHS);
    w.light.trusting_ms = w.time.wall_ms - LIGHT_TIME_MS - 1;
    sync_world_join(&w, 0);
    assert_int_equal(sync_world_run(&w, 10), SYNC_FAILED);
    sync_progress(w.sync, &p);
    assert_int_equal(p.err, NV_ERR_TIMEOUT);
    assert_false(w.peer[0].banned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(all_honest, end),
        cmocka_unit_test_teardown(a_bad_chunk, end),
        cmocka_unit_test_teardown(a_chunk_cut_off, end),
        cmocka_unit_test_teardown(silence, end),
        cmocka_unit_test_teardown(nothing_at_all, end),
        cmocka_unit_test_teardown(nothing_held, end),
        cmocka_unit_test_teardown(no_message, end),
        cmocka_unit_test_teardown(a_wrong_root_is_offered, end),
        cmocka_unit_test_teardown(a_wrong_anchor, end),
        cmocka_unit_test_teardown(a_wrong_manifest, end),
        cmocka_unit_test_teardown(a_forged_manifest, end),
        cmocka_unit_test_teardown(three_lost_sources_are_enough, end),
        cmocka_unit_test_teardown(the_newest_is_taken, end),
        cmocka_unit_test_teardown(limits_are_kept, end),
        cmocka_unit_test_teardown(far_enough_or_not, end),
        cmocka_unit_test_teardown(nobody_there, end),
        cmocka_unit_test_teardown(killed_after_every_request, end),
        cmocka_unit_test_teardown(damaged_files_are_fetched_anew, end),
        cmocka_unit_test_teardown(a_full_disk_is_said, end),
        cmocka_unit_test_teardown(several_epochs_later, end),
        cmocka_unit_test_teardown(a_wrong_signature_under_an_end, end),
        cmocka_unit_test_teardown(the_end_of_another_epoch, end),
        cmocka_unit_test_teardown(silence_about_epochs, end),
        cmocka_unit_test_teardown(an_anchor_of_an_epoch_to_come, end),
        cmocka_unit_test_teardown(nobody_knows_the_ends, end),
        cmocka_unit_test_teardown(killed_after_every_epoch, end),
        cmocka_unit_test_teardown(a_damaged_end_is_fetched_anew, end),
        cmocka_unit_test_teardown(a_disk_too_full_for_epochs, end),
        cmocka_unit_test_teardown(a_trusted_epoch, end),
        cmocka_unit_test_teardown(liars_about_a_trusted_epoch, end),
        cmocka_unit_test_teardown(a_trusted_epoch_that_nobody_has, end),
        cmocka_unit_test_teardown(a_snapshot_from_before_the_trusted_epoch, end),
        cmocka_unit_test_teardown(what_is_too_old_is_not_believed, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
