/* open.h -- a part that was read and taken apart: open.c makes it, apply.c takes it in.  Inside node/bundle only. */
#ifndef HS_BUNDLE_OPEN_H
#define HS_BUNDLE_OPEN_H

#include "node/bundle/inside.h"

struct bundle_item {
    uint8_t type; /* enum BundleItem */
    struct bundle_item *next;
    struct hs_bytes certificate; /* of an opening, of a receipt's signer */
    struct hs_bytes bytes;       /* an opening; heads as they came */
    struct hs_receipt receipt;   /* its hub_key is not set */
    struct hs_loose loose;       /* a piece */
    const Hallsync__PeerFrontier *heads;
    const Hallsync__PeerStores *stores;
};

struct hs_bundle {
    struct hs_certificate sender;
    struct hs_bytes certificate; /* the same, encoded */
    uint64_t made_ms;
    const Hallsync__BundleManifest *manifest;
    struct bundle_item *items, **end;
};

#endif
