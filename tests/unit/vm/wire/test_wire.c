/* Goal: a transaction has one spelling, and everything else is refused.
 * Method: bodies written by hand, each wrong in one way; random transactions
 * there and back; the largest bodies that unpack into the most memory. */

#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/heap.h"

#include "tests/lib/nv_test.h"
#include "vm/wire/frame.h"
#include "vm/wire/wire.h"

static const struct nv_hash chain_id = {{9}};
static struct nv_arena arena;
static uint8_t framed[VM_TX_SIZE_MAX];

static int memory_take(void **state)
{
    *state = nv_heap_reserve(VM_TX_DECODE_MEMORY);
    nv_arena_init_zeroed(&arena, *state, VM_TX_DECODE_MEMORY);
    return *state == NULL;
}

static int memory_give(void **state)
{
    nv_heap_unreserve(*state, VM_TX_DECODE_MEMORY);
    return 0;
}

static enum nv_err decode_body(struct vm_tx *tx, const uint8_t *body, uint32_t size)
{
    struct vm_frame const frame = {.body = nv_view_of(body, size)};
    uint32_t const framed_size = vm_frame_write(framed, &frame);
    nv_arena_reset(&arena);
    return vm_tx_decode(tx, nv_view_of(framed, framed_size), &chain_id, &arena);
}

/* account, expires_ms = 5, and then what the caller gives in hex. */
static enum nv_err decode_hex(const char *actions)
{
    uint8_t body[VM_BODY_SIZE_MAX] = {0x0a, 20};
    struct vm_tx tx;
    uint32_t const size = (uint32_t)strlen(actions) / 2;
    body[22] = 0x10;
    body[23] = 5;
    nv_test_hex(body + 24, size, actions);
    return decode_body(&tx, body, 24 + size);
}

static void spelling(void **state)
{
    (void)state;
    /* place: market 1, buy, price 3 ticks, 4 lots, GTC */
    assert_int_equal(decode_hex("220c0a0a08011001180620042801"), NV_OK);
    /* the market 0 is left out, and must be */
    assert_int_equal(decode_hex("220a0a081001180620042801"), NV_OK);
    assert_int_equal(decode_hex("220c0a0a08001001180620042801"), NV_ERR_MALFORMED);
    /* a varint longer than it need be */
    assert_int_equal(decode_hex("220d0a0b0881001001180620042801"), NV_ERR_MALFORMED);
    /* fields in another order, a field twice, an unknown field, at each depth */
    assert_int_equal(decode_hex("220c0a0a10010801180620042801"), NV_ERR_MALFORMED);
    assert_int_equal(decode_hex("220e0a0c080108011001180620042801"), NV_ERR_MALFORMED);
    assert_int_equal(decode_hex("220e0a0c080110011806200428015001"), NV_ERR_RANGE);
    assert_int_equal(decode_hex("220f0a0a08011001180620042801a00101"), NV_ERR_RANGE);
    assert_int_equal(decode_hex("220c0a0a080110011806200428012801"), NV_ERR_MALFORMED);
    /* a bool that is neither 0 nor 1 */
    assert_int_equal(decode_hex("220e0a0c080110011806200428013001"), NV_OK);
    assert_int_equal(decode_hex("220e0a0c080110011806200428013002"), NV_ERR_MALFORMED);
    /* two kinds in one action: the later wins, the earlier is not packed again */
    assert_int_equal(decode_hex("22061202080112020801"), NV_ERR_MALFORMED);
    assert_int_equal(decode_hex("220812020801220208"
                                "01"),
                     NV_ERR_MALFORMED);
    /* an action without a kind */
    assert_int_equal(decode_hex("2200"), NV_ERR_RANGE);
    /* no action at all */
    assert_int_equal(decode_hex(""), NV_ERR_RANGE);
    /* cut inside */
    assert_int_equal(decode_hex("220c0a0a0801100118062004"), NV_ERR_MALFORMED);
    assert_int_equal(decode_hex("22ffffffff0f"), NV_ERR_MALFORMED);
}

