/* Goal: the program agrees with the second implementation of
 * docs/spec/consensus.md, sections 2 to 9 and 17.
 * Method: every vector of tests/golden/consensus.json; every message and record
 * is also cut short, lengthened and changed in each byte, and what is still
 * accepted must encode to the same bytes. */

#include <string.h>

#include "base/fmt.h"

#include "consensus/body.h"
#include "consensus/leader.h"
#include "consensus/message.h"
#include "consensus/record.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/golden.h"
#include "tests/lib/nv_test.h"

#define BYTES_MAX 65536u

static json_t *document;
static struct cs_valset four;
static struct nv_hash chain_id;
static uint8_t bytes[BYTES_MAX];
static uint8_t again[BYTES_MAX];

static struct nv_view bytes_of(const json_t *vector, const char *name)
{
    return golden_bytes(bytes, BYTES_MAX, vector, name);
}

static void assert_hash(const struct nv_hash *got, const json_t *vector, const char *name)
{
    struct nv_hash const expected = golden_hash(vector, name);
    assert_memory_equal(got, &expected, sizeof expected);
}

static int document_load(void **state)
{
    (void)state;
    document = golden_load("consensus");
    if (document == NULL) {
        return -1;
    }
    chain_id = golden_hash(document, "chain_id");
    return cs_valset_decode(&four, bytes_of(document, "four")) == NV_OK ? 0 : -1;
}

static int document_drop(void **state)
{
    (void)state;
    json_decref(document);
    return 0;
}

static void valset_agrees(const json_t *vector)
{
    static struct cs_schedule schedule;
    struct cs_validator members[CS_VALIDATORS_MAX];
    struct cs_valset set;
    json_t *const stakes = json_object_get(vector, "stakes");
    json_t *const keys = json_object_get(vector, "keys");
    uint32_t const count = (uint32_t)json_array_size(stakes);
    for (uint32_t i = 0; i < count; i++) {
        struct nv_view const stake = nv_view_of_text(json_string_value(json_array_get(stakes, i)));
        struct nv_view const key = nv_view_of_text(json_string_value(json_array_get(keys, i)));
        assert_int_equal(nv_u64_parse(&members[i].stake, stake), NV_OK);
        assert_int_equal(nv_bytes_parse(members[i].key.bytes, 32, key), NV_OK);
    }
    assert_int_equal(cs_valset_init(&set, members, count), NV_OK);
    struct nv_view const expected = bytes_of(vector, "bytes");
    assert_int_equal(cs_valset_encode(&set, again), expected.size);
    assert_memory_equal(again, expected.bytes, expected.size);
    assert_hash(&set.hash, vector, "hash");

    struct nv_hash const boundary = golden_hash(vector, "boundary");
    cs_schedule_init(&schedule, &set, &chain_id, golden_small(vector, "epoch"), &boundary);
    assert_int_equal(schedule.length, golden_small(vector, "cycle"));
    json_t *const leaders = json_object_get(vector, "leaders");
    for (uint32_t view = 0; view < json_array_size(leaders); view++) {
        assert_int_equal(cs_schedule_leader(&schedule, view),
                         json_integer_value(json_array_get(leaders, view)));
    }
    assert_int_equal(cs_schedule_leader(&schedule, UINT64_MAX),
                     golden_small(vector, "leader_of_last_view"));
}

static void valsets_agree(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(golden_list(document, "valsets"), i, vector)
    {
        valset_agrees(vector);
    }
}

