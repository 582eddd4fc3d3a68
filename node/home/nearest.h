#ifndef NV_NODE_HOME_NEAREST_H
#define NV_NODE_HOME_NEAREST_H

/* nearest.h - what a person probably meant by a word that is not known. */

#include <stdint.h>

/* node_nearest returns the one of `words` that takes the fewest changes of a
 * letter to become `word`, or NULL when even that takes more than a third of
 * its letters. */
const char *node_nearest(const char *word, const char *const *words, uint32_t count);

#endif /* NV_NODE_HOME_NEAREST_H */
