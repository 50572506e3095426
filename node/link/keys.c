#include "node/link/keys.h"

#include "proto/base/text.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER                "keys"
#define SEED_BYTES            32
#define LINE_BYTES            (2 * SEED_BYTES + 1) /* hex and a line feed */
#define CERTIFICATE_BYTES_MAX (16 * 1024)
#define SECRET_MODE           0600
#define PUBLIC_MODE           0644

_Static_assert(SEED_BYTES == crypto_sign_SEEDBYTES, "Ed25519 seeds");
_Static_assert(SEED_BYTES == crypto_box_SECRETKEYBYTES, "Curve25519 secret keys: what zmq_curve_keypair writes as Z85");
_Static_assert(SEED_BYTES == HS_KEY_BYTES, "public keys are written the same way");

/* ---- names and lines ---- */

static enum hs_err path_of(const char *dir, const char *name, char path[static PATH_MAX], struct hs_why *why)
{
    int size = snprintf(path, PATH_MAX, "%s/" FOLDER "%s%s", dir, name[0] == '\0' ? "" : "/", name);
    if (size < 0 || size >= PATH_MAX)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long", dir);
    return HS_OK;
}

static void wipe(struct hs_buf *buf)
{
    if (buf->data != NULL)
        sodium_memzero(buf->data, buf->size);
    hs_buf_fini(buf);
}

static enum hs_err parse_line(struct hs_bytes line, const char *path, uint8_t to[static SEED_BYTES], struct hs_why *why)
{
    size_t size = line.size;
    if (size > 0 && line.data[size - 1] == '\n')
        size--;
    if (hs_text_from_hex((const char *)line.data, size, to, SEED_BYTES) != HS_OK)
        return hs_fail(HS_EMALFORMED, why, "%s is not a key of %d hexadecimal digits", path, 2 * SEED_BYTES);
    return HS_OK;
}

static enum hs_err save_line(const char *dir, const char *name, const uint8_t bytes[static SEED_BYTES], unsigned mode,
                             struct hs_why *why)
{
    char path[PATH_MAX];
    char line[LINE_BYTES + 1];
    enum hs_err err = path_of(dir, name, path, why);
    if (err != HS_OK)
        return err;
    hs_text_to_hex(HS_BYTES(bytes, SEED_BYTES), line);
    line[LINE_BYTES - 1] = '\n';
    err = hs_file_create(path, HS_BYTES(line, LINE_BYTES), mode, why);
    sodium_memzero(line, sizeof line);
    return err;
}

static enum hs_err read_line(const char *path, bool secret, uint8_t to[static SEED_BYTES], struct hs_why *why)
{
    struct hs_buf line = {0};
    enum hs_err err = (secret ? hs_file_read_secret : hs_file_read)(path, LINE_BYTES, &line, why);
    if (err == HS_OK)
        err = parse_line(hs_buf_bytes(&line), path, to, why);
    wipe(&line);
    return err;
}

static enum hs_err load_line(const char *dir, const char *name, bool secret, uint8_t to[static SEED_BYTES],
                             struct hs_why *why)
{
    char path[PATH_MAX];
    enum hs_err err = path_of(dir, name, path, why);
    return err == HS_OK ? read_line(path, secret, to, why) : err;
}

static enum hs_err load_bytes(const char *dir, const char *name, struct hs_buf *content, struct hs_why *why)
{
    char path[PATH_MAX];
    enum hs_err err = path_of(dir, name, path, why);
    return err == HS_OK ? hs_file_read(path, CERTIFICATE_BYTES_MAX, content, why) : err;
}

static enum hs_err save_bytes(const char *dir, const char *name, struct hs_bytes content, struct hs_why *why)
{
    char path[PATH_MAX];
    enum hs_err err = path_of(dir, name, path, why);
    return err == HS_OK ? hs_file_write(path, content, PUBLIC_MODE, why) : err;
}

static enum hs_err make_folder(const char *dir, struct hs_why *why)
{
    char path[PATH_MAX];
    enum hs_err err = path_of(dir, "", path, why);
    if (err == HS_OK && mkdir(path, 0700) != 0 && errno != EEXIST)
        err = hs_fail(hs_err_from_errno(errno), why, "cannot make the directory %s: %s", path, strerror(errno));
    if (err == HS_OK)
        err = hs_file_sync_name(path, why);
    if (err != HS_OK)
        return err;
    err = hs_file_sync_name(dir, why);
    return err == HS_EPERM ? HS_OK : err; /* somebody else made the data directory there, long ago */
}

static bool exists(const char *dir, const char *name)
{
    char path[PATH_MAX];
    return path_of(dir, name, path, NULL) == HS_OK && access(path, F_OK) == 0;
}

/* ---- one key ---- */

/* NULL and *err on failure. */
static void *guarded(size_t size, enum hs_err *err, struct hs_why *why)
{
    void *memory = sodium_init() < 0 ? NULL : sodium_malloc(size);
    if (memory == NULL)
        *err = hs_fail(HS_ENOMEM, why, "no memory for a key");
    return memory;
}