static void header_agrees(const json_t *vector)
{
    struct cs_header header;
    struct nv_hash hash;
    struct nv_reader r;
    struct nv_writer w;
    const json_t *const fields = json_object_get(vector, "fields");
    struct nv_view const expected = bytes_of(vector, "bytes");
    nv_reader_init(&r, expected);
    assert_int_equal(cs_header_get(&r, &header), NV_OK);
    assert_int_equal(nv_reader_end(&r), NV_OK);
    assert_hash(&header.chain_id, fields, "chain_id");
    assert_int_equal(header.epoch, golden_number(fields, "epoch"));
    assert_int_equal(header.height, golden_number(fields, "height"));
    assert_int_equal(header.view, golden_number(fields, "view"));
    assert_int_equal(header.parent_view, golden_number(fields, "parent_view"));
    assert_hash(&header.parent_hash, fields, "parent_hash");
    assert_int_equal(header.proposer, golden_number(fields, "proposer"));
    assert_int_equal(header.time_ms, golden_number(fields, "time_ms"));
    assert_hash(&header.body_root, fields, "body_root");
    assert_int_equal(header.body_size, golden_number(fields, "body_size"));
    assert_int_equal(header.tx_count, golden_number(fields, "tx_count"));
    assert_int_equal(header.executed_height, golden_number(fields, "executed_height"));
    assert_hash(&header.state_root, fields, "state_root");
    assert_hash(&header.justify_hash, fields, "justify_hash");
    assert_hash(&header.evidence_root, fields, "evidence_root");
    assert_hash(&header.valset_hash, fields, "valset_hash");
    assert_hash(&header.next_valset_hash, fields, "next_valset_hash");
    assert_hash(&header.params_hash, fields, "params_hash");
    nv_writer_init(&w, again, sizeof again);
    cs_header_put(&w, &header);
    assert_int_equal(w.size, expected.size);
    assert_memory_equal(again, expected.bytes, expected.size);
    cs_header_hash(&hash, &header);
    assert_hash(&hash, vector, "hash");
}

static void headers_agree(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(golden_list(document, "headers"), i, vector)
    {
        header_agrees(vector);
    }
}

static void votes_agree(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(golden_list(document, "votes"), i, vector)
    {
        struct cs_vote vote;
        struct nv_hash digest;
        struct nv_reader r;
        nv_reader_init(&r, bytes_of(vector, "bytes"));
        assert_int_equal(cs_vote_get(&r, &vote), NV_OK);
        assert_int_equal(nv_reader_end(&r), NV_OK);
        assert_int_equal(vote.signer, golden_small(vector, "signer"));
        cs_ballot_digest(&digest, &chain_id, &vote.ballot);
        assert_hash(&digest, vector, "digest");
        assert_true(cs_vote_verify(&vote, &chain_id, &four));
    }
}

static void certificates_agree(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(golden_list(document, "certificates"), i, vector)
    {
        struct cs_certificate certificate;
        struct cs_valset set;
        struct nv_hash hash;
        struct nv_reader r;
        assert_int_equal(cs_valset_decode(&set, bytes_of(vector, "valset")), NV_OK);
        nv_reader_init(&r, bytes_of(vector, "bytes"));
        assert_int_equal(cs_certificate_get(&r, &certificate), NV_OK);
        assert_int_equal(nv_reader_end(&r), NV_OK);
        cs_certificate_hash(&hash, &certificate);
        assert_hash(&hash, vector, "hash");
        assert_int_equal(cs_certificate_verify(&certificate, &chain_id, &set, NULL),
                         json_is_true(json_object_get(vector, "quorum")));
    }
}

static uint32_t body_fill(uint8_t *body, const json_t *vector)
{
    static uint8_t pattern[CS_CHUNK_SIZE];
    struct nv_writer w;
    const json_t *const sizes = json_object_get(vector, "transaction_sizes");
    for (uint32_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)(i % 251);
    }
    nv_writer_init(&w, body, 16 * CS_CHUNK_SIZE);
    for (uint32_t repeat = golden_small(vector, "repeat"); repeat > 0; repeat--) {
        for (uint32_t i = 0; i < json_array_size(sizes); i++) {
            uint32_t const size = (uint32_t)json_integer_value(json_array_get(sizes, i));
            cs_body_put(&w, nv_view_of(pattern, size));
        }
    }
    assert_false(w.overflow);
    return w.size;
}

