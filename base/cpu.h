#ifndef NV_BASE_CPU_H
#define NV_BASE_CPU_H

/* cpu.h - what this processor can do beside what every one of its kind can.
 *
 * Pure code cannot ask: whoever runs it tells it, as data. */

#include <stdbool.h>

/* nv_cpu_wide returns whether there are integers of 256 bits (AVX2). */
bool nv_cpu_wide(void);

#endif /* NV_BASE_CPU_H */
