/* test_config.c - every setting has one value and one origin.
 *
 * Method: a file in a folder of its own, an environment and flags that are
 * plain arrays; the four origins are put over one another in all ways that
 * matter, and every kind of wrong input must be a fault that names the place
 * and the nearest name. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/home/config.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

static char folder[TEMP_DIR_SIZE];
static char path[TEMP_DIR_SIZE + 32];
static struct node_config config;
static struct node_fault fault;

static int make_folder(void **state)
{
    (void)state;
    temp_dir_new(folder);
    (void)snprintf(path, sizeof path, "%s/novate.conf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    temp_dir_remove(folder);
    return 0;
}

/* load reads `text` as the file (NULL: there is none) with an environment and
 * one flag. */
static bool load(const char *text, const char *const *environment, const struct node_flag *flag)
{
    (void)unlink(path);
    if (text != NULL) {
        FILE *const file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    memset(&fault, 0, sizeof fault);
    struct node_config_sources const sources = {
        .home = folder,
        .environment = environment,
        .flags = flag,
        .flag_count = flag == NULL ? 0 : 1,
    };
    return node_config_read(&config, &sources, &fault);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_true(load(NULL, NULL, NULL));
    assert_false(config.file_found);
    assert_string_equal(node_config_text(&config, NODE_RPC_LISTEN), "127.0.0.1:27657");
    assert_int_equal(node_config_number(&config, NODE_LIMITS_SEGMENT_MIB), 64);
    char out[ST_PATH_MAX];
    char want[TEMP_DIR_SIZE + 32];
    node_config_path(out, &config, NODE_NODE_DATA);
    (void)snprintf(want, sizeof want, "%s/data", folder);
    assert_string_equal(out, want);
}

static void test_every_default_is_legal(void **state)
{
    (void)state;
    assert_true(load(NULL, NULL, NULL));
    char text[1 << 14] = "";
    FILE *const file = fmemopen(text, sizeof text - 1, "w");
    node_config_template(&config, file);
    (void)fclose(file);
    for (char *line = strstr(text, "\n#"); line != NULL; line = strstr(line + 1, "\n#")) {
        line[1] = line[2] == ' ' || line[2] == '\n' ? '#' : ' ';
    }
    /* A line that begins with a blank goes on the one before: take the blanks away. */
    for (char *c = strstr(text, "\n "); c != NULL; c = strstr(c, "\n ")) {
        memmove(c + 1, c + 2, strlen(c + 2) + 1);
    }
    if (!load(text, NULL, NULL)) {
        fail_msg("%s", fault.what);
    }
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        assert_int_equal(config.value[i].origin, NODE_FROM_FILE);
    }
}

static void test_template_keeps_flags(void **state)
{
    (void)state;
    const char *items[3];
    uint32_t count = 0;
    struct node_flag const flag = {"p2p-peers", "a@x:1,b@y:2"};
    assert_true(load(NULL, NULL, &flag));
    char text[1 << 14] = "";
    FILE *const file = fmemopen(text, sizeof text - 1, "w");
    node_config_template(&config, file);
    (void)fclose(file);
    assert_true(load(text, NULL, NULL));
    assert_int_equal(config.value[NODE_P2P_PEERS].origin, NODE_FROM_FILE);
    assert_int_equal(config.value[NODE_P2P_LISTEN].origin, NODE_FROM_DEFAULT);
    assert_true(node_config_list(&config, NODE_P2P_PEERS, items, &count, 3, &fault));
    assert_int_equal(count, 2);
    assert_string_equal(items[1], "b@y:2");
}

static void test_precedence(void **state)
{
    (void)state;
    static const char *const environment[] = {"NOVATE_RPC_LISTEN=b:2", "NOVATE_RPC=x", NULL};
    struct node_flag const flag = {"rpc-listen", "c:3"};
    static const char text[] = "[rpc]\nlisten = a:1\nmetrics = none\n";
    assert_true(load(text, NULL, NULL));
    assert_string_equal(node_config_text(&config, NODE_RPC_LISTEN), "a:1");
    assert_int_equal(config.value[NODE_RPC_LISTEN].origin, NODE_FROM_FILE);
    assert_true(node_config_none(&config, NODE_RPC_METRICS));
    assert_true(load(text, environment, NULL));
    assert_string_equal(node_config_text(&config, NODE_RPC_LISTEN), "b:2");
    assert_int_equal(config.value[NODE_RPC_LISTEN].origin, NODE_FROM_ENVIRONMENT);
    assert_true(load(text, environment, &flag));
    assert_string_equal(node_config_text(&config, NODE_RPC_LISTEN), "c:3");
    assert_int_equal(config.value[NODE_RPC_LISTEN].origin, NODE_FROM_FLAG);
}

