#include "p2p/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/assert.h"
#include "base/heap.h"

#include "p2p/p2p.h"

#define EXPORTER_LABEL "EXPORTER-novate-p2p-auth-v1"
/* The certificates of both ends are one of some 300 bytes. */
#define CERTIFICATE_MAX 4096
#define KEY_FILE        "p2p.key"
#define CERTIFICATE     "p2p.crt"

struct p2p__tls_context {
    SSL_CTX *ctx;
};

struct p2p__tls {
    SSL *ssl;
    BIO *in;  /* owned by ssl */
    BIO *out; /* owned by ssl */
};

static enum nv_err path_of(char out[PATH_MAX], const char *dir, const char *name)
{
    int const size = snprintf(out, PATH_MAX, "%s/%s", dir, name);
    return size > 0 && size < PATH_MAX ? NV_OK : NV_ERR_TOO_LARGE;
}

/* ---- the certificate ---------------------------------------------------- */

/* certificate_of makes a certificate that says nothing and never expires: its
 * dates are fixed, so that no clock matters. */
static X509 *certificate_of(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    if (x509 == NULL) {
        return NULL;
    }
    X509_NAME *name = X509_get_subject_name(x509);
    static const unsigned char text[] = "novate";
    bool const good = X509_set_version(x509, X509_VERSION_3) == 1 &&
                      ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), 1) == 1 &&
                      ASN1_TIME_set_string(X509_getm_notBefore(x509), "20000101000000Z") == 1 &&
                      ASN1_TIME_set_string(X509_getm_notAfter(x509), "99991231235959Z") == 1 &&
                      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
                      X509_set_issuer_name(x509, name) == 1 && X509_set_pubkey(x509, key) == 1 &&
                      X509_sign(x509, key, NULL) > 0;
    if (!good) {
        X509_free(x509);
        return NULL;
    }
    return x509;
}

static enum nv_err file_write(const char *dir, const char *name, mode_t mode, BIO *contents)
{
    char path[PATH_MAX];
    NV_TRY(path_of(path, dir, name));
    char *bytes = NULL;
    long const size = BIO_get_mem_data(contents, &bytes);
    (void)unlink(path);
    int const fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return errno == EACCES ? NV_ERR_PERMISSION : NV_ERR_IO;
    }
    bool good = write(fd, bytes, (size_t)size) == size && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    return good ? NV_OK : NV_ERR_IO;
}

static bool file_is_there(const char *dir, const char *name)
{
    char path[PATH_MAX];
    return path_of(path, dir, name) == NV_OK && access(path, F_OK) == 0;
}

static enum nv_err files_write(const char *dir, BIO *key_text, BIO *certificate_text)
{
    NV_TRY(file_write(dir, KEY_FILE, S_IRUSR | S_IWUSR, key_text));
    return file_write(dir, CERTIFICATE, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH, certificate_text);
}