/* Fields at and beyond their ranges, docs/spec/transactions.md section 2. */
static void ranges(void **state)
{
    (void)state;
    static const struct {
        const char *actions;
        enum nv_err err;
    } cases[] = {
        {"220e0a0c08ffff031001180620042801", NV_OK},              /* market 65,535 */
        {"220e0a0c08808004100118062004280122", NV_ERR_MALFORMED}, /* torn */
        {"220e0a0c0880800410011806200428"
         "01",
         NV_ERR_RANGE},                              /* market 65,536 */
        {"220a0a081003180620042801", NV_ERR_RANGE},  /* side 3 */
        {"22080a06180620042801", NV_ERR_RANGE},      /* no side */
        {"22080a06100118062801", NV_ERR_RANGE},      /* no lots */
        {"220e0a0c1001180620ffffffff072801", NV_OK}, /* lots 2^31 - 1 */
        {"220e0a0c10011806208080808008"
         "2801",
         NV_ERR_RANGE},                             /* lots 2^31 */
        {"22080a06100118062004", NV_ERR_RANGE},     /* no time in force */
        {"220a0a081001180620042804", NV_ERR_RANGE}, /* time in force 4 */
        {"220a0a081001180620042802", NV_ERR_RANGE}, /* GTT without expiry */
        {"220c0a0a1001180620042802"
         "4001",
         NV_OK}, /* GTT with one */
        {"220c0a0a1001180620042801"
         "4001",
         NV_ERR_RANGE}, /* GTC with one */
        {"220c0a0a1001180620042803"
         "3001",
         NV_ERR_RANGE},                                           /* post-only IOC */
        {"22110a0f100118feffffffffffff1f20042801", NV_OK},        /* price 2^53 - 1 */
        {"22110a0f100118808080808080802020042801", NV_ERR_RANGE}, /* price 2^53 */
        {"22110a0f100118fdffffffffffff1f20042801", NV_OK},        /* price -(2^53 - 1) */
        {"22021200", NV_ERR_RANGE},                               /* cancel 0 */
        {"22041a020801", NV_ERR_RANGE},                           /* client id 0 */
        {"22022200", NV_OK},                                      /* cancel-all of market 0 */
        {"2206220408011001", NV_ERR_RANGE},                       /* of 1 and of all */
        {"22022a00", NV_ERR_RANGE},                               /* deposit of 0 */
        {"220c2a0a08808080808080808020", NV_OK},                  /* 2^61 */
        {"220c2a0a08818080808080808020", NV_ERR_RANGE},           /* 2^61 + 1 */
        {"22043a020a00", NV_ERR_MALFORMED},                       /* an explicit empty `to` */
        {"22063a040a020102", NV_ERR_RANGE},                       /* an address of 2 bytes */
        {"2204"
         "5a021005",
         NV_OK}, /* report of feed 0 at 0 ms */
        {"2206"
         "5a0410052001",
         NV_OK},
        {"2206"
         "5a0418052001",
         NV_ERR_RANGE}, /* no price */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (decode_hex(cases[i].actions) != cases[i].err) {
            fail_msg("case %s", cases[i].actions);
        }
    }
}

static void frame(void **state)
{
    (void)state;
    uint8_t body[] = {0x0a, 20, 1,  2,  3,  4,  5,  6,  7,    8, 9,    10, 11, 12,
                      13,   14, 15, 16, 17, 18, 19, 20, 0x22, 4, 0x2a, 2,  8,  1};
    struct vm_tx tx;
    assert_int_equal(decode_body(&tx, body, sizeof body), NV_OK);
    uint32_t const size = 2 + sizeof body + 34 + 66;
    assert_int_equal(tx.bytes.size, size);
    assert_false(vm_tx_signature_ok(&tx));
    for (uint32_t cut = 0; cut < size; cut++) {
        assert_int_not_equal(vm_tx_decode(&tx, nv_view_of(framed, cut), &chain_id, &arena), NV_OK);
    }
    framed[size] = 0;
    assert_int_equal(vm_tx_decode(&tx, nv_view_of(framed, size + 1), &chain_id, &arena),
                     NV_ERR_MALFORMED);
    /* the size of the body in two bytes */
    memmove(framed + 3, framed + 2, size - 2);
    framed[1] |= 0x80;
    framed[2] = 0;
    assert_int_equal(vm_tx_decode(&tx, nv_view_of(framed, size + 1), &chain_id, &arena),
                     NV_ERR_MALFORMED);
    static uint8_t large[VM_TX_SIZE_MAX + 1];
    assert_int_equal(vm_tx_decode(&tx, nv_view_of(large, sizeof large), &chain_id, &arena),
                     NV_ERR_TOO_LARGE);
}

static uint32_t below(struct nv_test_rng *rng, uint32_t bound)
{
    return nv_test_below(rng, bound);
}

