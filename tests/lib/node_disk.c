#include "tests/lib/node_disk.h"

#include "tests/lib/nv_test.h"

void node_disk_open(struct node_disk *disk, uint32_t segment_size, uint32_t count)
{
    static const uint8_t id[ST_JOURNAL_ID_SIZE] = {1};
    static const struct nv_hash chain_id = {.bytes = {5}};
    temp_dir_new(disk->folder);
    temp_dir_new(disk->state_dir);
    disk->options = (struct st_journal_options){.files = st_files_system(),
                                                .dir = disk->folder,
                                                .segment_size = segment_size,
                                                .batch_max = segment_size - 65536};
    struct st_db_options const db_options = {
        .dir = disk->state_dir, .map_size = 1u << 30, .readers_max = 8};
    assert_int_equal(st_journal_create(&disk->journal, &disk->options, id), NV_OK);
    assert_int_equal(st_db_open(&disk->db, &db_options), NV_OK);
    assert_int_equal(node_batch_open(&disk->batch, disk->options.batch_max), NV_OK);
    node_chain_make(&disk->chain, &chain_id, count);
}

void node_disk_close(struct node_disk *disk)
{
    node_batch_close(&disk->batch);
    st_db_close(disk->db);
    st_journal_close(disk->journal);
    temp_dir_remove(disk->state_dir);
    temp_dir_remove(disk->folder);
}

void node_disk_append(struct node_disk *disk, uint8_t type, struct nv_view payload)
{
    node_batch_clear(&disk->batch);
    assert_int_equal(node_batch_add(&disk->batch, type, payload), NV_OK);
    assert_int_equal(st_journal_append(disk->journal, &disk->batch.batch), NV_OK);
}
