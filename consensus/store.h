#ifndef NV_CONSENSUS_STORE_H
#define NV_CONSENSUS_STORE_H

/* store.h - slots and certificates of an engine. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/state.h"

/* cs__slot_find returns the slot of a view in the window, or NULL. */
struct cs__slot *cs__slot_find(const struct cs *cs, uint64_t view);

/* cs__slot_kept returns the slot of a view of any epoch, if what it held is still
 * there, or NULL. */
const struct cs__slot *cs__slot_kept(const struct cs *cs, uint64_t epoch, uint64_t view);

/* cs__slot_take is that, and begins a slot that is new.  NULL outside the
 * window (fin.view - CS__BELOW, fin.view + views_max]. */
struct cs__slot *cs__slot_take(struct cs *cs, uint64_t view);

/* cs__slot_tally returns the slot's tally; it takes one from the lowest view
 * when all are in use.  NULL if this is the lowest. */
struct cs__tally *cs__slot_tally(struct cs *cs, struct cs__slot *slot);

/* cs__cert_add takes a verified certificate into its slot, or as target.  It
 * returns whether that was news. */
bool cs__cert_add(struct cs *cs, const struct cs_certificate *certificate);

/* cs__near_put takes a verified finalization to work on, unless an older one is
 * worked on already. */
void cs__near_put(struct cs *cs, const struct cs_certificate *certificate);

/* cs__cert_parent returns the certificate by which a block at `view` can be a
 * parent: its slot's, or that of fin.  NULL when there is none. */
const struct cs__cert *cs__cert_parent(const struct cs *cs, uint64_t view);

/* cs__cert_entry returns the entry certificate of `view`, or NULL. */
const struct cs__cert *cs__cert_entry(const struct cs *cs, uint64_t view);

/* cs__final_newest returns the newest finalization of this epoch, or NULL. */
const struct cs__cert *cs__final_newest(const struct cs *cs);

/* cs__store_prune drops what a new fin has made useless; `from` is the view of
 * the fin before. */
void cs__store_prune(struct cs *cs, uint64_t from);

/* cs__store_forget drops what there is of all views but certificates, and all blocks
 * that are not final: a new epoch has begun.  `last` is the highest view in use. */
void cs__store_forget(struct cs *cs, uint64_t last);

#endif /* NV_CONSENSUS_STORE_H */
