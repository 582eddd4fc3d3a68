/* test_arguments.c - the command line is understood or refused with a hint.
 *
 * Method: lists of words, and what must come out of them. */

#include <string.h>

#include "node/home/arguments.h"
#include "tests/lib/nv_test.h"

static struct node_arguments arguments;
static struct node_fault fault;

static bool take(const char *const *words)
{
    char memory[16][64];
    char *argv[17];
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        (void)snprintf(memory[argc], sizeof memory[argc], "%s", words[argc]);
        argv[argc] = memory[argc];
    }
    argv[argc] = NULL;
    memset(&fault, 0, sizeof fault);
    return node_arguments_read(&arguments, argc, argv, &fault);
}

#define TAKE(...) take((const char *const[]){"novated", __VA_ARGS__, NULL})

static void test_commands(void **state)
{
    (void)state;
    assert_true(take((const char *const[]){"novated", NULL}));
    assert_int_equal(arguments.command, NODE_COMMAND_START);
    assert_true(TAKE("start"));
    assert_int_equal(arguments.command, NODE_COMMAND_START);
    assert_true(TAKE("config", "show", "--origin"));
    assert_int_equal(arguments.command, NODE_COMMAND_CONFIG_SHOW);
    assert_true(arguments.origin);
    assert_true(TAKE("--help"));
    assert_int_equal(arguments.command, NODE_COMMAND_HELP);
    assert_true(TAKE("version"));
    assert_int_equal(arguments.command, NODE_COMMAND_VERSION);
}

static void test_flags(void **state)
{
    (void)state;
    char const *const words[] = {
        "novated", "--home=h", "init", "--rpc-listen", "a:1", "--p2p-listen=b=2", NULL};
    char memory[7][64];
    char *argv[7];
    for (int i = 0; i < 6; i++) {
        (void)snprintf(memory[i], sizeof memory[i], "%s", words[i]);
        argv[i] = memory[i];
    }
    memset(&fault, 0, sizeof fault);
    assert_true(node_arguments_read(&arguments, 6, argv, &fault));
    assert_int_equal(arguments.command, NODE_COMMAND_INIT);
    assert_string_equal(arguments.home, "h");
    assert_int_equal(arguments.flag_count, 2);
    assert_string_equal(arguments.flags[0].name, "rpc-listen");
    assert_string_equal(arguments.flags[0].value, "a:1");
    assert_string_equal(arguments.flags[1].name, "p2p-listen");
    assert_string_equal(arguments.flags[1].value, "b=2");
}

static void expect(bool taken, const char *what, const char *hint)
{
    assert_false(taken);
    assert_int_equal(fault.code, NODE_EXIT_USAGE);
    if (strstr(fault.what, what) == NULL || strstr(fault.hint, hint) == NULL) {
        fail_msg("\"%s\" / \"%s\"", fault.what, fault.hint);
    }
}

static void test_refused(void **state)
{
    (void)state;
    expect(TAKE("sart"), "no command \"sart\"", "did you mean start?");
    expect(TAKE("config"), "no command \"config\"", "config show");
    expect(TAKE("config", "shw"), "\"config shw\"", "config show");
    expect(TAKE("start", "now"), "\"start now\"", "novated help");
    expect(TAKE("config", "show", "all"), "one word too many", "novated help");
    expect(TAKE("--rpc-lisen", "x"), "--rpc-lisen", "did you mean --rpc-listen?");
    expect(TAKE("--hme", "x"), "--hme", "did you mean --home?");
    expect(TAKE("--home"), "needs a value", "novated help");
    expect(TAKE("--zzzzzzzzzzzzzz=1"), "no flag", "novated help");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