/* A random action within all ranges; closes come from `closes`. */
static struct vm_action random_action(struct nv_test_rng *rng, struct vm_close *closes)
{
    struct vm_action a;
    memset(&a, 0, sizeof a);
    a.kind = (uint8_t)(1 + below(rng, VM_ACTION_UNJAIL));
    a.kind = a.kind == VM_ACTION_BOND ? VM_ACTION_CLAIM : a.kind; /* see bonds_are_proved */
    switch ((enum vm_action_kind)a.kind) {
    case VM_ACTION_PLACE:
        a.place = (struct vm_place){.market = below(rng, 3) * 30000,
                                    .side = (uint8_t)(1 + below(rng, 2)),
                                    .time_in_force = (uint8_t)(1 + below(rng, 3)),
                                    .reduce_only = below(rng, 2) == 0,
                                    .price = vm_price((int64_t)nv_test_next(rng) >> 12),
                                    .lots = vm_lots(1 + (int64_t)below(rng, 1000)),
                                    .client_id = below(rng, 2) * nv_test_next(rng)};
        a.place.post_only = a.place.time_in_force != VM_IOC && below(rng, 2) == 0;
        a.place.expires_ms = a.place.time_in_force == VM_GTT ? 1 + below(rng, 1000) : 0;
        break;
    case VM_ACTION_CANCEL: a.cancel_order = nv_test_next(rng) | 1; break;
    case VM_ACTION_CANCEL_CLIENT:
        a.cancel_client = (struct vm_cancel_client){below(rng, 5), 1 + below(rng, 5)};
        break;
    case VM_ACTION_CANCEL_ALL: a.cancel_all.every_market = below(rng, 2) == 0; break;
    case VM_ACTION_DEPOSIT:
    case VM_ACTION_WITHDRAW: a.amount = vm_money(1 + (int64_t)(nv_test_next(rng) >> 4)); break;
    case VM_ACTION_TRANSFER:
    case VM_ACTION_FAUCET:
        nv_test_fill(rng, &a.send.to, sizeof a.send.to);
        a.send.amount = vm_money(1 + (int64_t)below(rng, 1000));
        break;
    case VM_ACTION_SESSION_SET:
        nv_test_fill(rng, &a.session_set.key, sizeof a.session_set.key);
        a.session_set.scopes = 1 + below(rng, 31);
        a.session_set.expires_ms = below(rng, 1000);
        break;
    case VM_ACTION_SESSION_REVOKE:
        nv_test_fill(rng, &a.session_revoke, sizeof a.session_revoke);
        break;
    case VM_ACTION_REPORT:
        a.report = (struct vm_report){.feed = below(rng, 3),
                                      .price = vm_money(1 + (int64_t)below(rng, 100000)),
                                      .confidence = vm_money((int64_t)below(rng, 10)),
                                      .time_ms = below(rng, 3)};
        break;
    case VM_ACTION_KEEPER_CLOSE:
        nv_test_fill(rng, &a.keeper_close.account, sizeof a.keeper_close.account);
        a.keeper_close.close_count = 1 + below(rng, 4);
        a.keeper_close.closes = closes;
        for (uint32_t i = 0; i < a.keeper_close.close_count; i++) {
            closes[i] = (struct vm_close){below(rng, 4), vm_lots(1 + (int64_t)below(rng, 9))};
        }
        break;
    case VM_ACTION_DELEGATE:
    case VM_ACTION_UNDELEGATE:
        nv_test_fill(rng, &a.delegate.validator, sizeof a.delegate.validator);
        a.delegate.amount = vm_money(1 + (int64_t)(nv_test_next(rng) >> 4));
        break;
    case VM_ACTION_WITHDRAW_STAKE: nv_test_fill(rng, &a.validator, sizeof a.validator); break;
    case VM_ACTION_SET_COMMISSION:
        a.commission = vm_ratio((int64_t)below(rng, VM_RATIO_ONE_PPB + 1));
        break;
    case VM_ACTION_BOND:
    case VM_ACTION_CLAIM:
    case VM_ACTION_UNJAIL: break;
    }
    return a;
}

