/* main.c - novated: reads the command line and does what it says. */

#include <stdio.h>
#include <string.h>

#include "node/home/arguments.h"
#include "node/home/init.h"
#include "node/runtime/runtime.h"
#include "node/version.h"

extern char **environ;

static struct node_arguments arguments;
static struct node_config config;
static struct node_fault fault;

static void check(void)
{
    if (node_check(&config, &fault)) {
        (void)printf("ok\n");
    }
}

/* run does what needs a configuration, and returns the exit code. */
static int run(void)
{
    struct node_config_sources const sources = {
        .home = arguments.home,
        .file = arguments.file,
        .environment = (const char *const *)environ,
        .flags = arguments.flags,
        .flag_count = arguments.flag_count,
    };
    if (!node_config_read(&config, &sources, &fault)) {
        return (int)fault.code;
    }
    switch (arguments.command) {
    case NODE_COMMAND_INIT: return node_init(&config, &fault) ? NODE_EXIT_OK : (int)fault.code;
    case NODE_COMMAND_CONFIG_SHOW: node_config_show(&config, stdout, arguments.origin); break;
    case NODE_COMMAND_CONFIG_CHECK: check(); break;
    case NODE_COMMAND_START: return node_run(&config, &fault);
    case NODE_COMMAND_HELP:
    case NODE_COMMAND_VERSION: break;
    }
    return (int)fault.code;
}

int main(int argc, char **argv)
{
    if (!node_arguments_read(&arguments, argc, argv, &fault)) {
        return node_fault_print(&fault);
    }
    if (arguments.command == NODE_COMMAND_HELP) {
        node_arguments_help(stdout);
        return NODE_EXIT_OK;
    }
    if (arguments.command == NODE_COMMAND_VERSION) {
        (void)printf("novated %s\n", NODE_VERSION);
        return NODE_EXIT_OK;
    }
    int const code = run();
    return node_fault_is(&fault) ? node_fault_print(&fault) : code;
}
