#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/devnet/devnet.h"

#define WORDS_MAX 24u

/* A process and when it started, so that a reused number is never signalled. */
struct process {
    pid_t pid;
    unsigned long long start;
};

/* Fields of /proc/PID/stat, counted as proc(5) does; the second is the name. */
#define FIELD_THREADS 20u
#define FIELD_START   22u

/* field returns a number of a stat line from behind its name. */
static unsigned long long field(const char *behind_name, uint32_t number)
{
    const char *at = behind_name;
    for (uint32_t i = 3; i < number && at != NULL; i++) {
        at = strchr(at + 1, ' ');
    }
    return at == NULL ? 0 : strtoull(at + 1, NULL, 10);
}

/* read_start writes when a process began; false when it has ended.  One whose
 * first thread has ended is a zombie by its state, but as long as another one
 * still ends it holds what it held. */
static bool read_start(pid_t pid, unsigned long long *start)
{
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *const file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    size_t const size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    const char *const at = strrchr(text, ')'); /* the name may hold anything */
    if (at == NULL || at[1] == '\0' || (at[2] == 'Z' && field(at + 1, FIELD_THREADS) <= 1)) {
        return false;
    }
    *start = field(at + 1, FIELD_START);
    return true;
}

static void pid_path(char out[DEVNET_PATH_MAX], const struct devnet *d, const char *name)
{
    char file[64];
    (void)snprintf(file, sizeof file, "run/%s.pid", name);
    devnet_path(out, d, file);
}

static bool find(const struct devnet *d, const char *name, struct process *out)
{
    char path[DEVNET_PATH_MAX];
    int pid = 0;
    unsigned long long now = 0;
    pid_path(path, d, name);
    FILE *const file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    bool const read = fscanf(file, "%d %llu", &pid, &out->start) == 2;
    (void)fclose(file);
    out->pid = (pid_t)pid;
    return read && pid > 1 && read_start(out->pid, &now) && now == out->start;
}

bool devnet_running(const struct devnet *d, const char *name)
{
    struct process process;
    return find(d, name, &process);
}

bool devnet_signal(const struct devnet *d, const char *name, int signal)
{
    struct process process;
    return find(d, name, &process) && kill(process.pid, signal) == 0;
}

static void nap_ms(uint32_t ms)
{
    (void)poll(NULL, 0, (int)ms);
}

static bool gone_within(const struct devnet *d, const char *name, uint32_t ms)
{
    for (uint32_t waited = 0; devnet_running(d, name); waited += 20) {
        if (waited >= ms) {
            return false;
        }
        (void)waitpid(-1, NULL, WNOHANG); /* a child of ours must be reaped to be gone */
        nap_ms(20);
    }
    return true;
}

void devnet_stop(const struct devnet *d, const char *name, uint32_t grace_ms)
{
    char path[DEVNET_PATH_MAX];
    if (grace_ms > 0 && devnet_signal(d, name, SIGTERM) && !gone_within(d, name, grace_ms)) {
        (void)fprintf(stderr, "novate: %s did not stop in time and is killed\n", name);
    }
    if (devnet_signal(d, name, SIGKILL)) {
        (void)gone_within(d, name, 5000);
    }
    pid_path(path, d, name);
    (void)unlink(path);
}

void devnet_stop_all(const struct devnet *d)
{
    static const char *const tools[] = {"bots", "keeper", "feeder"};
    char name[32];
    for (uint32_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        devnet_stop(d, tools[i], 2000);
    }
    for (uint32_t i = 0; i < d->validators; i++) {
        (void)snprintf(name, sizeof name, "node%u", i);
        (void)devnet_signal(d, name, SIGTERM); /* all at once, then wait for each */
    }
    for (uint32_t i = 0; i < d->validators; i++) {
        (void)snprintf(name, sizeof name, "node%u", i);
        devnet_stop(d, name, 10000);
    }
}

