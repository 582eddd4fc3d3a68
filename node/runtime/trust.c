/* trust.c - whom a joiner believes, and where it keeps the ends of epochs that it
 * walks (docs/spec/sync.md section 3). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

#include "node/runtime/internal.h"
#include "node/sync/sync.h"
#include "storage/epochs.h"

/* ---- the configuration ---- */

/* parse_trust reads EPOCH:HASH. */
static bool parse_trust(struct sync_trust *out, const char *text)
{
    char *end = NULL;
    out->epoch = strtoull(text, &end, 10);
    return text[0] >= '1' && text[0] <= '9' && *end == ':' &&
           nv_bytes_parse(out->boundary.bytes,
                          sizeof out->boundary.bytes,
                          nv_view_of(end + 1, (uint32_t)strlen(end + 1))) == NV_OK;
}

static bool read_trust(const struct node *n, struct sync_trust *out)
{
    const char *const text = node_config_text(n->config, NODE_SYNC_TRUST);
    const struct nv_hash *const chain_id = &n->home.genesis.chain_id;
    *out = (struct sync_trust){.epoch = CS_FIRST_EPOCH, .boundary = *chain_id};
    if (strcmp(text, "genesis") == 0) {
        return true;
    }
    if (!parse_trust(out, text)) {
        node_fault_set(
            n->fault,
            NODE_EXIT_CONFIG,
            "take genesis, or EPOCH:HASH with the hash of the block that closed the epoch "
            "before (novate rpc chain_epoch, of a node that you trust)",
            "sync.trust is \"%s\", which is neither genesis nor EPOCH:HASH",
            text);
        return false;
    }
    if (out->epoch == CS_FIRST_EPOCH && !nv_hash_eq(&out->boundary, chain_id)) {
        node_fault_set(
            n->fault,
            NODE_EXIT_CONFIG,
            "find out which of the two is wrong; for the first epoch, genesis is enough",
            "sync.trust is %s, but the first epoch of this genesis stands on another hash",
            text);
        return false;
    }
    return true;
}

/* ---- the ends of epochs ---- */

static enum nv_err get_end(void *ctx, uint64_t epoch, struct nv_view *out)
{
    struct node *const n = ctx;
    return st_db_epoch(n->home.db, out, epoch, n->epoch_end);
}

static enum nv_err put_end(void *ctx, uint64_t epoch, struct nv_view bytes)
{
    const struct node *const n = ctx;
    return st_db_epoch_put(n->home.db, epoch, bytes);
}

bool node_trust(struct node *n, struct sync_config *config)
{
    const struct node_genesis *const genesis = &n->home.genesis;
    cs_light_init(&config->light,
                  &genesis->chain_id,
                  genesis->vm.time_ms,
                  node_genesis_trusting_ms(genesis),
                  &n->home.valset);
    config->epochs = (struct sync_epochs){n, get_end, put_end};
    return read_trust(n, &config->trust);
}

bool node_trust_expired(struct node *n)
{
    node_fault_set(
        n->fault,
        NODE_EXIT_CONFIG,
        "set sync.trust = EPOCH:HASH, with the hash of the block that closed the epoch "
        "before (novate rpc chain_epoch, of a node that you trust)",
        "the validators to begin with (sync.trust is %s) are too old to be believed: they "
        "may have taken their stake back and have nothing to lose",
        node_config_text(n->config, NODE_SYNC_TRUST));
    return false;
}