static void bodies_agree(void **state)
{
    (void)state;
    static uint8_t body[16 * CS_CHUNK_SIZE];
    size_t i;
    json_t *vector;
    json_array_foreach(golden_list(document, "bodies"), i, vector)
    {
        struct nv_hash root;
        uint32_t const size = body_fill(body, vector);
        json_t *const paths = json_object_get(vector, "paths");
        assert_int_equal(size, golden_small(vector, "size"));
        cs_body_root(&root, nv_view_of(body, size));
        assert_hash(&root, vector, "root");
        assert_int_equal(cs_body_chunk_count(size), json_array_size(paths));
        for (uint32_t at = 0; at < cs_body_chunk_count(size); at++) {
            struct nv_merkle_path path;
            const json_t *const expected = json_array_get(paths, at);
            cs_body_path(&path, nv_view_of(body, size), at);
            assert_int_equal(path.depth, json_array_size(expected));
            for (uint32_t k = 0; k < path.depth; k++) {
                char hex[NV_BYTES_TEXT(32)];
                nv_bytes_format(hex, path.sibling[k].bytes, 32);
                assert_string_equal(hex, json_string_value(json_array_get(expected, k)));
            }
        }
    }
}

static uint32_t message_encode(const struct cs_message *message)
{
    struct nv_writer w;
    nv_writer_init(&w, again, sizeof again);
    cs_message_encode(&w, message);
    assert_false(w.overflow);
    return w.size;
}

