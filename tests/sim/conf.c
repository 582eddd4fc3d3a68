/* The options of a seed. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/sim.h"

uint32_t sim_third(uint32_t validators)
{
    return (validators - 1) / 3;
}

void sim_conf_default(struct sim_conf *conf)
{
    *conf = (struct sim_conf){
        .validators = 4,
        .delay_ns = 100 * SIM_MS,
        .margin_ns = 20 * SIM_MS,
        .idle_ms = 300,
        .measure_ns = 1000 * SIM_MS,
        .end_ns = 3000 * SIM_MS,
        .net_min_ns = 2 * SIM_MS,
        .net_max_ns = 25 * SIM_MS,
        .sync_min_ns = SIM_MS / 10,
        .sync_max_ns = 2 * SIM_MS,
        .exec_max_ns = 5 * SIM_MS,
        .nap_max_ns = 500 * SIM_MS,
        .work = 700000,
        .early = 20000,
        .listen_ns = 200 * SIM_MS,
        .status_ns = 2000 * SIM_MS,
        .views_max = 256,
        .at_once = 1,
        .one_batch = 1,
        .live_least = 8,
        .live_views = 3,
        .lag_views = 2,
        .proof_epochs = SIM_EPOCHS_MAX,
        .keep_journals = true,
    };
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        conf->stakes[i] = 1;
    }
}

static void print_n(const char *name, uint64_t value)
{
    printf(" %s=%" PRIu64, name, value);
}

static void print_ms(const char *name, uint64_t value)
{
    printf(" %.*s=%.1fms", (int)(strlen(name) - 3), name, (double)value / (double)SIM_MS);
}

static void print_ppm(const char *name, uint64_t value)
{
    printf(" %s=%.2f%%", name, (double)value / 10000);
}

static void print_x(const char *name, uint64_t value)
{
    printf(" %s=%#" PRIx64, name, value);
}

void sim_conf_print(const struct sim *sim)
{
    const struct sim_conf *const conf = &sim->conf;
    printf(" ");
#define SIM_OPTION_PRINT(type, name, form)                                                         \
    if (conf->name != 0) {                                                                         \
        print_##form(#name, (uint64_t)conf->name);                                                 \
    }
    SIM_OPTIONS(SIM_OPTION_PRINT)
#undef SIM_OPTION_PRINT
    for (uint32_t i = 0; i < conf->validators; i++) {
        printf("%s%" PRIu64, i == 0 ? " stakes=" : ",", conf->stakes[i]);
    }
    printf("\n");
}
