/* Goal: the program agrees with the second implementation of
 * docs/spec/bytes.md.
 * Method: every vector of tests/golden/bytes.json. */

#include <string.h>

#include "base/codec.h"
#include "base/fmt.h"
#include "base/hash.h"
#include "base/keccak.h"
#include "base/key.h"
#include "base/merkle.h"

#include "tests/lib/golden.h"
#include "tests/lib/nv_test.h"

#define LEAVES_MAX 64u
#define BYTES_MAX  1024u

static json_t *document;

static int document_load(void **state)
{
    (void)state;
    document = golden_load("bytes");
    return document != NULL ? 0 : -1;
}

static int document_drop(void **state)
{
    (void)state;
    json_decref(document);
    return 0;
}

static void assert_bytes(const void *got, uint32_t size, const char *hex)
{
    char got_text[NV_BYTES_TEXT(BYTES_MAX)];
    nv_bytes_format(got_text, got, size);
    assert_string_equal(got_text, hex);
}

static void put_integer(struct nv_writer *w, const char *type, uint64_t magnitude, bool negative)
{
    if (strcmp(type, "i64") == 0) {
        nv_put_i64(w, (int64_t)(negative ? 0 - magnitude : magnitude));
    } else if (strcmp(type, "u64") == 0) {
        nv_put_u64(w, magnitude);
    } else if (strcmp(type, "u32") == 0) {
        nv_put_u32(w, (uint32_t)magnitude);
    } else if (strcmp(type, "u16") == 0) {
        nv_put_u16(w, (uint16_t)magnitude);
    } else {
        assert_string_equal(type, "u8");
        nv_put_u8(w, (uint8_t)magnitude);
    }
}

static void integers(void **state)
{
    (void)state;
    size_t i;
    const json_t *vector;
    json_array_foreach(golden_list(document, "integers"), i, vector)
    {
        const char *value = golden_text(vector, "value");
        bool const negative = value[0] == '-';
        uint64_t magnitude = 0;
        uint8_t bytes[8];
        struct nv_writer w;
        value += negative ? 1 : 0;
        assert_int_equal(nv_u64_parse(&magnitude, nv_view_of_text(value)), NV_OK);
        nv_writer_init(&w, bytes, sizeof bytes);
        put_integer(&w, golden_text(vector, "type"), magnitude, negative);
        assert_bytes(bytes, nv_writer_view(&w).size, golden_text(vector, "bytes"));
    }
}

static void hashes(void **state)
{
    (void)state;
    size_t i;
    const json_t *vector;
    uint8_t message[BYTES_MAX];
    struct nv_hash hash;
    json_array_foreach(golden_list(document, "sha256"), i, vector)
    {
        nv_sha256(&hash, golden_bytes(message, BYTES_MAX, vector, "message"));
        assert_bytes(hash.bytes, 32, golden_text(vector, "hash"));
    }
    json_array_foreach(golden_list(document, "keccak256"), i, vector)
    {
        nv_keccak256(&hash, golden_bytes(message, BYTES_MAX, vector, "message"));
        assert_bytes(hash.bytes, 32, golden_text(vector, "hash"));
    }
    json_array_foreach(golden_list(document, "tagged_hash"), i, vector)
    {
        struct nv_view const part = golden_bytes(message, BYTES_MAX, vector, "message");
        nv_tagged_hash(&hash, golden_text(vector, "tag"), &part, 1);
        assert_bytes(hash.bytes, 32, golden_text(vector, "hash"));
    }
}

static void check_path(const json_t *vector,
                       const struct nv_hash *root,
                       const struct nv_hash *leaves,
                       uint32_t count)
{
    uint32_t const index = golden_small(vector, "index");
    const json_t *const expected = json_object_get(vector, "path");
    struct nv_merkle_path path;
    assert_true(index < count);
    nv_merkle_path(&path, leaves, count, index);
    assert_int_equal(path.depth, json_array_size(expected));
    for (uint32_t i = 0; i < path.depth; i++) {
        const char *const sibling = json_string_value(json_array_get(expected, i));
        assert_bytes(path.sibling[i].bytes, 32, sibling);
    }
    assert_true(nv_merkle_verify(root, &path, &leaves[index], count, index));
}