/* Equal, closes compared by what they are. */
static void actions_equal(const struct vm_action *a, const struct vm_action *b)
{
    struct vm_action x = *a, y = *b;
    if (x.kind == VM_ACTION_KEEPER_CLOSE) {
        assert_int_equal(x.keeper_close.close_count, y.keeper_close.close_count);
        for (uint32_t i = 0; i < x.keeper_close.close_count; i++) {
            assert_int_equal(x.keeper_close.closes[i].market, y.keeper_close.closes[i].market);
            assert_int_equal(vm_lots_raw(x.keeper_close.closes[i].lots),
                             vm_lots_raw(y.keeper_close.closes[i].lots));
        }
        x.keeper_close.closes = NULL;
        y.keeper_close.closes = NULL;
    }
    assert_memory_equal(&x, &y, sizeof x);
}

static void there_and_back(void **state)
{
    (void)state;
    struct nv_test_rng rng = {77};
    static struct vm_action actions[VM_ACTIONS_MAX];
    static struct vm_close closes[VM_ACTIONS_MAX][4];
    static uint8_t out[VM_TX_SIZE_MAX];
    for (uint32_t round = 0; round < 300; round++) {
        struct vm_tx tx, back;
        struct nv_seckey key;
        uint32_t size = 0;
        memset(&tx, 0, sizeof tx);
        nv_test_fill(&rng, &key, sizeof key);
        key.bytes[0] = 1;
        nv_test_fill(&rng, &tx.account, sizeof tx.account);
        tx.expires_ms = below(&rng, 3) * 1000;
        tx.salt = below(&rng, 2) * nv_test_next(&rng);
        tx.action_count = 1 + below(&rng, below(&rng, 5) == 0 ? VM_ACTIONS_MAX : 5);
        tx.actions = actions;
        for (uint32_t i = 0; i < tx.action_count; i++) {
            actions[i] = random_action(&rng, closes[i]);
        }
        assert_int_equal(vm_tx_encode(&tx, out, &size, &chain_id, &key), NV_OK);
        nv_arena_reset(&arena);
        assert_int_equal(vm_tx_decode(&back, nv_view_of(out, size), &chain_id, &arena), NV_OK);
        assert_true(vm_tx_signature_ok(&back));
        assert_memory_equal(&back.hash, &tx.hash, sizeof tx.hash);
        assert_memory_equal(&back.account, &tx.account, sizeof tx.account);
        assert_int_equal(back.expires_ms, tx.expires_ms);
        assert_int_equal(back.salt, tx.salt);
        assert_int_equal(back.action_count, tx.action_count);
        for (uint32_t i = 0; i < tx.action_count; i++) {
            actions_equal(&tx.actions[i], &back.actions[i]);
        }
        out[size / 2] ^= 1; /* any bit: refused, or another transaction */
        nv_arena_reset(&arena);
        if (vm_tx_decode(&back, nv_view_of(out, size), &chain_id, &arena) == NV_OK) {
            assert_true(!nv_hash_eq(&back.hash, &tx.hash) || !vm_tx_signature_ok(&back));
        }
    }
}

/* Fills a body of the largest size with one piece again and again. */
static enum nv_err decode_full(const char *head, const char *piece)
{
    static uint8_t body[VM_BODY_SIZE_MAX];
    struct vm_tx tx;
    uint32_t size = (uint32_t)strlen(head) / 2;
    uint32_t const step = (uint32_t)strlen(piece) / 2;
    nv_test_hex(body, size, head);
    while (size + step <= sizeof body) {
        nv_test_hex(body + size, step, piece);
        size += step;
    }
    return decode_body(&tx, body, size);
}

/* However a body is made, the promised memory suffices to judge it. */
static void memory(void **state)
{
    (void)state;
    assert_int_equal(decode_full("", "2200"), NV_ERR_RANGE);
    assert_int_equal(decode_full("", "220412020801"), NV_ERR_RANGE);
    assert_int_equal(decode_full("", "22026200"), NV_ERR_RANGE);
    assert_int_equal(decode_full("22fc7f", "0a00"),
                     NV_ERR_MALFORMED); /* one kind again and again */
    assert_int_equal(decode_full("22fc7f", "6a00"), NV_ERR_MALFORMED);
    assert_int_equal(decode_full("", "2804"), NV_ERR_MALFORMED);         /* unknown varints */
    assert_int_equal(decode_full("", "2a00"), NV_ERR_MALFORMED);         /* unknown bytes */
    assert_int_equal(decode_full("22fd7f62fa7f", "1200"), NV_ERR_RANGE); /* closes */
    assert_int_equal(decode_full("22fd7f62fa7f", "2804"), NV_ERR_RANGE);
    assert_int_equal(decode_full("22fc7f", "a00104"), NV_ERR_RANGE);
}

