#include "node/home/genesis.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/sort.h"

#include "node/home/genesis_fields.h"
#include "vm/params.h"
#include "vm/payoff/payoff.h"

#define GENESIS_SIZE_MAX (8u * 1024u * 1024u)
#define ARENA_SIZE       (16u * 1024u * 1024u)
#define LIST_MAX         65536u
#define MARKETS_MAX      4096u
#define EPOCH_MS_MAX     UINT64_C(31536000000) /* a year */
#define FORMAT           "novate-genesis-1"

/* What one reading of the file carries along. */
struct reading {
    struct node_genesis *out;
    struct nv_arena arena;
    bool failed;
    char where[48];
};

/* entry_fields returns the fields of element `i` of an array. */
static struct node_fields
entry_fields(struct reading *r, const char *array, const json_t *list, size_t i)
{
    (void)snprintf(r->where, sizeof r->where, "%s[%zu].", array, i);
    return (struct node_fields){json_array_get(list, i), r->where, &r->failed};
}

static void read_name(const struct node_fields *f, const char *key, char *out, uint32_t size)
{
    const char *const text = node_field_text(f, key);
    size_t const length = strlen(text);
    if (length == 0 || length >= size) {
        node_fields_fail(f, key, "a short non-empty ASCII text");
        return;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            node_fields_fail(f, key, "a short non-empty ASCII text");
            return;
        }
    }
    memset(out, 0, size);
    memcpy(out, text, length);
}

static void read_consensus(struct reading *r, const struct node_fields *top)
{
    static const char *const keys[] = {
        "delta_ms", "idle_ms", "interval_min_ms", "body_bytes_max", "epoch_ms"};
    const json_t *const object = json_object_get(top->object, "consensus");
    if (!json_is_object(object)) {
        node_fields_fail(top, "consensus", "an object");
        return;
    }
    struct node_fields const f = {object, "consensus.", &r->failed};
    node_fields_only(&f, keys, sizeof keys / sizeof keys[0]);
    r->out->delta_ms = (uint32_t)node_field_number(&f, "delta_ms", 10, 60000);
    r->out->idle_ms = (uint32_t)node_field_number(&f, "idle_ms", 1, 3600000);
    r->out->interval_min_ms = (uint32_t)node_field_number(&f, "interval_min_ms", 0, 60000);
    r->out->body_bytes_max = (uint32_t)node_field_number(&f, "body_bytes_max", 65536, 4194304);
    r->out->epoch_ms = node_field_number(&f, "epoch_ms", 0, EPOCH_MS_MAX);
}

static int validator_cmp(const void *a, const void *b)
{
    const struct node_genesis_validator *const left = a;
    const struct node_genesis_validator *const right = b;
    if (left->stake != right->stake) {
        return left->stake > right->stake ? -1 : 1;
    }
    return memcmp(left->key.bytes, right->key.bytes, sizeof left->key.bytes);
}

static void validators_check(struct reading *r, const struct node_fields *top)
{
    const struct node_genesis *const g = r->out;
    for (uint32_t i = 0; i < g->validator_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const struct node_genesis_validator *const a = &g->validators[i];
            const struct node_genesis_validator *const b = &g->validators[j];
            if (memcmp(&a->key, &b->key, sizeof a->key) == 0 ||
                memcmp(&a->node_key, &b->node_key, sizeof a->node_key) == 0) {
                node_fields_fail(top, "validators", "keys that are all different");
            }
        }
    }
}

/* SPEC genesis 1: "`operator` is an address, by default that of `key`; `commission` a
 * ratio, by default 0" */
static void read_operator(const struct node_fields *f, struct node_genesis_validator *v)
{
    if (json_object_get(f->object, "operator") != NULL) {
        node_field_address(f, "operator", &v->operator);
    } else {
        nv_address_of_key(&v->operator, & v->key);
    }
    if (json_object_get(f->object, "commission") != NULL) {
        v->commission = vm_ratio(node_field_decimal(f, "commission", 9, 0, VM_RATIO_ONE_PPB));
    }
}