static void merkle_roots_and_paths(void **state)
{
    (void)state;
    size_t i;
    size_t j;
    const json_t *vector;
    const json_t *path;
    json_array_foreach(golden_list(document, "merkle"), i, vector)
    {
        static uint8_t bytes[LEAVES_MAX][BYTES_MAX];
        struct nv_view views[LEAVES_MAX];
        struct nv_hash leaves[LEAVES_MAX];
        struct nv_hash root;
        const json_t *const texts = json_object_get(vector, "leaves");
        uint32_t const count = (uint32_t)json_array_size(texts);
        assert_true(count <= LEAVES_MAX);
        for (uint32_t k = 0; k < count; k++) {
            views[k] =
                golden_parse(bytes[k], BYTES_MAX, json_string_value(json_array_get(texts, k)));
            nv_merkle_leaf(&leaves[k], views[k]);
        }
        nv_merkle_root(&root, views, count);
        assert_bytes(root.bytes, 32, golden_text(vector, "root"));
        json_array_foreach(json_object_get(vector, "paths"), j, path)
        {
            check_path(path, &root, leaves, count);
        }
    }
}

static void keys_addresses_and_signatures(void **state)
{
    (void)state;
    size_t i;
    const json_t *vector;
    json_array_foreach(golden_list(document, "keys"), i, vector)
    {
        uint8_t seed[BYTES_MAX];
        struct nv_seckey seckey;
        struct nv_pubkey pubkey;
        struct nv_address address;
        struct nv_hash digest;
        struct nv_sig sig;
        char address_text[NV_ADDRESS_TEXT];
        struct nv_view const part = golden_bytes(seed, BYTES_MAX, vector, "seed");
        assert_int_equal(nv_key_from_seed(&seckey, &pubkey, seed), NV_OK);
        assert_bytes(seckey.bytes, 32, golden_text(vector, "secret_key"));
        assert_bytes(pubkey.bytes, 32, golden_text(vector, "public_key"));
        nv_address_of_key(&address, &pubkey);
        nv_address_format(address_text, &address);
        assert_bytes(address.bytes, 20, golden_text(vector, "address"));
        assert_string_equal(address_text, golden_text(vector, "address_text"));
        nv_tagged_hash(&digest, "novate/example/v1", &part, 1);
        assert_bytes(digest.bytes, 32, golden_text(vector, "digest"));
        nv_sign(&sig, &seckey, &digest);
        assert_bytes(sig.bytes, 64, golden_text(vector, "signature"));
        assert_true(nv_verify(&sig, &pubkey, &digest));
    }
}

static void address_texts(void **state)
{
    (void)state;
    size_t i;
    const json_t *vector;
    json_array_foreach(golden_list(document, "address_text"), i, vector)
    {
        uint8_t bytes[BYTES_MAX];
        struct nv_address address;
        char got[NV_ADDRESS_TEXT];
        assert_int_equal(golden_bytes(bytes, BYTES_MAX, vector, "address").size, sizeof address);
        memcpy(&address, bytes, sizeof address);
        nv_address_format(got, &address);
        assert_string_equal(got, golden_text(vector, "text"));
    }
}

static void decimals(void **state)
{
    (void)state;
    size_t i;
    const json_t *vector;
    char got[NV_DECIMAL_TEXT];
    char value_text[NV_DECIMAL_TEXT];
    int64_t value = 0;
    json_array_foreach(golden_list(document, "decimals"), i, vector)
    {
        struct nv_view const view = nv_view_of_text(golden_text(vector, "text"));
        uint32_t const places = golden_small(vector, "places");
        assert_int_equal(nv_decimal_parse(&value, got, view, places), NV_OK);
        nv_decimal_format(value_text, value, 0);
        assert_string_equal(value_text, golden_text(vector, "value"));
        nv_decimal_format(got, value, places);
        assert_string_equal(got, golden_text(vector, "text"));
    }
    json_array_foreach(golden_list(document, "decimals_refused"), i, vector)
    {
        struct nv_view const view = nv_view_of_text(golden_text(vector, "text"));
        assert_int_not_equal(nv_decimal_parse(&value, got, view, golden_small(vector, "places")),
                             NV_OK);
        assert_string_equal(got, golden_text(vector, "canonical"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(hashes),
        cmocka_unit_test(merkle_roots_and_paths),
        cmocka_unit_test(keys_addresses_and_signatures),
        cmocka_unit_test(address_texts),
        cmocka_unit_test(decimals),
    };
    return cmocka_run_group_tests(tests, document_load, document_drop);
}
