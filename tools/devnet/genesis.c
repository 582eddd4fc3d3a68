#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/random.h"

#include "tools/devnet/devnet.h"
#include "tools/keyring.h"

/* What the chain of a devnet starts with; ratios and amounts are text. */
struct listing {
    const char *symbol;
    const char *feed;
    const char *tick;
    uint32_t lots_per_unit;
    uint32_t funding_ms;
    uint32_t expires_in_ms; /* 0: never */
};

static const struct listing perpetuals[] = {
    {"BTC-PERP", "BTC", "0.1", 1000, 3600000, 0},
    {"ETH-PERP", "ETH", "0.01", 100, 3600000, 0},
};

/* Dated futures that expire while one looks on. */
static const uint32_t expiries_ms[] = {5u * 60000, 15u * 60000, 60u * 60000};

static json_t *address_text(const char *name)
{
    struct tool_key key;
    char text[NV_ADDRESS_TEXT];
    tool_key_named(&key, name);
    nv_address_format(text, &key.address);
    return json_string(text);
}

static void account(json_t *list, const char *name, const char *cash)
{
    int const failed = json_array_append_new(
        list, json_pack("{s:o, s:s}", "address", address_text(name), "cash", cash));
    NV_ASSERT(failed == 0);
}

static json_t *accounts(void)
{
    json_t *const list = json_array();
    char name[32];
    account(list, "insurance", "5000000");
    account(list, "keeper", "100000");
    account(list, "alice", "100000");
    account(list, "bob", "100000");
    for (uint32_t i = 0; i < DEVNET_TRADERS; i++) {
        (void)snprintf(name, sizeof name, "bot%u", i);
        /* Three makers with deep pockets, three takers of whom the last two overreach. */
        account(list, name, i < 3 ? "5000000" : i == 3 ? "500000" : "20000");
    }
    return list;
}

static json_t *reporters(const struct devnet *d)
{
    json_t *const list = json_array();
    char name[32];
    for (uint32_t i = 0; i < d->validators; i++) {
        (void)snprintf(name, sizeof name, "reporter%u", i);
        int const failed = json_array_append_new(
            list, json_pack("{s:o, s:s}", "address", address_text(name), "stake", "100"));
        NV_ASSERT(failed == 0);
    }
    return list;
}

/* dated writes "BTC-22NOV26-153000" for a time in UTC. */
static void dated(char *out, size_t size, const char *feed, uint64_t expires_ms)
{
    static const char *const months[] = {
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
    time_t const seconds = (time_t)(expires_ms / 1000);
    struct tm utc;
    NV_ASSERT(gmtime_r(&seconds, &utc) != NULL);
    (void)snprintf(out,
                   size,
                   "%s-%02d%s%02d-%02d%02d%02d",
                   feed,
                   utc.tm_mday,
                   months[utc.tm_mon],
                   utc.tm_year % 100,
                   utc.tm_hour,
                   utc.tm_min,
                   utc.tm_sec);
}

static json_t *market(const struct listing *l, uint64_t now_ms)
{
    char symbol[64];
    uint64_t const expires_ms = l->expires_in_ms == 0 ? 0 : now_ms + l->expires_in_ms;
    if (expires_ms != 0) {
        dated(symbol, sizeof symbol, l->feed, expires_ms);
    } else {
        (void)snprintf(symbol, sizeof symbol, "%s", l->symbol);
    }
    return json_pack("{s:s, s:s, s:s, s:i, s:I, s:i, s:i, s:s, s:s, s:s}",
                     "symbol",
                     symbol,
                     "feed",
                     l->feed,
                     "tick",
                     l->tick,
                     "lots_per_unit",
                     (int)l->lots_per_unit,
                     "expires_ms",
                     (json_int_t)expires_ms,
                     "settle_window_ms",
                     expires_ms == 0 ? 0 : 60000,
                     "funding_interval_ms",
                     (int)l->funding_ms,
                     "order_lots_max",
                     "1000000",
                     "open_interest_max",
                     "100000000",
                     "program",
                     "linear");
}

static json_t *markets(uint64_t now_ms)
{
    json_t *const list = json_array();
    for (uint32_t i = 0; i < sizeof perpetuals / sizeof perpetuals[0]; i++) {
        (void)json_array_append_new(list, market(&perpetuals[i], now_ms));
    }
    for (uint32_t i = 0; i < sizeof expiries_ms / sizeof expiries_ms[0]; i++) {
        struct listing const future = {"BTC", "BTC", "0.1", 1000, 0, expiries_ms[i]};
        (void)json_array_append_new(list, market(&future, now_ms));
    }
    return list;
}

/* public_key reads the "key" of a key file of a node's home. */
static json_t *public_key(const struct devnet *d, uint32_t node, const char *file)
{
    char name[64];
    char path[DEVNET_PATH_MAX];
    (void)snprintf(name, sizeof name, "node%u/keys/%s", node, file);
    devnet_path(path, d, name);
    json_t *const root = json_load_file(path, 0, NULL);
    json_t *const key = json_incref(json_object_get(root, "key"));
    json_decref(root);
    if (!json_is_string(key)) {
        (void)tool_fail(TOOL_FAILED, NULL, NULL, "%s holds no key", path);
        json_decref(key);
        return NULL;
    }
    return key;
}

static json_t *validators(const struct devnet *d)
{
    json_t *const list = json_array();
    for (uint32_t i = 0; i < d->validators; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "node%u", i);
        json_t *const key = public_key(d, i, "validator.json");
        json_t *const node_key = public_key(d, i, "node.json");
        if (key == NULL || node_key == NULL) {
            json_decref(key);
            json_decref(node_key);
            json_decref(list);
            return NULL;
        }
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:o, s:o, s:o, s:s}",
                                              "name",
                                              name,
                                              "key",
                                              key,
                                              "node_key",
                                              node_key,
                                              "operator",
                                              address_text(name),
                                              "stake",
                                              "1000000000"));
    }
    return list;
}

