#include <string.h>

#include "base/fmt.h"

#include "rpc/error.h"
#include "rpc/hub.h"
#include "vm/receipt.h"

enum argument { ARGUMENT_NOTHING, ARGUMENT_MARKET, ARGUMENT_FEED, ARGUMENT_ADDRESS, ARGUMENT_HASH };

struct channel_line {
    const char *prefix;
    const char *suffix;
    enum argument argument;
    enum rpc_channel_style style;
};

static const struct channel_line LINES[] = {
#define XX(symbol, prefix, suffix, argument, style)                                                \
    {prefix, suffix, ARGUMENT_##argument, RPC_STYLE_##style},
#include "rpc/channels.def"
#undef XX
};

enum rpc_channel_style rpc__channel_style(enum rpc_channel_kind kind)
{
    return LINES[kind].style;
}

/* argument_of cuts prefix and suffix off a name; false when they are not there. */
static bool argument_of(char out[RPC_NAME_TEXT], const struct channel_line *line, const char *name)
{
    size_t const prefix = strlen(line->prefix);
    size_t const suffix = strlen(line->suffix);
    size_t const size = strlen(name);
    if (size < prefix + suffix || size >= RPC_NAME_TEXT ||
        memcmp(name, line->prefix, prefix) != 0 ||
        memcmp(name + size - suffix, line->suffix, suffix) != 0) {
        return false;
    }
    memcpy(out, name + prefix, size - prefix - suffix);
    out[size - prefix - suffix] = '\0';
    return (out[0] == '\0') == (line->argument == ARGUMENT_NOTHING);
}

static int32_t
take_market(struct rpc_topic *topic, const struct rpc_catalogue *catalogue, const char *text)
{
    const struct rpc_listing *listing = rpc__listing_named(catalogue, text);
    if (listing == NULL) {
        return catalogue->loaded ? VM_REJECT_MARKET_UNKNOWN : RPC_ERROR_SYNCING;
    }
    topic->listing = *listing;
    return 0;
}

static int32_t
take_feed(struct rpc_topic *topic, const struct rpc_catalogue *catalogue, const char *text)
{
    const struct rpc_feed *feed = rpc__feed_named(catalogue, text);
    if (feed == NULL) {
        return catalogue->loaded ? VM_REJECT_FEED_UNKNOWN : RPC_ERROR_SYNCING;
    }
    topic->feed = *feed;
    return 0;
}

static int32_t
take_argument(struct rpc_topic *topic, const struct rpc_catalogue *catalogue, const char *text)
{
    struct nv_view const view = nv_view_of_text(text);
    enum nv_err err = NV_OK;
    switch (LINES[topic->kind].argument) {
    case ARGUMENT_NOTHING: break;
    case ARGUMENT_MARKET: return take_market(topic, catalogue, text);
    case ARGUMENT_FEED: return take_feed(topic, catalogue, text);
    case ARGUMENT_ADDRESS: err = nv_address_parse(&topic->address, view); break;
    case ARGUMENT_HASH:
        err = nv_bytes_parse(topic->hash.bytes, sizeof topic->hash.bytes, view);
        break;
    }
    return err == NV_OK ? 0 : RPC_ERROR_UNKNOWN_CHANNEL;
}

int32_t
rpc__topic_read(struct rpc_topic *topic, const struct rpc_catalogue *catalogue, const char *name)
{
    memset(topic, 0, sizeof *topic);
    for (uint32_t i = 0; i < RPC_CHANNEL_KINDS; i++) {
        char text[RPC_NAME_TEXT];
        if (argument_of(text, &LINES[i], name)) {
            topic->kind = (enum rpc_channel_kind)i;
            return take_argument(topic, catalogue, text);
        }
    }
    return RPC_ERROR_UNKNOWN_CHANNEL;
}

/* The key is the kind and the argument. Of a hash the last byte is left out:
 * nobody finds two transactions that agree in the other 31. */
void rpc__topic_key(struct nv_row_key *key, const struct rpc_topic *topic)
{
    memset(key->bytes, 0, sizeof key->bytes);
    key->bytes[0] = (uint8_t)topic->kind;
    switch (LINES[topic->kind].argument) {
    case ARGUMENT_NOTHING: break;
    case ARGUMENT_MARKET: nv_be32_store(key->bytes + 1, topic->listing.market); break;
    case ARGUMENT_FEED: nv_be32_store(key->bytes + 1, topic->feed.feed); break;
    case ARGUMENT_ADDRESS:
        memcpy(key->bytes + 1, topic->address.bytes, sizeof topic->address.bytes);
        break;
    case ARGUMENT_HASH: memcpy(key->bytes + 1, topic->hash.bytes, sizeof key->bytes - 1); break;
    }
}
