#include "node/admin/tls.h"

#include "node/link/keys.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sodium.h>

#define FILE_BYTES_MAX ((size_t)256 * 1024)
#define CHAIN_MAX      16

static gnutls_datum_t datum(const struct hs_buf *pem)
{
    return (gnutls_datum_t){.data = pem->data, .size = (unsigned)pem->size};
}

static enum hs_err check_pair(const struct admin_tls *tls, struct hs_why *why)
{
    gnutls_certificate_credentials_t pair;
    gnutls_datum_t certificate = datum(&tls->certificate), key = datum(&tls->key);
    if (gnutls_certificate_allocate_credentials(&pair) != GNUTLS_E_SUCCESS)
        return HS_ENOMEM;
    int code = gnutls_certificate_set_x509_key_mem(pair, &certificate, &key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(pair);
    return code >= 0 ? HS_OK : hs_fail(HS_ECONFIG, why, "admin.tls_cert and admin.tls_key: %s", gnutls_strerror(code));
}

static enum hs_err read_expiry(struct admin_tls *tls, struct hs_why *why)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    unsigned count = CHAIN_MAX;
    gnutls_datum_t certificate = datum(&tls->certificate);
    int code = gnutls_x509_crt_list_import(chain, &count, &certificate, GNUTLS_X509_FMT_PEM,
                                           GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (code <= 0)
        return hs_fail(HS_ECONFIG, why, "admin.tls_cert: %s", gnutls_strerror(code));
    time_t expires = gnutls_x509_crt_get_expiration_time(chain[0]);
    tls->expires_ms = expires > 0 ? (uint64_t)expires * 1000 : 0;
    for (int i = 0; i < code; i++)
        gnutls_x509_crt_deinit(chain[i]);
    return HS_OK;
}

/* A zero is behind both already: the key is not moved, and no copy of it is left anywhere. */
enum hs_err admin_tls_load(const char *certificate, const char *key, struct admin_tls *tls, struct hs_why *why)
{
    struct admin_tls read = {0};
    enum hs_err err = hs_file_read(certificate, FILE_BYTES_MAX, &read.certificate, why);
    if (err == HS_OK)
        err = hs_file_read_secret(key, FILE_BYTES_MAX, &read.key, why);
    if (err == HS_OK)
        err = check_pair(&read, why);
    if (err == HS_OK)
        err = read_expiry(&read, why);
    if (err != HS_OK) {
        admin_tls_free(&read);
        return err == HS_ENOTFOUND ? hs_wrap(HS_ECONFIG, why, "admin.tls_cert, admin.tls_key") : err;
    }
    admin_tls_free(tls);
    *tls = read;
    return HS_OK;
}

void admin_tls_free(struct admin_tls *tls)
{
    if (tls->key.data != NULL)
        sodium_memzero(tls->key.data, tls->key.size);
    hs_buf_fini(&tls->key);
    hs_buf_fini(&tls->certificate);
    *tls = (struct admin_tls){0};
}
