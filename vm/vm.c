#include "vm/vm.h"

#include "base/assert.h"

#include "vm/block/block.h"
#include "vm/machine.h"
#include "vm/margin/margin.h"
#include "vm/payoff/payoff.h"
#include "vm/stake/stake.h"

#include "base/pure.h"

#define ALIGN 64u

struct vm_limits vm_limits_devnet(void)
{
    return (struct vm_limits){
        .accounts_max = 16384,
        .positions_max = 65536,
        .orders_max = 65536,
        .level_pages_max = 16384,
        .markets_max = 64,
        .feeds_max = 16,
        .sessions_max = 65536,
        .tombstones_max = 65536,
        .stakes_max = 65536,
        .block_txs_max = VM_BLOCK_TXS_MAX,
        .block_actions_max = VM_BLOCK_ACTIONS_MAX,
        .block_due_max = 4096,
        .block_output_bytes_max = UINT64_C(64) << 20,
    };
}

/* Memory for one block: its output, a row for everything that could be dirty,
 * and what phases keep for each order, account, action and transaction.  It is
 * reserved, and touched only as far as blocks are large. */
static size_t block_memory(const struct vm_limits *l)
{
    size_t const rows = (size_t)l->accounts_max * 2 + l->positions_max + l->orders_max +
                        l->level_pages_max + (size_t)l->markets_max * 2 + l->sessions_max +
                        l->tombstones_max + l->stakes_max +
                        (size_t)l->feeds_max * (VM_REPORTERS_MAX + 1) + 1024;
    return (size_t)l->block_output_bytes_max * 3 + rows * 2 * sizeof(struct nv_row) +
           (size_t)l->orders_max * 512 + (size_t)l->stakes_max * 512 +
           (size_t)l->accounts_max * 512 + (size_t)l->positions_max * 256 +
           (size_t)l->level_pages_max * 256 + (size_t)l->block_actions_max * 1024 +
           (size_t)l->block_txs_max * 1024 + (1u << 22);
}

size_t vm_footprint(const struct vm_limits *limits)
{
    return sizeof(struct vm) + vm_state_footprint(limits) + block_memory(limits) + 4 * ALIGN;
}

struct vm *vm_new(struct nv_arena *arena, const struct vm_limits *limits)
{
    struct vm *const vm = NV_ARENA_NEW(arena, struct vm, 1);
    size_t const size = block_memory(limits);
    vm->limits = *limits;
    vm->state = vm_state_new(arena, limits);
    nv_arena_init_zeroed(&vm->arena, nv_arena_alloc(arena, size, ALIGN, 1), size);
    return vm;
}

enum nv_err vm_load_row(struct vm *vm, const struct nv_row *row)
{
    NV_ASSERT(!vm->ready);
    return vm_state_load_row(vm->state, row);
}

enum nv_err vm_load_end(struct vm *vm)
{
    NV_ASSERT(!vm->ready);
    NV_TRY(vm_state_load_end(vm->state));
    for (uint32_t i = 0; i < vm_market_count(vm->state); i++) {
        const struct vm_market_row *const listing = &vm_market(vm->state, i)->listing;
        uint32_t at = 0;
        if (vm_payoff_check(nv_view_of(listing->program, listing->program_size), &at) !=
            VM_PAYOFF_OK) {
            return NV_ERR_CORRUPT;
        }
        vm_margin_rebuild(vm->state, i);
    }
    vm->ready = true;
    return NV_OK;
}

void vm_execute(struct vm *vm, const struct vm_block *block, struct vm_result *result)
{
    struct vm_block_run run;
    NV_ASSERT(vm->ready);
    nv_arena_reset(&vm->arena);
    vm_block_open(&run, vm->state, &vm->arena, block, &vm->limits);
    vm_block_run(&run);
    vm_block_close(&run, result);
}

uint64_t vm_height(const struct vm *vm)
{
    return vm_chain(vm->state)->height;
}

void vm_params_hash(const struct vm *vm, struct nv_hash *out)
{
    *out = vm_chain(vm->state)->params_hash;
}

static void set_out(const struct vm *vm, uint32_t set, struct vm_validator *out, uint32_t *count)
{
    const struct vm_state *const s = vm->state;
    _Static_assert(VM_VALIDATORS_OUT == VM_VALIDATORS_MAX, "a whole set fits");
    *count = vm_set_count(s, set);
    for (uint32_t i = 0; i < *count; i++) {
        const struct vm_member *const member = vm_set_member(s, set, i);
        uint32_t const index = vm_validator_of_key(s, &member->key);
        uint32_t const account = (uint32_t)(member->validator - 1);
        memset(&out[i], 0, sizeof out[i]);
        out[i].key = member->key;
        out[i].operator= vm_account(s, account)->row.address;
        out[i].stake = (uint64_t)vm_money_raw(member->stake);
        if (index != VM_NONE) {
            out[i].node_key = vm_stake(s, index)->validator.node_key;
        }
    }
}

bool vm_validators_at(const struct vm *vm,
                      uint64_t height,
                      struct vm_validator *out,
                      uint32_t *count)
{
    uint32_t const choice = vm_stake_choice(vm->state, height);
    *count = 0;
    if (choice == VM_NONE) {
        return false;
    }
    set_out(vm, choice, out, count);
    return true;
}

void vm_validators_current(const struct vm *vm, struct vm_validator *out, uint32_t *count)
{
    set_out(vm, 0, out, count);
}
