/* Goal: the index holds what was put in, in the order of the bytes, within its
 * memory, and a spoiled block is told from a sound one.
 * Method: long random runs of insertions, removals and searches against a
 * sorted array, over key sets that share long prefixes; all orders of removal
 * of small sets; flipped bits in blocks. */

#include <string.h>

#include "base/critbit.h"
#include "base/heap.h"

#include "tests/lib/nv_test.h"

#define KEY       NV_CRITBIT_KEY_SIZE
#define MODEL_MAX 300u

/* A sorted array. */
struct model {
    uint8_t key[MODEL_MAX][KEY];
    uint32_t value[MODEL_MAX];
    uint32_t count;
};

/* model_at returns where the first key is that is not below `key`. */
static uint32_t model_at(const struct model *model, const uint8_t *key)
{
    uint32_t at = 0;
    while (at < model->count && memcmp(model->key[at], key, KEY) < 0) {
        at++;
    }
    return at;
}

static bool model_has(const struct model *model, uint32_t at, const uint8_t *key)
{
    return at < model->count && memcmp(model->key[at], key, KEY) == 0;
}

static void model_insert(struct model *model, uint32_t at, const uint8_t *key, uint32_t value)
{
    uint32_t const behind = model->count - at;
    memmove(model->key[at + 1], model->key[at], behind * (size_t)KEY);
    memmove(&model->value[at + 1], &model->value[at], behind * sizeof model->value[0]);
    memcpy(model->key[at], key, KEY);
    model->value[at] = value;
    model->count++;
}

static void model_remove(struct model *model, uint32_t at)
{
    uint32_t const behind = model->count - at - 1;
    memmove(model->key[at], model->key[at + 1], behind * (size_t)KEY);
    memmove(&model->value[at], &model->value[at + 1], behind * sizeof model->value[0]);
    model->count--;
}

/* Families of keys: the harder ones differ in few bits, late or early. */
static void key_make(uint8_t *key, struct nv_test_rng *rng, uint32_t family)
{
    memset(key, family == 3 ? 0xff : 0, KEY);
    switch (family) {
    case 0: nv_test_fill(rng, key, KEY); break;
    case 1: key[31] = (uint8_t)nv_test_below(rng, 256); break;
    case 2: key[nv_test_below(rng, KEY)] = (uint8_t)(1u << nv_test_below(rng, 8)); break;
    case 3: key[nv_test_below(rng, KEY)] = (uint8_t)nv_test_below(rng, 3); break;
    default:
        key[0] = (uint8_t)nv_test_below(rng, 4);
        key[15] = (uint8_t)nv_test_below(rng, 8);
        key[31] = (uint8_t)nv_test_below(rng, 8);
        break;
    }
}

static void assert_entry(bool found,
                         const struct nv_critbit_entry *entry,
                         const struct model *model,
                         uint32_t at)
{
    assert_int_equal(found, at < model->count);
    if (found) {
        assert_memory_equal(entry->key32, model->key[at], KEY);
        assert_int_equal(entry->value, model->value[at]);
    }
}

static void
assert_same_at(const struct nv_critbit *index, const struct model *model, const uint8_t *key)
{
    uint32_t const at = model_at(model, key);
    bool const has = model_has(model, at, key);
    struct nv_critbit_entry entry = {0};
    uint32_t value = 0;
    assert_int_equal(nv_critbit_lookup(index, key, &value), has);
    assert_true(!has || value == model->value[at]);
    assert_entry(nv_critbit_lower_bound(index, key, &entry), &entry, model, at);
    assert_entry(nv_critbit_next(index, key, &entry), &entry, model, at + (has ? 1 : 0));
    assert_int_equal(nv_critbit_count(index), model->count);
}

/* assert_same walks over the whole index. */
static void assert_same(const struct nv_critbit *index, const struct model *model)
{
    static const uint8_t first[KEY];
    struct nv_critbit_entry entry = {0};
    bool more = nv_critbit_lower_bound(index, first, &entry);
    for (uint32_t i = 0; i < model->count; i++) {
        assert_entry(more, &entry, model, i);
        more = nv_critbit_next(index, entry.key32, &entry);
    }
    assert_false(more);
    assert_true(nv_critbit_sound(index, nv_critbit_used(index), nv_critbit_cap(index)));
}