bool devnet_programs(char out[DEVNET_DIR_MAX])
{
    ssize_t const size = readlink("/proc/self/exe", out, DEVNET_DIR_MAX - 1);
    out[size > 0 ? size : 0] = '\0';
    char *const slash = strrchr(out, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    return true;
}

/* program writes the path of a program beside this one. */
static bool program(char out[DEVNET_PATH_MAX], const char *name)
{
    char folder[DEVNET_DIR_MAX];
    if (!devnet_programs(folder)) {
        return false;
    }
    (void)snprintf(out, DEVNET_PATH_MAX, "%s/%s", folder, name);
    return access(out, X_OK) == 0;
}

/* become runs in the child: its own session, output to the log. */
static void become(const char *log, char *const *argv)
{
    int const in = open("/dev/null", O_RDONLY);
    int const out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2 &&
        setsid() >= 0) {
        (void)execv(argv[0], argv);
    }
    _exit(127);
}

static bool note(const struct devnet *d, const char *name, pid_t pid)
{
    char path[DEVNET_PATH_MAX];
    unsigned long long start = 0;
    if (!read_start(pid, &start)) {
        return false;
    }
    pid_path(path, d, name);
    FILE *const file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    bool const written = fprintf(file, "%d %llu\n", (int)pid, start) > 0;
    return fclose(file) == 0 && written;
}

static bool start(const struct devnet *d, const char *name, char *const *argv)
{
    char log[DEVNET_PATH_MAX];
    char file[64];
    if (devnet_running(d, name)) {
        (void)tool_fail(TOOL_FAILED, NULL, "novate devnet status", "%s runs already", name);
        return false;
    }
    (void)snprintf(file, sizeof file, "logs/%s.log", name);
    devnet_path(log, d, file);
    pid_t const pid = fork();
    if (pid == 0) {
        become(log, argv);
    }
    if (pid < 0 || !note(d, name, pid)) {
        (void)tool_fail(TOOL_FAILED, strerror(errno), NULL, "%s cannot be started", name);
        return false;
    }
    return true;
}

bool devnet_start_node(const struct devnet *d, uint32_t node)
{
    char name[32];
    char home[DEVNET_PATH_MAX];
    char daemon[DEVNET_PATH_MAX];
    (void)snprintf(name, sizeof name, "node%u", node);
    devnet_path(home, d, name);
    if (!program(daemon, "novated")) {
        (void)tool_fail(TOOL_FAILED, NULL, "make", "novated is not beside novate");
        return false;
    }
    char start_word[] = "start";
    char home_word[] = "--home";
    char *const argv[] = {daemon, start_word, home_word, home, NULL};
    return start(d, name, argv);
}

bool devnet_start_tool(const struct devnet *d, const char *name, const char *const *words)
{
    char self[DEVNET_PATH_MAX];
    char *argv[WORDS_MAX];
    uint32_t count = 1;
    if (!program(self, "novate")) {
        return false;
    }
    argv[0] = self;
    for (; *words != NULL && count < WORDS_MAX - 1; words++) {
        argv[count] = (char *)(uintptr_t)*words;
        count++;
    }
    argv[count] = NULL;
    return start(d, name, argv);
}

bool devnet_init_home(const struct devnet *d, uint32_t node)
{
    char name[32];
    char home[DEVNET_PATH_MAX];
    char daemon[DEVNET_PATH_MAX];
    char log[DEVNET_PATH_MAX];
    (void)snprintf(name, sizeof name, "node%u", node);
    devnet_path(home, d, name);
    devnet_path(log, d, "logs/init.log");
    if (!program(daemon, "novated")) {
        (void)tool_fail(TOOL_FAILED, NULL, "make", "novated is not beside novate");
        return false;
    }
    char init_word[] = "init";
    char home_word[] = "--home";
    char *const argv[] = {daemon, init_word, home_word, home, NULL};
    pid_t const pid = fork();
    if (pid == 0) {
        become(log, argv);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) {
        (void)tool_fail(TOOL_FAILED, NULL, log, "novated init failed for %s", home);
        return false;
    }
    return true;
}
