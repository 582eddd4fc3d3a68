#ifndef NV_CONSENSUS_EMIT_H
#define NV_CONSENSUS_EMIT_H

/* emit.h - writing effects during a step. */

#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"

#include "consensus/state.h"

/* cs__emit appends an effect of that kind, zeroed otherwise. */
struct cs_effect *cs__emit(struct cs *cs, enum cs_effect_kind kind);

/* cs__room returns whether a rule may still emit as much as one rule does. */
bool cs__room(const struct cs *cs);

/* cs__keep copies bytes to where effects may point; NULL stays NULL. */
struct nv_view cs__keep(struct cs *cs, struct nv_view bytes);
const struct cs_header *cs__keep_header(struct cs *cs, const struct cs_header *header);

const struct cs_certificate *cs__keep_certificate(struct cs *cs, const struct cs__cert *cert);

void cs__trace(struct cs *cs, enum cs_trace_code code, uint64_t view, uint64_t a);

/* cs__send encodes a message to one peer, or with CS_NOBODY, as cs__broadcast
 * does, to all validators. */
void cs__send(struct cs *cs, uint32_t peer, const struct cs_message *message);
void cs__broadcast(struct cs *cs, const struct cs_message *message);

/* cs__send_cert sends one certificate, if there is one. */
void cs__send_cert(struct cs *cs, uint32_t peer, const struct cs__cert *cert);

/* cs__send_status sends where this node stands; to all with CS_NOBODY. */
void cs__send_status(struct cs *cs, uint32_t peer);

/* cs__halt stops the engine. */
void cs__halt(struct cs *cs, enum cs_halt code, uint64_t height, struct nv_view bytes);

/* A batch of records under construction.  It uses the engine's scratch: nothing
 * may be sent between begin and end. */
struct cs__batch {
    struct nv_writer w;
    uint32_t count;
};

void cs__batch_begin(struct cs *cs, struct cs__batch *batch);
void cs__batch_add(struct cs *cs, struct cs__batch *batch, const struct cs_record *record);

/* cs__batch_block adds a block that the journal does not have. */
void cs__batch_block(struct cs *cs, struct cs__batch *batch, struct cs__block *block);

/* cs__batch_certs adds every certificate that the journal does not have. */
void cs__batch_certs(struct cs *cs, struct cs__batch *batch);

/* cs__batch_end emits the PERSIST, unless the batch is empty. */
void cs__batch_end(struct cs *cs, struct cs__batch *batch, bool sync);

#endif /* NV_CONSENSUS_EMIT_H */