static enum hs_err read_secret(const char *path, struct hs_secret **secret, struct hs_key *public_key,
                               struct hs_why *why)
{
    uint8_t seed[SEED_BYTES];
    enum hs_err err = read_line(path, true, seed, why);
    struct hs_secret *made = err == HS_OK ? guarded(sizeof *made, &err, why) : NULL;
    if (made != NULL) {
        crypto_sign_seed_keypair(public_key->bytes, made->bytes, seed);
        sodium_mprotect_readonly(made);
        *secret = made;
    }
    sodium_memzero(seed, sizeof seed);
    return err;
}

static enum hs_err load_secret(const char *dir, const char *name, struct hs_secret **secret, struct hs_key *public_key,
                               struct hs_why *why)
{
    char path[PATH_MAX];
    enum hs_err err = path_of(dir, name, path, why);
    return err == HS_OK ? read_secret(path, secret, public_key, why) : err;
}

enum hs_err hs_root_load(const char *path, struct hs_secret **root, struct hs_why *why)
{
    struct hs_key root_key;
    return read_secret(path, root, &root_key, why);
}

void hs_root_free(struct hs_secret *root)
{
    sodium_free(root);
}

static enum hs_err load_curve(const char *dir, struct hs_keys *keys, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    uint8_t *secret = guarded(SEED_BYTES, &err, why);
    if (secret == NULL)
        return err;
    keys->curve_secret = secret;
    err = load_line(dir, "curve.key", true, secret, why);
    if (err == HS_OK && crypto_scalarmult_base(keys->curve_key.bytes, secret) != 0)
        err = hs_fail(HS_EMALFORMED, why, "curve.key is not a Curve25519 key");
    sodium_mprotect_readonly(secret);
    return err;
}

/* Made straight into its file: who needs it loads it. */
static enum hs_err make_secret(const char *dir, const char *name, struct hs_why *why)
{
    uint8_t seed[SEED_BYTES];
    randombytes_buf(seed, sizeof seed);
    enum hs_err err = save_line(dir, name, seed, SECRET_MODE, why);
    sodium_memzero(seed, sizeof seed);
    return err;
}

/* A pair of its own and not one derived from the node key: signing and box keys are kept apart, libzmq keeps copies of
 * the secret that nobody can wipe, and a new link key then needs no new origin. */
static enum hs_err make_curve(const char *dir, struct hs_why *why)
{
    uint8_t secret[SEED_BYTES];
    struct hs_key key;
    crypto_box_keypair(key.bytes, secret);
    enum hs_err err = save_line(dir, "curve.key", secret, SECRET_MODE, why);
    sodium_memzero(secret, sizeof secret);
    return err;
}

/* Keys of an earlier try may have been put in place by a process that was killed before their names were on disk; a hub
 * may sign for them next. */
static enum hs_err sync_names(const char *dir, struct hs_why *why)
{
    char path[PATH_MAX];
    enum hs_err err = path_of(dir, "node.key", path, why);
    return err == HS_OK ? hs_file_sync_name(path, why) : err;
}

/* ---- all of them ---- */

void hs_keys_free(struct hs_keys *keys)
{
    sodium_free(keys->node);
    sodium_free(keys->issuer);
    sodium_free(keys->curve_secret);
    hs_buf_fini(&keys->certificate);
    hs_buf_fini(&keys->issuer_signed);
    *keys = (struct hs_keys){0};
}

static enum hs_err load_own(const char *dir, struct hs_keys *keys, struct hs_why *why)
{
    enum hs_err err = load_secret(dir, "node.key", &keys->node, &keys->node_key, why);
    return err == HS_OK ? load_curve(dir, keys, why) : err;
}

static enum hs_err load_issuer(const char *dir, struct hs_keys *keys, struct hs_why *why)
{
    struct hs_key issuer_key;
    if (!exists(dir, "issuer.key"))
        return HS_OK;
    enum hs_err err = load_secret(dir, "issuer.key", &keys->issuer, &issuer_key, why);
    return err == HS_OK ? load_bytes(dir, "issuer.signed", &keys->issuer_signed, why) : err;
}

static enum hs_err load_certificate(const char *dir, struct hs_keys *keys, struct hs_why *why)
{
    struct hs_certificate certificate;
    enum hs_err err = load_line(dir, "root.pub", false, keys->root_key.bytes, why);
    if (err == HS_OK)
        err = load_bytes(dir, "node.cert", &keys->certificate, why);
    if (err != HS_OK)
        return err;
    err = hs_certificate_verify(hs_buf_bytes(&keys->certificate), &keys->root_key, &certificate);
    if (err != HS_OK)
        return hs_fail(err, why, "%s/" FOLDER "/node.cert: %s", dir, hs_err_text(err));
    if (!hs_key_equal(&certificate.node_key, &keys->node_key) ||
        !hs_key_equal(&certificate.curve_key, &keys->curve_key))
        return hs_fail(HS_ECERT, why, "%s/" FOLDER "/node.cert is of other keys than those beside it", dir);
    return HS_OK;
}

