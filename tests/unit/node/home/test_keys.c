/* test_keys.c - key files are read whole or refused, and a key signs with its
 * own journal only.
 *
 * Method: files in a folder of their own; one thing at a time is replaced in a
 * good file and must be refused; the guard is asked every combination of bond
 * and journal. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#include "node/home/keys.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

static char folder[TEMP_DIR_SIZE];
static char path[TEMP_DIR_SIZE + 32];
static struct node_key key;
static struct node_fault fault;

static int make_folder(void **state)
{
    (void)state;
    temp_dir_new(folder);
    (void)snprintf(path, sizeof path, "%s/key.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    temp_dir_remove(folder);
    return 0;
}

static void fresh(void)
{
    (void)unlink(path);
    memset(&fault, 0, sizeof fault);
    assert_true(node_key_create(path, NODE_KEY_VALIDATOR, &fault));
}

static bool reread(enum node_key_kind kind)
{
    memset(&fault, 0, sizeof fault);
    return node_key_read(&key, path, kind, &fault);
}

static void test_round_trip(void **state)
{
    (void)state;
    fresh();
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(reread(NODE_KEY_VALIDATOR));
    struct nv_pubkey derived;
    assert_int_equal(nv_key_public(&derived, &key.secret), NV_OK);
    assert_memory_equal(derived.bytes, key.key.bytes, 32);
    assert_int_equal(key.bond_count, 0);
    struct nv_pubkey const first = key.key;
    assert_false(node_key_create(path, NODE_KEY_VALIDATOR, &fault)); /* never overwritten */
    assert_true(reread(NODE_KEY_VALIDATOR));
    assert_memory_equal(first.bytes, key.key.bytes, 32);
    fresh();
    assert_true(reread(NODE_KEY_VALIDATOR));
    assert_memory_not_equal(first.bytes, key.key.bytes, 32);
}

static void test_bonds_last(void **state)
{
    (void)state;
    fresh();
    assert_true(reread(NODE_KEY_VALIDATOR));
    for (uint32_t i = 0; i < NODE_KEY_CHAINS_MAX; i++) {
        struct node_key_bond bond = {.journal = {1, 2, 3}};
        bond.chain_id.bytes[0] = (uint8_t)i;
        bond.journal[15] = (uint8_t)(i + 1);
        assert_true(node_key_bind(&key, &bond, &fault));
    }
    assert_true(reread(NODE_KEY_VALIDATOR));
    assert_int_equal(key.bond_count, NODE_KEY_CHAINS_MAX);
    assert_int_equal(key.bond[7].chain_id.bytes[0], 7);
    assert_int_equal(key.bond[7].journal[15], 8);
    struct node_key_bond const bond = {.chain_id = {.bytes = {200}}, .journal = {9}};
    assert_false(node_key_bind(&key, &bond, &fault));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void rewrite(const char *from, const char *to);

/* A key is bound to another journal, from a time on. */
static void test_bound_anew(void **state)
{
    (void)state;
    struct node_key_bond bond[3] = {{.journal = {1}}, {.journal = {2}}, {.journal = {3}}};
    fresh();
    assert_true(reread(NODE_KEY_VALIDATOR));
    for (uint32_t i = 0; i < 3; i++) {
        bond[i].chain_id.bytes[0] = (uint8_t)i;
        assert_null(node_key_bond(&key, &bond[i].chain_id));
        assert_true(node_key_bind(&key, &bond[i], &fault));
    }
    bond[1].journal[0] = 9;
    bond[1].since_ms = UINT64_C(1700000060000);
    assert_true(node_key_bind(&key, &bond[1], &fault));
    assert_true(reread(NODE_KEY_VALIDATOR));
    assert_int_equal(key.bond_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct node_key_bond *const found = node_key_bond(&key, &bond[i].chain_id);
        assert_non_null(found);
        assert_memory_equal(found, &bond[i], sizeof *found);
    }
    rewrite("\"since_ms\": 1700000060000", "\"since_ms\": \"soon\"");
    assert_false(reread(NODE_KEY_VALIDATOR));
    assert_int_equal(fault.code, NODE_EXIT_CONFIG);
}

/* rewrite puts `to` in the place of the first `from` of the file. */
static void rewrite(const char *from, const char *to)
{
    char text[8192] = "";
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    size_t const size = fread(text, 1, sizeof text - 1, file);
    assert_true(size > 0);
    const char *const at = strstr(text, from);
    assert_non_null(at);
    assert_int_equal(fseek(file, 0, SEEK_SET), 0);
    assert_true(fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    assert_int_equal(ftruncate(fileno(file), ftell(file)), 0);
    assert_int_equal(fclose(file), 0);
}

static void test_damage(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"novate-key-1", "novate-key-2"},
        {"\"validator\"", "\"node\""},
        {"\"key\": \"0x", "\"key\": \"0y"},
        {"\"secret\": \"0x", "\"secret\": \"0x00"},
        {"\"secret\"", "\"sekret\""},
        {"\"journals\": []", "\"journals\": {}"},
        {"\"journals\": []", "\"journals\": [1]"},
        {"\"journals\": []", "\"journals\": [{\"chain\":\"0x00\",\"journal\":\"0x00\"}]"},
        {"}", ""},
        {"{", "{\"format\":\"novate-key-1\","},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fresh();
        rewrite(wrong[i][0], wrong[i][1]);
        if (reread(NODE_KEY_VALIDATOR) || fault.code != NODE_EXIT_CONFIG) {
            fail_msg("accepted: %s -> %s", wrong[i][0], wrong[i][1]);
        }
    }
    fresh();
    assert_false(reread(NODE_KEY_NODE));
    assert_int_equal(chmod(path, 0640), 0);
    assert_false(reread(NODE_KEY_VALIDATOR));
    assert_non_null(strstr(fault.hint, "chmod 600"));
    (void)unlink(path);
    assert_false(reread(NODE_KEY_VALIDATOR));
    assert_non_null(strstr(fault.hint, "novated init"));
}

