/* Goal: what is derived from a proof's rows is what the node answers, member by
 * member, and a proof that shows less derives nothing.
 *
 * Method: a small chain with the real settlement machine behind the real
 * methods; orders rest, trades happen, a position is carried through a change
 * of price. Each answer with its proof is derived anew and compared. Then
 * answers are derived from the proofs of others. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_chain.h"
#include "tools/derive.h"
#include "vm/read_stake.h"

static struct rpc_chain chain;
static json_t *seen_validators; /* by address */

/* An answer and its proof, opened. */
struct answer {
    json_t *whole;
    json_t *result; /* borrowed from `whole` */
    json_t *params;
    struct nv_proof proof;
    uint8_t bytes[1u << 19];
};

static int setup(void **state)
{
    (void)state;
    chain_open(&chain);
    chain_place(&chain, 1, VM_SELL, 500000, 300);
    chain_place(&chain, 1, VM_SELL, 501000, 50);
    chain_execute(&chain);
    chain_place(&chain, 2, VM_BUY, 500000, 120);
    chain_place(&chain, 2, VM_BUY, 490000, 7);
    chain_execute(&chain);
    chain_report(&chain, 0, 50700);
    chain_execute(&chain);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    chain_close(&chain);
    return 0;
}

static void ask(struct answer *out, const char *method, const char *params)
{
    uint32_t size = 0;
    out->whole = json_loads(chain_call(&chain, method, params), 0, NULL);
    out->params = json_loads(params, 0, NULL);
    out->result = json_object_get(out->whole, "result");
    assert_non_null(out->result);
    const char *const text =
        json_string_value(json_object_get(json_object_get(out->result, "proof"), "proof"));
    assert_non_null(text);
    assert_int_equal(
        nv_bytes_parse_up_to(out->bytes, &size, sizeof out->bytes, nv_view_of_text(text)), NV_OK);
    assert_int_equal(
        nv_proof_open(&out->proof, &chain.world.head.state_root, nv_view_of(out->bytes, size)),
        NV_OK);
}

static void drop(struct answer *answer)
{
    json_decref(answer->whole);
    json_decref(answer->params);
}

/* agrees asks with a proof, derives, compares; the derived answer is the
 * caller's. */
static json_t *agrees(const char *method, const char *params)
{
    static struct answer answer;
    json_t *derived = NULL;
    ask(&answer, method, params);
    assert_true(derive_known(method));
    assert_int_equal(derive(&derived, &answer.proof, method, answer.params, answer.result), NV_OK);
    const char *const name = derive_difference(derived, answer.result);
    if (name != NULL) {
        print_message("%s: %s differs\n", method, name);
    }
    assert_null(name);
    drop(&answer);
    return derived;
}

static const char *of(uint32_t account)
{
    static char text[128];
    snprintf(text, sizeof text, "%s,\"proof\":true}", chain_of(&chain, account));
    return text;
}

static void test_accounts(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < CHAIN_ACCOUNTS; i++) {
        json_decref(agrees("account_get", of(i)));
        json_decref(agrees("account_balances", of(i)));
    }
}

static void test_stake(void **state)
{
    (void)state;
    chain_stake(&chain);
    json_t *const all = agrees("stake_validators", "{\"proof\":true}");
    assert_true(json_array_size(json_object_get(all, "validators")) >= 2);
    json_decref(all);
    for (uint32_t i = 0; i < CHAIN_ACCOUNTS; i++) {
        json_decref(agrees("stake_get", of(i)));
    }
    json_t *const own = agrees("stake_get", of(3));
    assert_int_equal(json_array_size(json_object_get(own, "stakes")), 1);
    assert_int_equal(json_array_size(json_object_get(own, "waiting")), 1);
    json_decref(own);
}

/* validators_from agrees on the page at a cursor (NULL: the first), and returns how many
 * it has; the cursor becomes the next, NULL after the last. */
static size_t validators_from(char cursor[NV_DECIMAL_TEXT], bool *more)
{
    char params[128];
    (void)snprintf(params,
                   sizeof params,
                   "{\"limit\":100000,\"proof\":true%s%s%s}",
                   *more ? ",\"cursor\":\"" : "",
                   *more ? cursor : "",
                   *more ? "\"" : "");
    json_t *const page = agrees("stake_validators", params);
    const json_t *const list = json_object_get(page, "validators");
    const json_t *const next = json_object_get(page, "cursor");
    size_t const count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        const char *const address =
            json_string_value(json_object_get(json_array_get(list, i), "validator"));
        assert_int_equal(json_object_set_new(seen_validators, address, json_true()), 0);
    }
    *more = json_is_string(next);
    if (*more) {
        (void)snprintf(cursor, NV_DECIMAL_TEXT, "%s", json_string_value(next));
    }
    json_decref(page);
    return count;
}

