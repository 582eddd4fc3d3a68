/* Goal: a light client begins with what a genesis says, goes from epoch to epoch
 * by a node's answers, and says each verdict in words.
 *
 * Method: the text of a genesis with known keys, whole and broken; the answers
 * of chain_epoch for three epochs, right, in the wrong order, spoilt, and too old. What
 * the light client itself believes is tested beside it
 * (tests/unit/consensus/test_light_client.c). */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tests/lib/light_build.h"
#include "tests/lib/nv_test.h"
#include "tools/pin.h"
#include "tools/shown.h"
#include "tools/trust.h"

#define EPOCHS 3u

static struct light_world world;
static struct light_chain chain;

static int setup(void **state)
{
    (void)state;
    light_world_init(&world, NULL, 4);
    assert_int_equal(light_chain_read(&chain, light_world_genesis(&world)), NV_OK);
    return 0;
}

/* How long a set is believed, by the genesis. */
static void test_trusting(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        uint64_t trusting_ms;
    } cases[] = {
        {"\"consensus\": {\"epoch_ms\": 0}, \"params\": {}", 0},
        {"\"consensus\": {\"epoch_ms\": 5000}, \"params\": {}", 172800000},
        {"\"consensus\": {\"epoch_ms\": 5000}, \"params\": {\"EVIDENCE_TIME\": \"1001\"}", 1001},
        {"\"consensus\": {\"epoch_ms\": 5000}, \"params\": {\"UNBOND_TIME\": \"1001\"}", 172800000},
        /* None of these is believed for ever. */
        {"\"consensus\": {\"epoch_ms\": 5000}, \"params\": {\"EVIDENCE_TIME\": \"0\"}", 0},
        {"\"consensus\": {\"epoch_ms\": 5000}, \"params\": {\"EVIDENCE_TIME\": \"1.5\"}", 0},
        {"\"consensus\": {\"epoch_ms\": 5000}, \"params\": {\"EVIDENCE_TIME\": 1001}", 0},
        {"\"consensus\": {\"epoch_ms\": \"5000\"}, \"params\": {}", 0},
    };
    size_t const broken = 4; /* the first of them */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[LIGHT_GENESIS_MAX + 256];
        struct light_chain out;
        struct nv_view const genesis = light_world_genesis(&world);
        int const size = snprintf(
            text, sizeof text, "{%s, %s", cases[i].members, (const char *)genesis.bytes + 1);
        enum nv_err const err = light_chain_read(&out, nv_view_of(text, (uint32_t)size));
        assert_int_equal(err, i < broken ? NV_OK : NV_ERR_MALFORMED);
        assert_int_equal(out.light.trusting_ms, cases[i].trusting_ms);
    }
    assert_int_equal(chain.light.trusting_ms, 0);
}

static void test_genesis(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "",
        "[]",
        "{}",
        "{\"validators\": []}",
        "{\"validators\": [{\"key\": \"0x00\", \"stake\": \"1\"}]}",
        "{\"validators\": [1]}",
    };
    struct light_chain out;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_int_equal(light_chain_read(&out, nv_view_of_text(broken[i])), NV_ERR_MALFORMED);
    }
    assert_true(chain.devnet);
    assert_true(nv_hash_eq(&chain.light.set.hash, &world.net.set.hash));
    assert_true(nv_hash_eq(&chain.light.chain_id, &world.net.chain_id));
    assert_int_equal(chain.light.epoch, 1);
    assert_int_equal(chain.light.boundary_time_ms, LIGHT_TIME_MS);
}

static void test_a_final_block(void **state)
{
    (void)state;
    struct cs_light_final final;
    struct nv_hash const root = cs_build_hash(1);
    light_world_final(&world, &root, 3, 0);
    struct cs_light_block const block = light_world_block(&world);
    assert_int_equal(cs_light_final(&final, &chain.light, UINT64_MAX, &block), CS_LIGHT_OK);
    assert_int_equal(cs_bitmap_count(&final.signers), 3);
}

/* answer_of makes the answer of chain_epoch for the world's epoch, and goes to
 * the next one. */
static json_t *answer_of(uint32_t epoch)
{
    struct cs_net next;
    uint8_t set[CS_VALSET_SIZE_MAX];
    struct nv_hash const root = cs_build_hash(1);
    json_t *const out = json_object();
    cs_net_init_at(&next, NULL, 3 + epoch, 10 * epoch);
    light_world_final(&world, &root, 100u * epoch, 0);
    world.header.next_valset_hash = next.set.hash;
    light_world_seal(&world, 0);
    put_hex(out, "header", world.header_bytes, sizeof world.header_bytes);
    put_hex(out, "certificate", world.certificate_bytes, world.certificate_size);
    put_hex(out, "next_validators", set, cs_valset_encode(&next.set, set));
    light_world_follow(&world, &next);
    return out;
}

static void test_epochs(void **state)
{
    (void)state;
    json_t *answers[EPOCHS];
    struct cs_light light = chain.light;
    for (uint32_t i = 0; i < EPOCHS; i++) {
        answers[i] = answer_of(i + 1);
    }
    assert_int_equal(tool_trust_step(&light, 0, answers[1]), CS_LIGHT_LATER);
    for (uint32_t i = 0; i < EPOCHS; i++) {
        assert_int_equal(tool_trust_step(&light, 0, answers[i]), CS_LIGHT_OK);
        assert_int_equal(light.epoch, i + 2);
    }
    assert_true(nv_hash_eq(&light.set.hash, &world.net.set.hash));
    assert_int_equal(tool_trust_step(&light, 0, answers[0]), CS_LIGHT_EARLIER);
    for (uint32_t i = 0; i < EPOCHS; i++) {
        json_decref(answers[i]);
    }
}