static json_t *feeds(void)
{
    return json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]",
                     "symbol",
                     "BTC",
                     "range_initial",
                     "0.08",
                     "range_maintenance",
                     "0.04",
                     "symbol",
                     "ETH",
                     "range_initial",
                     "0.1",
                     "range_maintenance",
                     "0.05");
}

static json_t *whole(const struct devnet *d, uint64_t now_ms)
{
    uint8_t salt[32];
    char salt_text[NV_BYTES_TEXT(32)];
    json_t *const list = validators(d);
    if (list == NULL) {
        return NULL;
    }
    nv_random_bytes(salt, sizeof salt);
    nv_bytes_format(salt_text, salt, sizeof salt);
    return json_pack(
        "{s:s, s:s, s:s, s:b, s:I, s:{s:i, s:i, s:i, s:i, s:I}, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:{}}",
        "format",
        "novate-genesis-1",
        "name",
        "devnet",
        "salt",
        salt_text,
        "devnet",
        1,
        "time_ms",
        (json_int_t)now_ms,
        "consensus",
        "delta_ms",
        (int)d->delta_ms,
        "idle_ms",
        1000,
        "interval_min_ms",
        (int)d->pace_ms,
        "body_bytes_max",
        1048576,
        "epoch_ms",
        (json_int_t)d->epoch_s * 1000,
        "validators",
        list,
        "fee_account",
        address_text("fees"),
        "insurance_account",
        address_text("insurance"),
        "faucet_account",
        address_text("faucet"),
        "accounts",
        accounts(),
        "reporters",
        reporters(d),
        "feeds",
        feeds(),
        "markets",
        markets(now_ms),
        "params");
}

static bool write_peers(FILE *file, const struct devnet *d, uint32_t self)
{
    const char *lead = "peers = ";
    for (uint32_t i = 0; i < d->validators; i++) {
        if (i == self) {
            continue;
        }
        json_t *const key = public_key(d, i, "node.json");
        if (key == NULL) {
            return false;
        }
        (void)fprintf(
            file, "%s%s@127.0.0.1:%u\n", lead, json_string_value(key) + 2, d->base_port + 10 * i);
        lead = "  "; /* a list goes on in lines that begin with a blank */
        json_decref(key);
    }
    return true;
}

static bool write_config(const struct devnet *d, uint32_t node)
{
    char name[64];
    char path[DEVNET_PATH_MAX];
    (void)snprintf(name, sizeof name, "node%u/novate.conf", node);
    devnet_path(path, d, name);
    FILE *const file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    uint32_t const port = d->base_port + 10 * node;
    (void)fprintf(file,
                  "[node]\nname = node%u\ngenesis = ../genesis.json\n"
                  "[rpc]\nlisten = 127.0.0.1:%u\nmetrics = 127.0.0.1:%u\n"
                  "[limits]\nrpc_calls_per_second = 1000000\n"
                  "[snapshot]\nevery = 1000\n"
                  "[p2p]\nlisten = 127.0.0.1:%u\n",
                  node,
                  port + 1,
                  port + 4,
                  port);
    bool const good = write_peers(file, d, node);
    return fclose(file) == 0 && good;
}

bool devnet_genesis(const struct devnet *d)
{
    char path[DEVNET_PATH_MAX];
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    json_t *const root = whole(d, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
    devnet_path(path, d, "genesis.json");
    bool good = root != NULL && json_dump_file(root, path, JSON_INDENT(2)) == 0;
    json_decref(root);
    for (uint32_t i = 0; i < d->validators && good; i++) {
        good = write_config(d, i);
    }
    if (!good) {
        (void)tool_fail(TOOL_FAILED, NULL, NULL, "the genesis of %s cannot be written", d->dir);
    }
    return good;
}
