#include "p2p/admission.h"

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

static bool waits(const struct p2p__place *place)
{
    return place->stage == P2P__STAGE_SILENT || place->stage == P2P__STAGE_ASKS;
}

static bool is_half_open(const struct p2p__place *place)
{
    return waits(place) || place->stage == P2P__STAGE_SHAKES;
}

/* crowd_count writes to all that wait of a network how many they are. */
static void crowd_count(struct p2p__admission *admission, const struct p2p__network *network)
{
    uint32_t count = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < admission->cap; i++) {
            struct p2p__place *place = &admission->places[i];
            if (waits(place) && p2p__network_eq(&place->network, network)) {
                count += pass == 0 ? 1 : 0;
                place->crowd = count;
            }
        }
    }
}

/* ---- coming ------------------------------------------------------------- */

struct survey {
    uint32_t same_address;
    uint32_t same_half_open;
    uint32_t waiting; /* known, or strangers, as the newcomer is */
    uint32_t crowd;   /* of its network, itself counted */
    uint32_t vacant;  /* a free place, or NONE */
};

static struct survey survey_of(const struct p2p__admission *admission,
                               const struct p2p__address *address,
                               const struct p2p__network *network)
{
    struct survey survey = {.crowd = 1, .vacant = P2P__PLACE_NONE};
    for (uint32_t i = 0; i < admission->cap; i++) {
        const struct p2p__place *place = &admission->places[i];
        if (place->stage == P2P__STAGE_FREE) {
            survey.vacant = i;
            continue;
        }
        bool const same = p2p__address_eq(&place->address, address);
        survey.same_address += same ? 1 : 0;
        survey.same_half_open += same && is_half_open(place) ? 1 : 0;
        survey.waiting += waits(place) && place->network.known == network->known ? 1 : 0;
        survey.crowd += waits(place) && p2p__network_eq(&place->network, network) ? 1 : 0;
    }
    return survey;
}

/* longest_waiting returns who leaves for a newcomer: the oldest of the network of which
 * most wait, or NONE if nobody does. */
static uint32_t longest_waiting(const struct p2p__admission *admission,
                                const struct p2p__network *newcomer,
                                uint32_t newcomer_crowd)
{
    uint32_t found = P2P__PLACE_NONE;
    uint32_t most = 0;
    for (uint32_t i = 0; i < admission->cap; i++) {
        const struct p2p__place *place = &admission->places[i];
        if (!waits(place) || place->network.known != newcomer->known) {
            continue;
        }
        bool const same = p2p__network_eq(&place->network, newcomer);
        uint32_t const crowd = same ? newcomer_crowd : place->crowd;
        bool const older =
            found != P2P__PLACE_NONE && place->since < admission->places[found].since;
        if (crowd > most || (crowd == most && older)) {
            most = crowd;
            found = i;
        }
    }
    return found;
}

/* longest_shaking returns whose handshake of known addresses, or strangers, was begun
 * first, or NONE, and counts them. */
static uint32_t longest_shaking(const struct p2p__admission *admission, bool known, uint32_t *count)
{
    uint32_t found = P2P__PLACE_NONE;
    *count = 0;
    for (uint32_t i = 0; i < admission->cap; i++) {
        const struct p2p__place *place = &admission->places[i];
        if (place->stage != P2P__STAGE_SHAKES || place->network.known != known) {
            continue;
        }
        *count += 1;
        bool const first =
            found == P2P__PLACE_NONE || place->served_at < admission->places[found].served_at;
        found = first ? i : found;
    }
    return found;
}

/* SPEC p2p 7.5: "ends the oldest of those that wait of the network of which most wait" */
static uint32_t make_room(struct p2p__admission *admission,
                          const struct p2p__network *newcomer,
                          uint32_t newcomer_crowd)
{
    uint32_t count = 0;
    uint32_t found = longest_waiting(admission, newcomer, newcomer_crowd);
    if (found == P2P__PLACE_NONE) {
        found = longest_shaking(admission, newcomer->known, &count);
    }
    if (found != P2P__PLACE_NONE) {
        p2p__admission_leave(admission, found);
    }
    return found;
}

