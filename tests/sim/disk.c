/* A journal on a disk that loses what was not synced.  The last batch may have
 * reached the disk whole, in part, or not at all; a part is found by its check. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/codec.h"

#include "tests/sim/sim.h"

static uint64_t check_of(const uint8_t *bytes, uint32_t size)
{
    uint64_t check = UINT64_C(14695981039346656037) + size;
    uint32_t at = 0;
    for (; at + 8 <= size; at += 8) {
        check = (check ^ nv_be64_load(bytes + at)) * UINT64_C(0x9e3779b97f4a7c15);
        check ^= check >> 32;
    }
    for (; at < size; at++) {
        check = (check ^ bytes[at]) * UINT64_C(1099511628211);
    }
    return check;
}

void sim_disk_append(struct sim_disk *disk, struct nv_view bytes)
{
    if (disk->size + bytes.size > disk->cap) {
        disk->cap = 2 * (disk->size + bytes.size);
        disk->bytes = realloc(disk->bytes, disk->cap);
        NV_ASSERT(disk->bytes != NULL);
    }
    memcpy(disk->bytes + disk->size, bytes.bytes, bytes.size);
    disk->size += bytes.size;
}

void sim_disk_sync(struct sim *sim, struct sim_host *host)
{
    NV_ASSERT(host->disk.syncing_to == 0);
    host->disk.syncing_to = host->disk.size;
    bool const slow = (sim->conf.slow >> host->id & 1u) != 0;
    uint64_t const span = sim_between(&sim->rng, sim->conf.sync_min_ns, sim->conf.sync_max_ns) +
                          (slow ? sim_below(&sim->rng, sim->conf.slow_ns + 1) : 0);
    sim_push(sim, sim->now_ns + span, SIM_SYNC, host->id);
}

static void batch_add(struct sim_disk *disk, uint32_t end)
{
    uint32_t const start = disk->batch_count > 0 ? disk->batch[disk->batch_count - 1].end : 0;
    if (disk->batch_count == disk->batch_cap) {
        disk->batch_cap = disk->batch_cap == 0 ? 64 : 2 * disk->batch_cap;
        disk->batch = realloc(disk->batch, disk->batch_cap * sizeof *disk->batch);
        NV_ASSERT(disk->batch != NULL);
    }
    disk->batch[disk->batch_count++] =
        (struct sim_batch){.end = end, .check = check_of(disk->bytes + start, end - start)};
}

void sim_disk_done(struct sim_disk *disk)
{
    NV_ASSERT(disk->syncing_to != 0);
    batch_add(disk, disk->syncing_to);
    disk->durable = disk->syncing_to;
    disk->syncing_to = 0;
}

void sim_disk_forget(struct sim_disk *disk)
{
    disk->size -= disk->durable;
    memmove(disk->bytes, disk->bytes + disk->durable, disk->size);
    disk->durable = 0;
    disk->batch_count = 0;
}

void sim_disk_crash(struct sim *sim, struct sim_disk *disk)
{
    uint32_t const to = disk->syncing_to;
    disk->syncing_to = 0;
    if (to > disk->durable) {
        uint64_t const fate = sim_below(&sim->rng, 3);
        if (fate != 1) {
            sim_fault(sim, SIM_FAULT_TORN);
        }
        if (fate > 0) {
            batch_add(disk, to); /* its head reached the disk */
            disk->durable = fate == 1 ? to : disk->durable;
        }
        if (fate == 2) { /* its end did not */
            uint32_t const torn = (uint32_t)sim_between(&sim->rng, disk->durable, to - 1);
            memset(disk->bytes + torn, 0, to - torn);
            disk->bytes[torn] = 0xee;
        }
    }
    struct nv_view const valid = sim_disk_valid(disk);
    while (disk->batch_count > 0 && disk->batch[disk->batch_count - 1].end > valid.size) {
        disk->batch_count--;
    }
    disk->size = valid.size;
    disk->durable = valid.size;
}

struct nv_view sim_disk_valid(const struct sim_disk *disk)
{
    uint32_t start = 0;
    for (uint32_t i = 0; i < disk->batch_count; i++) {
        const struct sim_batch *const batch = &disk->batch[i];
        bool const synced = batch->end <= disk->durable;
        if (!synced && check_of(disk->bytes + start, batch->end - start) != batch->check) {
            break;
        }
        start = batch->end;
    }
    return nv_view_of(disk->bytes, start);
}