/* What the VM bonds in block 0. */
static void bond_validators(struct reading *r)
{
    struct node_genesis *const g = r->out;
    struct vm_genesis_validator *const out =
        NV_ARENA_NEW(&r->arena, struct vm_genesis_validator, g->validator_count);
    for (uint32_t i = 0; i < g->validator_count; i++) {
        const struct node_genesis_validator *const v = &g->validators[i];
        out[i] = (struct vm_genesis_validator){.key = v->key,
                                               .node_key = v->node_key,
                                               .operator= v->operator,
                                               .stake = vm_money((int64_t)v->stake),
                                               .commission = v->commission};
    }
    g->vm.validators = out;
    g->vm.validator_count = g->validator_count;
}

static void read_validators(struct reading *r, const struct node_fields *top)
{
    static const char *const keys[] = {
        "name", "key", "node_key", "stake", "operator", "commission"};
    const json_t *const list = node_field_array(top, "validators", 1, NODE_VALIDATORS_MAX);
    struct node_genesis *const g = r->out;
    uint64_t total = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct node_fields const f = entry_fields(r, "validators", list, i);
        struct node_genesis_validator *const v = &g->validators[i];
        node_fields_only(&f, keys, sizeof keys / sizeof keys[0]);
        read_name(&f, "name", v->name, sizeof v->name);
        node_field_bytes(&f, "key", v->key.bytes, sizeof v->key.bytes);
        node_field_bytes(&f, "node_key", v->node_key.bytes, sizeof v->node_key.bytes);
        v->stake = (uint64_t)node_field_decimal(&f, "stake", 0, 1, INT64_MAX / 4);
        if (!r->failed && (!nv_pubkey_valid(&v->key) || !nv_pubkey_valid(&v->node_key))) {
            node_fields_fail(&f, "key", "an x-only public key of secp256k1");
        }
        read_operator(&f, v);
        total += v->stake;
        if (total >= (UINT64_C(1) << 62)) {
            node_fields_fail(&f, "stake", "a total stake below 2^62");
            return;
        }
        g->validator_count = (uint32_t)i + 1;
    }
    validators_check(r, top);
    if (!r->failed) {
        void *const scratch =
            NV_ARENA_NEW(&r->arena, struct node_genesis_validator, g->validator_count);
        nv_sort(g->validators, g->validator_count, sizeof g->validators[0], validator_cmp, scratch);
        bond_validators(r);
    }
}

static void read_accounts(struct reading *r, const struct node_fields *top)
{
    static const char *const keys[] = {"address", "cash"};
    const json_t *const list = node_field_array(top, "accounts", 0, LIST_MAX);
    uint32_t const count = (uint32_t)json_array_size(list);
    struct vm_genesis_account *const out =
        NV_ARENA_NEW(&r->arena, struct vm_genesis_account, count);
    for (uint32_t i = 0; i < count; i++) {
        struct node_fields const f = entry_fields(r, "accounts", list, i);
        node_fields_only(&f, keys, 2);
        node_field_address(&f, "address", &out[i].address);
        out[i].cash = vm_money(node_field_decimal(&f, "cash", NV_MICRO_PLACES, 0, INT64_MAX / 4));
    }
    r->out->vm.accounts = out;
    r->out->vm.account_count = count;
}

static void read_reporters(struct reading *r, const struct node_fields *top)
{
    static const char *const keys[] = {"address", "stake"};
    const json_t *const list = node_field_array(top, "reporters", 0, NODE_VALIDATORS_MAX);
    uint32_t const count = (uint32_t)json_array_size(list);
    struct vm_genesis_reporter *const out =
        NV_ARENA_NEW(&r->arena, struct vm_genesis_reporter, count);
    for (uint32_t i = 0; i < count; i++) {
        struct node_fields const f = entry_fields(r, "reporters", list, i);
        node_fields_only(&f, keys, 2);
        node_field_address(&f, "address", &out[i].address);
        out[i].stake = (uint64_t)node_field_decimal(&f, "stake", 0, 1, INT64_MAX / 1024);
    }
    r->out->vm.reporters = out;
    r->out->vm.reporter_count = count;
}

