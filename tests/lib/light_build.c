#include "tests/lib/light_build.h"

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

static void write_genesis(struct light_world *world)
{
    const struct cs_valset *const set = &world->net.set;
    size_t at = (size_t)snprintf(world->genesis,
                                 sizeof world->genesis,
                                 "{\"format\": \"novate-genesis-1\", \"devnet\": true, "
                                 "\"time_ms\": %" NV_U64 ", \"validators\": [",
                                 LIGHT_TIME_MS);
    for (uint32_t i = 0; i < set->count; i++) {
        char key[NV_BYTES_TEXT(32)];
        nv_bytes_format(key, set->member[i].key.bytes, 32);
        at += (size_t)snprintf(world->genesis + at,
                               sizeof world->genesis - at,
                               "%s{\"name\": \"v%u\", \"key\": \"%s\", \"stake\": \"%" NV_U64 "\"}",
                               i > 0 ? ", " : "",
                               i,
                               key,
                               set->member[i].stake);
    }
    (void)snprintf(world->genesis + at, sizeof world->genesis - at, "]}\n");
}

void light_world_init(struct light_world *world, const uint64_t *stakes, uint32_t count)
{
    memset(world, 0, sizeof *world);
    cs_net_init(&world->net, stakes, count);
    world->epoch = 1;
    write_genesis(world);
    nv_sha256(&world->net.chain_id, light_world_genesis(world));
}

void light_world_certify(struct light_world *world,
                         const struct cs_ballot *ballot,
                         uint32_t signers)
{
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct nv_writer writer;
    struct cs_certificate const certificate =
        signers == 0 ? cs_build_quorum(&world->net, sigs, ballot)
                     : cs_build_first(&world->net, sigs, ballot, signers);
    nv_writer_init(&writer, world->certificate_bytes, sizeof world->certificate_bytes);
    cs_certificate_put(&writer, &certificate);
    world->certificate_size = writer.size;
}

void light_world_seal(struct light_world *world, uint32_t signers)
{
    struct nv_writer writer;
    struct nv_hash block;
    nv_writer_init(&writer, world->header_bytes, sizeof world->header_bytes);
    cs_header_put(&writer, &world->header);
    cs_header_hash(&block, &world->header);
    struct cs_ballot ballot =
        cs_build_ballot(CS_FINALIZE, world->header.view, world->header.parent_view, block);
    ballot.epoch = world->header.epoch;
    light_world_certify(world, &ballot, signers);
}

void light_world_final(struct light_world *world,
                       const struct nv_hash *root,
                       uint64_t height,
                       uint32_t signers)
{
    world->header = (struct cs_header){
        .chain_id = world->net.chain_id,
        .epoch = world->epoch,
        .height = height + 2,
        .view = height + 5,
        .parent_view = height + 4,
        .parent_hash = cs_build_hash(height),
        .time_ms = LIGHT_TIME_MS + height,
        .executed_height = height,
        .state_root = *root,
        .valset_hash = world->net.set.hash,
    };
    light_world_seal(world, signers);
}

void light_world_follow(struct light_world *world, const struct cs_net *net)
{
    struct nv_hash const chain_id = world->net.chain_id;
    world->net = *net;
    world->net.chain_id = chain_id;
    world->epoch++;
}

struct nv_view light_world_genesis(const struct light_world *world)
{
    return nv_view_of_text(world->genesis);
}

struct nv_view light_world_header(const struct light_world *world)
{
    return nv_view_of(world->header_bytes, sizeof world->header_bytes);
}

struct nv_view light_world_certificate(const struct light_world *world)
{
    return nv_view_of(world->certificate_bytes, world->certificate_size);
}

struct cs_light_block light_world_block(const struct light_world *world)
{
    return (struct cs_light_block){light_world_header(world), light_world_certificate(world)};
}
