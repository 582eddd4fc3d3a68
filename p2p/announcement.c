#include "p2p/announcement.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/assert.h"
#include "base/codec.h"

#define ADDRESS_TAG  "novate/p2p-address/v1"
#define SIGNED_SIZE  (P2P__ADDRESS_BYTES - 64u)
#define IPV4_AT      12u /* of an IPv4 address that is mapped */
#define MAPPED_BYTES 10u /* zeros before the two bytes that say so */

static bool mapped(const uint8_t ip[16])
{
    static const uint8_t prefix[IPV4_AT] = {[MAPPED_BYTES] = 0xff, [MAPPED_BYTES + 1] = 0xff};
    return memcmp(ip, prefix, sizeof prefix) == 0;
}

/* every returns whether an address stands for all of a host's. */
static bool every(const uint8_t ip[16])
{
    static const uint8_t zero[16] = {0};
    return memcmp(ip, zero, sizeof zero) == 0 || (mapped(ip) && memcmp(ip + IPV4_AT, zero, 4) == 0);
}

enum nv_err p2p__announcement_at(struct p2p__announcement *out, const struct p2p__endpoint *at)
{
    struct sockaddr_storage storage;
    memset(out->ip, 0, sizeof out->ip);
    out->port = 0;
    if (p2p__endpoint_numeric(&storage, at) != NV_OK) {
        return NV_ERR_CONFIG;
    }
    if (storage.ss_family == AF_INET6) {
        memcpy(out->ip, &((const struct sockaddr_in6 *)&storage)->sin6_addr, sizeof out->ip);
    } else {
        memset(out->ip + MAPPED_BYTES, 0xff, IPV4_AT - MAPPED_BYTES);
        memcpy(out->ip + IPV4_AT, &((const struct sockaddr_in *)&storage)->sin_addr, 4);
    }
    out->port = every(out->ip) ? 0 : at->port;
    return out->port == 0 ? NV_ERR_CONFIG : NV_OK;
}

void p2p__announcement_endpoint(struct p2p__endpoint *out, const struct p2p__announcement *from)
{
    bool const v4 = mapped(from->ip);
    const char *const text = inet_ntop(
        v4 ? AF_INET : AF_INET6, v4 ? from->ip + IPV4_AT : from->ip, out->host, sizeof out->host);
    NV_ASSERT(text != NULL); /* the room is enough for any */
    out->port = from->port;
}

void p2p__announcement_encode(uint8_t *out, const struct p2p__announcement *from)
{
    struct nv_writer w;
    nv_writer_init(&w, out, P2P__ADDRESS_BYTES);
    nv_put_bytes(&w, from->key.bytes, sizeof from->key.bytes);
    nv_put_u64(&w, from->made_ms);
    nv_put_bytes(&w, from->ip, sizeof from->ip);
    nv_put_u16(&w, from->port);
    NV_ASSERT(w.size == SIGNED_SIZE);
    nv_put_bytes(&w, from->sig.bytes, sizeof from->sig.bytes);
    NV_ASSERT(w.size == P2P__ADDRESS_BYTES);
}

enum nv_err p2p__announcement_decode(struct p2p__announcement *out, struct nv_view bytes)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    nv_get_bytes(&r, out->key.bytes, sizeof out->key.bytes);
    out->made_ms = nv_get_u64(&r);
    nv_get_bytes(&r, out->ip, sizeof out->ip);
    out->port = nv_get_u16(&r);
    nv_get_bytes(&r, out->sig.bytes, sizeof out->sig.bytes);
    NV_TRY(nv_reader_end(&r));
    return out->port == 0 ? NV_ERR_MALFORMED : NV_OK;
}

static void
digest_of(struct nv_hash *out, const struct p2p__announcement *of, const struct nv_hash *chain_id)
{
    uint8_t bytes[P2P__ADDRESS_BYTES];
    p2p__announcement_encode(bytes, of);
    struct nv_view const parts[2] = {nv_view_of(chain_id->bytes, sizeof chain_id->bytes),
                                     nv_view_of(bytes, SIGNED_SIZE)};
    nv_tagged_hash(out, ADDRESS_TAG, parts, 2);
}

void p2p__announcement_sign(struct p2p__announcement *of,
                            const struct nv_seckey *seckey,
                            const struct nv_hash *chain_id)
{
    struct nv_hash digest;
    digest_of(&digest, of, chain_id);
    nv_sign(&of->sig, seckey, &digest);
}

bool p2p__announcement_proven(const struct p2p__announcement *of, const struct nv_hash *chain_id)
{
    struct nv_hash digest;
    digest_of(&digest, of, chain_id);
    return nv_verify(&of->sig, &of->key, &digest);
}
