#ifndef NV_TESTS_CRASH_IMAGE_H
#define NV_TESTS_CRASH_IMAGE_H

/* image.h - a folder as it may be after the power failed.
 *
 * An image takes the operations of a trace one by one.  At any moment there are
 * many states in which the disk could be found.  What the rules allow:
 *
 *     a sector of 512 bytes     as it was when the file was last synced, or as
 *                               any later write left it; each for itself
 *     a file's size             as at the last sync, or after any later write
 *     the names in a folder     as when the folder was last synced, with any
 *                               beginning of the later changes, or with single
 *                               new names missing; a rename is whole or not
 *
 * A write on a descriptor with O_DSYNC is durable when it has returned.  A sync
 * that failed leaves what was written where it is: perhaps there, perhaps not,
 * whatever is synced later. */

#include <stdbool.h>
#include <stdint.h>

#include "tests/crash/trace.h"

struct image;

struct image *image_new(void);
void image_free(struct image *image);

/* image_take lets an operation happen.  What it points to must live as long as
 * the image. */
void image_take(struct image *image, const struct trace_op *op);

/* image_choose picks one of the states that are possible now; the same numbers
 * pick the same.  Variant 0 has lost all it could, 1 nothing; the others are
 * more and more haphazard. */
void image_choose(struct image *image, uint64_t seed, uint32_t variant);

/* image_choices returns how many single things could be lost now. */
uint32_t image_choices(const struct image *image);

/* image_hash returns a number for the state that was chosen: equal states have
 * equal numbers. */
uint64_t image_hash(const struct image *image);

/* image_write makes the folder `path` what was chosen, from nothing; its files'
 * bytes are never shared with the image. */
void image_write(const struct image *image, const char *path);

/* image_file returns the name of the i-th file of the state that was chosen, and
 * its size; NULL behind the last. */
const char *image_file(const struct image *image, uint32_t i, uint64_t *size);

/* image_load begins anew with the files of a folder, all durable. */
void image_load(struct image *image, const char *path);

/* image_same returns whether the folder `path` holds what the program has
 * written, whatever is durable; if not, it says on stderr what differs. */
bool image_same(struct image *image, const char *path);

#endif /* NV_TESTS_CRASH_IMAGE_H */
