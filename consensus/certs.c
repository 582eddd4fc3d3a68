#include "consensus/certs.h"

#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

struct cs__cert *cs__cert_copy(struct cs *cs, const struct cs_certificate *certificate)
{
    struct cs__cert *cert = cs->cert_spare;
    if (certificate->signer_count > cs->config.validators_max) {
        return NULL;
    }
    if (cert != NULL) {
        cs->cert_spare = cert->next;
    } else if (cs->cert_used < cs->cert_count) {
        cert = &cs->cert[cs->cert_used];
        cert->sigs = cs->sigs + (size_t)cs->cert_used * cs->config.validators_max;
        cs->cert_used++;
    } else {
        return NULL;
    }
    cs->cert_live++;
    cert->body = *certificate;
    cert->dirty = false;
    cert->next = NULL;
    memcpy(cert->sigs, certificate->sigs, certificate->signer_count * sizeof *cert->sigs);
    cert->body.sigs = cert->sigs;
    return cert;
}

void cs__cert_drop(struct cs *cs, struct cs__cert *cert)
{
    NV_ASSERT(cs->cert_live > 0);
    cs->cert_live--;
    if (cert->dirty) {
        cs->dirty_count--;
    }
    cert->dirty = false;
    cert->next = cs->cert_spare;
    cs->cert_spare = cert;
}

void cs__cert_give(struct cs *cs, struct cs__cert **place, struct cs__cert *cert)
{
    if (*place != NULL) {
        cs__cert_drop(cs, *place);
    }
    *place = cert;
}
