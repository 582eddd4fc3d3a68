#ifndef NV_STORAGE_SNAPSHOT_H
#define NV_STORAGE_SNAPSHOT_H

/* snapshot.h - the rows of a checkpoint in chunks that are checked one by one
 * (docs/spec/state.md section 7).
 *
 *     export   state ─> manifest, chunks ─> folder
 *     import   chunk ─> st_chunk_open ─> folder ─> st_snapshot_load ─> database
 *
 * A manifest cuts all keys into ranges, one for each chunk, and a chunk is a
 * proof that covers its range against the root.  So a chunk needs nothing but
 * the root to be judged, and chunks that are right have left no row out.  The
 * root must come from a final header: what vouches for it, the *anchor*, is
 * stored with the snapshot and means nothing here.
 *
 * A state is exported by whoever owns it; st_snapshot_copy makes one of the
 * last checkpoint, so that no read transaction stays open while chunks are
 * packed and written.  It takes the memory of a second state meanwhile.
 *
 * Unfinished folders are made by export and by import alike, so a snapshot that
 * was fetched can be passed on.  Which chunks are there is read from the
 * folder.
 *
 * Manifests and chunks come from strangers: any bytes are allowed.
 *
 * Threads: a place has no state; one thread writes a snapshot. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/proof.h"

#include "storage/files.h"
#include "storage/storage.h"

#define ST_CHUNK_ROWS_MAX    8192u
#define ST_CHUNK_SIZE_MAX    (416u << 10)
#define ST_CHUNK_PACKED_MAX  (ST_CHUNK_SIZE_MAX + (8u << 10))
#define ST_CHUNKS_MAX        7000u
#define ST_MANIFEST_HEAD     88u
#define ST_MANIFEST_SIZE_MAX (ST_MANIFEST_HEAD + 64u * ST_CHUNKS_MAX)
#define ST_ANCHOR_SIZE_MAX   (64u << 10)
#define ST_SNAPSHOTS_KEPT    3u

/* ---- bytes ---- */

/* A manifest; borrows the bytes it was read from. */
struct st_manifest {
    struct st_head head;
    uint32_t chunk_count;  /* 1 to ST_CHUNKS_MAX */
    struct nv_view chunks; /* last key and hash of each */
};

/* st_manifest_decode reads a manifest: NV_ERR_VERSION, NV_ERR_TRUNCATED,
 * NV_ERR_TRAILING, NV_ERR_MALFORMED. */
NV_MUST_USE enum nv_err st_manifest_decode(struct st_manifest *out, struct nv_view bytes);

/* st_manifest_range writes which keys chunk `index` shows. */
void st_manifest_range(const struct st_manifest *manifest,
                       struct nv_row_range *out,
                       uint32_t index);

/* st_chunk_open unpacks chunk `index` into `memory` (ST_CHUNK_SIZE_MAX bytes),
 * and makes a proof of it, which borrows `memory`, if it is right.
 * NV_ERR_REFUSED when it has not the hash of the manifest: its sender is to
 * blame.  After any other error the manifest is: NV_ERR_TOO_LARGE,
 * NV_ERR_MALFORMED, NV_ERR_RANGE when the range is not covered, and what
 * nv_proof_open says. */
NV_MUST_USE enum nv_err st_chunk_open(struct nv_proof *out,
                                      const struct st_manifest *manifest,
                                      uint32_t index,
                                      struct nv_view packed,
                                      uint8_t *memory);

/* st_chunk_reopen only unpacks a chunk that was opened before it was stored; the
 * checksum of its frame is compared, for the disk's sake. */
NV_MUST_USE enum nv_err st_chunk_reopen(struct nv_proof *out,
                                        const struct st_manifest *manifest,
                                        struct nv_view packed,
                                        uint8_t *memory);

/* ---- folders ---- */

/* Where snapshots are: `dir` exists; both are borrowed. */
struct st_snapshots {
    const struct st_files *files;
    const char *dir;
};

/* What a snapshot's files are called: a chunk by its index, or: */
#define ST_PART_ANCHOR   (UINT32_MAX - 1u)
#define ST_PART_MANIFEST UINT32_MAX

