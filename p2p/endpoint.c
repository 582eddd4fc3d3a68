#include "p2p/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "base/fmt.h"

#define KEY_DIGITS 64u

static enum nv_err host_read(char *out, const char *text, size_t size)
{
    if (size == 0 || size >= P2P__HOST_SIZE) {
        return NV_ERR_CONFIG;
    }
    for (size_t i = 0; i < size; i++) {
        /* Printable, and nothing that would make the text ambiguous. */
        if (text[i] <= ' ' || text[i] > '~' || strchr("@[]/", text[i]) != NULL) {
            return NV_ERR_CONFIG;
        }
    }
    memcpy(out, text, size);
    out[size] = '\0';
    return NV_OK;
}

enum nv_err p2p__endpoint_parse(struct p2p__endpoint *out, const char *text)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (colon == NULL || nv_u64_parse(&port, nv_view_of_text(colon + 1)) != NV_OK ||
        port > UINT16_MAX) {
        return NV_ERR_CONFIG;
    }
    out->port = (uint16_t)port;
    size_t const size = (size_t)(colon - text);
    bool const bracketed = size >= 2 && text[0] == '[' && colon[-1] == ']';
    if (bracketed) {
        return host_read(out->host, text + 1, size - 2);
    }
    if (memchr(text, ':', size) != NULL) {
        return NV_ERR_CONFIG; /* IPv6 needs its brackets */
    }
    return host_read(out->host, text, size);
}

enum nv_err
p2p__endpoint_numeric(struct sockaddr_storage *out, const struct p2p__endpoint *endpoint)
{
    *out = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET, endpoint->host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(endpoint->port);
        return NV_OK;
    }
    if (inet_pton(AF_INET6, endpoint->host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(endpoint->port);
        return NV_OK;
    }
    return NV_ERR_NOT_FOUND;
}

enum nv_err p2p__peer_parse(struct nv_pubkey *key, struct p2p__endpoint *endpoint, const char *text)
{
    const char *at = strchr(text, '@');
    if (at == NULL || at - text != KEY_DIGITS ||
        nv_hex_decode(key->bytes, sizeof(key->bytes), nv_view_of(text, KEY_DIGITS)) != NV_OK ||
        !nv_pubkey_valid(key)) {
        return NV_ERR_CONFIG;
    }
    NV_TRY(p2p__endpoint_parse(endpoint, at + 1));
    return endpoint->port == 0 ? NV_ERR_CONFIG : NV_OK;
}
