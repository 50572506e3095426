/* bundle.h -- bundles: what a session would bring, as files that somebody carries.  A bundle is made and taken in part
 * by part; a part is a sealed file of its own, and safe by itself: twice, in any order, alone.  PROTOCOL.md, "Bundles".
 *
 * Pure but for the store: no socket, no clock, no file. */
#ifndef HS_BUNDLE_H
#define HS_BUNDLE_H

#include "proto/base/arena.h"
#include "proto/local.pb-c.h"
#include "proto/sealed/sealed.h"
#include "storage/store.h"

/* Whose bundles: the keys of the node to which the store belongs; borrowed. */
struct hs_bundle_node {
    struct hs_store *store;
    struct hs_signer signer;
    const uint8_t *curve_secret; /* HS_SEALED_KEY_BYTES */
    uint64_t now_ms;             /* wall clock */
};

/* One part for a node: appends a packed BundleExportReply to @reply.  HS_ENOTFOUND: no such node is known here;
 * HS_EINVAL: it is none to make a bundle for, or "after" and "heads" are none; HS_ENOTHUB; what the store says. */
enum hs_err hs_bundle_export(const struct hs_bundle_node *node, struct hs_view *view,
                             const Hallsync__BundleExportRequest *request, struct hs_buf *reply, struct hs_why *why);

/* A part that was read whole and holds; lives in the arena that was given. */
struct hs_bundle;
/* What hs_unsealer_* answers; HS_EMALFORMED: it is signed, and not of this form; HS_ETOOBIG; HS_ENOMEM.  Nothing is
 * written. */
enum hs_err hs_bundle_open(const struct hs_bundle_node *node, struct hs_bytes part, struct hs_arena *arena,
                           struct hs_bundle **bundle, struct hs_why *why);
/* Take in what is new, inside a group of the store; or only say what is in it.  Appends a packed BundleImportReply.
 * What cannot be taken is listed there, and no error.  HS_ENOMEM and what the store says: something may have been
 * written, the group is to be given up. */
enum hs_err hs_bundle_apply(const struct hs_bundle *bundle, struct hs_store *store, bool show, struct hs_arena *arena,
                            struct hs_buf *reply);

/* The size of the part at the beginning of @bytes, as hs_sealed_size.  HS_ETOOBIG: no part of a bundle is so large. */
enum hs_err hs_bundle_part_size(struct hs_bytes bytes, size_t *size);

#endif
