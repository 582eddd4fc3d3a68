/* Goal: what was seen of a chain is found again, a fork is refused with both
 * blocks written down, and a damaged file is moved aside.
 *
 * Method: final blocks of a chain with known keys, shown one after the other to
 * a file in a folder of its own. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/light_build.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"
#include "tools/seen.h"

static struct light_world world;
static struct cs_light light;
static struct seen seen;
static char folder[TEMP_DIR_SIZE];

static int setup(void **state)
{
    (void)state;
    light_world_init(&world, NULL, 4);
    cs_light_init(&light, &world.net.chain_id, LIGHT_TIME_MS, 0, &world.net.set);
    temp_dir_new(folder);
    assert_int_equal(seen_load(&seen, &light, folder), TOOL_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_dir_remove(folder);
    return 0;
}

/* show makes a final block after `height` and shows it. */
static enum tool_exit show(uint64_t height, uint64_t root)
{
    struct cs_light_final final;
    struct nv_hash const hash = cs_build_hash(root);
    light_world_final(&world, &hash, height, 0);
    struct cs_light_block const block = light_world_block(&world);
    assert_int_equal(cs_light_final(&final, &light, 0, &block), CS_LIGHT_OK);
    return seen_take(&seen, &light, &block, &final);
}

/* again forgets all but the file. */
static enum tool_exit again(void)
{
    cs_light_init(&light, &world.net.chain_id, LIGHT_TIME_MS, 0, &world.net.set);
    return seen_load(&seen, &light, folder);
}

static void test_the_newest_is_kept(void **state)
{
    (void)state;
    assert_int_equal(seen.newest.header.height, 0);
    assert_int_equal(show(10, 1), TOOL_OK);
    assert_int_equal(show(8, 1), TOOL_OK);
    assert_int_equal(again(), TOOL_OK);
    assert_int_equal(seen.newest.header.height, 12);
    assert_int_equal(show(20, 1), TOOL_OK);
    assert_int_equal(again(), TOOL_OK);
    assert_int_equal(seen.newest.header.height, 22);
}

static void test_an_epoch_is_kept(void **state)
{
    (void)state;
    struct cs_net next;
    uint8_t set[CS_VALSET_SIZE_MAX];
    struct nv_hash const root = cs_build_hash(1);
    struct cs_light const genesis = light;
    cs_net_init_at(&next, NULL, 5, 10);
    light_world_final(&world, &root, 30, 0);
    world.header.next_valset_hash = next.set.hash;
    light_world_seal(&world, 0);
    struct cs_light_block const boundary = light_world_block(&world);
    uint32_t const size = cs_valset_encode(&next.set, set);
    assert_int_equal(cs_light_advance(&light, 0, &boundary, nv_view_of(set, size)), CS_LIGHT_OK);
    light_world_follow(&world, &next);
    assert_int_equal(show(40, 1), TOOL_OK);
    light = genesis;
    light.trusting_ms = 99; /* the genesis says it, whatever the file does */
    assert_int_equal(seen_load(&seen, &light, folder), TOOL_OK);
    assert_int_equal(light.epoch, 2);
    assert_int_equal(light.trusting_ms, 99);
    assert_true(nv_hash_eq(&light.set.hash, &next.set.hash));
}

static void test_a_fork(void **state)
{
    (void)state;
    char path[SEEN_PATH_MAX + 8];
    assert_int_equal(show(10, 1), TOOL_OK);
    assert_int_equal(again(), TOOL_OK);
    assert_int_equal(show(10, 1), TOOL_OK);
    assert_int_equal(show(10, 2), TOOL_REFUSED);
    assert_int_equal(again(), TOOL_OK);
    assert_int_equal(show(10, 1), TOOL_OK);
    (void)snprintf(path, sizeof path, "%s.fork", seen.path);
    json_t *const file = json_load_file(path, 0, NULL);
    const json_t *const blocks = json_object_get(file, "blocks");
    assert_int_equal(json_array_size(blocks), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(json_is_string(json_object_get(json_array_get(blocks, i), "header")));
        assert_true(json_is_string(json_object_get(json_array_get(blocks, i), "certificate")));
    }
    assert_false(json_equal(json_object_get(json_array_get(blocks, 0), "header"),
                            json_object_get(json_array_get(blocks, 1), "header")));
    json_decref(file);
}