static void test_another_secret_is_refused(void **state)
{
    (void)state;
    fresh();
    assert_true(reread(NODE_KEY_VALIDATOR));
    rewrite("\"secret\": \"0x",
            "\"secret\": \"0x0000000000000000000000000000000000000000000000000"
            "000000000000001\", \"rest\": \"");
    assert_false(reread(NODE_KEY_VALIDATOR));
    assert_non_null(strstr(fault.what, "does not belong"));
}

static void test_guard(void **state)
{
    (void)state;
    struct nv_hash const here = {.bytes = {1}};
    struct nv_hash const there = {.bytes = {2}};
    struct node_key_journal const missing = {.found = false};
    struct node_key_journal const own = {.found = true, .id = {7}, .votes = true};
    struct node_key_journal const other = {.found = true, .id = {8}, .votes = true};
    struct node_key_journal const other_empty = {.found = true, .id = {8}};
    struct node_key_journal const snapshot = {.found = true, .id = {8}, .base = true};
    bool bind = false;

    memset(&key, 0, sizeof key);
    memset(&fault, 0, sizeof fault);
    assert_true(node_key_guard(&key, &here, &missing, &bind, &fault));
    assert_true(bind);
    assert_true(node_key_guard(&key, &here, &other_empty, &bind, &fault));
    assert_true(bind);
    assert_false(node_key_guard(&key, &here, &own, &bind, &fault));
    assert_int_equal(fault.code, NODE_EXIT_GUARD);
    memset(&fault, 0, sizeof fault);
    assert_false(node_key_guard(&key, &here, &snapshot, &bind, &fault));
    assert_int_equal(fault.code, NODE_EXIT_GUARD);
    assert_non_null(strstr(fault.hint, "--sit-out"));

    key.bond[0] = (struct node_key_bond){.chain_id = here, .journal = {7}};
    key.bond_count = 1;
    memset(&fault, 0, sizeof fault);
    assert_true(node_key_guard(&key, &here, &own, &bind, &fault));
    assert_false(bind);
    assert_true(node_key_guard(&key, &there, &missing, &bind, &fault)); /* another chain */
    assert_true(bind);
    assert_false(node_key_guard(&key, &here, &missing, &bind, &fault));
    assert_int_equal(fault.code, NODE_EXIT_GUARD);
    memset(&fault, 0, sizeof fault);
    assert_false(node_key_guard(&key, &here, &other, &bind, &fault));
    assert_false(node_key_guard(&key, &here, &other_empty, &bind, &fault));
    assert_int_equal(fault.code, NODE_EXIT_GUARD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bonds_last),
        cmocka_unit_test(test_bound_anew),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_another_secret_is_refused),
        cmocka_unit_test(test_guard),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
