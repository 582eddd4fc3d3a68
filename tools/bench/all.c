/* all.c - `novate bench` and `novate bench memory`: each measurement in a process
 * of its own with a bound on its time, so that none disturbs the next. */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/args.h"
#include "tools/bench/bench.h"
#include "tools/bench/net.h"
#include "tools/command.h"

static uint32_t memory_s = 60;

static void memory(void)
{
    bench_memory_mib(memory_s);
}

static const struct {
    const char *name;
    void (*run)(void);
    uint32_t seconds; /* after these it is ended */
} measurements[] = {
    {"sig_ceiling_tx_s", bench_sig_ceiling_tx_s, 10},
    {"net4_tx_s", bench_net4_tx_s, 90},
    {"net4_orders_s_16", bench_net4_orders_s_16, 90},
    {"net4_finality_ms", bench_net4_finality_ms, 60},
    {"net4_small_blocks_s", bench_net4_small_blocks_s, 60},
    {"certificate_check_us", bench_certificate_check_us, 20},
    {"leader_crash_ms", bench_leader_crash_ms, 40},
    {"vm_ops_s", bench_vm_ops_s, 60},
    {"margin_checks_s", bench_margin_checks_s, 30},
    {"root_leaves_s", bench_root_leaves_s, 60},
    {"restart_s", bench_restart_s, 60},
    {"snapshot_sync_s", bench_snapshot_sync_s, 60},
    {"memory_mib", memory, 100},
};

#define COUNT (sizeof measurements / sizeof measurements[0])

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

/* wait_for waits for the end of a measurement, which is forced when its time
 * is over or the user wants it; false then. */
static bool wait_for(pid_t child, uint32_t seconds)
{
    double const end = bench_wall_s() + seconds;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (stopping != 0 || bench_wall_s() > end) {
            (void)kill(child, SIGKILL);
            (void)waitpid(child, &status, 0);
            return false;
        }
        (void)poll(NULL, 0, 20);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* measure runs one; false when it had to be ended. */
static bool measure(void (*run)(void), uint32_t seconds)
{
    pid_t const child = fork();
    if (child == 0) {
        struct sigaction const usual = {.sa_handler = SIG_DFL};
        (void)sigaction(SIGINT, &usual, NULL);
        (void)sigaction(SIGTERM, &usual, NULL);
        run();
        (void)fflush(stdout);
        _exit(0);
    }
    if (child < 0) {
        return false;
    }
    bool const good = wait_for(child, seconds);
    bench_net_sweep(child);
    return good;
}

static bool wanted(const struct tool_args *args, const char *name)
{
    for (uint32_t i = 0; i < args->count; i++) {
        if (strcmp(args->words[i], name) == 0) {
            return true;
        }
    }
    return args->count == 0;
}

static void catch_signals(void)
{
    struct sigaction const action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

enum tool_exit tool_bench(char **argv)
{
    struct tool_args args;
    static const char usage[] = "novate bench [NAME]";
    enum tool_exit const code = tool_args_read(&args, NULL, 0, usage, argv);
    if (code != TOOL_OK) {
        return code;
    }
    catch_signals();
    (void)remove(BENCH_RESULTS);
    uint32_t good = 0;
    uint32_t run = 0;
    for (uint32_t i = 0; i < COUNT && stopping == 0; i++) {
        if (!wanted(&args, measurements[i].name)) {
            continue;
        }
        run++;
        if (measure(measurements[i].run, measurements[i].seconds)) {
            good++;
        } else {
            bench_report(measurements[i].name, 0, "-", 0, 0, "it failed, or did not end in time");
        }
    }
    if (run == 0) {
        return tool_fail(TOOL_USAGE, NULL, usage, "there is no such measurement");
    }
    return good == run && stopping == 0 ? TOOL_OK : TOOL_FAILED;
}

enum tool_exit tool_bench_memory(char **argv)
{
    struct tool_args args;
    const char *minutes = "5";
    uint64_t count = 0;
    struct tool_option const options[] = {{"--minutes", &minutes, NULL}};
    static const char usage[] = "novate bench memory [--minutes N]";
    enum tool_exit const code = tool_args_read(&args, options, 1, usage, argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (args.count != 0) {
        return tool_fail(TOOL_USAGE, NULL, usage, "it takes no words");
    }
    if (!tool_args_number(&count, "--minutes", minutes, 1, 1440)) {
        return TOOL_USAGE;
    }
    memory_s = (uint32_t)count * 60;
    catch_signals();
    return measure(memory, memory_s + 60) ? TOOL_OK : TOOL_FAILED;
}