/* A chain with as many validators as it can have is proved page by page, everybody
 * once. */
static void test_every_validator(void **state)
{
    (void)state;
    char cursor[NV_DECIMAL_TEXT];
    bool more = false;
    size_t count = 0;
    size_t pages = 0;
    chain_add_validators(&chain, VM_VALIDATORS_KNOWN);
    chain_execute(&chain);
    seen_validators = json_object();
    do {
        count += validators_from(cursor, &more);
        pages++;
    } while (more);
    assert_int_equal(pages, VM_VALIDATORS_KNOWN / VM_READ_PAGE_MAX);
    assert_int_equal(count, VM_VALIDATORS_KNOWN);
    assert_int_equal(json_object_size(seen_validators), VM_VALIDATORS_KNOWN);
    json_decref(seen_validators);
}

/* stakes_from agrees on the page of account 0 at a cursor, "" for the first, which becomes
 * the next, "" after the last; returns how many entries it has. */
static size_t
stakes_from(char cursor[NV_BYTES_TEXT(NV_ROW_KEY_SIZE)], json_t *stakes, json_t *waits)
{
    char params[256];
    (void)snprintf(params,
                   sizeof params,
                   "%s,\"limit\":256,\"proof\":true%s%s%s}",
                   chain_of(&chain, 0),
                   cursor[0] != '\0' ? ",\"cursor\":\"" : "",
                   cursor,
                   cursor[0] != '\0' ? "\"" : "");
    json_t *const page = agrees("stake_get", params);
    json_t *const lists[2] = {json_object_get(page, "stakes"), json_object_get(page, "waiting")};
    size_t const count = json_array_size(lists[0]) + json_array_size(lists[1]);
    const char *const next = json_string_value(json_object_get(page, "cursor"));
    for (uint32_t list = 0; list < 2; list++) {
        for (size_t i = 0; i < json_array_size(lists[list]); i++) {
            json_t *const entry = json_array_get(lists[list], i);
            const char *const of_whom = json_string_value(json_object_get(entry, "validator"));
            (void)json_object_set(list == 0 ? stakes : waits, of_whom, entry);
        }
    }
    (void)snprintf(cursor, NV_BYTES_TEXT(NV_ROW_KEY_SIZE), "%s", next != NULL ? next : "");
    json_decref(page);
    return count;
}

/* An account that has something with every validator that a chain can have, and has taken
 * as much back, is proved page by page, each entry once. */
static void test_every_stake(void **state)
{
    (void)state;
    size_t const each = VM_VALIDATORS_KNOWN - CHAIN_VALIDATORS;
    char cursor[NV_BYTES_TEXT(NV_ROW_KEY_SIZE)] = "";
    json_t *const stakes = json_object();
    json_t *const waits = json_object();
    size_t count = 0;
    size_t pages = 0;
    chain_add_validators(&chain, VM_VALIDATORS_KNOWN);
    chain_add_stakes(&chain, 0, VM_VALIDATORS_KNOWN);
    chain_execute(&chain);
    do {
        count += stakes_from(cursor, stakes, waits);
        pages++;
    } while (cursor[0] != '\0');
    assert_int_equal(count, 2 * each);
    assert_int_equal(pages, (2 * each + VM_READ_PAGE_MAX - 1) / VM_READ_PAGE_MAX);
    assert_int_equal(json_object_size(stakes), each);
    assert_int_equal(json_object_size(waits), each);
    json_decref(stakes);
    json_decref(waits);
}

/* Who leaves the last stake of a page out, or what waits, or says that it is the last page, is
 * found out; and a page is not that of another account. */
