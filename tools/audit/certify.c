#include "tools/audit/certify.h"

#include <jansson.h>

#include "base/fmt.h"

#include "consensus/certificate.h"
#include "consensus/header.h"

#define FOLLOW_MAX 64u /* blocks to a descendant with a finalization of its own */

/* What is said of a block; large, one at a time. */
struct said {
    uint8_t header[CS_HEADER_SIZE];
    uint8_t certificate[CS_CERTIFICATE_SIZE_MAX];
    struct nv_view header_view;
    struct nv_view certificate_view;
};

static struct nv_view read_bytes(uint8_t *out, uint32_t cap, const json_t *text)
{
    uint32_t size = 0;
    const char *const hex = json_string_value(text);
    if (hex == NULL || nv_bytes_parse_up_to(out, &size, cap, nv_view_of_text(hex)) != NV_OK) {
        size = 0;
    }
    return nv_view_of(out, size);
}

static void read_said(struct said *out, const json_t *from)
{
    out->header_view = read_bytes(out->header, sizeof out->header, json_object_get(from, "header"));
    out->certificate_view =
        read_bytes(out->certificate, sizeof out->certificate, json_object_get(from, "certificate"));
}

static bool read_header(struct cs_header *out, const struct said *said)
{
    struct nv_reader reader;
    nv_reader_init(&reader, said->header_view);
    return cs_header_get(&reader, out) == NV_OK && nv_reader_end(&reader) == NV_OK;
}

static bool ask_block(struct said *out, struct rpc_client *client, uint64_t height)
{
    char text[NV_DECIMAL_TEXT];
    json_t *block = NULL;
    nv_u64_format(text, height);
    if (rpc_client_call(client, &block, "chain_block", json_pack("{s:s}", "height", text)) !=
        NV_OK) {
        return false;
    }
    read_said(out, block);
    json_decref(block);
    return true;
}

/* follow goes from a header to a descendant that has a finalization of its own:
 * each names the hash of the one before. */
static enum light_verdict
follow(const struct light_chain *chain, struct rpc_client *client, const struct cs_header *from)
{
    static struct said said;
    struct light_final final;
    struct cs_header header;
    struct nv_hash parent;
    enum light_verdict verdict = LIGHT_BLOCK;
    cs_header_hash(&parent, from);
    for (uint32_t i = 1; i <= FOLLOW_MAX && verdict == LIGHT_BLOCK; i++) {
        if (!ask_block(&said, client, from->height + i)) {
            return LIGHT_BLOCK;
        }
        if (!read_header(&header, &said) || !nv_hash_eq(&header.parent_hash, &parent)) {
            return LIGHT_HEADER;
        }
        cs_header_hash(&parent, &header);
        verdict = light_check(&final, chain, said.header_view, said.certificate_view);
    }
    return verdict;
}

enum light_verdict certify(struct nv_hash *root,
                           const struct light_chain *chain,
                           struct rpc_client *client,
                           const json_t *page)
{
    static struct said said;
    struct light_final final;
    struct cs_header header;
    read_said(&said, page);
    if (!read_header(&header, &said)) {
        return LIGHT_HEADER;
    }
    *root = header.state_root;
    enum light_verdict const verdict =
        light_check(&final, chain, said.header_view, said.certificate_view);
    return verdict == LIGHT_BLOCK ? follow(chain, client, &header) : verdict;
}