static void
insert_both(struct nv_critbit *index, struct model *model, const uint8_t *key, uint32_t v)
{
    uint32_t const at = model_at(model, key);
    enum nv_err const got = nv_critbit_insert(index, key, v);
    if (model_has(model, at, key)) {
        assert_int_equal(got, NV_ERR_EXISTS);
    } else if (model->count == nv_critbit_cap(index)) {
        assert_int_equal(got, NV_ERR_NO_MEMORY);
    } else {
        assert_int_equal(got, NV_OK);
        model_insert(model, at, key, v);
    }
}

static void remove_both(struct nv_critbit *index, struct model *model, const uint8_t *key)
{
    uint32_t const at = model_at(model, key);
    bool const has = model_has(model, at, key);
    uint32_t value = 0;
    assert_int_equal(nv_critbit_remove(index, key, &value), has);
    if (has) {
        assert_int_equal(value, model->value[at]);
        model_remove(model, at);
    }
}

static void set_both(struct nv_critbit *index, struct model *model, const uint8_t *key, uint32_t v)
{
    uint32_t const at = model_at(model, key);
    bool const has = model_has(model, at, key);
    assert_int_equal(nv_critbit_set(index, key, v), has);
    if (has) {
        model->value[at] = v;
    }
}

/* run does random things for a while; `bias` of 16 are insertions. */
static void run(struct nv_critbit *index,
                struct model *model,
                struct nv_test_rng *rng,
                uint32_t family,
                uint32_t bias)
{
    for (uint32_t step = 0; step < 400; step++) {
        uint8_t key[KEY];
        uint32_t const value = (uint32_t)nv_test_next(rng);
        key_make(key, rng, family);
        if (nv_test_below(rng, 16) < bias) {
            insert_both(index, model, key, value);
        } else if (nv_test_below(rng, 8) == 0) {
            set_both(index, model, key, value);
        } else if (nv_test_below(rng, 2) == 0 && model->count > 0) {
            memcpy(key, model->key[nv_test_below(rng, model->count)], KEY);
            remove_both(index, model, key);
        } else {
            remove_both(index, model, key);
        }
        key_make(key, rng, family);
        assert_same_at(index, model, key);
    }
    assert_same(index, model);
}

static void random_runs_agree_with_a_sorted_array(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    static const uint32_t caps[] = {0, 1, 2, 3, 17, MODEL_MAX};
    for (uint32_t family = 0; family < 5; family++) {
        for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
            struct model model = {.count = 0};
            size_t const size = nv_critbit_footprint(caps[i]);
            void *const memory = nv_heap_alloc(size); /* sanitizers guard its end */
            memset(memory, 0xa5, size);
            struct nv_critbit *const index = nv_critbit_init(memory, caps[i]);
            for (uint32_t phase = 0; phase < 4; phase++) {
                run(index, &model, &rng, family, phase % 2 == 0 ? 12 : 4);
            }
            assert_true(nv_critbit_used(index) <= size);
            nv_heap_free(memory);
        }
    }
}

/* Removal moves inner nodes between slots, so every order of it matters: all
 * orders of insertion and removal of five keys. */
static void next_permutation(uint32_t *order, uint32_t count, uint32_t number)
{
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t const pick = i + number % (count - i);
        number /= count - i;
        uint32_t const moved = order[i];
        order[i] = order[pick];
        order[pick] = moved;
    }
}

static void all_orders_of_five_keys(void **state)
{
    (void)state;
    static const uint8_t firsts[5] = {0x00, 0x01, 0x40, 0x80, 0xc0};
    uint64_t memory[64];
    assert_true(nv_critbit_footprint(5) <= sizeof memory);
    for (uint32_t in = 0; in < 120; in++) {
        for (uint32_t out = 0; out < 120; out++) {
            uint32_t order_in[5];
            uint32_t order_out[5];
            static struct model model;
            model.count = 0;
            struct nv_critbit *const index = nv_critbit_init(memory, 5);
            next_permutation(order_in, 5, in);
            next_permutation(order_out, 5, out);
            for (uint32_t i = 0; i < 5; i++) {
                uint8_t const key[KEY] = {firsts[order_in[i]]};
                insert_both(index, &model, key, i);
            }
            for (uint32_t i = 0; i < 5; i++) {
                uint8_t const key[KEY] = {firsts[order_out[i]]};
                assert_same(index, &model);
                remove_both(index, &model, key);
            }
            assert_same(index, &model);
        }
    }
}

