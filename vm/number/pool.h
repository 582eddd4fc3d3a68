#ifndef NV_VM_NUMBER_POOL_H
#define NV_VM_NUMBER_POOL_H

/* pool.h - money that several own in shares (docs/spec/stake.md section 1).
 *
 * What happens to the tokens happens to all shares alike, so a reward or a loss
 * is one addition, however many hold shares.  Whoever comes or goes pays what
 * the rounding leaves, less than one micro, to those who stay: a pool's tokens
 * per share never fall by it. */

#include "vm/number/units.h"

struct vm_pool {
    struct vm_money tokens;  /* >= 0 */
    struct vm_shares shares; /* >= 0 */
};

/* vm_pool_mint is the shares that an amount buys, and what they cost, which is at
 * most the amount.  False when that is no share or does not fit. */
NV_MUST_USE bool vm_pool_mint(const struct vm_pool *pool,
                              struct vm_money amount,
                              struct vm_shares *shares,
                              struct vm_money *cost);

/* vm_pool_burn is the shares that must go for an amount.  False when the pool is
 * not worth as much. */
NV_MUST_USE bool
vm_pool_burn(const struct vm_pool *pool, struct vm_money amount, struct vm_shares *shares);

/* vm_pool_worth is what shares are worth, of those that the pool has. */
struct vm_money vm_pool_worth(const struct vm_pool *pool, struct vm_shares shares);

#endif /* NV_VM_NUMBER_POOL_H */
