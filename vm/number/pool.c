#include "vm/number/pool.h"

#include "base/pure.h"

/* The guard that a seeded grinder tests: without it, those who come and go gain
 * what the rounding leaves. */
#ifdef NV_NOGUARD_STAKE_ROUNDING
#define DOWN NV_ROUND_CEIL
#define UP   NV_ROUND_FLOOR
#else
#define DOWN NV_ROUND_FLOOR
#define UP   NV_ROUND_CEIL
#endif

bool vm_pool_mint(const struct vm_pool *pool,
                  struct vm_money amount,
                  struct vm_shares *shares,
                  struct vm_money *cost)
{
    int64_t bought = 0, paid = 0;
    if (pool->shares.parts == 0) {
        *shares = vm_shares(amount.micro);
        *cost = amount;
        return amount.micro > 0;
    }
    if (pool->tokens.micro == 0 ||
        !nv_muldiv_i64(amount.micro, pool->shares.parts, pool->tokens.micro, DOWN, &bought) ||
        bought == 0 || !nv_muldiv_i64(bought, pool->tokens.micro, pool->shares.parts, UP, &paid)) {
        return false;
    }
    *shares = vm_shares(bought);
    *cost = vm_money(paid);
    return true;
}

bool vm_pool_burn(const struct vm_pool *pool, struct vm_money amount, struct vm_shares *shares)
{
    if (amount.micro > pool->tokens.micro || pool->tokens.micro == 0) {
        return false;
    }
    return nv_muldiv_i64(amount.micro, pool->shares.parts, pool->tokens.micro, UP, &shares->parts);
}

struct vm_money vm_pool_worth(const struct vm_pool *pool, struct vm_shares shares)
{
    int64_t worth = 0;
    bool const some = shares.parts > 0 && shares.parts <= pool->shares.parts;
    if (!some ||
        !nv_muldiv_i64(shares.parts, pool->tokens.micro, pool->shares.parts, DOWN, &worth)) {
        return vm_money(0);
    }
    return vm_money(worth);
}
