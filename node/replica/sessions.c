#include "node/replica/sessions.h"

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/history.h"
#include "vm/rows.h"

/* Older figures kept, for each session key that there may be. */
#define OLDER_PER_SESSION 4u

/* What a figure's words say. */
#define EXPIRES_MS 0
#define SCOPES     1

struct node_sessions {
    struct node_history keys; /* by row key */
};

enum nv_err node_sessions_open(struct node_sessions **out, uint32_t sessions_max)
{
    NV_ASSERT(sessions_max >= 1 && sessions_max <= UINT32_MAX / (4 * OLDER_PER_SESSION));
    struct node_sessions *const s = nv_heap_alloc(sizeof *s);
    if (s == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    /* A block may add as many as there may be before it takes others away. */
    struct node_history_size const size = {2 * sessions_max, sessions_max * OLDER_PER_SESSION};
    enum nv_err const err = node_history_open(&s->keys, &size);
    if (err != NV_OK) {
        node_sessions_close(s);
        return err;
    }
    *out = s;
    return NV_OK;
}

void node_sessions_close(struct node_sessions *s)
{
    if (s == NULL) {
        return;
    }
    node_history_close(&s->keys);
    nv_heap_free(s);
}

static void take_session(struct node_sessions *s, const struct nv_row *row)
{
    struct vm_session_row session;
    if (row->value.bytes == NULL) {
        node_history_put(&s->keys, row->key.bytes, NULL);
        return;
    }
    enum nv_err const err = vm_session_row_decode(&session, row->value);
    NV_ASSERT(err == NV_OK && session.scopes != 0); /* the VM wrote it */
    struct node_figure const figure = {
        .word = {[EXPIRES_MS] = session.expires_ms, [SCOPES] = session.scopes},
    };
    node_history_put(&s->keys, row->key.bytes, &figure);
}

void node_sessions_feed(struct node_sessions *s,
                        uint64_t height,
                        const struct nv_row *rows,
                        uint32_t row_count)
{
    node_history_feed(&s->keys, height);
    for (uint32_t i = 0; i < row_count; i++) {
        if (rows[i].key.bytes[0] == VM_TABLE_SESSION) {
            take_session(s, &rows[i]);
        }
    }
}

bool node_sessions_known(const struct node_sessions *s, uint64_t height)
{
    return node_history_known(&s->keys, height);
}

uint64_t node_sessions_newest(const struct node_sessions *s)
{
    return node_history_newest(&s->keys);
}

enum node_session node_sessions_judge(const struct node_sessions *s,
                                      uint64_t height,
                                      uint64_t time_ms,
                                      uint64_t number,
                                      const struct node_signer *signer)
{
    NV_ASSERT(node_sessions_known(s, height));
    struct nv_row_key key;
    vm_key_session(&key, number, &signer->key);
    const struct node_figure *const figure = node_history_at(&s->keys, height, key.bytes);
    if (figure == NULL) {
        return NODE_SESSION_UNKNOWN;
    }
    if (figure->word[EXPIRES_MS] <= time_ms) {
        return NODE_SESSION_EXPIRED;
    }
    return (signer->scopes & ~figure->word[SCOPES]) == 0 ? NODE_SESSION_GOOD : NODE_SESSION_SCOPE;
}
