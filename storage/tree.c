#include "storage/tree.h"

#include "base/assert.h"

/* Sizes of the cells for values; the last is NV_ROW_VALUE_MAX. */
static const uint32_t class_sizes[ST__VALUE_CLASSES] = {
    16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, NV_ROW_VALUE_MAX};

/* Retired leaves are fetched into the cache this many steps before they are read. */
#define AHEAD 16u

/* A change needs at most one new tree beside the version it starts from, and
 * the path that it is on; what is more keeps older versions longer. */
static uint32_t inner_cap(const struct st_limits *limits)
{
    return 2 * limits->rows_max + 16 * limits->writes_max + 2 * NV_ROW_KEY_BITS;
}

static uint32_t leaf_cap(const struct st_limits *limits)
{
    return 2 * limits->rows_max + limits->writes_max;
}

/* One more than are kept: the newest is there before the oldest goes. */
static uint32_t ring_size(const struct st_limits *limits)
{
    return limits->versions_max + 1;
}

static void limits_check(const struct st_limits *limits)
{
    NV_ASSERT(limits->rows_max >= 1 && limits->rows_max <= ST__ROWS_MAX);
    NV_ASSERT(limits->versions_max >= 1 && limits->versions_max < ST__ROWS_MAX);
    NV_ASSERT(limits->writes_max >= 1 && limits->writes_max <= ST__ROWS_MAX / 16);
}

size_t st__tree_footprint(const struct st_limits *limits)
{
    limits_check(limits);
    uint32_t const leaves = leaf_cap(limits);
    size_t size = st__slab_size(sizeof(struct st__inner), inner_cap(limits));
    size += st__slab_size(sizeof(struct st__leaf), leaves);
    for (uint32_t i = 0; i < ST__VALUE_CLASSES; i++) {
        size += st__slab_size(class_sizes[i], leaves);
    }
    size += sizeof(struct st__version) * ring_size(limits) + 64;
    size += sizeof(uint32_t) * ((size_t)inner_cap(limits) + leaves) + 64;
    size += sizeof(struct st__op) * (size_t)limits->writes_max + 64;
    return size;
}

void st__tree_init(struct st__tree *tree, struct nv_arena *arena, const struct st_limits *limits)
{
    limits_check(limits);
    uint32_t const leaves = leaf_cap(limits);
    tree->limits = *limits;
    st__slab_init(&tree->inners, arena, sizeof(struct st__inner), inner_cap(limits));
    st__slab_init(&tree->leaves, arena, sizeof(struct st__leaf), leaves);
    for (uint32_t i = 0; i < ST__VALUE_CLASSES; i++) {
        st__slab_init(&tree->values[i], arena, class_sizes[i], leaves);
    }
    tree->versions = NV_ARENA_NEW(arena, struct st__version, ring_size(limits));
    tree->retired_cap = inner_cap(limits) + leaves;
    tree->retired = NV_ARENA_NEW(arena, uint32_t, tree->retired_cap);
    tree->retired_begin = 0;
    tree->retired_end = 0;
    tree->ops = NV_ARENA_NEW(arena, struct st__op, limits->writes_max);
    tree->version_first = 0;
    tree->version_count = 1;
    nv_row_empty_root(&tree->versions[0].head.root);
    st__tree_check(tree);
}

static struct st__version *version_at(const struct st__tree *tree, uint32_t age)
{
    NV_ASSERT(age < tree->version_count);
    uint64_t const at = (uint64_t)tree->version_first + age;
    return &tree->versions[at % ring_size(&tree->limits)];
}

const struct st__version *st__tree_newest(const struct st__tree *tree)
{
    return version_at(tree, tree->version_count - 1);
}

