#include "node/daemon/check.h"

#include "node/link/link.h"
#include "proto/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum hs_err hs_check_certificate(const struct hs_conf *conf, const struct hs_keys *keys, struct hs_why *why)
{
    struct hs_certificate certificate;
    enum hs_err err = hs_certificate_verify(hs_buf_bytes(&keys->certificate), &keys->root_key, &certificate);
    if (err != HS_OK)
        return hs_fail(err, why, "%s/keys/node.cert: %s", conf->node.data, hs_err_text(err));
    if (strcmp(certificate.node_id, conf->node.id) != 0)
        return hs_fail(HS_ECONFIG, why, "node.id is '%s', but the certificate in %s/keys is for '%s'", conf->node.id,
                       conf->node.data, certificate.node_id);
    if (strcmp(hs_role_text(certificate.role), conf->node.role) != 0)
        return hs_fail(HS_ECONFIG, why, "node.role is '%s', but the certificate is for a %s", conf->node.role,
                       hs_role_text(certificate.role));
    return HS_OK;
}

__attribute__((format(printf, 2, 3))) static void add(struct hs_problems *problems, const char *format, ...)
{
    va_list args;
    if (problems->count == HS_PROBLEMS_MAX)
        return;
    va_start(args, format);
    vsnprintf(problems->text[problems->count++], HS_WHY_BYTES, format, args);
    va_end(args);
}

/* They are left out rather than refused: a certificate may lose a district while the node is far from whoever could
 * mend the file. */
void hs_check_scope(const struct hs_conf *conf, const struct hs_certificate *certificate, struct hs_problems *problems)
{
    size_t held = 0;
    for (size_t i = 0; i < conf->district_count; i++) {
        char text[HS_PARTITION_TEXT_BYTES];
        bool certified = certificate->role == HS_ROLE_HUB || hs_certificate_scope(certificate, conf->districts[i]);
        held += certified;
        if (!certified)
            add(problems, "scope.districts: %s is not in this node's certificate, and so not held here",
                hs_partition_text(conf->districts[i], text));
    }
    if (conf->district_count > 0 && held == 0)
        add(problems, "scope.districts names no district of this node's certificate: it holds none");
}

static enum hs_err check_keys(const struct hs_conf *conf, const struct hs_keys *keys, struct hs_why *why)
{
    struct hs_certificate certificate;
    struct hs_problems problems = {0};
    enum hs_err err = hs_check_certificate(conf, keys, why);
    if (err == HS_OK)
        err = hs_certificate_verify(hs_buf_bytes(&keys->certificate), &keys->root_key, &certificate);
    if (err != HS_OK)
        return err;
    for (unsigned i = 0; i < conf->upstreams_count; i++) {
        struct hs_key key = {{0}};
        const struct hs_conf_upstream *upstream = &conf->upstreams[i];
        if (hs_text_from_hex(upstream->key, strlen(upstream->key), key.bytes, HS_KEY_BYTES) == HS_OK &&
            hs_key_equal(&key, &keys->curve_key))
            return hs_fail(HS_ECONFIG, why,
                           "upstreams: the key of %s is this node's own: a node cannot be its own "
                           "upstream",
                           upstream->address);
    }
    hs_check_scope(conf, &certificate, &problems);
    return problems.count == 0 ? HS_OK : hs_fail(HS_ECONFIG, why, "%s", problems.text[0]);
}

enum hs_err hs_check_all(const struct hs_conf *conf, struct hs_why *why)
{
    struct hs_keys keys = {0};
    struct hs_why ignored;
    for (unsigned i = 0; i < conf->upstreams_count; i++) {
        if (hs_link_check_address(conf->upstreams[i].address, why) != HS_OK)
            return hs_wrap(HS_ECONFIG, why, "upstreams");
    }
    if (hs_keys_load(conf->node.data, &keys, &ignored) != HS_OK)
        return HS_OK; /* not joined yet, or not readable for who checks */
    enum hs_err err = check_keys(conf, &keys, why);
    hs_keys_free(&keys);
    return err;
}
