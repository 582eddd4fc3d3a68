/* `novate devnet up`: makes the homes and the genesis, starts everything, says
 * where things are and what to try. */

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fmt.h"

#include "rpc/client.h"
#include "tools/args.h"
#include "tools/command.h"
#include "tools/devnet/devnet.h"
#include "tools/keyring.h"

#define READY_MS 60000u
#define USAGE                                                                                      \
    "novate devnet up [--dir D] [--base-port P] [--validators N] [--detach] [--no-bots] "          \
    "[--feed synthetic|CSV] [--pace MS] [--delta MS] [--epoch SECONDS]"

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static void nap(void)
{
    (void)poll(NULL, 0, 100);
}

static bool make_folder(const struct devnet *d, const char *name)
{
    char path[DEVNET_PATH_MAX];
    devnet_path(path, d, name);
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* A folder that holds a devnet is started again as it was. */
static bool exists(const char *dir)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/devnet.json", dir);
    return access(path, F_OK) == 0;
}

/* anything_runs: a validator, or the feeder, which goes on when all of them are
 * killed. */
static bool anything_runs(const struct devnet *d)
{
    for (uint32_t i = 0; i < d->validators; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "node%u", i);
        if (devnet_running(d, name)) {
            return true;
        }
    }
    return devnet_running(d, "feeder");
}

/* may_start refuses a devnet that runs already, before anything is started or
 * stopped in its folder. */
static bool may_start(const struct devnet *d)
{
    if (anything_runs(d)) {
        (void)tool_fail(TOOL_FAILED,
                        NULL,
                        "novate devnet status, or novate devnet down",
                        "the devnet in %s runs already",
                        d->dir);
        return false;
    }
    return devnet_ports_free(d->base_port, d->validators, true);
}

static bool create(struct devnet *d, const char *dir)
{
    char real[PATH_MAX];
    if ((mkdir(dir, 0755) != 0 && errno != EEXIST) || realpath(dir, real) == NULL ||
        strlen(real) >= sizeof d->dir) {
        (void)tool_fail(TOOL_FAILED, strerror(errno), NULL, "%s cannot be made", dir);
        return false;
    }
    if (strlen(real) + sizeof "/run/feeder.sock" > sizeof((struct sockaddr_un *)NULL)->sun_path) {
        (void)rmdir(real); /* stays if it holds anything */
        (void)tool_fail(
            TOOL_FAILED,
            "the feeder's socket lies in it, and a socket's path has at most 107 bytes",
            "novate devnet up --dir /tmp/devnet, or make demo DEMO_FLAGS=\"--dir /tmp/devnet\"",
            "the path %s is too long",
            real);
        return false;
    }
    memcpy(d->dir, real, strlen(real) + 1);
    if (!make_folder(d, "run") || !make_folder(d, "logs")) {
        (void)tool_fail(TOOL_FAILED, strerror(errno), NULL, "%s cannot be written", dir);
        return false;
    }
    for (uint32_t i = 0; i < d->validators; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "node%u", i);
        if (!make_folder(d, name) || !devnet_init_home(d, i)) {
            return false;
        }
    }
    return devnet_genesis(d) && devnet_save(d);
}

static bool start_tools(const struct devnet *d)
{
    const char *const feeder[] = {"feeder", "--dir", d->dir, NULL};
    if (!devnet_start_tool(d, "feeder", feeder)) {
        return false;
    }
    const char *const bots[] = {"bots", "--dir", d->dir, NULL};
    const char *const keeper[] = {"keeper", "run", "--dir", d->dir, NULL};
    return !d->bots ||
           (devnet_start_tool(d, "bots", bots) && devnet_start_tool(d, "keeper", keeper));
}

/* height asks a node for its finalized height; 0 while it does not answer. */
static uint64_t height(const struct devnet *d, uint32_t node)
{
    char url[64];
    struct rpc_client *client = NULL;
    json_t *status = NULL;
    uint64_t out = 0;
    devnet_url(url, d, node);
    if (rpc_client_open(&client, url, 2000) != NV_OK) {
        return 0;
    }
    if (rpc_client_call(client, &status, "node_status", NULL) == NV_OK) {
        const char *const text = json_string_value(json_object_get(status, "finalized_height"));
        if (text == NULL || nv_u64_parse(&out, nv_view_of_text(text)) != NV_OK) {
            out = 0;
        }
        json_decref(status);
    }
    rpc_client_close(client);
    return out;
}

static bool ready(const struct devnet *d)
{
    for (uint32_t waited = 0; waited < READY_MS && stopping == 0; waited += 100) {
        uint32_t good = 0;
        for (uint32_t i = 0; i < d->validators; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "node%u", i);
            if (!devnet_running(d, name)) {
                char log[DEVNET_PATH_MAX];
                devnet_path(log, d, "logs");
                (void)tool_fail(TOOL_FAILED, NULL, log, "%s stopped; its log tells why", name);
                return false;
            }
            good += height(d, i) >= 1 ? 1u : 0u;
        }
        if (good == d->validators) {
            return true;
        }
        nap();
    }
    (void)tool_fail(TOOL_FAILED, NULL, NULL, "the validators did not agree on a block in time");
    return false;
}

static void print_key(const char *name)
{
    struct tool_key key;
    char address[NV_ADDRESS_TEXT];
    char secret[NV_BYTES_TEXT(32)];
    tool_key_named(&key, name);
    nv_address_format(address, &key.address);
    nv_bytes_format(secret, key.secret.bytes, sizeof key.secret.bytes);
    (void)printf("  %-8s %s  %s\n", name, address, secret);
}