/* A damaged file is moved aside, and all begins anew. */
static void test_damage(void **state)
{
    (void)state;
    static const char *const broken[] = {"", "{", "{}", "[1]", "{\"format\": \"novate-light-1\"}"};
    char aside[SEEN_PATH_MAX + 16];
    (void)snprintf(aside, sizeof aside, "%s.damaged", seen.path);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        FILE *file = fopen(seen.path, "w");
        char text[64] = "";
        assert_non_null(file);
        assert_true(fputs(broken[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(again(), TOOL_OK);
        assert_int_equal(seen.newest.header.height, 0);
        assert_int_equal(light.epoch, 1);
        assert_null(fopen(seen.path, "r"));
        file = fopen(aside, "r");
        assert_non_null(file);
        assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen(broken[i]));
        assert_string_equal(text, broken[i]);
        assert_int_equal(fclose(file), 0);
    }
    assert_int_equal(show(10, 1), TOOL_OK);
    assert_int_equal(again(), TOOL_OK);
    assert_int_equal(seen.newest.header.height, 12);
}

/* Each byte of what was kept that is not there leads to the beginning, or to
 * nothing else than what was kept. */
static void test_cut_short(void **state)
{
    (void)state;
    static char whole[65536];
    assert_int_equal(show(10, 1), TOOL_OK);
    FILE *file = fopen(seen.path, "r");
    size_t const size = fread(whole, 1, sizeof whole, file);
    assert_int_equal(fclose(file), 0);
    assert_true(size > 0 && size < sizeof whole);
    for (size_t cut = 0; cut < size; cut += 7) {
        file = fopen(seen.path, "w");
        assert_int_equal(fwrite(whole, 1, cut, file), cut);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(again(), TOOL_OK);
        assert_int_equal(seen.newest.header.height, 0);
    }
}

/* Of two commands that run at once, the one that ends last may have seen less. */
static void test_it_never_goes_back(void **state)
{
    (void)state;
    static struct seen other;
    assert_int_equal(show(10, 1), TOOL_OK);
    assert_int_equal(seen_load(&other, &light, folder), TOOL_OK);
    assert_int_equal(show(30, 1), TOOL_OK);
    seen = other;
    assert_int_equal(show(20, 1), TOOL_OK);
    assert_int_equal(seen.newest.header.height, 22);
    assert_int_equal(again(), TOOL_OK);
    assert_int_equal(seen.newest.header.height, 32);
}

/* A file of another chain in this one's place is no help. */
static void test_another_chain(void **state)
{
    (void)state;
    char path[SEEN_PATH_MAX];
    static struct light_world other;
    assert_int_equal(show(10, 1), TOOL_OK);
    (void)snprintf(path, sizeof path, "%s", seen.path);
    light_world_init(&other, NULL, 5);
    cs_light_init(&light, &other.net.chain_id, LIGHT_TIME_MS, 0, &other.net.set);
    assert_int_equal(seen_load(&seen, &light, folder), TOOL_OK);
    assert_int_equal(seen.newest.header.height, 0);
    assert_int_equal(rename(path, seen.path), 0);
    assert_int_equal(seen_load(&seen, &light, folder), TOOL_OK);
    assert_int_equal(seen.newest.header.height, 0);
    assert_true(nv_hash_eq(&light.set.hash, &other.net.set.hash));
}

static void test_nothing_is_kept_without_a_folder(void **state)
{
    (void)state;
    assert_int_equal(seen_load(&seen, &light, NULL), TOOL_OK);
    assert_int_equal(show(10, 1), TOOL_OK);
    assert_int_equal(show(10, 2), TOOL_REFUSED);
    assert_int_equal(again(), TOOL_OK);
    assert_int_equal(seen.newest.header.height, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_newest_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_epoch_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_fork, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_short, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_never_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_kept_without_a_folder, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
