#include "rpc/margin.h"

#include "base/int.h"

#include "rpc/call.h"
#include "vm/explain.h"

#define HEALTH_PLACES 4u

void rpc__health_write(struct rpc_json *out, const struct vm_explained *terms)
{
    int64_t health = 0;
    int64_t const maintenance = vm_money_raw(terms->maintenance);
    if (maintenance > 0 &&
        nv_muldiv_i64(vm_money_raw(terms->equity), 10000, maintenance, NV_ROUND_FLOOR, &health)) {
        rpc__json_decimal(out, "health", health, HEALTH_PLACES);
    } else {
        rpc__json_null(out, "health");
    }
}

void rpc__margin_write(struct rpc_call *call, uint64_t account)
{
    struct vm_explained with;
    struct vm_explained without;
    struct rpc_json *out = &call->out;
    const struct vm *vm = call->state->vm;
    if (vm == NULL || !vm_explain_margin(vm, account, true, &with) ||
        !vm_explain_margin(vm, account, false, &without)) {
        rpc__json_null(out, "initial_margin");
        rpc__json_null(out, "maintenance_margin");
        rpc__json_null(out, "health");
        return;
    }
    rpc__json_micro(out, "initial_margin", vm_money_raw(with.initial));
    rpc__json_micro(out, "maintenance_margin", vm_money_raw(without.maintenance));
    rpc__health_write(out, &without);
}
