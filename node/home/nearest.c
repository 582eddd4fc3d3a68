#include "node/home/nearest.h"

#include <string.h>

#define WORD_MAX 63u

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* distance returns Levenshtein's: letters to insert, delete or replace. */
static uint32_t distance(const char *a, const char *b)
{
    uint32_t row[WORD_MAX + 1];
    uint32_t const a_size = (uint32_t)strlen(a);
    uint32_t const b_size = (uint32_t)strlen(b);
    if (a_size > WORD_MAX || b_size > WORD_MAX) {
        return UINT32_MAX;
    }
    for (uint32_t i = 0; i <= b_size; i++) {
        row[i] = i;
    }
    for (uint32_t i = 1; i <= a_size; i++) {
        uint32_t corner = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b_size; j++) {
            uint32_t const changed = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
            corner = row[j];
            row[j] = least(changed, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_size];
}

const char *node_nearest(const char *word, const char *const *words, uint32_t count)
{
    const char *best = NULL;
    uint32_t best_distance = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t const d = distance(word, words[i]);
        if (d < best_distance) {
            best_distance = d;
            best = words[i];
        }
    }
    uint32_t const size = (uint32_t)strlen(word);
    return best_distance <= (size + 2) / 3 ? best : NULL;
}