static void banner(const struct devnet *d)
{
    static const char *const names[] = {"alice", "bob", "keeper", "faucet", "bot0", "bot3", "bot5"};
    (void)printf("\nA Novate devnet runs in %s\n\n", d->dir);
    for (uint32_t i = 0; i < d->validators; i++) {
        char url[64];
        devnet_url(url, d, i);
        (void)printf("  node%-4u RPC %s   metrics http://127.0.0.1:%u/metrics\n",
                     i,
                     url,
                     d->base_port + 10 * i + 4);
    }
    (void)printf("\nDevelopment keys: the same on every machine, never use them elsewhere\n\n");
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        print_key(names[i]);
    }
    char url[64];
    char programs[DEVNET_DIR_MAX];
    devnet_url(url, d, 0);
    if (!devnet_programs(programs)) {
        programs[0] = '\0';
    }
    (void)printf(
        "\nTry:\n\n"
        "  export PATH=\"%s:$PATH\" NOVATE_DEVNET=\"%s\" NOVATE_NODE=%s\n"
        "  novate book BTC-PERP -w           a live book\n"
        "  novate buy BTC-PERP 0.1 @market   trade as alice\n"
        "  novate devnet price BTC=-12%%      watch liquidations\n"
        "  novate devnet kill 2              three of four go on; revive 2 catches up\n"
        "  novate account alice              state, checked against a finality certificate\n"
        "  novate devnet down                stop everything\n\n",
        programs,
        d->dir,
        url);
    (void)fflush(stdout);
}

static enum tool_exit run(struct devnet *d, bool detach)
{
    for (uint32_t i = 0; i < d->validators; i++) {
        if (!devnet_start_node(d, i)) {
            devnet_stop_all(d);
            return TOOL_FAILED;
        }
    }
    if (!ready(d) || !start_tools(d)) {
        devnet_stop_all(d);
        return TOOL_FAILED;
    }
    banner(d);
    if (detach) {
        return TOOL_OK;
    }
    (void)printf("Ctrl-C stops it.\n");
    (void)fflush(stdout);
    while (stopping == 0) {
        nap();
        if (!anything_runs(d)) {
            (void)printf("\nThe devnet was stopped from elsewhere; nothing runs any more.\n");
            return TOOL_OK;
        }
    }
    devnet_stop_all(d);
    (void)printf("\nThe devnet is down; nothing runs any more.\n");
    return TOOL_OK;
}

enum tool_exit tool_devnet_up(char **argv)
{
    const char *dir = NULL;
    const char *port = "27656";
    const char *validators = "4";
    const char *feed = "synthetic";
    const char *pace = "50";
    const char *delta = "300";
    const char *epoch = "600";
    bool detach = false;
    bool no_bots = false;
    struct tool_args args;
    struct tool_option const options[] = {
        {"--dir", &dir, NULL},
        {"--base-port", &port, NULL},
        {"--validators", &validators, NULL},
        {"--feed", &feed, NULL},
        {"--pace", &pace, NULL},
        {"--delta", &delta, NULL},
        {"--epoch", &epoch, NULL},
        {"--detach", NULL, &detach},
        {"--no-bots", NULL, &no_bots},
    };
    enum tool_exit const code = tool_args_read(&args, options, 9, USAGE, argv);
    uint64_t first = 0;
    uint64_t count = 0;
    uint64_t pace_ms = 0;
    uint64_t delta_ms = 0;
    uint64_t epoch_s = 0;
    static struct devnet d;
    if (code != TOOL_OK || args.count != 0) {
        return code != TOOL_OK ? code
                               : tool_fail(TOOL_USAGE, NULL, USAGE, "no words are needed here");
    }
    if (!tool_args_number(&first, "--base-port", port, 1024, 65000) ||
        !tool_args_number(&count, "--validators", validators, 1, DEVNET_VALIDATORS_MAX) ||
        !tool_args_number(&pace_ms, "--pace", pace, 0, 60000) ||
        !tool_args_number(&delta_ms, "--delta", delta, 10, 60000) ||
        !tool_args_number(&epoch_s, "--epoch", epoch, 0, 432000)) {
        return TOOL_USAGE;
    }
    struct sigaction const action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    dir = devnet_dir(dir);
    if (exists(dir)) {
        return devnet_load(&d, dir) && may_start(&d) ? run(&d, detach) : TOOL_FAILED;
    }
    char real[PATH_MAX];
    if (!devnet_ports_free((uint32_t)first, (uint32_t)count, false)) {
        return TOOL_FAILED;
    }
    d.base_port = (uint32_t)first;
    d.validators = (uint32_t)count;
    d.bots = !no_bots;
    d.pace_ms = (uint32_t)pace_ms;
    d.delta_ms = (uint32_t)delta_ms;
    d.epoch_s = (uint32_t)epoch_s;
    bool const file = strcmp(feed, "synthetic") != 0 && realpath(feed, real) != NULL;
    const char *const source = file ? real : feed;
    if (strlen(source) >= sizeof d.feed) {
        return tool_fail(TOOL_USAGE, NULL, USAGE, "the path of the feed is too long");
    }
    memcpy(d.feed, source, strlen(source) + 1);
    return create(&d, dir) ? run(&d, detach) : TOOL_FAILED;
}
