#ifndef NV_TOOLS_SEEN_H
#define NV_TOOLS_SEEN_H

/* seen.h - what a user has seen of a chain and believes, kept between commands:
 * the light state of the newest epoch and the newest final block.
 *
 * So the way from the genesis is walked once, and who asks often enough needs
 * no --trust; a node that shows a chain which has forked from the one seen is
 * found out, and one that shows an old state is told apart.
 *
 * The file is light-CHAINID.json in the folder of the devnet, or in ~/.novate.
 * It is written whole or not at all, and never goes back to an older block,
 * however many commands run at once.  One that is damaged is moved aside.
 * Whoever removes it begins at the genesis again.  One thread. */

#include "consensus/light_client.h"
#include "tools/say.h"

#define SEEN_PATH_MAX 1200u

struct seen {
    char path[SEEN_PATH_MAX];     /* "": nothing is kept */
    struct cs_light_final newest; /* height 0: none */
};

/* seen_load reads what was kept of the light state's chain in `folder` (NULL:
 * nothing is kept); the light state becomes the kept one if that is of a later
 * epoch.  A damaged file is as none, after saying so.  Else it has been said what
 * is wrong. */
enum tool_exit seen_load(struct seen *seen, struct cs_light *light, const char *folder);

/* seen_take compares a final block with the newest one seen, and keeps it if it
 * is newer.  A fork is refused and both blocks are written down; an old block
 * is said to be old. */
enum tool_exit seen_take(struct seen *seen,
                         const struct cs_light *light,
                         const struct cs_light_block *block,
                         const struct cs_light_final *final);

#endif /* NV_TOOLS_SEEN_H */