/* What a folder is, by its name. */
enum st_snapshot_kind {
    ST_SNAPSHOT_DONE = 0, /* all files are there */
    ST_SNAPSHOT_MADE,     /* being made from the own rows */
    ST_SNAPSHOT_FETCHED,  /* being fetched from others */
};

/* st_snapshot_begin makes the folder of an unfinished snapshot, if it is not
 * there. */
NV_MUST_USE enum nv_err
st_snapshot_begin(const struct st_snapshots *at, uint64_t height, enum st_snapshot_kind kind);

/* st_snapshot_put writes one file of an unfinished snapshot, wholly or not at
 * all. */
NV_MUST_USE enum nv_err st_snapshot_put(const struct st_snapshots *at,
                                        uint64_t height,
                                        enum st_snapshot_kind kind,
                                        uint32_t part,
                                        struct nv_view bytes);

/* st_snapshot_get reads a file into `memory`: NV_ERR_NOT_FOUND, or
 * NV_ERR_TOO_LARGE for one above `cap`. */
NV_MUST_USE enum nv_err st_snapshot_get(const struct st_snapshots *at,
                                        struct nv_view *out,
                                        uint64_t height,
                                        enum st_snapshot_kind kind,
                                        uint32_t part,
                                        void *memory,
                                        uint32_t cap);

/* st_snapshot_finish makes an unfinished snapshot, of which all files are
 * there, a finished one. */
NV_MUST_USE enum nv_err
st_snapshot_finish(const struct st_snapshots *at, uint64_t height, enum st_snapshot_kind kind);

/* st_snapshot_list writes the heights of up to ST_SNAPSHOTS_KEPT snapshots of a
 * kind, the newest first. */
NV_MUST_USE enum nv_err st_snapshot_list(const struct st_snapshots *at,
                                         uint64_t *heights,
                                         uint32_t *count,
                                         enum st_snapshot_kind kind);

/* st_snapshot_remove removes a snapshot. */
NV_MUST_USE enum nv_err
st_snapshot_remove(const struct st_snapshots *at, uint64_t height, enum st_snapshot_kind kind);

/* st_snapshot_tidy removes what is to go: all finished snapshots but the newest
 * ST_SNAPSHOTS_KEPT, all that were being made, and those being fetched but that
 * of height `fetched` (0: all). */
NV_MUST_USE enum nv_err st_snapshot_tidy(const struct st_snapshots *at, uint64_t fetched);

/* ---- from and to a database ---- */

/* st_snapshot_copy makes a state of the last checkpoint, whose root is
 * compared.  The caller closes it.  Errors as st_db_load. */
NV_MUST_USE enum nv_err st_snapshot_copy(struct st_state **out, struct st_db *db);

/* st_snapshot_export writes the newest version of a state as a finished
 * snapshot.  NV_OK when it is there already. */
NV_MUST_USE enum nv_err st_snapshot_export(const struct st_snapshots *at,
                                           const struct st_state *state,
                                           struct nv_view anchor);

/* st_snapshot_load makes the rows of a snapshot of any kind the only rows
 * of the database, in one transaction.  NV_ERR_NOT_FOUND or NV_ERR_MISMATCH:
 * chunk `*bad` is missing or damaged.  NV_ERR_CORRUPT: the rows are not as many
 * as the manifest says. */
NV_MUST_USE enum nv_err st_snapshot_load(const struct st_snapshots *at,
                                         struct st_db *db,
                                         const struct st_manifest *manifest,
                                         enum st_snapshot_kind kind,
                                         uint32_t *bad);

/* st_db_replace is what st_snapshot_load does with chunks from anywhere: `next`
 * gives them in order, each opened, and borrowed until the next call. */
typedef enum nv_err (*st_chunk_fn)(void *ctx, struct nv_proof *proof, uint32_t index);
NV_MUST_USE enum nv_err
st_db_replace(struct st_db *db, const struct st_manifest *manifest, st_chunk_fn next, void *ctx);

#endif /* NV_STORAGE_SNAPSHOT_H */
