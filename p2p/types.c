#include "p2p/types.h"

#include "base/assert.h"

#include "p2p/p2p.h"

#define CHECK_TYPE(number, name, lanes, bytes_max, replaces)                                       \
    _Static_assert((number) >= 16 && (number) <= 127, "a type of others is in [16, 127]");         \
    _Static_assert((bytes_max) <= P2P__PAYLOAD_MAX, "P2P__PAYLOAD_MAX is the largest");
P2P_TYPES(CHECK_TYPE)
#undef CHECK_TYPE

struct type_row {
    uint8_t type;
    uint8_t lanes;
    bool replaces;
    uint32_t bytes_max;
};

static const struct type_row type_rows[] = {{P2P__TYPE_AUTH, 3, false, P2P__AUTH_SIZE},
                                            {P2P__TYPE_REFUSE, 3, false, P2P__REFUSE_SIZE},
                                            {P2P__TYPE_PING, 3, false, P2P__PING_SIZE},
                                            {P2P__TYPE_PONG, 3, false, P2P__PING_SIZE},
                                            {P2P__TYPE_ADDRESS, 2, false, P2P__ADDRESS_BYTES},
#define TYPE_ROW(number, name, lanes, bytes_max, replaces)                                         \
    {(number), (lanes), (replaces), (bytes_max)},
                                            P2P_TYPES(TYPE_ROW)
#undef TYPE_ROW
};

static const struct type_row *type_find(uint8_t type)
{
    for (uint32_t i = 0; i < sizeof(type_rows) / sizeof(type_rows[0]); i++) {
        if (type_rows[i].type == type) {
            return &type_rows[i];
        }
    }
    return NULL;
}

uint32_t p2p__payload_max(bool *allowed, uint8_t type, uint8_t lane, bool proven)
{
    NV_ASSERT(lane < P2P_LANES);
    const struct type_row *row = type_find(type);
    bool const early = type == P2P__TYPE_AUTH || type == P2P__TYPE_REFUSE;

    *allowed = row != NULL && ((row->lanes >> lane) & 1u) != 0 && (proven || early);
    return *allowed ? row->bytes_max : 0;
}

bool p2p__type_replaces(uint8_t type)
{
    const struct type_row *row = type_find(type);
    return row != NULL && row->replaces;
}

uint32_t p2p_type_max(uint8_t type, uint8_t lane)
{
    bool allowed = false;
    uint32_t const bytes_max = p2p__payload_max(&allowed, type, lane, true);
    return type >= 16 ? bytes_max : 0;
}

const char *p2p_reason_name(enum p2p_reason reason)
{
    switch (reason) {
    case P2P_REASON_NONE: return "none";
#define REASON_NAME(number, name, text)                                                            \
    case P2P_REASON_##name: return #name;
        P2P_REASONS(REASON_NAME)
#undef REASON_NAME
    }
    return "unknown";
}

const char *p2p_reason_text(enum p2p_reason reason)
{
    switch (reason) {
    case P2P_REASON_NONE: return "nothing is wrong";
#define REASON_TEXT(number, name, text)                                                            \
    case P2P_REASON_##name: return text;
        P2P_REASONS(REASON_TEXT)
#undef REASON_TEXT
    }
    return "for a reason that this version does not know";
}