/* A chain of keys that each differ one bit later is the deepest tree. */
static void the_deepest_tree(void **state)
{
    (void)state;
    static uint64_t memory[2000];
    static struct model model;
    model.count = 0;
    assert_true(nv_critbit_footprint(257) <= sizeof memory);
    struct nv_critbit *const index = nv_critbit_init(memory, 257);
    uint8_t key[KEY] = {0};
    insert_both(index, &model, key, 0);
    for (uint32_t bit = 0; bit < 256; bit++) {
        memset(key, 0, sizeof key);
        key[bit / 8] = (uint8_t)(0x80u >> bit % 8);
        insert_both(index, &model, key, bit);
        assert_same_at(index, &model, key);
    }
    assert_same(index, &model);
    while (model.count > 0) {
        memcpy(key, model.key[0], KEY);
        remove_both(index, &model, key);
    }
    assert_same(index, &model);
}

static void a_copy_is_the_same_index(void **state)
{
    (void)state;
    static uint64_t memory[2000];
    static uint64_t copy[2000];
    static struct model model;
    struct nv_test_rng rng = {3};
    model.count = 0;
    struct nv_critbit *const index = nv_critbit_init(memory, MODEL_MAX);
    run(index, &model, &rng, 0, 12);
    memset(copy, 0xee, sizeof copy);
    memcpy(copy, memory, nv_critbit_used(index));
    memset(memory, 0, sizeof memory);
    assert_true(nv_critbit_sound(copy, nv_critbit_used((const void *)copy), MODEL_MAX));
    struct nv_critbit *const again = (struct nv_critbit *)(void *)copy;
    assert_same(again, &model);
    run(again, &model, &rng, 0, 8);
}

/* The same calls leave the same bytes: nothing comes from the memory before. */
static void the_block_depends_on_the_calls_only(void **state)
{
    (void)state;
    static uint64_t memory[2][2000];
    for (uint32_t i = 0; i < 2; i++) {
        struct nv_test_rng rng = {4};
        static struct model model;
        model.count = 0;
        memset(memory[i], i == 0 ? 0x00 : 0xff, sizeof memory[i]);
        run(nv_critbit_init(memory[i], MODEL_MAX), &model, &rng, 4, 9);
    }
    size_t const used = nv_critbit_used((const struct nv_critbit *)(const void *)memory[0]);
    assert_true(used > 500);
    assert_memory_equal(memory[0], memory[1], used);
}

/* probe uses an index that was called sound: it must stay in its memory (which
 * the sanitizers watch) and come to an end. */
static void probe(struct nv_critbit *index, struct nv_test_rng *rng)
{
    static const uint8_t first[KEY];
    struct nv_critbit_entry entry = {0};
    uint32_t count = 0;
    bool more = nv_critbit_lower_bound(index, first, &entry);
    while (more) {
        count++;
        more = nv_critbit_next(index, entry.key32, &entry);
    }
    assert_int_equal(count, nv_critbit_count(index));
    for (uint32_t i = 0; i < 20; i++) {
        uint8_t key[KEY];
        key_make(key, rng, 4);
        (void)!nv_critbit_insert(index, key, i);
        key_make(key, rng, 4);
        (void)nv_critbit_remove(index, key, NULL);
    }
    assert_true(nv_critbit_sound(index, nv_critbit_used(index), nv_critbit_cap(index)));
}

