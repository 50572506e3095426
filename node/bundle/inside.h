/* inside.h -- what makes bundles and what takes them in share.  Inside node/bundle only. */
#ifndef HS_BUNDLE_INSIDE_H
#define HS_BUNDLE_INSIDE_H

#include "node/bundle/bundle.h"
#include "proto/bundle.pb-c.h"
#include "proto/peer.pb-c.h"

/* The node key that an opening of our own store names: it was verified before it was stored. */
bool bundle_opening_key(struct hs_bytes opening, struct hs_key *key);
/* Who wrote the origin's streams; HS_ENOTFOUND. */
enum hs_err bundle_writer(struct hs_view *view, uint64_t origin, struct hs_key *key);
bool bundle_stream_read(const Hallsync__StreamName *from, struct hs_stream *to); /* false: no such stream can be */

/* The nodes that a bundle is for. */
struct bundle_receivers {
    struct hs_certificate node;                    /* the one that was named, as certified last */
    struct hs_key keys[HS_SEALED_RECIPIENTS_MAX];  /* its node keys: one that was made anew has several */
    struct hs_key curve[HS_SEALED_RECIPIENTS_MAX]; /* of all that can open it */
    size_t key_count, curve_count;
};
enum hs_err bundle_receivers_find(const struct hs_bundle_node *node, struct hs_view *view, const char *node_id,
                                  struct bundle_receivers *to, struct hs_why *why);

#endif
