/* keys.h -- the key files of a data directory: DIR/keys/{root,issuer,node,curve}.key (hex seeds, 0600, directory 0700)
 * and DIR/keys/{node,hub}.cert, issuer.signed, root.pub (public).  Secrets live in guarded memory (sodium_malloc), are
 * wiped when freed, and are refused when others can read the file. */
#ifndef HS_LINK_KEYS_H
#define HS_LINK_KEYS_H

#include "proto/msg/trust.h"

struct hs_keys {
    struct hs_secret *node;   /* guarded; NULL until loaded */
    struct hs_secret *issuer; /* hubs */
    uint8_t *curve_secret;    /* guarded, 32 */
    struct hs_key node_key, curve_key, root_key;
    struct hs_buf certificate;   /* of this node, encoded */
    struct hs_buf issuer_signed; /* hubs: what issued certificates carry */
};
/* Zero-initialise @keys.  HS_ENOSTORE (no keys, or a hall that has not joined yet), HS_EPERM (mode too open: which
 * file, which chmod), HS_EMALFORMED, HS_ECERT (the certificate is not of these keys).  On failure @keys holds nothing.
 */
enum hs_err hs_keys_load(const char *dir, struct hs_keys *keys, struct hs_why *why);
void hs_keys_free(struct hs_keys *keys);

/* A new region's first hub: root, issuer, node and curve keys and the certificate.  The root key is needed only to make
 * further hubs; the text printed by init says to take it off the machine. */
struct hs_keys_draft {
    const char *region;
    const char *node_id;
    hs_partition home;
    uint64_t now_ms;
};
/* HS_EEXISTS: there are keys already; they are never replaced.  Those of an earlier try that did not come to its end
 * are taken again. */
enum hs_err hs_keys_make_hub(const char *dir, const struct hs_keys_draft *draft, struct hs_why *why);
/* A hall's keys before it joins; keys of an earlier try in DIR are taken again.  Certificate and root key stay empty.
 */
enum hs_err hs_keys_make_hall(const char *dir, struct hs_keys *keys, struct hs_why *why);
/* What a join brought: root.pub, hub.cert and, last, node.cert. */
enum hs_err hs_keys_save_certificate(const char *dir, struct hs_bytes certificate, struct hs_bytes hub,
                                     const struct hs_key *root, struct hs_why *why);

/* The region's root key from a file as init made it; guarded, freed by hs_root_free (NULL is fine). */
enum hs_err hs_root_load(const char *path, struct hs_secret **root, struct hs_why *why);
void hs_root_free(struct hs_secret *root);

/* Write a file whole and synced under its name, or not at all; mode as given.  Write replaces, create never does:
 * HS_EEXISTS. */
enum hs_err hs_file_write(const char *path, struct hs_bytes content, unsigned mode, struct hs_why *why);
enum hs_err hs_file_create(const char *path, struct hs_bytes content, unsigned mode, struct hs_why *why);
/* The name itself is on disk then: syncs the directory in which it lies. */
enum hs_err hs_file_sync_name(const char *path, struct hs_why *why);
/* Append the content, and behind it a zero that is not counted; HS_ENOTFOUND, HS_ETOOBIG (over @limit), HS_EPERM,
 * HS_EIO. */
enum hs_err hs_file_read(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why);
/* The same of a secret: HS_EPERM if anybody but the owner can read it.  The caller wipes @content. */
enum hs_err hs_file_read_secret(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why);

#endif
