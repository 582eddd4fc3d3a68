#include "p2p/session_parts.h"

bool p2p__session_is_open(const struct p2p__session *session)
{
    return session->ended == P2P_REASON_NONE && session->handshake.phase == P2P__PHASE_OPEN;
}

struct p2p__session *p2p__session_next(const struct p2p__session *session)
{
    return session->next;
}

struct p2p__session_view p2p__session_view(const struct p2p__session *session)
{
    return (struct p2p__session_view){.auth = &session->handshake.peer,
                                      .peer = session->peer,
                                      .dial = session->dial,
                                      .place = session->place,
                                      .lane = session->handshake.lane,
                                      .open = session->open_since_ms != 0,
                                      .told = session->told,
                                      .open_since_ms = session->open_since_ms,
                                      .address = session->address,
                                      .remote = &session->remote};
}
