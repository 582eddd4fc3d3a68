#ifndef NV_TOOLS_DEVNET_DEVNET_H
#define NV_TOOLS_DEVNET_DEVNET_H

/* devnet.h - a network on this machine's loopback, in one folder:
 *
 *     D/devnet.json      how it was started
 *     D/genesis.json
 *     D/node0 …          homes of the validators
 *     D/run/NAME.pid     who runs: node0, feeder, bots, keeper
 *     D/run/feeder.sock  where `devnet price` speaks to the feeder
 *     D/logs/NAME.log
 *
 * Node I listens on base port + 10·I (p2p), + 1 (RPC) and + 4 (metrics). */

#include <stdbool.h>
#include <stdint.h>

#include "tools/say.h"

#define DEVNET_PATH_MAX       1024u
#define DEVNET_DIR_MAX        900u
#define DEVNET_VALIDATORS_MAX 16u
#define DEVNET_TRADERS        6u /* bots */

struct devnet {
    char dir[DEVNET_DIR_MAX];
    uint32_t base_port;
    uint32_t validators;
    char feed[DEVNET_DIR_MAX]; /* "synthetic" or a CSV's path */
    bool bots;
    /* Used when it is made: the parameters of genesis that set the pace of blocks. */
    uint32_t pace_ms;  /* interval_min_ms */
    uint32_t delta_ms; /* the bound on a message's way */
    uint32_t epoch_s;  /* least length of an epoch; 0: the first never ends */
};

/* devnet_dir returns --dir, or $NOVATE_DEVNET, or ./devnet. */
const char *devnet_dir(const char *given);

/* devnet_load reads how a devnet was started; false after saying why not. */
bool devnet_load(struct devnet *d, const char *dir);
bool devnet_save(const struct devnet *d);

/* devnet_path writes D/NAME; devnet_url that of a node's RPC. */
void devnet_path(char out[DEVNET_PATH_MAX], const struct devnet *d, const char *name);
void devnet_url(char out[64], const struct devnet *d, uint32_t node);

/* devnet_ports_free tells whether the nodes' ports can be had; false after
 * saying which cannot and what to do.  `fixed`: the devnet was made
 * before, so that its ports cannot be chosen any more. */
bool devnet_ports_free(uint32_t base_port, uint32_t validators, bool fixed);

/* devnet_genesis writes D/genesis.json from the validators' key files, and
 * each node's novate.conf; false after saying why not. */
bool devnet_genesis(const struct devnet *d);

/* devnet_programs writes the folder of novate and novated; false if it cannot
 * be told. */
bool devnet_programs(char out[DEVNET_DIR_MAX]);

/* The processes. `name`: "node0", "feeder", … */
bool devnet_start_node(const struct devnet *d, uint32_t node);
bool devnet_start_tool(const struct devnet *d, const char *name, const char *const *words);
bool devnet_running(const struct devnet *d, const char *name);
bool devnet_signal(const struct devnet *d, const char *name, int signal);
/* devnet_stop ends a process: asked first, forced after `grace_ms`. */
void devnet_stop(const struct devnet *d, const char *name, uint32_t grace_ms);
void devnet_stop_all(const struct devnet *d);

/* devnet_init_home runs `novated init` for a node's home. */
bool devnet_init_home(const struct devnet *d, uint32_t node);

#endif /* NV_TOOLS_DEVNET_DEVNET_H */