static void message_agrees(uint8_t type, uint32_t size)
{
    struct cs_message message;
    assert_int_equal(cs_message_decode(&message, type, nv_view_of(bytes, size)), NV_OK);
    assert_int_equal(message_encode(&message), size);
    assert_memory_equal(again, bytes, size);
    for (uint32_t cut = 0; cut < size && type != CS_MSG_BODY_CHUNK; cut++) {
        assert_int_not_equal(cs_message_decode(&message, type, nv_view_of(bytes, cut)), NV_OK);
    }
    if (type != CS_MSG_BODY_CHUNK) { /* whose end is the end of the chunk */
        assert_int_equal(cs_message_decode(&message, type, nv_view_of(bytes, size + 1)),
                         NV_ERR_TRAILING);
    }
    for (uint32_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        if (cs_message_decode(&message, type, nv_view_of(bytes, size)) == NV_OK) {
            assert_int_equal(message_encode(&message), size);
            assert_memory_equal(again, bytes, size);
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static void messages_agree(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(golden_list(document, "messages"), i, vector)
    {
        message_agrees((uint8_t)golden_small(vector, "type"), bytes_of(vector, "bytes").size);
    }
}

static void signatures_of_messages_are_checked(void **state)
{
    (void)state;
    struct cs_plan const all = {
        .wanted = true, .leader = 2, .own_sig = true, .certificates = UINT64_MAX};
    struct cs_plan const none = {.wanted = true};
    size_t i;
    json_t *vector;
    uint32_t signatures = 0;
    json_array_foreach(golden_list(document, "messages"), i, vector)
    {
        struct cs_message message;
        uint8_t const type = (uint8_t)golden_small(vector, "type");
        struct nv_view const whole = bytes_of(vector, "bytes");
        assert_int_equal(cs_message_decode(&message, type, whole), NV_OK);
        assert_true(cs_message_check(&message, &all, &chain_id, &four));
        for (uint32_t at = 0; at < whole.size; at++) {
            bytes[at] ^= 1;
            if (cs_message_decode(&message, type, whole) == NV_OK) {
                signatures += !cs_message_check(&message, &all, &chain_id, &four);
                assert_true(cs_message_check(&message, &none, &chain_id, &four));
            }
            bytes[at] ^= 1;
        }
    }
    assert_true(signatures > 64 * 20);
}

static void record_agrees(uint8_t type, uint64_t view, uint32_t size)
{
    struct cs_record record;
    struct nv_reader r;
    struct nv_writer w;
    nv_reader_init(&r, nv_view_of(bytes, size));
    assert_int_equal(cs_record_get(&r, &record), NV_OK);
    assert_int_equal(nv_reader_end(&r), NV_OK);
    assert_int_equal(record.type, type);
    assert_int_equal(cs_record_moment(&record).view, view);
    assert_int_equal(record.payload.size, size - CS_RECORD_HEAD_SIZE);
    nv_writer_init(&w, again, sizeof again);
    cs_record_put(&w, &record);
    assert_int_equal(w.size, size);
    assert_memory_equal(again, bytes, size);
    for (uint32_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        nv_reader_init(&r, nv_view_of(bytes, size));
        if (cs_record_get(&r, &record) == NV_OK) {
            nv_writer_init(&w, again, sizeof again);
            cs_record_put(&w, &record);
            assert_memory_equal(again, bytes, w.size);
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (uint32_t cut = 0; cut < size; cut++) {
        nv_reader_init(&r, nv_view_of(bytes, cut));
        assert_int_not_equal(cs_record_get(&r, &record), NV_OK);
    }
}

static void records_agree(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(golden_list(document, "records"), i, vector)
    {
        bool const whole = json_is_null(json_object_get(vector, "view")); /* all of its epoch */
        record_agrees((uint8_t)golden_small(vector, "type"),
                      whole ? UINT64_MAX : golden_small(vector, "view"),
                      bytes_of(vector, "bytes").size);
    }
}

static void evidence_agrees(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    json_array_foreach(golden_list(document, "evidence"), i, vector)
    {
        struct nv_view const whole = bytes_of(vector, "bytes");
        struct cs_evidence item;
        struct nv_reader r;
        assert_int_equal(whole.size, CS_EVIDENCE_SIZE);
        nv_reader_init(&r, whole);
        assert_int_equal(cs_evidence_get(&r, &item), NV_OK);
        assert_int_equal(cs_evidence_offence(&item), golden_small(vector, "offence"));
        assert_true(cs_evidence_verify(&item, &chain_id));
        for (uint32_t bit = 0; bit < 8 * whole.size; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            nv_reader_init(&r, whole);
            if (cs_evidence_get(&r, &item) == NV_OK) {
                assert_false(cs_evidence_verify(&item, &chain_id));
            }
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void blocks_bring_what_their_headers_name(void **state)
{
    (void)state;
    size_t i;
    json_t *vector;
    uint32_t sound = 0;
    json_array_foreach(golden_list(document, "messages"), i, vector)
    {
        struct cs_message message;
        struct nv_reader r;
        if (golden_small(vector, "type") != CS_MSG_BLOCK_RESPONSE) {
            continue;
        }
        assert_int_equal(
            cs_message_decode(&message, CS_MSG_BLOCK_RESPONSE, bytes_of(vector, "bytes")), NV_OK);
        nv_reader_init(&r, message.block_response.blocks.bytes);
        for (uint32_t at = 0; at < message.block_response.blocks.count; at++) {
            struct cs_block block;
            cs_list_block(&r, &block);
            if (block.evidence.count == 4) {
                sound += cs_block_sound(&block) ? 1 : 0;
                block.header.evidence_root.bytes[7] ^= 1;
                assert_false(cs_block_sound(&block));
            }
        }
    }
    assert_int_equal(sound, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valsets_agree),
        cmocka_unit_test(headers_agree),
        cmocka_unit_test(votes_agree),
        cmocka_unit_test(certificates_agree),
        cmocka_unit_test(bodies_agree),
        cmocka_unit_test(messages_agree),
        cmocka_unit_test(signatures_of_messages_are_checked),
        cmocka_unit_test(records_agree),
        cmocka_unit_test(evidence_agrees),
        cmocka_unit_test(blocks_bring_what_their_headers_name),
    };
    return cmocka_run_group_tests(tests, document_load, document_drop);
}
