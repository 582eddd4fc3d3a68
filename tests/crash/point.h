#ifndef NV_TESTS_CRASH_POINT_H
#define NV_TESTS_CRASH_POINT_H

/* point.h - kills this process at a point of base/crash.def.
 *
 * A program reads NOVATE_CRASH="NAME:n" from its environment when the first
 * point is passed, unless point_arm was called before. */

#include <stdint.h>

#include "base/crash.h"

/* point_arm ends this process, as kill -9 does, at the n-th pass of a point;
 * 0 disarms. */
void point_arm(enum nv_crash_point point, uint64_t n);

const char *point_name(enum nv_crash_point point);

#endif /* NV_TESTS_CRASH_POINT_H */
