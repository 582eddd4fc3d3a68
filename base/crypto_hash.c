#include <pthread.h>

#include <openssl/evp.h>

#include "base/assert.h"
#include "base/hash.h"

/* Fetching a digest takes longer than hashing 64 bytes with it, so it is
 * fetched once for the process; a context is made once a thread. */
static EVP_MD *sha256;
static pthread_key_t context_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local EVP_MD_CTX *thread_context;

static void context_free(void *context)
{
    EVP_MD_CTX_free((EVP_MD_CTX *)context);
    thread_context = NULL;
}

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    NV_ASSERT(sha256 != NULL);
    int const refused = pthread_key_create(&context_key, context_free);
    NV_ASSERT(refused == 0);
}

static EVP_MD_CTX *context_new(void)
{
    int refused = pthread_once(&once, fetch);
    NV_ASSERT(refused == 0);
    EVP_MD_CTX *const context = EVP_MD_CTX_new();
    NV_ASSERT(context != NULL);
    /* The first initialisation binds the digest; later ones only reset. */
    int const bound = EVP_DigestInit_ex2(context, sha256, NULL);
    NV_ASSERT(bound == 1);
    refused = pthread_setspecific(context_key, context); /* freed at the thread's end */
    NV_ASSERT(refused == 0);
    thread_context = context;
    return context;
}

static inline EVP_MD_CTX *begin(void)
{
    EVP_MD_CTX *const context = thread_context != NULL ? thread_context : context_new();
    int const ready = EVP_DigestInit_ex2(context, NULL, NULL);
    NV_ASSERT(ready == 1);
    return context;
}

static inline void add(EVP_MD_CTX *context, struct nv_view view)
{
    int const added = EVP_DigestUpdate(context, view.bytes, view.size);
    NV_ASSERT(added == 1);
}

static inline void finish(EVP_MD_CTX *context, struct nv_hash *out)
{
    int const finished = EVP_DigestFinal_ex(context, out->bytes, NULL);
    NV_ASSERT(finished == 1);
}

void nv_sha256(struct nv_hash *out, struct nv_view view)
{
    EVP_MD_CTX *const context = begin();
    add(context, view);
    finish(context, out);
}

void nv_sha256_parts(struct nv_hash *out, const struct nv_view *parts, uint32_t count)
{
    EVP_MD_CTX *const context = begin();
    for (uint32_t i = 0; i < count; i++) {
        add(context, parts[i]);
    }
    finish(context, out);
}

void nv_tagged_hash(struct nv_hash *out,
                    const char *tag,
                    const struct nv_view *parts,
                    uint32_t count)
{
    struct nv_hash prefix;
    nv_sha256(&prefix, nv_view_of_text(tag));
    EVP_MD_CTX *const context = begin();
    add(context, nv_hash_view(&prefix));
    add(context, nv_hash_view(&prefix));
    for (uint32_t i = 0; i < count; i++) {
        add(context, parts[i]);
    }
    finish(context, out);
}
