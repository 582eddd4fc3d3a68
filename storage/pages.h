#ifndef NV_STORAGE_PAGES_H
#define NV_STORAGE_PAGES_H

/* pages.h - whether LMDB may open a file (private to lmdb_*.c).
 *
 * LMDB trusts its pages: a number that rot has changed leads it out of the file
 * or out of a page, and the process dies.  So the pages are looked through
 * before: that each that is reached is in the file, is what its place in the
 * tree says, and keeps its nodes inside; that none is reached twice; and that
 * the pages listed as free are not in use.  What the nodes hold is not looked
 * at: rows are compared with their root when they are loaded.
 *
 * The format is that of LMDB 0.9 with pages of 4096 bytes; of another format
 * nothing is said. */

#include "base/err.h"

/* st__pages_check looks through the file `path`, which nobody has open.
 * NV_ERR_CORRUPT; NV_ERR_IO, NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err st__pages_check(const char *path);

#endif /* NV_STORAGE_PAGES_H */
