#ifndef NV_TOOLS_DERIVE_PART_H
#define NV_TOOLS_DERIVE_PART_H

/* derive_part.h - the answers that derive.c leaves to other files: each writes
 * the members of one method's answer, by the rows that a proof shows. */

#include "base/err.h"
#include "base/proof.h"

struct json_t;

/* What is asked, and what came. */
struct derive_question {
    const struct nv_proof *proof;
    const struct json_t *params;
    const struct json_t *answer;
};

typedef enum nv_err (*derive_fn)(struct json_t *out, const struct derive_question *q);

/* ---- derive_market.c ---- */

NV_MUST_USE enum nv_err derive_market_list(struct json_t *out, const struct derive_question *q);
NV_MUST_USE enum nv_err derive_market_get(struct json_t *out, const struct derive_question *q);
NV_MUST_USE enum nv_err derive_market_ticker(struct json_t *out, const struct derive_question *q);
NV_MUST_USE enum nv_err derive_market_book(struct json_t *out, const struct derive_question *q);

/* ---- derive_stake.c ---- */

NV_MUST_USE enum nv_err
derive_stake_validators(struct json_t *out, const struct derive_question *q);
NV_MUST_USE enum nv_err derive_stake_get(struct json_t *out, const struct derive_question *q);

/* ---- derive_params.c ---- */

NV_MUST_USE enum nv_err derive_params(struct json_t *out, const struct derive_question *q);

#endif /* NV_TOOLS_DERIVE_PART_H */
