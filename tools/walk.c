/* walk.c - from epoch to epoch by what a node shows (tools/trust.h). */

#include <jansson.h>
#include <stdio.h>

#include "base/fmt.h"

#include "tools/shown.h"
#include "tools/submit.h"
#include "tools/trust.h"

enum cs_light_verdict tool_trust_step(struct cs_light *light, uint64_t now_ms, const json_t *answer)
{
    static struct light_said boundary;
    uint8_t set[CS_VALSET_SIZE_MAX];
    light_said_read(&boundary, answer);
    struct nv_view const next = get_hex(answer, "next_validators", set, sizeof set);
    return cs_light_advance(light, now_ms, &boundary.block, next);
}

/* ---- too old ---- */

#define AGE_TEXT 32u

static void say_age(char out[AGE_TEXT], uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *name;
    } units[] = {{86400000, "days"}, {3600000, "hours"}, {60000, "minutes"}, {1000, "seconds"}};
    uint32_t i = 0;
    while (i < 3 && ms < 2 * units[i].ms) {
        i++;
    }
    (void)snprintf(out, AGE_TEXT, "%" NV_U64 " %s", ms / units[i].ms, units[i].name);
}

/* expired says that what is believed is too old to reach `epoch`, and what to do about
 * it. */
static enum tool_exit expired(const struct cs_light *light, uint64_t now_ms, uint64_t epoch)
{
    char why[256];
    char next[256];
    char age[AGE_TEXT];
    char most[AGE_TEXT];
    say_age(age, now_ms - light->boundary_time_ms);
    say_age(most, light->trusting_ms);
    (void)snprintf(why,
                   sizeof why,
                   "they are believed for %s: after that they may have taken their stake back, and "
                   "lose nothing by signing what is false",
                   most);
    if (epoch > light->epoch) {
        (void)snprintf(next,
                       sizeof next,
                       "add --trust %" NV_U64 ":HASH, with block_hash of novate rpc chain_epoch "
                       "epoch=%" NV_U64 " --node URL, from nodes that you trust, more than one",
                       epoch,
                       epoch - 1);
    } else {
        (void)snprintf(
            next,
            sizeof next,
            "ask another node with --node URL; if the chain itself has stood still, wait "
            "for its next epoch");
    }
    return tool_fail(TOOL_REFUSED,
                     why,
                     next,
                     "what is believed of the chain is too old: its validators are those of epoch "
                     "%" NV_U64 ", which began %s ago",
                     light->epoch,
                     age);
}

/* ---- walking ---- */

static enum tool_exit cannot(uint64_t epoch, const char *why)
{
    char text[NV_DECIMAL_TEXT];
    nv_u64_format(text, epoch);
    return tool_fail(TOOL_REFUSED,
                     why,
                     "ask another node with --node URL",
                     "the node does not prove who validates after epoch %s",
                     text);
}

enum tool_exit tool_trust_walk(struct tool_trust *trust, struct rpc_client *client, uint64_t epoch)
{
    while (trust->light.epoch < epoch) {
        uint64_t const now_ms = tool_now_ms();
        char text[NV_DECIMAL_TEXT];
        json_t *answer = NULL;
        if (cs_light_expired(&trust->light, now_ms)) {
            return expired(&trust->light, now_ms, epoch);
        }
        nv_u64_format(text, trust->light.epoch);
        if (rpc_client_call(client, &answer, "chain_epoch", json_pack("{s:s}", "epoch", text)) !=
            NV_OK) {
            return cannot(trust->light.epoch, "it gives no boundary block of that epoch");
        }
        enum cs_light_verdict const verdict = tool_trust_step(&trust->light, now_ms, answer);
        json_decref(answer);
        if (verdict != CS_LIGHT_OK) {
            return cannot(trust->light.epoch, light_text(verdict));
        }
    }
    uint64_t const now_ms = tool_now_ms();
    return cs_light_expired(&trust->light, now_ms) ? expired(&trust->light, now_ms, epoch)
                                                   : TOOL_OK;
}
