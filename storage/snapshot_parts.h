#ifndef NV_STORAGE_SNAPSHOT_PARTS_H
#define NV_STORAGE_SNAPSHOT_PARTS_H

/* snapshot_parts.h - what the files of a snapshot are made of (private to
 * snapshot*.c). */

#include "storage/snapshot.h"

/* st__chunk_pack packs the bytes of a proof into `memory` of
 * ST_CHUNK_PACKED_MAX bytes. */
NV_MUST_USE enum nv_err st__chunk_pack(struct nv_view *out, struct nv_view chunk, uint8_t *memory);

/* st__manifest_begin, st__manifest_add, st__manifest_end write a manifest of
 * which the number of chunks is known last. */
void st__manifest_begin(struct nv_writer *w, const struct st_head *head);
void st__manifest_add(struct nv_writer *w, const struct nv_row_key *last, struct nv_view packed);
void st__manifest_end(struct nv_writer *w, uint32_t chunk_count);

#endif /* NV_STORAGE_SNAPSHOT_PARTS_H */