static void read_feeds(struct reading *r, const struct node_fields *top)
{
    static const char *const keys[] = {"symbol", "range_initial", "range_maintenance"};
    const json_t *const list = node_field_array(top, "feeds", 0, MARKETS_MAX);
    uint32_t const count = (uint32_t)json_array_size(list);
    struct vm_genesis_feed *const out = NV_ARENA_NEW(&r->arena, struct vm_genesis_feed, count);
    for (uint32_t i = 0; i < count; i++) {
        struct node_fields const f = entry_fields(r, "feeds", list, i);
        node_fields_only(&f, keys, 3);
        read_name(&f, "symbol", out[i].symbol, sizeof out[i].symbol);
        int64_t const one = VM_RATIO_ONE_PPB;
        out[i].range_initial = vm_ratio(node_field_decimal(&f, "range_initial", 9, 1, one));
        out[i].range_maintenance = vm_ratio(node_field_decimal(&f, "range_maintenance", 9, 1, one));
    }
    r->out->vm.feeds = out;
    r->out->vm.feed_count = count;
}

static uint32_t feed_number(struct reading *r, const struct node_fields *f)
{
    const char *const symbol = node_field_text(f, "feed");
    for (uint32_t i = 0; i < r->out->vm.feed_count; i++) {
        if (strcmp(symbol, r->out->vm.feeds[i].symbol) == 0) {
            return i;
        }
    }
    node_fields_fail(f, "feed", "the symbol of a feed of this file");
    return 0;
}

static void read_program(const struct node_fields *f, struct vm_market_row *market)
{
    const char *const text = node_field_text(f, "program");
    uint32_t size = 0;
    if (strcmp(text, "linear") == 0) {
        vm_payoff_linear(market->program);
        market->program_size = VM_PAYOFF_LINEAR_SIZE;
    } else if (nv_bytes_parse_up_to(market->program,
                                    &size,
                                    sizeof market->program,
                                    nv_view_of(text, (uint32_t)strlen(text))) == NV_OK) {
        market->program_size = (uint16_t)size;
    } else {
        node_fields_fail(f, "program", "\"linear\", or a payoff program in hex");
    }
}

static void read_market(struct reading *r, const struct node_fields *f, struct vm_market_row *out)
{
    static const char *const keys[] = {"symbol",
                                       "feed",
                                       "tick",
                                       "lots_per_unit",
                                       "expires_ms",
                                       "settle_window_ms",
                                       "funding_interval_ms",
                                       "order_lots_max",
                                       "open_interest_max",
                                       "program"};
    node_fields_only(f, keys, sizeof keys / sizeof keys[0]);
    read_name(f, "symbol", out->symbol, sizeof out->symbol);
    out->feed = feed_number(r, f);
    int64_t const tick = node_field_decimal(f, "tick", NV_MICRO_PLACES, 1, INT64_MAX / 4);
    out->tick_micro = (uint64_t)tick;
    out->lots_per_unit = (uint32_t)node_field_number(f, "lots_per_unit", 1, 1000000000);
    if (!r->failed && tick % (int64_t)out->lots_per_unit != 0) {
        node_fields_fail(f, "tick", "a multiple of lots_per_unit micro units: see section 2");
        return;
    }
    out->tick_value = vm_money(r->failed ? 1 : tick / (int64_t)out->lots_per_unit);
    out->expires_ms = node_field_number(f, "expires_ms", 0, INT64_MAX);
    out->settle_window_ms = node_field_number(f, "settle_window_ms", 0, INT64_MAX);
    out->funding_interval_ms = node_field_number(f, "funding_interval_ms", 0, INT64_MAX);
    out->order_lots_max = vm_lots(node_field_decimal(f, "order_lots_max", 0, 1, INT32_MAX));
    out->open_interest_max = vm_lots(node_field_decimal(f, "open_interest_max", 0, 1, INT64_MAX));
    read_program(f, out);
}

static void read_markets(struct reading *r, const struct node_fields *top)
{
    const json_t *const list = node_field_array(top, "markets", 0, MARKETS_MAX);
    uint32_t const count = (uint32_t)json_array_size(list);
    struct vm_market_row *const out = NV_ARENA_NEW(&r->arena, struct vm_market_row, count);
    for (uint32_t i = 0; i < count; i++) {
        struct node_fields const f = entry_fields(r, "markets", list, i);
        read_market(r, &f, &out[i]);
    }
    r->out->vm.markets = out;
    r->out->vm.market_count = count;
}