static void test_stakes_kept_back(void **state)
{
    (void)state;
    static struct answer page;
    char params[256];
    json_t *derived = NULL;
    chain_add_validators(&chain, 20);
    chain_add_stakes(&chain, 0, 20);
    chain_execute(&chain);
    (void)snprintf(params, sizeof params, "%s,\"limit\":10,\"proof\":true}", chain_of(&chain, 0));
    ask(&page, "stake_get", params);
    assert_int_equal(derive(&derived, &page.proof, "stake_get", page.params, NULL), NV_OK);
    assert_null(derive_difference(derived, page.result));
    json_decref(derived);
    json_t *const longer = json_copy(page.params);
    json_t *const other = json_copy(page.params);
    json_t *const odd = json_copy(page.params);
    (void)json_object_set_new(longer, "limit", json_integer(11));
    (void)json_object_set(other, "cursor", json_object_get(page.result, "cursor"));
    (void)json_object_set_new(odd, "cursor", json_string("0x13"));
    assert_int_equal(derive(&derived, &page.proof, "stake_get", longer, NULL), NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &page.proof, "stake_get", other, NULL), NV_ERR_MISMATCH);
    assert_int_not_equal(derive(&derived, &page.proof, "stake_get", odd, NULL), NV_OK);
    assert_int_equal(derive(&derived, &page.proof, "stake_get", page.params, NULL), NV_OK);
    (void)json_object_set_new(page.result, "cursor", json_null());
    assert_string_equal(derive_difference(derived, page.result), "cursor");
    (void)json_array_remove(json_object_get(page.result, "stakes"), 9);
    assert_string_equal(derive_difference(derived, page.result), "stakes");
    json_decref(longer);
    json_decref(other);
    json_decref(odd);
    json_decref(derived);
    drop(&page);
}

/* The proof of a page shows neither a longer one nor another, and who leaves the last
 * of a page out, or says that it is the last, is found out. */
static void test_validators_kept_back(void **state)
{
    (void)state;
    static struct answer page;
    json_t *derived = NULL;
    chain_add_validators(&chain, 20);
    chain_execute(&chain);
    ask(&page, "stake_validators", "{\"limit\":10,\"proof\":true}");
    json_t *const cursor = json_object_get(page.result, "cursor");
    assert_true(json_is_string(cursor));
    json_t *const longer = json_pack("{s:i}", "limit", 11);
    json_t *const other = json_pack("{s:i, s:O}", "limit", 10, "cursor", cursor);
    json_t *const none = json_pack("{s:i}", "limit", -1);
    json_t *const odd = json_pack("{s:i}", "cursor", 7);
    assert_int_equal(derive(&derived, &page.proof, "stake_validators", longer, NULL),
                     NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &page.proof, "stake_validators", other, NULL),
                     NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &page.proof, "stake_validators", none, NULL),
                     NV_ERR_MALFORMED);
    assert_int_equal(derive(&derived, &page.proof, "stake_validators", odd, NULL),
                     NV_ERR_MALFORMED);
    assert_int_equal(derive(&derived, &page.proof, "stake_validators", page.params, NULL), NV_OK);
    assert_null(derive_difference(derived, page.result));
    (void)json_object_set_new(page.result, "cursor", json_null());
    assert_string_equal(derive_difference(derived, page.result), "cursor");
    (void)json_array_remove(json_object_get(page.result, "validators"), 9);
    assert_string_equal(derive_difference(derived, page.result), "validators");
    json_decref(longer);
    json_decref(other);
    json_decref(none);
    json_decref(odd);
    json_decref(derived);
    drop(&page);
}

static void test_positions(void **state)
{
    (void)state;
    json_t *const derived = agrees("account_positions", of(2));
    const json_t *const list = json_object_get(derived, "positions");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "size")),
                        "0.12");
    json_decref(derived);
    json_decref(agrees("account_positions", of(1)));
    json_t *const none = agrees("account_positions", of(3));
    assert_int_equal(json_array_size(json_object_get(none, "positions")), 0);
    json_decref(none);
}

static void test_orders(void **state)
{
    (void)state;
    json_t *const derived = agrees("order_open", of(1));
    assert_int_equal(json_array_size(json_object_get(derived, "orders")), 2);
    json_decref(derived);
    json_decref(agrees("order_open", of(2)));
    json_decref(agrees("order_open", of(3)));
}

static void test_markets(void **state)
{
    (void)state;
    json_decref(agrees("market_get", "{\"market\":\"BTC-PERP\",\"proof\":true}"));
    json_decref(agrees("market_get", "{\"market\":\"ETH-PERP\",\"proof\":true}"));
}

static void test_market_list(void **state)
{
    (void)state;
    json_t *const derived = agrees("market_list", "{\"proof\":true}");
    assert_int_equal(json_array_size(json_object_get(derived, "markets")), 2);
    json_decref(derived);
}

