#include "tools/feeder/path.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

#include "tools/say.h"

#define BARS_MAX 200000u

const char *const price_path_symbols[PATH_FEEDS] = {"BTC", "ETH"};

static double const start_price[PATH_FEEDS] = {60000.0, 3000.0};
/* Volatility of one second in three regimes, and how likely each ends then. */
static double const regime_sigma[3] = {0.00005, 0.00015, 0.0005};
#define REGIME_END  0.01
#define JUMP_CHANCE 0.0005
#define JUMP_SIGMA  0.01
#define ETH_BETA    1.2

struct price_path {
    double *bars; /* owned; NULL: synthetic */
    uint32_t bar_count;
    uint32_t bar;
    uint64_t random;
    uint32_t regime;
    double price[PATH_FEEDS]; /* of the path itself */
    double factor[PATH_FEEDS];
};

static uint64_t next_random(struct price_path *path)
{
    path->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = path->random;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* uniform is in (0, 1). */
static double uniform(struct price_path *path)
{
    return ((double)(next_random(path) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(struct price_path *path)
{
    double const radius = sqrt(-2.0 * log(uniform(path)));
    return radius * cos(6.283185307179586 * uniform(path));
}

static bool read_bars(struct price_path *path, const char *name)
{
    FILE *const file = fopen(name, "r");
    char line[256];
    if (file == NULL) {
        return false;
    }
    path->bars = nv_heap_alloc(BARS_MAX * sizeof *path->bars);
    while (path->bars != NULL && path->bar_count < BARS_MAX &&
           fgets(line, sizeof line, file) != NULL) {
        double open = 0;
        double high = 0;
        double low = 0;
        double close = 0;
        if (sscanf(line, "%*[0-9],%lf,%lf,%lf,%lf", &open, &high, &low, &close) == 4 && close > 0) {
            path->bars[path->bar_count] = close;
            path->bar_count++;
        }
    }
    (void)fclose(file);
    return path->bar_count > 0;
}

struct price_path *price_path_open(const char *source, uint64_t seed)
{
    struct price_path *const path = nv_heap_alloc(sizeof *path);
    if (path == NULL) {
        return NULL;
    }
    memset(path, 0, sizeof *path);
    path->random = seed;
    for (uint32_t i = 0; i < PATH_FEEDS; i++) {
        path->price[i] = start_price[i];
        path->factor[i] = 1.0;
    }
    if (strcmp(source, "synthetic") != 0) {
        if (!read_bars(path, source)) {
            (void)tool_fail(TOOL_FAILED,
                            "a feed is a CSV with the columns ts,open,high,low,close,volume",
                            "--feed synthetic",
                            "%s holds no prices",
                            source);
            price_path_close(path);
            return NULL;
        }
        path->price[0] = path->bars[0];
        path->price[1] = path->bars[0] * start_price[1] / start_price[0];
    }
    return path;
}

void price_path_close(struct price_path *path)
{
    if (path != NULL) {
        nv_heap_free(path->bars);
        nv_heap_free(path);
    }
}

static void step_synthetic(struct price_path *path)
{
    if (uniform(path) < REGIME_END) {
        path->regime = (uint32_t)(next_random(path) % 3);
    }
    double common = regime_sigma[path->regime] * normal(path);
    if (uniform(path) < JUMP_CHANCE) {
        common += JUMP_SIGMA * normal(path);
    }
    double const own = 0.5 * regime_sigma[path->regime] * normal(path);
    path->price[0] *= exp(common);
    path->price[1] *= exp(ETH_BETA * common + own);
}

void price_path_step(struct price_path *path)
{
    if (path->bars == NULL) {
        step_synthetic(path);
        return;
    }
    double const before = path->bars[path->bar];
    path->bar = (path->bar + 1) % path->bar_count;
    double const move = path->bar == 0 ? 1.0 : path->bars[path->bar] / before;
    path->price[0] *= move;
    path->price[1] *= move;
}

int64_t price_path_now(const struct price_path *path, uint32_t feed)
{
    double const price = path->price[feed] * path->factor[feed];
    return (int64_t)llround(fmax(price, 0.01) * 100.0) * 10000; /* whole cents */
}

void price_path_set(struct price_path *path, uint32_t feed, int64_t micro)
{
    path->factor[feed] = (double)micro / 1e6 / path->price[feed];
}
