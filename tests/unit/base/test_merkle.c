/* Goal: the root is the one of docs/spec/bytes.md section 3, every leaf has a
 * path that verifies, and nothing else verifies.
 * Method: a model that builds the levels as the page says; all counts up to 70,
 * all leaves, and every way to spoil a path. */

#include "base/codec.h"
#include "base/merkle.h"

#include "tests/lib/nv_test.h"

#define COUNT_MAX 70u

static void leaves_make(struct nv_hash *leaves, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        nv_merkle_leaf(&leaves[i], nv_view_of(&i, sizeof i));
    }
}

/* model_root joins level by level, in place. */
static void model_root(struct nv_hash *root, const struct nv_hash *leaves, uint32_t count)
{
    struct nv_hash level[COUNT_MAX];
    uint8_t bytes[37] = {2};
    uint32_t size = count;
    memcpy(level, leaves, count * sizeof *leaves);
    while (size > 1) {
        for (uint32_t i = 0; i < size / 2; i++) {
            uint8_t pair[65] = {1};
            memcpy(pair + 1, &level[2 * i], 64);
            nv_sha256(&level[i], nv_view_of(pair, sizeof pair));
        }
        if (size % 2 == 1) {
            level[size / 2] = level[size - 1];
        }
        size = (size + 1) / 2;
    }
    nv_be32_store(bytes + 1, count);
    if (count > 0) {
        memcpy(bytes + 5, level[0].bytes, 32);
    }
    nv_sha256(root, nv_view_of(bytes, count > 0 ? 37 : 5));
}

static void root_is_the_models(void **state)
{
    (void)state;
    struct nv_hash leaves[COUNT_MAX];
    struct nv_hash expected;
    struct nv_hash got;
    struct nv_merkle builder;
    leaves_make(leaves, COUNT_MAX);
    nv_merkle_init(&builder);
    for (uint32_t count = 0; count <= COUNT_MAX; count++) {
        model_root(&expected, leaves, count);
        nv_merkle_root_of_hashes(&got, leaves, count);
        assert_true(nv_hash_eq(&got, &expected));
        nv_merkle_finish(&got, &builder); /* and one may go on adding */
        assert_true(nv_hash_eq(&got, &expected));
        if (count < COUNT_MAX) {
            nv_merkle_add(&builder, &leaves[count]);
        }
    }
}

static void root_of_data_is_root_of_leaf_hashes(void **state)
{
    (void)state;
    struct nv_view const views[3] = {
        nv_view_of_text("one"), nv_view_of(NULL, 0), nv_view_of_text("three")};
    struct nv_hash leaves[3];
    struct nv_hash a;
    struct nv_hash b;
    for (uint32_t i = 0; i < 3; i++) {
        nv_merkle_leaf(&leaves[i], views[i]);
    }
    nv_merkle_root(&a, views, 3);
    nv_merkle_root_of_hashes(&b, leaves, 3);
    assert_true(nv_hash_eq(&a, &b));
}

static void check_spoiled(const struct nv_hash *root,
                          const struct nv_merkle_path *path,
                          const struct nv_hash *leaf,
                          uint32_t count,
                          uint32_t index)
{
    for (uint32_t i = 0; i < path->depth; i++) {
        struct nv_merkle_path spoiled = *path;
        spoiled.sibling[i].bytes[i % 32] ^= 1;
        assert_false(nv_merkle_verify(root, &spoiled, leaf, count, index));
    }
    struct nv_merkle_path longer = *path;
    longer.depth++;
    assert_false(nv_merkle_verify(root, &longer, leaf, count, index));
    if (path->depth > 0) {
        struct nv_merkle_path shorter = *path;
        shorter.depth--;
        assert_false(nv_merkle_verify(root, &shorter, leaf, count, index));
    }
    struct nv_hash other = *leaf;
    other.bytes[31] ^= 0x80;
    assert_false(nv_merkle_verify(root, path, &other, count, index));
    for (uint32_t wrong = 0; wrong <= COUNT_MAX + 1; wrong++) {
        assert_int_equal(nv_merkle_verify(root, path, leaf, wrong, index), wrong == count);
        assert_int_equal(nv_merkle_verify(root, path, leaf, count, wrong), wrong == index);
    }
}

static void every_leaf_has_a_path_and_no_other_verifies(void **state)
{
    (void)state;
    struct nv_hash leaves[COUNT_MAX];
    leaves_make(leaves, COUNT_MAX);
    for (uint32_t count = 1; count <= COUNT_MAX; count++) {
        struct nv_hash root;
        nv_merkle_root_of_hashes(&root, leaves, count);
        for (uint32_t index = 0; index < count; index++) {
            struct nv_merkle_path path;
            nv_merkle_path(&path, leaves, count, index);
            assert_true(nv_merkle_verify(&root, &path, &leaves[index], count, index));
            check_spoiled(&root, &path, &leaves[index], count, index);
        }
    }
}

static void hostile_paths_are_refused(void **state)
{
    (void)state;
    struct nv_merkle_path path = {.depth = UINT32_MAX};
    struct nv_hash const hash = {{0}};
    assert_false(nv_merkle_verify(&hash, &path, &hash, 5, 2));
    path.depth = NV_MERKLE_PATH_MAX + 1;
    assert_false(nv_merkle_verify(&hash, &path, &hash, UINT32_MAX, UINT32_MAX - 1));
    path.depth = NV_MERKLE_PATH_MAX;
    assert_false(nv_merkle_verify(&hash, &path, &hash, UINT32_MAX, 0));
    path.depth = 0;
    assert_false(nv_merkle_verify(&hash, &path, &hash, 0, 0));
    assert_false(nv_merkle_verify(&hash, &path, &hash, 1, UINT32_MAX));
}

/* An inner node must not pass for a leaf: a list of two and the list of one
 * that holds their node have different roots. */
static void inner_nodes_are_no_leaves(void **state)
{
    (void)state;
    struct nv_hash leaves[2];
    struct nv_hash node;
    struct nv_hash two;
    struct nv_hash one;
    leaves_make(leaves, 2);
    nv_merkle_inner(&node, &leaves[0], &leaves[1]);
    nv_merkle_root_of_hashes(&two, leaves, 2);
    nv_merkle_root_of_hashes(&one, &node, 1);
    assert_false(nv_hash_eq(&one, &two));
}

static void path_outside(void *ctx)
{
    struct nv_merkle_path path;
    nv_merkle_path(&path, (const struct nv_hash *)ctx, 2, 2);
}

static void a_path_of_no_leaf_is_a_mistake(void **state)
{
    (void)state;
    struct nv_hash leaves[2];
    leaves_make(leaves, 2);
    NV_TEST_DIES(path_outside, leaves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_is_the_models),
        cmocka_unit_test(root_of_data_is_root_of_leaf_hashes),
        cmocka_unit_test(every_leaf_has_a_path_and_no_other_verifies),
        cmocka_unit_test(hostile_paths_are_refused),
        cmocka_unit_test(inner_nodes_are_no_leaves),
        cmocka_unit_test(a_path_of_no_leaf_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
