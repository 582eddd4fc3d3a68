#include <openssl/evp.h>

#include "base/assert.h"
#include "base/websocket.h"

#define KEY_TEXT  24u /* base64 of 16 bytes */
#define SHA1_SIZE 20u

/* RFC 6455 section 1.3. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* is_key returns whether `key` is the one base64 text of some 16 bytes. */
static bool is_key(struct nv_view key)
{
    if (key.size != KEY_TEXT || key.bytes[KEY_TEXT - 2] != '=' || key.bytes[KEY_TEXT - 1] != '=') {
        return false;
    }
    uint8_t decoded[18];
    uint8_t again[KEY_TEXT + 1];
    if (EVP_DecodeBlock(decoded, key.bytes, (int)KEY_TEXT) != (int)sizeof decoded) {
        return false;
    }
    /* OpenSSL lets white space and stray bits pass; the text of the value does not. */
    int const size = EVP_EncodeBlock(again, decoded, 16);
    return size == (int)KEY_TEXT && nv_bytes_cmp(again, key.bytes, KEY_TEXT) == 0;
}

enum nv_err nv_websocket_accept(char *out, struct nv_view key)
{
    if (!is_key(key)) {
        return NV_ERR_MALFORMED;
    }
    uint8_t text[KEY_TEXT + sizeof guid - 1];
    memcpy(text, key.bytes, KEY_TEXT);
    memcpy(text + KEY_TEXT, guid, sizeof guid - 1);
    uint8_t digest[SHA1_SIZE];
    size_t digest_size = 0;
    if (EVP_Q_digest(NULL, "SHA1", NULL, text, sizeof text, digest, &digest_size) != 1) {
        return NV_ERR_CRYPTO;
    }
    NV_ASSERT(digest_size == SHA1_SIZE);
    uint8_t encoded[NV_WEBSOCKET_ACCEPT_TEXT];
    int const size = EVP_EncodeBlock(encoded, digest, (int)SHA1_SIZE);
    NV_ASSERT(size == (int)NV_WEBSOCKET_ACCEPT_TEXT - 1);
    memcpy(out, encoded, sizeof encoded);
    return NV_OK;
}