/* A book is cut at any depth; the levels are the best ones, best first. */
static void test_books(void **state)
{
    (void)state;
    static const char *const markets[] = {"BTC-PERP", "ETH-PERP"};
    char params[96];
    for (size_t i = 0; i < 2; i++) {
        for (int depth = 0; depth <= 4; depth++) {
            (void)snprintf(params,
                           sizeof params,
                           "{\"market\":\"%s\",\"depth\":%d,\"proof\":true}",
                           markets[i],
                           depth);
            json_decref(agrees("market_book", params));
        }
        (void)snprintf(params, sizeof params, "{\"market\":\"%s\",\"proof\":true}", markets[i]);
        json_decref(agrees("market_book", params));
        json_decref(agrees("market_ticker", params));
    }
    json_t *const book = agrees("market_book", "{\"market\":\"BTC-PERP\",\"proof\":true}");
    assert_int_equal(json_array_size(json_object_get(book, "asks")), 2);
    assert_int_equal(json_array_size(json_object_get(book, "bids")), 1);
    json_decref(book);
}

static void test_params(void **state)
{
    (void)state;
    json_t *const derived = agrees("chain_params", "{\"proof\":true}");
    assert_true(json_array_size(json_object_get(derived, "params")) > 30);
    json_decref(derived);
}

/* A proof of the best level does not show the whole side; one of a market not
 * that no further market is there. */
static void test_kept_back(void **state)
{
    (void)state;
    static struct answer best;
    json_t *derived = NULL;
    ask(&best, "market_ticker", "{\"market\":\"BTC-PERP\",\"proof\":true}");
    assert_int_equal(derive(&derived, &best.proof, "market_book", best.params, NULL),
                     NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &best.proof, "market_list", best.params, NULL),
                     NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &best.proof, "chain_params", best.params, NULL),
                     NV_ERR_MISMATCH);
    assert_null(derived);
    drop(&best);
}

/* A proof of one answer shows nothing of another. */
static void test_too_little(void **state)
{
    (void)state;
    static struct answer balances;
    static struct answer market;
    json_t *derived = NULL;
    ask(&balances, "account_balances", of(2));
    assert_int_equal(derive(&derived, &balances.proof, "account_get", balances.params, NULL),
                     NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &balances.proof, "account_positions", balances.params, NULL),
                     NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &balances.proof, "order_open", balances.params, NULL),
                     NV_ERR_MISMATCH);
    ask(&market, "market_get", "{\"market\":\"BTC-PERP\",\"proof\":true}");
    assert_int_equal(derive(&derived, &market.proof, "account_balances", balances.params, NULL),
                     NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &balances.proof, "stake_get", balances.params, NULL),
                     NV_ERR_MISMATCH);
    assert_int_equal(derive(&derived, &balances.proof, "stake_validators", balances.params, NULL),
                     NV_ERR_MISMATCH);
    json_t *const other = json_pack("{s:s}", "market", "ETH-PERP");
    assert_int_equal(derive(&derived, &market.proof, "market_get", other, NULL), NV_ERR_MISMATCH);
    assert_null(derived);
    json_decref(other);
    drop(&balances);
    drop(&market);
}

/* Another account's proof does not answer for this one. */
static void test_other_account(void **state)
{
    (void)state;
    static struct answer first;
    static struct answer second;
    json_t *derived = NULL;
    ask(&first, "account_get", of(1));
    ask(&second, "account_get", of(2));
    assert_int_equal(derive(&derived, &first.proof, "account_get", second.params, NULL),
                     NV_ERR_MISMATCH);
    drop(&first);
    drop(&second);
}

static void test_difference(void **state)
{
    (void)state;
    json_t *const derived = json_pack("{s:s, s:n}", "cash", "1", "none");
    json_t *const same = json_pack("{s:s, s:n, s:s}", "cash", "1", "none", "more", "x");
    json_t *const lacks = json_pack("{s:s}", "cash", "1");
    json_t *const lies = json_pack("{s:s, s:n}", "cash", "2", "none");
    assert_null(derive_difference(derived, same));
    assert_string_equal(derive_difference(derived, lacks), "none");
    assert_string_equal(derive_difference(derived, lies), "cash");
    json_decref(derived);
    json_decref(same);
    json_decref(lacks);
    json_decref(lies);
}

static void test_unknown(void **state)
{
    (void)state;
    struct nv_proof const none = {0};
    json_t *derived = NULL;
    assert_false(derive_known("chain_head"));
    assert_int_equal(derive(&derived, &none, "chain_head", NULL, NULL), NV_ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_markets),
        cmocka_unit_test(test_market_list),
        cmocka_unit_test(test_books),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_kept_back),
        cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_other_account),
        cmocka_unit_test(test_difference),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_stake),
        cmocka_unit_test(test_validators_kept_back),
        cmocka_unit_test(test_every_validator),
        cmocka_unit_test(test_stakes_kept_back),
        cmocka_unit_test(test_every_stake),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