uint32_t p2p__admission_enter(struct p2p__admission *admission,
                              const struct p2p__address *address,
                              bool known,
                              uint32_t *evicted)
{
    *evicted = P2P__PLACE_NONE;
    struct p2p__network const network = p2p__network_of(address, known);
    struct survey const survey = survey_of(admission, address, &network);
    if (survey.same_half_open >= admission->half_open_address_max ||
        survey.same_address >= admission->address_max) {
        return P2P__PLACE_NONE;
    }
    uint32_t place = survey.vacant;
    if (survey.waiting >= admission->half_open_max || place == P2P__PLACE_NONE) {
        *evicted = make_room(admission, &network, survey.crowd);
        place = *evicted;
    }
    if (place == P2P__PLACE_NONE) {
        return P2P__PLACE_NONE;
    }
    admission->places[place] =
        (struct p2p__place){.stage = P2P__STAGE_SILENT,
                            .address = *address,
                            .network = network,
                            .since = admission->arrivals,
                            .served_at = p2p__budget_served(&admission->budget, &network)};
    admission->arrivals++;
    admission->half_open++;
    admission->waiting++;
    crowd_count(admission, &network);
    return place;
}

/* ---- turns -------------------------------------------------------------- */

void p2p__admission_ask(struct p2p__admission *admission, uint32_t place)
{
    NV_ASSERT(place < admission->cap);
    NV_ASSERT(admission->places[place].stage == P2P__STAGE_SILENT);
    admission->places[place].stage = P2P__STAGE_ASKS;
}

/* SPEC p2p 7.4: "it is the turn of the network whose handshake was begun longest ago" */
static uint32_t first_of(const struct p2p__admission *admission, bool known)
{
    uint32_t found = P2P__PLACE_NONE;
    for (uint32_t i = 0; i < admission->cap; i++) {
        const struct p2p__place *place = &admission->places[i];
        if (place->stage != P2P__STAGE_ASKS || place->network.known != known) {
            continue;
        }
        const struct p2p__place *best = found == P2P__PLACE_NONE ? NULL : &admission->places[found];
        if (best == NULL || place->served_at < best->served_at ||
            (place->served_at == best->served_at && place->since < best->since)) {
            found = i;
        }
    }
    return found;
}

/* serve begins the handshake of a place that waits. */
static void serve(struct p2p__admission *admission, uint32_t number)
{
    struct p2p__place *chosen = &admission->places[number];
    uint64_t const at = p2p__budget_take(&admission->budget, &chosen->network);
    chosen->stage = P2P__STAGE_SHAKES;
    chosen->served_at = at;
    admission->waiting--;
    crowd_count(admission, &chosen->network);
    for (uint32_t i = 0; i < admission->cap; i++) {
        struct p2p__place *place = &admission->places[i];
        if (waits(place) && p2p__network_eq(&place->network, &chosen->network)) {
            place->served_at = at;
        }
    }
}

uint32_t p2p__admission_next(struct p2p__admission *admission, uint64_t now_ms, uint32_t *evicted)
{
    *evicted = P2P__PLACE_NONE;
    if (admission->waiting == 0 || !p2p__budget_has(&admission->budget, now_ms)) {
        return P2P__PLACE_NONE;
    }
    uint32_t const due = first_of(admission, admission->known_next);
    uint32_t const place =
        due != P2P__PLACE_NONE ? due : first_of(admission, !admission->known_next);
    if (place == P2P__PLACE_NONE) {
        return P2P__PLACE_NONE;
    }
    bool const known = admission->places[place].network.known;
    uint32_t shaking = 0;
    uint32_t const oldest = longest_shaking(admission, known, &shaking);
    if (shaking >= admission->half_open_max) {
        *evicted = oldest;
        p2p__admission_leave(admission, oldest);
    }
    serve(admission, place);
    admission->known_next = !known;
    return place;
}

/* ---- going -------------------------------------------------------------- */

void p2p__admission_prove(struct p2p__admission *admission, uint32_t place)
{
    NV_ASSERT(place < admission->cap);
    NV_ASSERT(admission->places[place].stage == P2P__STAGE_SHAKES);
    admission->places[place].stage = P2P__STAGE_PROVED;
    admission->half_open--;
}

void p2p__admission_leave(struct p2p__admission *admission, uint32_t number)
{
    NV_ASSERT(number < admission->cap);
    struct p2p__place *place = &admission->places[number];
    NV_ASSERT(place->stage != P2P__STAGE_FREE);
    struct p2p__network const network = place->network;
    bool const waited = waits(place);
    admission->half_open -= is_half_open(place) ? 1 : 0;
    admission->waiting -= waited ? 1 : 0;
    *place = (struct p2p__place){.stage = P2P__STAGE_FREE};
    if (waited) {
        crowd_count(admission, &network);
    }
}