/* Goal: a bond is the will of both its keys, for this account on this chain.
 * Method: a proof made for another chain, another account, by another key, for the
 * other key, or spoilt; and two bonds in one transaction. */
static void bonds_are_proved(void **state)
{
    (void)state;
    static uint8_t out[VM_TX_SIZE_MAX];
    static const struct nv_hash other_chain = {{8}};
    for (uint32_t way = 0; way < 10; way++) {
        struct nv_seckey const own = {{1, 2}}, secret = {{3}}, node = {{5}}, wrong = {{4}};
        struct vm_bond bond = {.commission = vm_ratio(5), .amount = vm_money(7)};
        struct vm_action const actions[2] = {{.kind = VM_ACTION_BOND, .bond = &bond},
                                             {.kind = VM_ACTION_BOND, .bond = &bond}};
        struct vm_tx tx = {.action_count = way == 9 ? 2 : 1, .actions = actions}, back;
        struct nv_address account = {{1}};
        uint32_t size = 0;
        tx.account = account;
        account.bytes[0] = way == 2 ? 2 : 1;
        assert_int_equal(nv_key_public(&bond.key, &secret), NV_OK);
        assert_int_equal(nv_key_public(&bond.node_key, &node), NV_OK);
        vm_bond_claim(&bond, way == 1 ? &other_chain : &chain_id, &account);
        nv_sign(&bond.proof, way == 3 ? &wrong : &secret, &bond.claim);
        nv_sign(&bond.node_proof, way == 4 ? &secret : &node, &bond.node_claim);
        if (way == 7) {
            nv_sign(&bond.proof, &secret, &bond.node_claim);
        } else if (way == 8) {
            nv_sign(&bond.node_proof, &node, &bond.claim);
        }
        bond.proof.bytes[63] ^= way == 5 ? 1 : 0;
        bond.node_proof.bytes[63] ^= way == 6 ? 1 : 0;
        assert_int_equal(vm_tx_encode(&tx, out, &size, &chain_id, &own), NV_OK);
        nv_arena_reset(&arena);
        enum nv_err const err = vm_tx_decode(&back, nv_view_of(out, size), &chain_id, &arena);
        assert_int_equal(err, way == 9 ? NV_ERR_RANGE : NV_OK);
        if (err == NV_OK) {
            assert_true(vm_tx_signature_ok(&back) == (way == 0));
            assert_memory_equal(&back.actions[0].bond->key, &bond.key, sizeof bond.key);
            assert_memory_equal(&back.actions[0].bond->proof, &bond.proof, sizeof bond.proof);
            assert_memory_equal(
                &back.actions[0].bond->node_proof, &bond.node_proof, sizeof bond.node_proof);
            assert_int_equal(vm_money_raw(back.actions[0].bond->amount), 7);
            assert_int_equal(vm_ratio_raw(back.actions[0].bond->commission), 5);
        }
    }
}

/* Goal: who copies a body and signs it with a key of their own keeps nothing out.
 * Method: one body signed by two keys is two transactions, each with a good
 * signature, and neither's signature is good for the other. */
static void a_body_is_its_signers(void **state)
{
    (void)state;
    static uint8_t out[2][VM_TX_SIZE_MAX];
    struct nv_seckey const key[2] = {{{1, 2}}, {{3}}};
    struct vm_action const action = {.kind = VM_ACTION_DEPOSIT, .amount = vm_money(7)};
    struct vm_tx back[2];
    nv_arena_reset(&arena);
    for (uint32_t i = 0; i < 2; i++) {
        struct vm_tx tx = {.account = {{1}}, .action_count = 1, .actions = &action};
        uint32_t size = 0;
        assert_int_equal(vm_tx_encode(&tx, out[i], &size, &chain_id, &key[i]), NV_OK);
        assert_int_equal(vm_tx_decode(&back[i], nv_view_of(out[i], size), &chain_id, &arena),
                         NV_OK);
        assert_true(nv_hash_eq(&back[i].hash, &tx.hash));
        assert_true(vm_tx_signature_ok(&back[i]));
    }
    assert_false(nv_hash_eq(&back[0].hash, &back[1].hash));
    back[1].signature = back[0].signature;
    assert_false(vm_tx_signature_ok(&back[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spelling),
        cmocka_unit_test(ranges),
        cmocka_unit_test(frame),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(memory),
        cmocka_unit_test(bonds_are_proved),
        cmocka_unit_test(a_body_is_its_signers),
    };
    return cmocka_run_group_tests(tests, memory_take, memory_give);
}
