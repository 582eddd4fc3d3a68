#include "p2p/admission.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

enum nv_err p2p__admission_init(struct p2p__admission *admission, uint32_t cap)
{
    NV_ASSERT(cap >= 1);
    *admission = (struct p2p__admission){.cap = cap};
    admission->places = nv_heap_alloc((size_t)cap * sizeof(struct p2p__place));
    return admission->places == NULL ? NV_ERR_NO_MEMORY : NV_OK;
}

void p2p__admission_deinit(struct p2p__admission *admission)
{
    nv_heap_free(admission->places);
    *admission = (struct p2p__admission){.cap = 0};
}

struct survey {
    uint32_t same_address;
    uint32_t same_half_open;
    uint32_t vacant;           /* a free place, or NONE */
    uint32_t oldest_half_open; /* or NONE */
};

static struct survey
survey_of(const struct p2p__admission *admission, const struct p2p__address *address)
{
    struct survey survey = {.vacant = P2P__PLACE_NONE, .oldest_half_open = P2P__PLACE_NONE};
    uint64_t oldest = UINT64_MAX;
    for (uint32_t i = 0; i < admission->cap; i++) {
        const struct p2p__place *place = &admission->places[i];
        if (!place->used) {
            survey.vacant = i;
            continue;
        }
        bool const same = memcmp(&place->address, address, sizeof(*address)) == 0;
        survey.same_address += same ? 1 : 0;
        survey.same_half_open += same && place->half_open ? 1 : 0;
        if (place->half_open && place->since < oldest) {
            oldest = place->since;
            survey.oldest_half_open = i;
        }
    }
    return survey;
}

uint32_t p2p__admission_enter(struct p2p__admission *admission,
                              const struct p2p__address *address,
                              uint32_t *evicted)
{
    *evicted = P2P__PLACE_NONE;
    struct survey const survey = survey_of(admission, address);
    if (survey.same_half_open >= admission->half_open_address_max ||
        survey.same_address >= admission->address_max) {
        return P2P__PLACE_NONE;
    }
    uint32_t place = survey.vacant;
    if (admission->half_open >= admission->half_open_max || place == P2P__PLACE_NONE) {
        if (survey.oldest_half_open == P2P__PLACE_NONE) {
            return P2P__PLACE_NONE;
        }
        *evicted = survey.oldest_half_open;
        p2p__admission_leave(admission, *evicted);
        place = *evicted;
    }
    admission->places[place] = (struct p2p__place){
        .address = *address, .since = admission->arrivals, .used = true, .half_open = true};
    admission->arrivals++;
    admission->half_open++;
    return place;
}

void p2p__admission_prove(struct p2p__admission *admission, uint32_t place)
{
    NV_ASSERT(place < admission->cap);
    NV_ASSERT(admission->places[place].used);
    NV_ASSERT(admission->places[place].half_open);
    admission->places[place].half_open = false;
    admission->half_open--;
}

void p2p__admission_leave(struct p2p__admission *admission, uint32_t place)
{
    NV_ASSERT(place < admission->cap);
    NV_ASSERT(admission->places[place].used);
    if (admission->places[place].half_open) {
        admission->half_open--;
    }
    admission->places[place] = (struct p2p__place){.used = false};
}
