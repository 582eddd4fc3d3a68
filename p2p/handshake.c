#include "p2p/handshake.h"

#include "base/assert.h"
#include "base/codec.h"

#define AUTH_TAG    "novate/p2p-auth/v1"
#define SIGNED_SIZE (P2P__AUTH_SIZE - 64u)

void p2p__auth_encode(uint8_t *out, const struct p2p__auth *auth)
{
    struct nv_writer w;
    nv_writer_init(&w, out, P2P__AUTH_SIZE);
    nv_put_u16(&w, auth->version);
    nv_put_bytes(&w, auth->chain_id.bytes, sizeof(auth->chain_id.bytes));
    nv_put_bytes(&w, auth->key.bytes, sizeof(auth->key.bytes));
    nv_put_u8(&w, auth->side);
    nv_put_u8(&w, auth->lane);
    nv_put_u8(&w, auth->role);
    nv_put_u16(&w, auth->listen_port);
    nv_put_u64(&w, auth->instance);
    NV_ASSERT(w.size == SIGNED_SIZE);
    nv_put_bytes(&w, auth->sig.bytes, sizeof(auth->sig.bytes));
    NV_ASSERT(w.size == P2P__AUTH_SIZE);
}

enum nv_err p2p__auth_decode(struct p2p__auth *out, struct nv_view bytes)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    *out = (struct p2p__auth){.version = nv_get_u16(&r)};
    if (!r.failed && out->version != P2P__VERSION) {
        return NV_ERR_VERSION;
    }
    nv_get_bytes(&r, out->chain_id.bytes, sizeof(out->chain_id.bytes));
    nv_get_bytes(&r, out->key.bytes, sizeof(out->key.bytes));
    out->side = nv_get_u8(&r);
    out->lane = nv_get_u8(&r);
    out->role = nv_get_u8(&r);
    out->listen_port = nv_get_u16(&r);
    out->instance = nv_get_u64(&r);
    nv_get_bytes(&r, out->sig.bytes, sizeof(out->sig.bytes));
    return nv_reader_end(&r);
}

/* SPEC p2p 3.2: "It binds the key to this one TLS connection" */
static void auth_digest(struct nv_hash *out, const struct nv_hash *exporter, const uint8_t *frame)
{
    struct nv_view const parts[2] = {nv_view_of(exporter->bytes, sizeof(exporter->bytes)),
                                     nv_view_of(frame, SIGNED_SIZE)};
    nv_tagged_hash(out, AUTH_TAG, parts, 2);
}

void p2p__handshake_init_dialler(struct p2p__handshake *handshake,
                                 const struct nv_pubkey *expected,
                                 uint8_t lane)
{
    *handshake = (struct p2p__handshake){.phase = P2P__PHASE_TLS,
                                         .side = P2P__SIDE_DIALLER,
                                         .lane = lane,
                                         .expects = true,
                                         .expected = *expected};
}

void p2p__handshake_init_listener(struct p2p__handshake *handshake)
{
    *handshake = (struct p2p__handshake){.phase = P2P__PHASE_TLS, .side = P2P__SIDE_LISTENER};
}

bool p2p__handshake_secured(struct p2p__handshake *handshake, const struct nv_hash *exporter)
{
    NV_ASSERT(handshake->phase == P2P__PHASE_TLS);
    handshake->exporter = *exporter;
    handshake->phase = P2P__PHASE_AUTH;
    return handshake->side == P2P__SIDE_DIALLER;
}

void p2p__handshake_auth(uint8_t *out,
                         const struct p2p__handshake *handshake,
                         const struct p2p__self *self)
{
    struct p2p__auth auth = {.version = P2P__VERSION,
                             .chain_id = self->chain_id,
                             .key = self->key,
                             .side = (uint8_t)handshake->side,
                             .lane = handshake->lane,
                             .role = self->validator ? 1 : 0,
                             .listen_port = self->listen_port,
                             .instance = self->instance};
    p2p__auth_encode(out, &auth);

    struct nv_hash digest;
    auth_digest(&digest, &handshake->exporter, out);
    nv_sign(&auth.sig, self->seckey, &digest);
    p2p__auth_encode(out, &auth);
}

static bool well_formed(const struct p2p__handshake *handshake, const struct p2p__auth *auth)
{
    bool const dialler = handshake->side == P2P__SIDE_DIALLER;
    uint8_t const other = dialler ? P2P__SIDE_LISTENER : P2P__SIDE_DIALLER;
    return auth->side == other && auth->lane < P2P_LANES && auth->role <= 1 &&
           (!dialler || auth->lane == handshake->lane);
}

/* judge makes the checks of section 3.5 that need no table, in its order. */
static enum p2p_reason
judge(struct p2p__handshake *handshake, const struct p2p__self *self, struct nv_view payload)
{
    struct p2p__auth *auth = &handshake->peer;
    enum nv_err const err = p2p__auth_decode(auth, payload);
    if (err != NV_OK) {
        return err == NV_ERR_VERSION ? P2P_REASON_VERSION : P2P_REASON_PROTOCOL;
    }
    if (!nv_hash_eq(&auth->chain_id, &self->chain_id)) {
        return P2P_REASON_CHAIN;
    }
    if (!well_formed(handshake, auth)) {
        return P2P_REASON_PROTOCOL;
    }
    struct nv_hash digest;
    auth_digest(&digest, &handshake->exporter, payload.bytes);
    if (!nv_verify(&auth->sig, &auth->key, &digest)) {
        return P2P_REASON_SIGNATURE;
    }
    if (memcmp(&auth->key, &self->key, sizeof(auth->key)) == 0) {
        return auth->instance == self->instance ? P2P_REASON_SELF : P2P_REASON_TWIN;
    }
    if (handshake->expects && memcmp(&auth->key, &handshake->expected, sizeof(auth->key)) != 0) {
        return P2P_REASON_KEY;
    }
    return P2P_REASON_NONE;
}

static enum p2p_reason reason_of_refusal(struct nv_view payload)
{
    bool const known = payload.size == P2P__REFUSE_SIZE && payload.bytes[0] != 0 &&
                       payload.bytes[0] < P2P_REASON_COUNT;
    return known ? (enum p2p_reason)payload.bytes[0] : P2P_REASON_PROTOCOL;
}

enum p2p_reason p2p__handshake_take(struct p2p__handshake *handshake,
                                    bool *told,
                                    const struct p2p__self *self,
                                    uint8_t type,
                                    struct nv_view payload)
{
    NV_ASSERT(handshake->phase == P2P__PHASE_AUTH);
    enum p2p_reason reason = P2P_REASON_PROTOCOL;
    *told = type == P2P__TYPE_REFUSE;
    if (*told) {
        reason = reason_of_refusal(payload);
    } else if (type == P2P__TYPE_AUTH) {
        reason = judge(handshake, self, payload);
    }
    if (reason == P2P_REASON_NONE) {
        handshake->lane = handshake->peer.lane;
        handshake->phase = P2P__PHASE_PLACE;
    } else {
        handshake->phase = P2P__PHASE_ENDED;
    }
    return reason;
}

bool p2p__handshake_placed(struct p2p__handshake *handshake)
{
    NV_ASSERT(handshake->phase == P2P__PHASE_PLACE);
    handshake->phase = P2P__PHASE_OPEN;
    return handshake->side == P2P__SIDE_LISTENER;
}
