#ifndef NV_CONSENSUS_EVIDENCE_H
#define NV_CONSENSUS_EVIDENCE_H

/* evidence.h - proof that a key signed two votes of one view that an honest
 * validator never signs both (docs/spec/consensus.md section 17).
 *
 * An item names the key itself, so that it can be judged without the set of its
 * epoch.  Whether that key had stake then, has any to lose now, and was punished
 * before, is the settlement machine's business; there, an item that changes
 * nothing is no fault.
 *
 * Plain data.  Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#include "consensus/list.h"
#include "consensus/valset.h"
#include "consensus/vote.h"

#define CS_EVIDENCE_SIZE          274u
#define CS_EVIDENCE_MAX           16u   /* items in a block ... */
#define CS_EVIDENCE_LIST_SIZE_MAX 8192u /* ... and their bytes */

struct cs_evidence {
    struct nv_pubkey key; /* the offender's */
    struct {
        struct cs_ballot ballot;
        struct nv_sig sig;
    } half[2]; /* in the order of the ballots' bytes */
};

/* cs_evidence_make joins two votes of one signer, in either order.  False when
 * they prove nothing. */
bool cs_evidence_make(struct cs_evidence *evidence,
                      const struct cs_vote *a,
                      const struct cs_vote *b,
                      const struct cs_valset *set);

/* cs_evidence_offence returns what the item proves, if its signatures are right. */
enum cs_offence cs_evidence_offence(const struct cs_evidence *evidence);

/* cs_evidence_epoch returns the epoch of the offence. */
uint64_t cs_evidence_epoch(const struct cs_evidence *evidence);

/* cs_evidence_cmp orders items by key and epoch; 0 for two about the same, of
 * which at most one counts. */
int cs_evidence_cmp(const struct cs_evidence *a, const struct cs_evidence *b);

/* cs_evidence_verify returns whether both signatures are the key's. */
NV_MUST_USE bool
cs_evidence_verify(const struct cs_evidence *evidence, const struct nv_hash *chain_id);

/* cs_evidence_put and cs_evidence_get are the CS_EVIDENCE_SIZE canonical bytes.
 * NV_ERR_MALFORMED for ballots that are no offence, or in the other order. */
void cs_evidence_put(struct nv_writer *w, const struct cs_evidence *evidence);
NV_MUST_USE enum nv_err cs_evidence_get(struct nv_reader *r, struct cs_evidence *evidence);

/* cs_evidence_fits returns whether a block has room for so many items.  The one
 * place where it is counted, by who builds a block and by who judges one. */
bool cs_evidence_fits(uint32_t count);

/* cs_evidence_list_put and _get are a block's items: their number and they, in
 * ascending order, none about the same as another. */
void cs_evidence_list_put(struct nv_writer *w, const struct cs_list *list);
NV_MUST_USE enum nv_err cs_evidence_list_get(struct nv_reader *r, struct cs_list *list);

/* cs_evidence_next reads the next item of a checked list; start with
 * nv_reader_init(r, list.bytes). */
void cs_evidence_next(struct nv_reader *r, struct cs_evidence *evidence);

/* cs_evidence_root writes a header's evidence_root. */
void cs_evidence_root(struct nv_hash *root, const struct cs_list *list);

/* cs_evidence_list_verify returns whether all signatures of a list are right. */
NV_MUST_USE bool
cs_evidence_list_verify(const struct cs_list *list, const struct nv_hash *chain_id);

#endif /* NV_CONSENSUS_EVIDENCE_H */
