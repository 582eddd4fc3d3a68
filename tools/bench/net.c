#include "tools/bench/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/heap.h"
#include "base/random.h"

#include "rpc/client.h"
#include "tools/grid.h"
#include "tools/submit.h"
#include "vm/wire/wire.h"

#define FOLDER          "build/bench-net-%d"
#define PORTS           40u
#define PORT_FIRST      10000u
#define PORT_LAST       32700u /* above are those that the kernel gives to whoever connects */
#define STARTER_MS      2000   /* a starter whose parent has died ends what it started */
#define TRIES           300u
#define FUND_MICRO      INT64_C(1000000000000)
#define LIFE_MS         58000u /* of a transaction */
#define CALL_ROOM       160u
#define BLOCK_CALL_SIZE 32u

/* ---- the network ---- */

static bool port_free(uint32_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const yes = 1;
    int const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool const good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                      bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

/* free_ports returns the first of PORTS ports that nobody listens on. */
static uint32_t free_ports(void)
{
    uint32_t first = PORT_FIRST + (uint32_t)getpid() % 200u * 100u;
    for (; first < PORT_LAST; first += PORTS) {
        uint32_t good = 0;
        while (good < PORTS && port_free(first + good)) {
            good++;
        }
        if (good == PORTS) {
            return first;
        }
    }
    return 0;
}

/* run starts this program with other words and waits for its end. */
static bool run(const char *const *words)
{
    pid_t const child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        int const null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, STDOUT_FILENO);
        /* execv takes pointers to what it does not change. */
        (void)execv("/proc/self/exe", (char *const *)(uintptr_t)words);
        _exit(TOOL_FAILED);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

bool bench_net_up(struct bench_net *net, bool fast, bool bots)
{
    char port[16];
    memset(net, 0, sizeof *net);
    (void)snprintf(net->dir, sizeof net->dir, FOLDER, (int)getpid());
    uint32_t const first = free_ports();
    if (first == 0 || mkdir(net->dir, 0755) != 0) {
        net->dir[0] = '\0';
        return false;
    }
    (void)snprintf(port, sizeof port, "%" PRIu32, first);
    const char *const words[] = {"novate",
                                 "devnet",
                                 "up",
                                 "--dir",
                                 net->dir,
                                 "--base-port",
                                 port,
                                 "--detach",
                                 "--pace",
                                 fast ? "0" : "50",
                                 "--delta",
                                 fast ? "100" : "300",
                                 bots ? NULL : "--no-bots",
                                 NULL};
    return run(words) && devnet_load(&net->devnet, net->dir);
}

static int drop(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void bench_net_down(struct bench_net *net)
{
    if (net->dir[0] == '\0') {
        return;
    }
    if (net->devnet.validators > 0) {
        devnet_stop_all(&net->devnet);
    }
    (void)nftw(net->dir, drop, 16, FTW_DEPTH | FTW_PHYS);
    net->dir[0] = '\0';
}

void bench_net_sweep(pid_t owner)
{
    static struct bench_net left;
    (void)snprintf(left.dir, sizeof left.dir, FOLDER, (int)owner);
    if (access(left.dir, F_OK) == 0) {
        (void)poll(NULL, 0, STARTER_MS);
        left.devnet.validators = 0;
        (void)devnet_load(&left.devnet, left.dir);
        bench_net_down(&left);
    }
}

/* ---- money ---- */

static bool pay(const struct bench_net *net, const struct tool_chain *chain, uint32_t first)
{
    struct vm_action action[VM_ACTIONS_MAX];
    struct tool_key faucet;
    json_t *result = NULL;
    tool_key_named(&faucet, "faucet");
    for (uint32_t i = 0; i < VM_ACTIONS_MAX; i++) {
        action[i] = (struct vm_action){
            .kind = VM_ACTION_FAUCET,
            .send = {.to = net->account[first + i].address, .amount = vm_money(FUND_MICRO)}};
    }
    bool const good =
        tool_submit(chain, &faucet, action, VM_ACTIONS_MAX, true, &result) == TOOL_OK &&
        json_integer_value(json_object_get(json_object_get(result, "receipt"), "code")) == 0;
    json_decref(result);
    return good;
}

/* look reads the market; false until it has a mark. */
static bool look(struct bench_net *net, const struct tool_chain *chain)
{
    json_t *answer = NULL;
    struct tool_grid grid;
    char canonical[NV_DECIMAL_TEXT];
    int64_t mark = 0;
    if (rpc_client_call(
            chain->client, &answer, "market_get", json_pack("{s:s}", "market", "BTC-PERP")) !=
        NV_OK) {
        return false;
    }
    const char *const size = json_string_value(json_object_get(answer, "tick_size"));
    const char *const value = json_string_value(json_object_get(answer, "tick_value"));
    const char *const text = json_string_value(json_object_get(answer, "mark"));
    bool const good =
        size != NULL && value != NULL && text != NULL && grid_make(&grid, size, value) == NV_OK &&
        nv_decimal_parse(&mark, canonical, nv_view_of_text(text), NV_MICRO_PLACES) == NV_OK &&
        mark > 0;
    if (good) {
        net->market = (uint32_t)json_integer_value(json_object_get(answer, "market_id"));
        net->price_ticks = mark / grid.tick_micro;
    }
    json_decref(answer);
    return good;
}

bool bench_net_fund(struct bench_net *net)
{
    char url[64];
    char name[32];
    struct tool_chain chain;
    devnet_url(url, &net->devnet, 0);
    for (uint32_t i = 0; i < BENCH_NET_ACCOUNTS; i++) {
        (void)snprintf(name, sizeof name, "bench%" PRIu32, i);
        tool_key_named(&net->account[i], name);
    }
    if (tool_chain_open(&chain, url) != TOOL_OK) {
        return false;
    }
    net->chain_id = chain.chain_id;
    bool good = true;
    for (uint32_t i = 0; i < BENCH_NET_ACCOUNTS && good; i += VM_ACTIONS_MAX) {
        good = pay(net, &chain, i);
    }
    bool marked = false;
    for (uint32_t i = 0; i < TRIES && good && !marked; i++) {
        marked = look(net, &chain);
        (void)poll(NULL, 0, marked ? 0 : 100);
    }
    tool_chain_close(&chain);
    return good && marked;
}

/* ---- transactions ---- */

bool bench_net_sign(const struct bench_net *net,
                    struct bench_call *out,
                    uint32_t account,
                    uint32_t orders,
                    bool wait)
{
    static uint8_t bytes[VM_TX_SIZE_MAX];
    struct vm_action action[VM_ACTIONS_MAX];
    const struct tool_key *const key = &net->account[account % BENCH_NET_ACCOUNTS];
    struct vm_tx tx = {.account = key->address,
                       .expires_ms = tool_now_ms() + LIFE_MS,
                       .action_count = orders,
                       .actions = action};
    uint32_t size = 0;
    for (uint32_t i = 0; i < orders; i++) {
        action[i] = (struct vm_action){.kind = VM_ACTION_PLACE,
                                       .place = {.market = net->market,
                                                 .side = VM_BUY,
                                                 .time_in_force = VM_IOC,
                                                 .price = vm_price(net->price_ticks - i),
                                                 .lots = vm_lots(1)}};
    }
    nv_random_bytes(&tx.salt, sizeof tx.salt);
    if (vm_tx_encode(&tx, bytes, &size, &net->chain_id, &key->secret) != NV_OK) {
        return false;
    }
    out->text = nv_heap_alloc(NV_BYTES_TEXT(size) + CALL_ROOM);
    if (out->text == NULL) {
        return false;
    }
    int const head = snprintf(out->text,
                              CALL_ROOM,
                              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tx_submit\","
                              "\"params\":{%s\"transaction\":\"",
                              wait ? "\"wait\":\"finalised\"," : "");
    nv_bytes_format(out->text + head, bytes, size);
    uint32_t const end = (uint32_t)head + NV_BYTES_TEXT(size) - 1;
    memcpy(out->text + end, "\"}}", 4);
    out->size = end + 3;
    return true;
}

int bench_net_connect(const struct bench_net *net, uint32_t node)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)(net->devnet.base_port + 10 * node + 1))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const yes = 1;
    int const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (connect(fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* ---- looking ---- */

static uint64_t member(const json_t *object, const char *key)
{
    uint64_t out = 0;
    const char *const text = json_string_value(json_object_get(object, key));
    return text != NULL && nv_u64_parse(&out, nv_view_of_text(text)) == NV_OK ? out : 0;
}

uint64_t bench_net_height(const struct bench_net *net)
{
    char url[64];
    struct rpc_client *client = NULL;
    json_t *status = NULL;
    uint64_t out = 0;
    devnet_url(url, &net->devnet, 0);
    if (rpc_client_open(&client, url, 5000) != NV_OK) {
        return 0;
    }
    if (rpc_client_call(client, &status, "node_status", NULL) == NV_OK) {
        out = member(json_object_get(status, "executed"), "height");
        json_decref(status);
    }
    rpc_client_close(client);
    return out;
}

uint32_t
bench_net_blocks(const struct bench_net *net, uint64_t from, uint64_t to, struct bench_block *out)
{
    char url[64];
    struct rpc_client *client = NULL;
    uint32_t count = 0;
    devnet_url(url, &net->devnet, 0);
    if (rpc_client_open(&client, url, 5000) != NV_OK) {
        return 0;
    }
    for (uint64_t h = from; h <= to; h++) {
        char text[BLOCK_CALL_SIZE];
        json_t *block = NULL;
        (void)snprintf(text, sizeof text, "%" PRIu64, h);
        if (rpc_client_call(client, &block, "chain_block", json_pack("{s:s}", "height", text)) !=
            NV_OK) {
            break;
        }
        out[count++] = (struct bench_block){
            .height = h,
            .time_ms = (uint64_t)json_integer_value(json_object_get(block, "block_time_ms")),
            .txs = (uint32_t)json_integer_value(json_object_get(block, "tx_count")),
        };
        json_decref(block);
    }
    rpc_client_close(client);
    return count;
}

/* pid_of reads the number of a node's process, 0 if unknown. */
static int pid_of(const struct bench_net *net, uint32_t node)
{
    char name[32];
    char path[DEVNET_PATH_MAX];
    int pid = 0;
    (void)snprintf(name, sizeof name, "run/node%" PRIu32 ".pid", node);
    devnet_path(path, &net->devnet, name);
    FILE *const file = fopen(path, "r");
    if (file != NULL && fscanf(file, "%d", &pid) != 1) {
        pid = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return pid;
}

uint64_t bench_net_rss(const struct bench_net *net, uint32_t node)
{
    char path[64];
    char line[256];
    uint64_t kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", pid_of(net, node));
    FILE *const file = fopen(path, "r");
    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "VmRSS: %" SCNu64, &kib);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kib;
}

double bench_net_cpu_s(const struct bench_net *net)
{
    uint64_t ticks = 0;
    for (uint32_t i = 0; i < net->devnet.validators; i++) {
        char path[64];
        uint64_t user = 0;
        uint64_t kernel = 0;
        (void)snprintf(path, sizeof path, "/proc/%d/stat", pid_of(net, i));
        FILE *const file = fopen(path, "r");
        if (file != NULL &&
            fscanf(file,
                   "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
                   &user,
                   &kernel) == 2) {
            ticks += user + kernel;
        }
        if (file != NULL) {
            (void)fclose(file);
        }
    }
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}
