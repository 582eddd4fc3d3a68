#ifndef NV_TOOLS_BENCH_NET_H
#define NV_TOOLS_BENCH_NET_H

/* net.h - four validators on loopback to measure, in a folder of their own
 * below build/, with accounts that hold money and transactions signed before
 * the clock starts. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/hash.h"

#include "tools/devnet/devnet.h"
#include "tools/keyring.h"

#define BENCH_NET_ACCOUNTS 256u

struct bench_net {
    struct devnet devnet;
    char dir[64];
    struct nv_hash chain_id;
    struct tool_key account[BENCH_NET_ACCOUNTS];
    uint32_t market;
    int64_t price_ticks; /* near the mark */
};

/* A signed transaction as a JSON-RPC call without its brackets. */
struct bench_call {
    char *text; /* owned */
    uint32_t size;
};

#define BENCH_NET_DELTA_MS 100 /* D of a fast one */

/* bench_net_up starts a devnet without bots, its pace 0 and D short when `fast`;
 * false after saying why not. */
bool bench_net_up(struct bench_net *net, bool fast, bool bots);

/* bench_net_fund lets the faucet pay every account and looks up the market. */
bool bench_net_fund(struct bench_net *net);

/* bench_net_sweep does so for the network that process `owner` left behind. */
void bench_net_sweep(pid_t owner);

/* bench_net_down ends every process of it and removes the folder. */
void bench_net_down(struct bench_net *net);

/* bench_net_sign makes a call of tx_submit: a transaction of `account` with
 * `orders` orders to buy that fill only what is there.  `wait`: until final. */
bool bench_net_sign(const struct bench_net *net,
                    struct bench_call *out,
                    uint32_t account,
                    uint32_t orders,
                    bool wait);

/* bench_net_connect opens a connection to the RPC port of a node, or -1. */
int bench_net_connect(const struct bench_net *net, uint32_t node);

/* A final block, as a node tells it. */
struct bench_block {
    uint64_t height;
    uint64_t time_ms;
    uint32_t txs;
};

/* bench_net_height returns the newest executed height of node 0; 0 if it does
 * not answer.  bench_net_blocks asks for the blocks [from, to] and returns how
 * many came. */
uint64_t bench_net_height(const struct bench_net *net);
uint32_t
bench_net_blocks(const struct bench_net *net, uint64_t from, uint64_t to, struct bench_block *out);

/* bench_net_cpu_s returns the processor time that all nodes have taken. */
double bench_net_cpu_s(const struct bench_net *net);

/* bench_net_rss returns the resident memory of a node in KiB, 0 if unknown. */
uint64_t bench_net_rss(const struct bench_net *net, uint32_t node);

#endif /* NV_TOOLS_BENCH_NET_H */