static const struct vm_param_spec *param_named(const char *name)
{
    uint32_t const count = vm_param_count();
    for (uint32_t i = 0; i < count; i++) {
        const struct vm_param_spec *const spec = vm_param_spec_at(i);
        if (strcmp(spec->name, name) == 0) {
            return spec;
        }
    }
    return NULL;
}

static void read_params(struct reading *r, const struct node_fields *top)
{
    const json_t *const object = json_object_get(top->object, "params");
    if (!json_is_object(object)) {
        node_fields_fail(top, "params", "an object");
        return;
    }
    uint32_t const count = (uint32_t)json_object_size(object);
    struct vm_genesis_param *const out = NV_ARENA_NEW(&r->arena, struct vm_genesis_param, count);
    struct node_fields const f = {object, "params.", &r->failed};
    uint32_t i = 0;
    for (void *iter = json_object_iter((json_t *)(uintptr_t)object); iter != NULL;
         iter = json_object_iter_next((json_t *)(uintptr_t)object, iter)) {
        const char *const key = json_object_iter_key(iter);
        const struct vm_param_spec *const spec = param_named(key);
        if (spec == NULL) {
            node_fields_fail(&f, key, "a parameter of docs/spec/parameters.md");
            return;
        }
        out[i].number = spec->number;
        out[i].value = node_field_decimal(&f, key, 0, spec->minimum, spec->maximum);
        i++;
    }
    r->out->vm.params = out;
    r->out->vm.param_count = count;
}

/* SPEC stake 6.2: "So stake that stood behind an offence is there when the evidence
 * comes." */
static void check_stake(const struct reading *r, const struct node_fields *top)
{
    const struct node_genesis *const g = r->out;
    int64_t const epochs = node_genesis_param(g, VM_PARAM_EVIDENCE_EPOCHS);
    int64_t const time_ms = node_genesis_param(g, VM_PARAM_EVIDENCE_TIME);
    int64_t const wait_ms = node_genesis_param(g, VM_PARAM_UNBOND_TIME);
    if (epochs + 1 > node_genesis_param(g, VM_PARAM_UNBOND_EPOCHS)) {
        node_fields_fail(top, "params.UNBOND_EPOCHS", "more than EVIDENCE_EPOCHS");
    }
    if (time_ms >= wait_ms || time_ms + (int64_t)g->epoch_ms > wait_ms) {
        node_fields_fail(
            top, "params.UNBOND_TIME", "at least EVIDENCE_TIME and consensus.epoch_ms together");
    }
    /* SPEC genesis 1: "EVIDENCE_TIME is at least twice `epoch_ms`" */
    if (time_ms < 2 * (int64_t)g->epoch_ms) {
        node_fields_fail(top, "params.EVIDENCE_TIME", "at least twice consensus.epoch_ms");
    }
    if (g->validator_count > node_genesis_param(g, VM_PARAM_VALIDATORS_MAX)) {
        node_fields_fail(top, "validators", "no more of them than params.VALIDATORS_MAX");
    }
}

static void read_top(struct reading *r, const struct node_fields *f)
{
    static const char *const keys[] = {"format",
                                       "name",
                                       "salt",
                                       "devnet",
                                       "time_ms",
                                       "consensus",
                                       "validators",
                                       "fee_account",
                                       "insurance_account",
                                       "faucet_account",
                                       "accounts",
                                       "reporters",
                                       "feeds",
                                       "markets",
                                       "params"};
    uint8_t salt[32];
    struct node_genesis *const g = r->out;
    if (strcmp(node_field_text(f, "format"), FORMAT) != 0) {
        node_fields_fail(f, "format", FORMAT);
    }
    node_fields_only(f, keys, sizeof keys / sizeof keys[0]);
    read_name(f, "name", g->name, sizeof g->name);
    node_field_bytes(f, "salt", salt, sizeof salt);
    g->devnet = node_field_flag(f, "devnet");
    g->vm.time_ms = node_field_number(f, "time_ms", 1, INT64_MAX);
    read_consensus(r, f);
    read_validators(r, f);
    node_field_address(f, "fee_account", &g->vm.fee_account);
    node_field_address(f, "insurance_account", &g->vm.insurance_account);
    g->vm.has_faucet = json_object_get(f->object, "faucet_account") != NULL;
    if (g->vm.has_faucet && !g->devnet) {
        node_fields_fail(f, "faucet_account", "no faucet where devnet is false");
    }
    if (g->vm.has_faucet) {
        node_field_address(f, "faucet_account", &g->vm.faucet_account);
    }
    read_accounts(r, f);
    read_reporters(r, f);
    read_feeds(r, f);
    read_markets(r, f);
    read_params(r, f);
    if (!r->failed) {
        check_stake(r, f);
    }
}