static void spoiled_blocks_are_told_apart(void **state)
{
    (void)state;
    struct nv_test_rng rng = {5};
    uint32_t refused = 0;
    size_t const size = nv_critbit_footprint(24);
    void *const good = nv_heap_alloc(size);
    void *const bad = nv_heap_alloc(size);
    static struct model model;
    for (uint32_t round = 0; round < 20; round++) {
        model.count = 0;
        memset(good, 0, size);
        run(nv_critbit_init(good, 24), &model, &rng, 4, 9);
        for (uint32_t bit = 0; bit < 8 * size; bit += 1 + nv_test_below(&rng, 5)) {
            memcpy(bad, good, size);
            ((uint8_t *)bad)[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (nv_critbit_sound(bad, size, 24)) {
                probe((struct nv_critbit *)bad, &rng);
            } else {
                refused++;
            }
        }
    }
    assert_true(refused > 1000);
    nv_heap_free(good);
    nv_heap_free(bad);
}

/* The block as critbit.c lays it out, to spoil it with intent. */
struct layout {
    uint32_t cap;
    uint32_t count;
    uint32_t root;
    uint32_t fresh;
    uint32_t spare;
    struct {
        uint8_t key[KEY];
        uint32_t value;
        uint32_t bit;
        uint32_t child[2];
    } slot[6];
};

#define LEAF_FLAG 0x80000000u

/* layout_make puts the keys 10, 20, 30, 40 and 50 in and takes two out again:
 * slots 0, 2 and 3 are in use, 4 and 1 are spare. */
static void layout_make(struct layout *block)
{
    assert_int_equal(nv_critbit_footprint(6), sizeof *block);
    struct nv_critbit *const index = nv_critbit_init(block, 6);
    for (uint32_t i = 1; i <= 5; i++) {
        uint8_t const key[KEY] = {(uint8_t)(10 * i)};
        assert_int_equal(nv_critbit_insert(index, key, i), NV_OK);
    }
    assert_true(nv_critbit_remove(index, (const uint8_t[KEY]){20}, NULL));
    assert_true(nv_critbit_remove(index, (const uint8_t[KEY]){50}, NULL));
    assert_true(nv_critbit_sound(block, sizeof *block, 6));
    assert_int_equal(block->spare, 4);
    assert_int_equal(block->slot[4].value, 1);
}

static void assert_unsound(const struct layout *block)
{
    assert_false(nv_critbit_sound(block, sizeof *block, 6));
}

static void a_spoiled_spare_list_is_refused(void **state)
{
    (void)state;
    struct layout block;
    layout_make(&block);
    block.slot[1].value = 0; /* it goes on, into the tree */
    assert_unsound(&block);
    block.slot[1].value = 4; /* it goes round */
    assert_unsound(&block);
    layout_make(&block);
    block.spare = 1; /* a slot is lost */
    assert_unsound(&block);
    block.spare = UINT32_MAX;
    assert_unsound(&block);
    block.spare = 2; /* a slot in use is given away */
    assert_unsound(&block);
    layout_make(&block);
    block.slot[4].value = 6; /* outside */
    assert_unsound(&block);
}

static void a_spoiled_tree_is_refused(void **state)
{
    (void)state;
    struct layout block;
    layout_make(&block);
    uint32_t const root = block.root;
    uint32_t const low = block.slot[root].child[0];
    block.slot[root].child[0] = block.slot[root].child[1]; /* the sides exchanged */
    block.slot[root].child[1] = low;
    assert_unsound(&block);
    block.slot[root].child[0] = low; /* one side twice */
    assert_unsound(&block);
    layout_make(&block);
    block.slot[root].child[0] = root; /* round and round */
    assert_unsound(&block);
    layout_make(&block);
    block.root = 0 | LEAF_FLAG; /* keys lost */
    assert_unsound(&block);
    layout_make(&block);
    block.count--;
    assert_unsound(&block);
}

static void exchanged_sides_of_two_keys_are_refused(void **state)
{
    (void)state;
    struct layout block;
    struct nv_critbit *const index = nv_critbit_init(&block, 6);
    assert_int_equal(nv_critbit_insert(index, (const uint8_t[KEY]){10}, 1), NV_OK);
    assert_int_equal(nv_critbit_insert(index, (const uint8_t[KEY]){20}, 2), NV_OK);
    assert_true(nv_critbit_sound(&block, sizeof block, 6));
    block.slot[1].child[0] = 1 | LEAF_FLAG;
    block.slot[1].child[1] = 0 | LEAF_FLAG;
    assert_unsound(&block);
}

static void a_slot_both_used_and_spare_is_refused(void **state)
{
    (void)state;
    struct layout block;
    layout_make(&block);
    assert_int_equal(block.slot[0].bit, UINT32_MAX); /* the one without an inner node */
    block.slot[0].child[0] = block.slot[1].child[0];
    block.slot[0].child[1] = block.slot[1].child[1];
    block.slot[0].value = UINT32_MAX;
    block.slot[4].value = 0; /* in the place of slot 1 */
    assert_unsound(&block);
}

/* Move an inner node into the one slot that has none, with the link to it: the
 * tree is as good, but unless that slot's leaf is below, removal would not find
 * its way. */
static void an_inner_node_in_the_wrong_slot_is_refused(void **state)
{
    (void)state;
    struct layout block;
    layout_make(&block);
    struct nv_critbit *const index = (struct nv_critbit *)(void *)&block;
    assert_int_equal(nv_critbit_insert(index, (const uint8_t[KEY]){50}, 5), NV_OK);
    assert_true(nv_critbit_sound(&block, sizeof block, 6));
    for (uint32_t side = 0; side < 2; side++) {
        /* Below the top: 10 and 30, and 40 and 50.  Slot 0 holds 10. */
        struct layout moved = block;
        uint32_t const below = block.slot[block.root].child[side];
        assert_int_equal(below & LEAF_FLAG, 0);
        moved.slot[block.root].child[side] = 0;
        moved.slot[0].bit = block.slot[below].bit;
        moved.slot[0].child[0] = block.slot[below].child[0];
        moved.slot[0].child[1] = block.slot[below].child[1];
        moved.slot[below].bit = UINT32_MAX;
        moved.slot[below].child[0] = UINT32_MAX;
        moved.slot[below].child[1] = UINT32_MAX;
        assert_int_equal(nv_critbit_sound(&moved, sizeof moved, 6), side == 0);
    }
}

static void random_blocks_are_no_index(void **state)
{
    (void)state;
    struct nv_test_rng rng = {6};
    size_t const size = nv_critbit_footprint(8);
    uint32_t *const block = (uint32_t *)nv_heap_alloc(size);
    for (uint32_t round = 0; round < 20000; round++) {
        /* Small numbers pass the first checks more often than random ones. */
        for (size_t i = 0; i < size / 4; i++) {
            uint32_t const small = nv_test_below(&rng, 10);
            block[i] = nv_test_below(&rng, 2) == 0 ? small : 0x80000000u | small;
        }
        block[0] = 8;
        block[1] = 1 + nv_test_below(&rng, 8);
        block[3] = 8;
        if (nv_critbit_sound(block, size, 8)) {
            probe((struct nv_critbit *)(void *)block, &rng);
        }
    }
    nv_heap_free(block);
}

static void blocks_of_the_wrong_size_are_refused(void **state)
{
    (void)state;
    static uint64_t memory[100];
    struct nv_critbit *const index = nv_critbit_init(memory, 10);
    uint8_t key[KEY] = {1};
    assert_int_equal(nv_critbit_insert(index, key, 1), NV_OK);
    key[0] = 2;
    assert_int_equal(nv_critbit_insert(index, key, 2), NV_OK);
    size_t const used = nv_critbit_used(index);
    assert_true(nv_critbit_sound(index, used, 10));
    assert_false(nv_critbit_sound(index, used - 1, 10));
    assert_false(nv_critbit_sound(index, 0, 10));
    assert_false(nv_critbit_sound(index, 19, 10));
    assert_false(nv_critbit_sound(index, used, 9)); /* it may grow beyond the limit */
    memmove((uint8_t *)memory + 2, memory, used);
    assert_false(nv_critbit_sound((const uint8_t *)memory + 2, used, 10));
}

static void the_head_alone_is_written_at_first(void **state)
{
    (void)state;
    static uint64_t memory[100];
    memset(memory, 0x5a, sizeof memory);
    (void)nv_critbit_init(memory, 10);
    for (size_t i = 3; i < 100; i++) {
        assert_true(memory[i] == 0x5a5a5a5a5a5a5a5a);
    }
}

static void lies_skew(void *ctx)
{
    (void)nv_critbit_init((uint8_t *)ctx + 2, 1);
}

static void has_too_many(void *ctx)
{
    (void)ctx;
    (void)nv_critbit_footprint(NV_CRITBIT_CAP_MAX + 1);
}

static void mistakes_end_the_process(void **state)
{
    (void)state;
    static uint64_t memory[20];
    NV_TEST_DIES(lies_skew, memory);
    NV_TEST_DIES(has_too_many, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs_agree_with_a_sorted_array),
        cmocka_unit_test(all_orders_of_five_keys),
        cmocka_unit_test(the_deepest_tree),
        cmocka_unit_test(a_copy_is_the_same_index),
        cmocka_unit_test(the_block_depends_on_the_calls_only),
        cmocka_unit_test(spoiled_blocks_are_told_apart),
        cmocka_unit_test(a_spoiled_spare_list_is_refused),
        cmocka_unit_test(a_spoiled_tree_is_refused),
        cmocka_unit_test(exchanged_sides_of_two_keys_are_refused),
        cmocka_unit_test(a_slot_both_used_and_spare_is_refused),
        cmocka_unit_test(an_inner_node_in_the_wrong_slot_is_refused),
        cmocka_unit_test(random_blocks_are_no_index),
        cmocka_unit_test(blocks_of_the_wrong_size_are_refused),
        cmocka_unit_test(the_head_alone_is_written_at_first),
        cmocka_unit_test(mistakes_end_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
