#ifndef NV_BASE_CRASH_H
#define NV_BASE_CRASH_H

/* crash.h - places at which tests kill the process, to see what the next one
 * finds.
 *
 * In every build but that of tests/crash a point is nothing: no code and no
 * symbol.  There, NV_CRASH is defined for the files that hold points, and
 * tests/crash/point.c decides at which pass of which point the process ends. */

enum nv_crash_point {
#define XX(name, text) NV_CRASH_##name,
#include "base/crash.def"
#undef XX
    NV_CRASH_POINTS,
};

/* NV_CRASH_POINT names the place where it stands. */
#ifdef NV_CRASH
void nv_crash_point(enum nv_crash_point point);
#define NV_CRASH_POINT(name) nv_crash_point(NV_CRASH_##name)
#else
#define NV_CRASH_POINT(name) ((void)NV_CRASH_##name)
#endif

#endif /* NV_BASE_CRASH_H */