enum hs_err hs_keys_load(const char *dir, struct hs_keys *keys, struct hs_why *why)
{
    enum hs_err err = load_own(dir, keys, why);
    if (err == HS_OK)
        err = load_issuer(dir, keys, why);
    if (err == HS_OK)
        err = load_certificate(dir, keys, why);
    if (err != HS_OK)
        hs_keys_free(keys);
    return err == HS_ENOTFOUND ? HS_ENOSTORE : err;
}

static enum hs_err issue_to_self(const char *dir, const struct hs_keys_draft *draft, const struct hs_secret *root,
                                 struct hs_keys *keys, struct hs_why *why)
{
    struct hs_issuer_draft issuer = {.region = draft->region, .node_id = draft->node_id, .issued_ms = draft->now_ms};
    struct hs_certificate node = {.role = HS_ROLE_HUB, .home = draft->home, .issued_ms = draft->now_ms};
    node.node_key = keys->node_key;
    node.curve_key = keys->curve_key;
    snprintf(node.node_id, sizeof node.node_id, "%s", draft->node_id);
    enum hs_err err = hs_secret_public(keys->issuer, &issuer.issuer_key);
    if (err == HS_OK)
        err = hs_issuer_sign(&issuer, root, &keys->issuer_signed);
    if (err == HS_OK)
        err = hs_certificate_sign(&node, hs_buf_bytes(&keys->issuer_signed), keys->issuer, &keys->certificate);
    if (err == HS_OK)
        err = save_bytes(dir, "issuer.signed", hs_buf_bytes(&keys->issuer_signed), why);
    return err;
}

static enum hs_err make_hub_keys(const char *dir, struct hs_why *why)
{
    static const char *const NAMES[] = {"root.key", "issuer.key", "node.key"};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && err == HS_OK; i++) {
        if (!exists(dir, NAMES[i]))
            err = make_secret(dir, NAMES[i], why);
    }
    if (err == HS_OK && !exists(dir, "curve.key"))
        err = make_curve(dir, why);
    return err;
}

/* The root's key is made first and the certificate last: with only the former, a power cut came between.  A hall's keys
 * are without either. */
static bool is_unfinished_hub(const char *dir)
{
    return exists(dir, "root.key") && !exists(dir, "node.cert");
}

enum hs_err hs_keys_make_hub(const char *dir, const struct hs_keys_draft *draft, struct hs_why *why)
{
    struct hs_keys keys = {0};
    struct hs_secret *root = NULL;
    struct hs_key issuer_key;
    if ((exists(dir, "node.key") || exists(dir, "root.key")) && !is_unfinished_hub(dir))
        return hs_fail(HS_EEXISTS, why, "there are keys in %s/" FOLDER " already", dir);
    if (!hs_node_id_valid(draft->node_id))
        return hs_fail(HS_EINVAL, why, "a node id has 1 to %d of a-z 0-9 and -, and begins with a letter",
                       HS_NODE_ID_BYTES_MAX);
    enum hs_err err = sodium_init() < 0 ? HS_EIO : make_folder(dir, why);
    if (err == HS_OK)
        err = make_hub_keys(dir, why);
    if (err == HS_OK)
        err = load_own(dir, &keys, why);
    if (err == HS_OK)
        err = load_secret(dir, "root.key", &root, &keys.root_key, why);
    if (err == HS_OK)
        err = load_secret(dir, "issuer.key", &keys.issuer, &issuer_key, why);
    if (err == HS_OK)
        err = issue_to_self(dir, draft, root, &keys, why);
    if (err == HS_OK)
        err = hs_keys_save_certificate(dir, hs_buf_bytes(&keys.certificate), hs_buf_bytes(&keys.certificate),
                                       &keys.root_key, why);
    sodium_free(root);
    hs_keys_free(&keys);
    return err;
}

enum hs_err hs_keys_make_hall(const char *dir, struct hs_keys *keys, struct hs_why *why)
{
    enum hs_err err = sodium_init() < 0 ? HS_EIO : make_folder(dir, why);
    if (err == HS_OK && !exists(dir, "node.key"))
        err = make_secret(dir, "node.key", why);
    if (err == HS_OK && !exists(dir, "curve.key"))
        err = make_curve(dir, why);
    if (err == HS_OK)
        err = sync_names(dir, why);
    if (err == HS_OK)
        err = load_own(dir, keys, why);
    if (err != HS_OK)
        hs_keys_free(keys);
    return err;
}

/* The node's certificate last: where it is, the rest is. */
enum hs_err hs_keys_save_certificate(const char *dir, struct hs_bytes certificate, struct hs_bytes hub,
                                     const struct hs_key *root, struct hs_why *why)
{
    char line[LINE_BYTES + 1];
    hs_text_to_hex(HS_BYTES(root->bytes, sizeof root->bytes), line);
    line[LINE_BYTES - 1] = '\n';
    enum hs_err err = save_bytes(dir, "root.pub", HS_BYTES(line, LINE_BYTES), why);
    if (err == HS_OK)
        err = save_bytes(dir, "hub.cert", hub, why);
    return err == HS_OK ? save_bytes(dir, "node.cert", certificate, why) : err;
}
