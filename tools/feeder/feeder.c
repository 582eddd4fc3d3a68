/* The price feed of a devnet: reports every second with every reporter's key,
 * each to its own node, or to any that is up. */

#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/log.h"

#include "tools/args.h"
#include "tools/command.h"
#include "tools/devnet/devnet.h"
#include "tools/feeder/path.h"
#include "tools/submit.h"

#define STEP_MS    1000u
#define SPREAD_PPM 50.0 /* reporters differ a little */
#define CONFIDENCE 2e-4
#define SEED       UINT64_C(42)

struct feeder {
    struct devnet devnet;
    struct price_path *path;
    struct tool_key reporter[DEVNET_VALIDATORS_MAX];
    struct tool_chain chain[DEVNET_VALIDATORS_MAX]; /* client NULL: not connected */
    char url[DEVNET_VALIDATORS_MAX][64];
    int listener;
    uint64_t steps;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

/* reach connects to a node if it answers; quietly, since nodes come and go. */
static bool reach(struct feeder *f, uint32_t node)
{
    if (f->chain[node].client != NULL) {
        return true;
    }
    json_t *result = NULL;
    struct rpc_client *client = NULL;
    if (rpc_client_open(&client, f->url[node], 2000) != NV_OK) {
        return false;
    }
    const char *id = NULL;
    bool good = rpc_client_call(client, &result, "node_status", NULL) == NV_OK;
    if (good) {
        id = json_string_value(json_object_get(result, "chain_id"));
        good = id != NULL &&
               nv_bytes_parse(f->chain[node].chain_id.bytes, 32, nv_view_of_text(id)) == NV_OK;
    }
    json_decref(result);
    if (good) {
        f->chain[node].client = client;
        f->chain[node].url = f->url[node];
    } else {
        rpc_client_close(client);
    }
    return good;
}

static bool hand_in(struct feeder *f, uint32_t node, const struct tool_key *key, uint64_t now_ms)
{
    static uint8_t bytes[VM_TX_SIZE_MAX];
    static char text[NV_BYTES_TEXT(VM_TX_SIZE_MAX)];
    struct vm_action reports[PATH_FEEDS];
    uint32_t size = 0;
    json_t *result = NULL;
    if (!reach(f, node)) {
        return false;
    }
    uint32_t const reporter = (uint32_t)(key - f->reporter);
    double const offset = (double)((reporter * 7 + f->steps * 3) % 11) / 5.0 - 1.0;
    for (uint32_t i = 0; i < PATH_FEEDS; i++) {
        int64_t const price = price_path_now(f->path, i);
        int64_t const own = (int64_t)llround((double)price * (1.0 + offset * SPREAD_PPM * 1e-6));
        reports[i] = (struct vm_action){
            .kind = VM_ACTION_REPORT,
            .report = {i, vm_money(own), vm_money((int64_t)((double)price * CONFIDENCE)), now_ms},
        };
    }
    if (tool_sign(&f->chain[node], key, reports, PATH_FEEDS, bytes, &size) != TOOL_OK) {
        return false;
    }
    nv_bytes_format(text, bytes, size);
    enum nv_err const err = rpc_client_call(
        f->chain[node].client, &result, "tx_submit", json_pack("{s:s}", "transaction", text));
    json_decref(result);
    if (err == NV_ERR_CLOSED || err == NV_ERR_TIMEOUT) {
        tool_chain_close(&f->chain[node]);
        return false;
    }
    return err == NV_OK;
}

/* report hands in every reporter's prices: to its own node, else to the next. */
static void report(struct feeder *f)
{
    uint64_t const now_ms = tool_now_ms();
    for (uint32_t i = 0; i < f->devnet.validators; i++) {
        bool done = false;
        for (uint32_t j = 0; j < f->devnet.validators && !done; j++) {
            done = hand_in(f, (i + j) % f->devnet.validators, &f->reporter[i], now_ms);
        }
    }
}

/* ---- devnet price ---- */

static bool listen_at(struct feeder *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[DEVNET_PATH_MAX];
    devnet_path(path, &f->devnet, "run/feeder.sock");
    if (strlen(path) >= sizeof address.sun_path) {
        (void)tool_fail(TOOL_FAILED,
                        "a socket's path is at most 107 bytes",
                        "use a shorter --dir",
                        "%s is too long",
                        path);
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    (void)unlink(path);
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return f->listener >= 0 &&
           bind(f->listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(f->listener, 8) == 0;
}

/* moved reads "60000", "+5%" or "-12.5%" and returns the new price in micro, 0
 * when it is neither. */
static int64_t moved(int64_t now, const char *text)
{
    char *end = NULL;
    double const number = strtod(text, &end);
    if (end == text || !isfinite(number)) {
        return 0;
    }
    double price = number * 1e6;
    if (strcmp(end, "%") == 0) {
        price = (double)now * (1.0 + number / 100.0);
    } else if (*end != '\0') {
        return 0;
    }
    return price >= 10000.0 && price < 1e15 ? (int64_t)llround(price / 10000.0) * 10000 : 0;
}

static void obey(struct feeder *f, char *command, char *answer, size_t size)
{
    char *const equals = strchr(command, '=');
    if (equals != NULL) {
        *equals = '\0';
    }
    for (uint32_t i = 0; i < PATH_FEEDS && equals != NULL; i++) {
        if (strcmp(command, price_path_symbols[i]) != 0) {
            continue;
        }
        int64_t const before = price_path_now(f->path, i);
        int64_t const after = moved(before, equals + 1);
        char from[NV_DECIMAL_TEXT];
        char to[NV_DECIMAL_TEXT];
        if (after == 0) {
            break;
        }
        price_path_set(f->path, i, after);
        nv_decimal_format(from, before, NV_MICRO_PLACES);
        nv_decimal_format(to, price_path_now(f->path, i), NV_MICRO_PLACES);
        (void)snprintf(answer, size, "ok %s %s -> %s", command, from, to);
        return;
    }
    (void)snprintf(
        answer, size, "error a price is FEED=PRICE, FEED=+P%% or FEED=-P%%; feeds are BTC and ETH");
}

static void serve(struct feeder *f)
{
    int const peer = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    char command[128];
    char answer[256];
    if (peer < 0) {
        return;
    }
    struct timeval const limit = {.tv_sec = 1};
    (void)setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ssize_t const got = recv(peer, command, sizeof command - 1, 0);
    if (got > 0) {
        command[got] = '\0';
        command[strcspn(command, "\n")] = '\0';
        obey(f, command, answer, sizeof answer);
        (void)send(peer, answer, strlen(answer), MSG_NOSIGNAL);
    }
    (void)close(peer);
}

static void run(struct feeder *f)
{
    uint64_t next_ms = tool_now_ms();
    while (stopping == 0) {
        uint64_t const now_ms = tool_now_ms();
        if (now_ms >= next_ms) {
            report(f);
            price_path_step(f->path);
            f->steps++;
            next_ms = next_ms + STEP_MS > now_ms ? next_ms + STEP_MS : now_ms + STEP_MS;
            continue;
        }
        struct pollfd waiting = {.fd = f->listener, .events = POLLIN};
        if (poll(&waiting, 1, (int)(next_ms - now_ms)) > 0) {
            serve(f);
        }
    }
}

enum tool_exit tool_feeder(char **argv)
{
    static const char usage[] = "novate feeder --dir D [--feed synthetic|CSV]";
    static struct feeder f;
    const char *dir = NULL;
    const char *feed = NULL;
    struct tool_args args;
    struct tool_option const options[] = {{"--dir", &dir, NULL}, {"--feed", &feed, NULL}};
    enum tool_exit const code = tool_args_read(&args, options, 2, usage, argv);
    if (code != TOOL_OK || !devnet_load(&f.devnet, devnet_dir(dir))) {
        return code != TOOL_OK ? code : TOOL_FAILED;
    }
    f.path = price_path_open(feed != NULL ? feed : f.devnet.feed, SEED);
    if (f.path == NULL || !listen_at(&f)) {
        return TOOL_FAILED;
    }
    for (uint32_t i = 0; i < f.devnet.validators; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "reporter%u", i);
        tool_key_named(&f.reporter[i], name);
        devnet_url(f.url[i], &f.devnet, i);
    }
    struct sigaction const action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    run(&f);
    char path[DEVNET_PATH_MAX];
    devnet_path(path, &f.devnet, "run/feeder.sock");
    (void)unlink(path);
    price_path_close(f.path);
    return TOOL_OK;
}
