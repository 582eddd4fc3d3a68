#include "tests/crash/point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

/* In other builds base/crash.h does not declare it. */
void nv_crash_point(enum nv_crash_point point);

static const char *const names[NV_CRASH_POINTS] = {
#define XX(name, text) [NV_CRASH_##name] = #name,
#include "base/crash.def"
#undef XX
};

static bool known; /* what is to be done */
static enum nv_crash_point wanted;
static atomic_uint_fast64_t left;

const char *point_name(enum nv_crash_point point)
{
    return names[point];
}

void point_arm(enum nv_crash_point point, uint64_t n)
{
    known = true;
    wanted = point;
    left = n;
}

static void read_environment(void)
{
    const char *const text = getenv("NOVATE_CRASH");
    const char *const colon = text != NULL ? strchr(text, ':') : NULL;
    known = true;
    if (colon == NULL) {
        return;
    }
    for (uint32_t i = 0; i < NV_CRASH_POINTS; i++) {
        size_t const size = strlen(names[i]);
        if (size == (size_t)(colon - text) && strncmp(names[i], text, size) == 0) {
            point_arm((enum nv_crash_point)i, strtoull(colon + 1, NULL, 10));
            return;
        }
    }
    NV_ASSERT(false); /* a name that is not in the list */
}

void nv_crash_point(enum nv_crash_point point)
{
    if (!known) {
        read_environment();
    }
    if (left > 0 && point == wanted && atomic_fetch_sub(&left, 1) == 1) {
        (void)kill(getpid(), SIGKILL);
        (void)pause();
    }
}
