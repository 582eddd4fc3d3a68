/* main.c - crash COMMAND [--count N] [--seed N] [--workers N]: see crash.h. */

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"

#include "tests/crash/crash.h"

struct crash_counts *crash_counts;

void crash_count(uint64_t *counter)
{
    (void)__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

void crash_fail(const char *format, ...)
{
    va_list arguments;
    crash_count(&crash_counts->failed);
    va_start(arguments, format);
    (void)fputs("failed: ", stdout);
    (void)vprintf(format, arguments);
    (void)fputs("\n", stdout);
    (void)fflush(stdout);
    va_end(arguments);
}

/* ---- folders ---- */

static char top[CRASH_PATH_SIZE / 2];

static void open_top(void)
{
    const char *const memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(top, sizeof top, "%s/novate-crash.%ld", memory, (long)getpid());
    int const result = mkdir(top, 0700);
    NV_ASSERT(result == 0);
}

void crash_folder(char *out, const char *name)
{
    (void)snprintf(out, CRASH_PATH_SIZE, "%s/%s", top, name);
    (void)mkdir(out, 0700);
}

static void remove_all(const char *path)
{
    DIR *const dir = opendir(path);
    for (const struct dirent *entry = NULL; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char name[CRASH_PATH_SIZE + sizeof entry->d_name];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR) {
            remove_all(name);
        } else {
            (void)unlink(name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)rmdir(path);
}

void crash_end(void)
{
    remove_all(top);
}

/* ---- children ---- */

pid_t crash_fork(int (*fn)(void *ctx), void *ctx)
{
    (void)fflush(stdout);
    pid_t const child = fork();
    NV_ASSERT(child >= 0);
    if (child == 0) {
        int const code = fn(ctx);
        (void)fflush(stdout);
        _exit(code);
    }
    return child;
}

int crash_wait(pid_t child)
{
    int status = 0;
    pid_t const result = waitpid(child, &status, 0);
    NV_ASSERT(result == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* ---- the command line ---- */

static const struct {
    const char *name;
    crash_fn run;
} commands[] = {
    {"states", crash_states},
    {"faults", crash_faults},
    {"kills", crash_kills},
    {"flips", crash_flips},
};

static bool read_options(struct crash_options *out, int argc, char **argv)
{
    for (int i = 2; i + 1 < argc; i += 2) {
        uint64_t const value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--count") == 0) {
            out->count = value;
        } else if (strcmp(argv[i], "--seed") == 0) {
            out->seed = value;
        } else if (strcmp(argv[i], "--workers") == 0) {
            out->workers = (uint32_t)value;
        } else {
            return false;
        }
    }
    return argc % 2 == 0 && out->workers > 0 && out->count > 0;
}

static int run_one(void *ctx)
{
    const struct crash_options *const options = ctx;
    return options->command(options);
}

/* run_all runs every command, or the one that is named, each in a process of its
 * own, and returns how many there were. */
static uint32_t run_all(const char *name, struct crash_options *options, uint32_t *failed)
{
    uint32_t ran = 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, "all") == 0 || strcmp(name, commands[i].name) == 0) {
            options->command = commands[i].run;
            memset(crash_counts, 0, sizeof *crash_counts);
            *failed += crash_wait(crash_fork(run_one, options)) == 0 ? 0 : 1;
            ran++;
        }
    }
    return ran;
}

int main(int argc, char **argv)
{
    struct crash_options options = {.count = 1000, .seed = 1, .workers = 2};
    struct rlimit const no_core = {0, 0};
    uint32_t failed = 0;
    (void)setrlimit(RLIMIT_CORE, &no_core);
    int const flags = MAP_SHARED | MAP_ANONYMOUS;
    crash_counts = mmap(NULL, sizeof *crash_counts, PROT_READ | PROT_WRITE, flags, -1, 0);
    NV_ASSERT(crash_counts != MAP_FAILED);
    nv_log_set_level(NV_LOG_ERROR);
    open_top();
    bool const right = argc >= 2 && read_options(&options, argc, argv);
    uint32_t const ran = right ? run_all(argv[1], &options, &failed) : 0;
    crash_end();
    if (ran == 0) {
        (void)fprintf(stderr,
                      "crash all|states|faults|kills|flips [--count N] [--seed N] [--workers N]\n");
        return 2;
    }
    (void)printf("%u passed, %u failed\n", ran - failed, failed);
    return failed == 0 ? 0 : 1;
}