static void test_epochs_spoilt(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum cs_light_verdict verdict;
    } members[] = {{"header", CS_LIGHT_HEADER},
                   {"certificate", CS_LIGHT_CERTIFICATE},
                   {"next_validators", CS_LIGHT_SET}};
    json_t *const whole = answer_of(1);
    struct cs_light light = chain.light;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *const answer = json_deep_copy(whole);
        (void)json_object_del(answer, members[i].name);
        assert_int_equal(tool_trust_step(&light, 0, answer), members[i].verdict);
        (void)json_object_set_new(answer, members[i].name, json_string("0xzz"));
        assert_int_equal(tool_trust_step(&light, 0, answer), members[i].verdict);
        json_decref(answer);
    }
    assert_int_equal(light.epoch, 1);
    json_decref(whole);
}

/* The way is shown up to the end of the trusting period of each epoch, by the
 * time that is handed in. */
static void test_epochs_expire(void **state)
{
    (void)state;
    struct cs_light light = chain.light;
    light.trusting_ms = 250; /* blocks are stamped by their heights */
    json_t *const first = answer_of(1);
    json_t *const second = answer_of(2);
    assert_int_equal(tool_trust_step(&light, LIGHT_TIME_MS + 251, first), CS_LIGHT_EXPIRED);
    assert_int_equal(light.epoch, 1);
    assert_int_equal(tool_trust_step(&light, LIGHT_TIME_MS + 250, first), CS_LIGHT_OK);
    uint64_t const began = light.boundary_time_ms;
    assert_true(began > LIGHT_TIME_MS);
    assert_int_equal(tool_trust_step(&light, began + 251, second), CS_LIGHT_EXPIRED);
    assert_int_equal(tool_trust_step(&light, began + 250, second), CS_LIGHT_OK);
    assert_int_equal(light.epoch, 3);
    json_decref(first);
    json_decref(second);
}

/* ---- an epoch that was named ---- */

static void test_what_is_a_pin(void **state)
{
    (void)state;
#define HASH "0x00000000000000000000000000000000000000000000000000000000000000ab"
    static const char *const wrong[] = {"",
                                        "3",
                                        "3:",
                                        ":" HASH,
                                        "1:" HASH,
                                        "0:" HASH,
                                        "-3:" HASH,
                                        "+3:" HASH,
                                        "03:" HASH,
                                        "3 :" HASH,
                                        "18446744073709551616:" HASH,
                                        "3:" HASH "00",
                                        "3:" HASH ":3",
                                        "3:0xab",
                                        "3-" HASH};
    struct tool_pin pin;
    assert_int_equal(tool_pin_read(&pin, "3:" HASH), TOOL_OK);
    assert_int_equal(pin.epoch, 3);
    assert_int_equal(pin.boundary.bytes[31], 0xab);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (tool_pin_read(&pin, wrong[i]) != TOOL_USAGE) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
#undef HASH
}

/* Nobody shows the way to the epoch that is named; from there on one walks. */
static void test_a_pin(void **state)
{
    (void)state;
    struct cs_light light = chain.light;
    json_t *answers[EPOCHS];
    struct tool_pin pin = {.epoch = 3};
    for (uint32_t i = 0; i < EPOCHS; i++) {
        answers[i] = answer_of(i + 1);
        if (i == 1) {
            cs_header_hash(&pin.boundary, &world.header);
        }
    }
    struct cs_light const before = light;
    assert_int_equal(tool_pin_begin(&light, &pin, answers[0]), CS_LIGHT_OTHER);
    assert_int_equal(tool_pin_begin(&light, &pin, NULL), CS_LIGHT_HEADER);
    json_t *const lie = json_deep_copy(answers[1]);
    (void)json_object_set(lie, "next_validators", json_object_get(answers[0], "next_validators"));
    assert_int_equal(tool_pin_begin(&light, &pin, lie), CS_LIGHT_SET);
    json_decref(lie);
    pin.epoch = 4; /* the hash is that of an earlier one */
    assert_int_equal(tool_pin_begin(&light, &pin, answers[1]), CS_LIGHT_OTHER);
    assert_memory_equal(&light, &before, sizeof light);
    pin.epoch = 3;
    assert_int_equal(tool_pin_begin(&light, &pin, answers[1]), CS_LIGHT_OK);
    assert_int_equal(light.epoch, 3);
    assert_int_equal(tool_trust_step(&light, 0, answers[2]), CS_LIGHT_OK);
    assert_true(nv_hash_eq(&light.set.hash, &world.net.set.hash));
    for (uint32_t i = 0; i < EPOCHS; i++) {
        json_decref(answers[i]);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int i = CS_LIGHT_OK; i <= CS_LIGHT_ROOT; i++) {
        assert_string_not_equal(light_text((enum cs_light_verdict)i), "it is not known");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_genesis, setup),
        cmocka_unit_test_setup(test_trusting, setup),
        cmocka_unit_test_setup(test_a_final_block, setup),
        cmocka_unit_test_setup(test_epochs, setup),
        cmocka_unit_test_setup(test_epochs_spoilt, setup),
        cmocka_unit_test_setup(test_epochs_expire, setup),
        cmocka_unit_test_setup(test_what_is_a_pin, setup),
        cmocka_unit_test_setup(test_a_pin, setup),
        cmocka_unit_test_setup(test_words, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