static void test_lists(void **state)
{
    (void)state;
    const char *items[3];
    uint32_t count = 0;
    assert_true(load("[p2p]\npeers = a@x:1, b@y:2\n  c@z:3\n", NULL, NULL));
    assert_true(node_config_list(&config, NODE_P2P_PEERS, items, &count, 3, &fault));
    assert_int_equal(count, 3);
    assert_string_equal(items[0], "a@x:1");
    assert_string_equal(items[1], "b@y:2");
    assert_string_equal(items[2], "c@z:3");
    assert_false(node_config_list(&config, NODE_P2P_PEERS, items, &count, 2, &fault));
    assert_int_equal(fault.code, NODE_EXIT_CONFIG);
    assert_true(load("[p2p]\npeers =\n", NULL, NULL));
    assert_true(node_config_list(&config, NODE_P2P_PEERS, items, &count, 2, &fault));
    assert_int_equal(count, 0);
}

static void expect_fault(const char *text, const char *what, const char *hint)
{
    assert_false(load(text, NULL, NULL));
    assert_int_equal(fault.code, NODE_EXIT_CONFIG);
    if (strstr(fault.what, what) == NULL || strstr(fault.hint, hint) == NULL) {
        fail_msg("\"%s\" / \"%s\"", fault.what, fault.hint);
    }
}

static void test_faults(void **state)
{
    (void)state;
    expect_fault("[rpc]\nlisen = a:1\n", "no setting rpc.lisen (line 2)", "rpc.listen?");
    expect_fault("[node]\nname = x\n[zzz]\nqqqqq = 1\n", "zzz.qqqqq (line 4)", "config show");
    expect_fault("listen = a:1\n", "no setting listen", "");
    expect_fault("[limits]\nworkers = 0\n", "limits.workers is \"0\"", "default is 2");
    expect_fault("[limits]\nworkers = 065\n", "whole number", "");
    expect_fault("[limits]\nworkers = 18446744073709551616\n", "whole number", "");
    expect_fault("[limits]\nworkers = -1\n", "whole number", "");
    expect_fault("[node]\nname = a\nname = b\n", "there twice", "one of the two");
    expect_fault("[node]\nname =\n", "it is empty", "default");
    expect_fault("[node]\nrubbish\n", "line 2", "key = value");
    expect_fault("[node\n", "line 1", "key = value");
    expect_fault("[node\nname = a\n", "line 1", "");
    char text[512];
    memset(text, 'x', sizeof text);
    (void)snprintf(text, 12, "[node]\n[a]\n");
    text[11] = 'y';
    text[sizeof text - 1] = '\0';
    expect_fault(text, "line 3: longer than", "further lines");
}

static void test_named_file_must_exist(void **state)
{
    (void)state;
    struct node_config_sources const sources = {.home = folder, .file = "/nonexistent/x.conf"};
    memset(&fault, 0, sizeof fault);
    assert_false(node_config_read(&config, &sources, &fault));
    assert_int_equal(fault.code, NODE_EXIT_CONFIG);
}

static void test_home(void **state)
{
    (void)state;
    static const char *const user[] = {"HOME=/u/ada", NULL};
    static const char *const both[] = {"HOME=/u/ada", "NOVATE_HOME=/srv/n", NULL};
    static const char *const none[] = {"X=y", NULL};
    struct node_config_sources sources = {.environment = user};
    memset(&fault, 0, sizeof fault);
    assert_true(node_config_read(&config, &sources, &fault));
    assert_string_equal(config.home, "/u/ada/.novate");
    sources.environment = both;
    assert_true(node_config_read(&config, &sources, &fault));
    assert_string_equal(config.home, "/srv/n");
    sources.environment = none;
    memset(&fault, 0, sizeof fault);
    assert_false(node_config_read(&config, &sources, &fault));
}

static void test_show_names_origins(void **state)
{
    (void)state;
    static const char *const environment[] = {"NOVATE_NODE_NAME=n1", NULL};
    assert_true(load("[rpc]\nlisten = a:1\n", environment, NULL));
    char text[1 << 14] = "";
    FILE *const file = fmemopen(text, sizeof text - 1, "w");
    node_config_show(&config, file, true);
    (void)fclose(file);
    assert_non_null(strstr(text, "node.name = n1  (environment NOVATE_NODE_NAME)\n"));
    assert_non_null(strstr(text, "rpc.listen = a:1  (file /"));
    assert_non_null(strstr(text, "node.data = data  (default)\n"));
    assert_true(node_config_known("rpc-listen"));
    assert_false(node_config_known("rpc-lisen"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_default_is_legal),
        cmocka_unit_test(test_template_keeps_flags),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_named_file_must_exist),
        cmocka_unit_test(test_home),
        cmocka_unit_test(test_show_names_origins),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
