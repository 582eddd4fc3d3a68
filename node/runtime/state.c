/* state.c - the state of this node, out of its journal and its database; the steps are those
 * of node/store/start.h. */

#include "base/cpu.h"

#include "node/runtime/internal.h"

static bool guard(void *ctx, const struct node_found *found)
{
    struct node *const n = ctx;
    bool const member = n->home.me != CS_NOBODY || replica_summary(n->replica).me != CS_NOBODY;
    return node_home_guard(&n->home, found, member, n->fault);
}

static struct node_start start_of(struct node *n)
{
    return (struct node_start){
        .fault = n->fault,
        .data = n->home.data,
        .journal_dir = n->home.journal_dir,
        .state_dir = n->home.state_dir,
        .genesis = &n->home.genesis,
        .journal = n->home.journal,
        .journal_new = n->home.journal_new,
        .db = n->home.db,
        .chain = &n->home.chain,
        .machine = n->machine,
        .store = &n->store,
        .guard = guard,
        .guard_ctx = n,
    };
}

bool node_state_open(struct node *n)
{
    struct node_machine_limits limits = {
        .vm = vm_limits_devnet(),
        .rows_max = (uint32_t)node_config_number(n->config, NODE_LIMITS_STATE_ROWS),
        .dirty_max = NODE_ROWS_PER_CHECKPOINT,
    };
    limits.vm.wide = nv_cpu_wide();
    enum nv_err const err = node_machine_open(&n->machine, &limits);
    return err == NV_OK || node_not_opened(n, "the state cannot be opened", err);
}

bool node_state_load(struct node *n)
{
    struct node_start const start = start_of(n);
    return node_start_state(&start);
}

bool node_found_journal(struct node *n)
{
    if (!node_state_open(n)) {
        return false;
    }
    struct node_start const start = start_of(n);
    bool const ok = node_start_found(&start);
    node_machine_close(n->machine);
    n->machine = NULL;
    n->home.journal_new = false;
    return ok;
}

enum nv_err node_note_base(struct node *n, const struct node_base *base)
{
    struct node_start const start = start_of(n);
    return node_start_base(&start, base);
}

bool node_state_replay(struct node *n)
{
    n->store.port = node_disk_port(n);
    n->store.blocks = n->blocks;
    n->store.replica = n->replica;
    struct node_start const start = start_of(n);
    bool const ok = node_start_replay(&start);
    n->head = node_machine_head(n->machine);
    return ok;
}