const struct st__version *st__tree_version(const struct st__tree *tree, uint64_t height)
{
    uint32_t lo = 0; /* heights ascend: the first version not below `height` */
    uint32_t hi = tree->version_count;
    while (lo < hi) {
        uint32_t const mid = lo + (hi - lo) / 2;
        if (version_at(tree, mid)->head.height < height) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    bool const there = lo < tree->version_count && version_at(tree, lo)->head.height == height;
    return there ? version_at(tree, lo) : NULL;
}

uint32_t st__value_class(uint32_t size)
{
    NV_ASSERT(size >= 1 && size <= NV_ROW_VALUE_MAX);
    uint32_t i = 0;
    while (class_sizes[i] < size) {
        i++;
    }
    return i;
}

static void give_back(struct st__tree *tree, uint32_t ref)
{
    if (!st__is_leaf(ref)) {
        st__slab_give(&tree->inners, ref);
        return;
    }
    const struct st__leaf *const leaf = st__leaf_at(tree, ref);
    if (leaf->size > 0) {
        st__slab_give(&tree->values[st__value_class(leaf->size)], leaf->value);
    }
    st__slab_give(&tree->leaves, ref & ~ST__LEAF);
}

void st__tree_release(struct st__tree *tree)
{
    NV_ASSERT(tree->version_count >= 2);
    uint64_t const end = version_at(tree, 1)->retired_end;
    for (; tree->retired_begin < end; tree->retired_begin++) {
        uint32_t const ahead = tree->retired[(tree->retired_begin + AHEAD) % tree->retired_cap];
        if (tree->retired_begin + AHEAD < end && st__is_leaf(ahead)) {
            __builtin_prefetch(st__leaf_at(tree, ahead));
        }
        give_back(tree, tree->retired[tree->retired_begin % tree->retired_cap]);
    }
    tree->version_first = (tree->version_first + 1) % ring_size(&tree->limits);
    tree->version_count--;
}

void st__tree_push(struct st__tree *tree, const struct st_head *head, uint32_t root)
{
    tree->version_count++;
    struct st__version *const version = version_at(tree, tree->version_count - 1);
    version->head = *head;
    version->root = root;
    version->retired_end = tree->retired_end;
    if (tree->version_count > tree->limits.versions_max) {
        st__tree_release(tree);
    }
}

uint32_t st__take(struct st__tree *tree, struct st__slab *slab)
{
    while (st__slab_left(slab) == 0 && tree->version_count > 1) {
        st__tree_release(tree);
    }
    return st__slab_take(slab);
}

uint32_t st__leaf_new(struct st__tree *tree, uint8_t *hash32, const struct nv_row *row)
{
    uint32_t const index = st__take(tree, &tree->leaves);
    struct st__leaf *const leaf = st__leaf_at(tree, index);
    leaf->key = row->key;
    leaf->size = row->value.size;
    leaf->value = 0;
    if (leaf->size > 0) {
        struct st__slab *const slab = &tree->values[st__value_class(leaf->size)];
        leaf->value = st__take(tree, slab);
        memcpy(st__slab_at(slab, leaf->value), row->value.bytes, leaf->size);
    }
    struct nv_hash hash;
    nv_sha256(&hash, row->value);
    nv_row_leaf_hash(&hash, &row->key, &hash);
    memcpy(hash32, hash.bytes, sizeof hash.bytes);
    return index | ST__LEAF;
}

void st__inner_hash(uint8_t *hash32, const struct st__inner *node)
{
    const uint8_t *const bytes = (const uint8_t *)node + offsetof(struct st__inner, tag);
    struct nv_hash hash;
    nv_sha256(&hash, nv_view_of(bytes, 2 + sizeof node->hash));
    memcpy(hash32, hash.bytes, sizeof hash.bytes);
}

void st__tree_check(const struct st__tree *tree)
{
    NV_ASSERT(tree->version_count >= 1 && tree->version_count <= tree->limits.versions_max);
    NV_ASSERT(tree->retired_begin <= tree->retired_end);
    NV_ASSERT(tree->retired_end - tree->retired_begin <= tree->retired_cap);
    const struct st__version *const newest = st__tree_newest(tree);
    NV_ASSERT((newest->root == 0) == (newest->head.row_count == 0));
    NV_ASSERT(newest->head.row_count <= tree->limits.rows_max);
}