int64_t node_genesis_param(const struct node_genesis *genesis, uint16_t number)
{
    for (uint32_t i = 0; i < genesis->vm.param_count; i++) {
        if (genesis->vm.params[i].number == number) {
            return genesis->vm.params[i].value;
        }
    }
    const struct vm_param_spec *const spec = vm_param_spec_of(number);
    NV_ASSERT(spec != NULL);
    return spec->devnet;
}

/* SPEC light 1: "Nodes and tools take `EVIDENCE_TIME`" */
uint64_t node_genesis_trusting_ms(const struct node_genesis *genesis)
{
    uint64_t const trusting_ms = (uint64_t)node_genesis_param(genesis, VM_PARAM_EVIDENCE_TIME);
    return genesis->epoch_ms == 0 ? 0 : trusting_ms;
}

enum nv_err node_genesis_parse(struct node_genesis *genesis, struct nv_view text)
{
    memset(genesis, 0, sizeof *genesis);
    if (text.size > GENESIS_SIZE_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    size_t const size = (size_t)text.size + ARENA_SIZE;
    genesis->memory = nv_heap_reserve(size); /* most of it is never touched */
    if (genesis->memory == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    genesis->memory_size = size;
    struct reading r = {.out = genesis};
    nv_arena_init_zeroed(&r.arena, genesis->memory, size);
    uint8_t *const copy = NV_ARENA_NEW(&r.arena, uint8_t, text.size + 1u);
    memcpy(copy, text.bytes, text.size);
    genesis->text = nv_view_of(copy, text.size);
    nv_sha256(&genesis->chain_id, genesis->text);

    json_error_t error;
    json_t *const root = json_loadb((const char *)copy, text.size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        nv_log(NV_LOG_ERROR,
               "event=genesis_refused line=%d reason=\"%s\"",
               error.line,
               root == NULL ? error.text : "not a JSON object");
        r.failed = true;
    } else {
        struct node_fields const top = {root, "", &r.failed};
        read_top(&r, &top);
    }
    json_decref(root);
    if (r.failed) {
        node_genesis_deinit(genesis);
        return NV_ERR_CONFIG;
    }
    return NV_OK;
}

enum nv_err node_genesis_load(struct node_genesis *genesis, const char *path)
{
    FILE *const file = fopen(path, "rb");
    if (file == NULL) {
        nv_log(NV_LOG_ERROR, "event=genesis_missing path=%s hint=\"run novated init\"", path);
        return NV_ERR_NOT_FOUND;
    }
    uint8_t *const text = nv_heap_reserve(GENESIS_SIZE_MAX + 1u);
    if (text == NULL) {
        (void)fclose(file);
        return NV_ERR_NO_MEMORY;
    }
    size_t const size = fread(text, 1, GENESIS_SIZE_MAX + 1u, file);
    enum nv_err err = ferror(file) != 0 ? NV_ERR_IO : NV_OK;
    (void)fclose(file);
    if (err == NV_OK) {
        err = node_genesis_parse(genesis, nv_view_of(text, (uint32_t)size));
    }
    nv_heap_unreserve(text, GENESIS_SIZE_MAX + 1u);
    return err;
}

void node_genesis_deinit(struct node_genesis *genesis)
{
    nv_heap_unreserve(genesis->memory, genesis->memory_size);
    memset(genesis, 0, sizeof *genesis);
}