enum nv_err p2p_make_certificate(const char *dir)
{
    if (file_is_there(dir, KEY_FILE) && file_is_there(dir, CERTIFICATE)) {
        return NV_ERR_EXISTS;
    }
    enum nv_err err = NV_ERR_CRYPTO;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *x509 = key == NULL ? NULL : certificate_of(key);
    BIO *key_text = BIO_new(BIO_s_secmem());
    BIO *certificate_text = BIO_new(BIO_s_mem());
    if (x509 != NULL && key_text != NULL && certificate_text != NULL &&
        PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_X509(certificate_text, x509) == 1) {
        err = files_write(dir, key_text, certificate_text);
    }
    BIO_free(certificate_text);
    BIO_free(key_text);
    X509_free(x509);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

/* ---- the context -------------------------------------------------------- */

/* accept_any: the AUTH frame decides, not the certificate. */
static int accept_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

/* The library casts these to char *, though it only reads them. */
static char groups[] = "X25519";
static char sigalgs[] = "ed25519";

static bool context_restrict(SSL_CTX *ctx)
{
    SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_clear_options(ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(ctx, CERTIFICATE_MAX);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") ==
               1 &&
           SSL_CTX_set1_groups_list(ctx, groups) == 1 &&
           SSL_CTX_set1_sigalgs_list(ctx, sigalgs) == 1 &&
           SSL_CTX_set1_client_sigalgs_list(ctx, sigalgs) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1;
}

static enum nv_err context_load(SSL_CTX *ctx, const char *dir)
{
    char key[PATH_MAX];
    char certificate[PATH_MAX];
    NV_TRY(path_of(key, dir, KEY_FILE));
    NV_TRY(path_of(certificate, dir, CERTIFICATE));
    if (access(key, F_OK) != 0 || access(certificate, F_OK) != 0) {
        return NV_ERR_NOT_FOUND;
    }
    bool const good = SSL_CTX_use_certificate_file(ctx, certificate, SSL_FILETYPE_PEM) == 1 &&
                      SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
                      SSL_CTX_check_private_key(ctx) == 1;
    return good ? NV_OK : NV_ERR_CORRUPT;
}

enum nv_err p2p__tls_context_open(struct p2p__tls_context **out, const char *dir)
{
    struct p2p__tls_context *context = nv_heap_alloc(sizeof(*context));
    if (context == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    enum nv_err err = NV_ERR_CRYPTO;
    context->ctx = SSL_CTX_new(TLS_method());
    if (context->ctx != NULL && context_restrict(context->ctx)) {
        err = context_load(context->ctx, dir);
    }
    ERR_clear_error();
    if (err != NV_OK) {
        p2p__tls_context_close(context);
        return err;
    }
    *out = context;
    return NV_OK;
}

void p2p__tls_context_close(struct p2p__tls_context *context)
{
    SSL_CTX_free(context->ctx);
    nv_heap_free(context);
}

/* ---- a connection ------------------------------------------------------- */

struct p2p__tls *p2p__tls_open(struct p2p__tls_context *context, bool dialler)
{
    struct p2p__tls *tls = nv_heap_alloc(sizeof(*tls));
    if (tls == NULL) {
        return NULL;
    }
    tls->ssl = SSL_new(context->ctx);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        SSL_free(tls->ssl);
        nv_heap_free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, tls->in, tls->out); /* takes both */
    if (dialler) {
        SSL_set_connect_state(tls->ssl);
    } else {
        SSL_set_accept_state(tls->ssl);
    }
    return tls;
}

void p2p__tls_close(struct p2p__tls *tls)
{
    SSL_free(tls->ssl);
    nv_heap_free(tls);
}

enum nv_err p2p__tls_feed(struct p2p__tls *tls, struct nv_view bytes)
{
    NV_ASSERT(bytes.size <= INT_MAX);
    int const size = (int)bytes.size;
    return size == 0 || BIO_write(tls->in, bytes.bytes, size) == size ? NV_OK : NV_ERR_NO_MEMORY;
}

enum nv_err p2p__tls_handshake(struct p2p__tls *tls)
{
    ERR_clear_error();
    int const result = SSL_do_handshake(tls->ssl);
    if (result == 1) {
        return NV_OK;
    }
    bool const waits = SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return waits ? NV_ERR_BUSY : NV_ERR_CRYPTO;
}

enum nv_err p2p__tls_exporter(struct p2p__tls *tls, struct nv_hash *out)
{
    int const result = SSL_export_keying_material(tls->ssl,
                                                  out->bytes,
                                                  sizeof(out->bytes),
                                                  EXPORTER_LABEL,
                                                  sizeof(EXPORTER_LABEL) - 1,
                                                  NULL,
                                                  0,
                                                  0);
    return result == 1 ? NV_OK : NV_ERR_CRYPTO;
}

enum nv_err p2p__tls_read(struct p2p__tls *tls, uint8_t *out, uint32_t cap, uint32_t *count)
{
    NV_ASSERT(cap >= 1);
    *count = 0;
    ERR_clear_error();
    int const result = SSL_read(tls->ssl, out, cap < INT_MAX ? (int)cap : INT_MAX);
    if (result > 0) {
        *count = (uint32_t)result;
        return NV_OK;
    }
    int const error = SSL_get_error(tls->ssl, result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) {
        return NV_OK;
    }
    return error == SSL_ERROR_ZERO_RETURN ? NV_ERR_CLOSED : NV_ERR_CRYPTO;
}

bool p2p__tls_pending(const struct p2p__tls *tls)
{
    return BIO_pending(tls->in) > 0 || SSL_pending(tls->ssl) > 0;
}

enum nv_err p2p__tls_write(struct p2p__tls *tls, struct nv_view plaintext)
{
    NV_ASSERT(plaintext.size >= 1);
    NV_ASSERT(plaintext.size <= P2P__TLS_RECORD);
    int const size = (int)plaintext.size;
    if (SSL_write(tls->ssl, plaintext.bytes, size) == size) {
        return NV_OK; /* nobody looks at the queue of errors before the next call that clears it */
    }
    ERR_clear_error();
    return NV_ERR_CRYPTO;
}

uint32_t p2p__tls_drain(struct p2p__tls *tls, uint8_t *out, uint32_t cap)
{
    int const size = BIO_read(tls->out, out, cap < INT_MAX ? (int)cap : INT_MAX);
    return size > 0 ? (uint32_t)size : 0;
}
