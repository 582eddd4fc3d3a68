#include "consensus/past.h"

#include "base/arena.h"
#include "base/assert.h"

#include "base/pure.h"

static size_t final_room(uint32_t members_max)
{
    return CS_CERTIFICATE_SIZE_MAX - (size_t)64 * (CS_VALIDATORS_MAX - members_max);
}

static size_t set_room(uint32_t members_max)
{
    return 2 + (size_t)CS_VALIDATOR_SIZE * members_max;
}

size_t cs__past_footprint(uint32_t members_max)
{
    return CS__ENDED * (final_room(members_max) + set_room(members_max));
}

void cs__past_init(struct cs__past *past, struct nv_arena *arena, uint32_t members_max)
{
    past->members_max = members_max;
    past->finals = NV_ARENA_NEW(arena, uint8_t, CS__ENDED * final_room(members_max));
    past->sets = NV_ARENA_NEW(arena, uint8_t, CS__ENDED * set_room(members_max));
}

static uint8_t *final_place(const struct cs__past *past, uint64_t epoch)
{
    return past->finals + (size_t)(epoch % CS__ENDED) * final_room(past->members_max);
}

static uint8_t *set_place(const struct cs__past *past, uint64_t epoch)
{
    return past->sets + (size_t)(epoch % CS__ENDED) * set_room(past->members_max);
}

void cs__past_add(struct cs__past *past,
                  const struct cs_header *header,
                  const struct cs_certificate *final,
                  const struct cs_valset *set)
{
    struct nv_writer w;
    struct cs__end *const end = &past->end[header->epoch % CS__ENDED];
    NV_ASSERT(set->count <= past->members_max);
    nv_writer_init(&w, final_place(past, header->epoch), (uint32_t)final_room(past->members_max));
    cs_certificate_put(&w, final);
    NV_ASSERT(!w.overflow); /* it has no more signers than there are validators */
    *end = (struct cs__end){
        .epoch = header->epoch,
        .time_ms = header->time_ms,
        .block = final->ballot.block_hash,
        .set = set->hash,
        .final_size = w.size,
        .set_size = cs_valset_encode(set, set_place(past, header->epoch)),
    };
}

const struct cs__end *cs__past_find(const struct cs__past *past, uint64_t epoch)
{
    const struct cs__end *const end = &past->end[epoch % CS__ENDED];
    return epoch != 0 && end->epoch == epoch ? end : NULL;
}

void cs__past_final(const struct cs__past *past,
                    struct cs_certificate *final,
                    const struct cs__end *end)
{
    struct nv_reader r;
    nv_reader_init(&r, nv_view_of(final_place(past, end->epoch), end->final_size));
    enum nv_err const err = cs_certificate_get(&r, final);
    NV_ASSERT(err == NV_OK);
}

void cs__past_set(const struct cs__past *past, struct cs_valset *set, const struct cs__end *end)
{
    enum nv_err const err =
        cs_valset_decode(set, nv_view_of(set_place(past, end->epoch), end->set_size));
    NV_ASSERT(err == NV_OK);
}
