/* enrol.h -- the hub's side of enrolment: join tokens made, requests to join judged, certificates issued.  Pure: no
 * socket, no store.
 *
 * The daemon does, in one job of the writer: hs_enrol_read; the enrolment by its secret_hash (hs_view_enrolment);
 * hs_enrol_decide; if it is not again, hs_enrol_certificate and to the store enrolment (used, used_by) and certificate;
 * else the stored certificate.  After the commit it answers with hs_enrol_reply, and closes the connection. */
#ifndef HS_ENROL_H
#define HS_ENROL_H

#include "proto/msg/trust.h"
#include "storage/store.h" /* types only */

struct hs_enrol_draft {
    const char *node_id;
    enum hs_role role;
    const hs_partition *districts; /* 1..HS_SCOPE_MAX, the first is the home; of a hub: its home alone */
    size_t district_count;
    uint64_t now_ms;
    uint64_t ttl_ms;
};
/* Make a token of hub @hub: its text appended to @text (it holds the secret: shown once, kept by nobody), and what the
 * store keeps. HS_EVALUE with @why, HS_ENOMEM. */
enum hs_err hs_enrol_token(const struct hs_enrol_draft *draft, const struct hs_certificate *hub,
                           const char *const *addresses, size_t address_count, struct hs_buf *text,
                           struct hs_hash *secret_hash, struct hs_enrolment *enrolment, struct hs_why *why);
struct hs_hash hs_enrol_secret_hash(const uint8_t secret[static HS_TOKEN_SECRET_BYTES]);

/* What somebody asks who sent PeerJoin. */
struct hs_enrol_ask {
    struct hs_hash secret_hash;
    struct hs_key node_key, curve_key;
};
/* @body: of the frame; @link_key: with which the sender is connected.  HS_EMALFORMED, HS_ESIGNATURE (it does not have
 * the node key), HS_EREFUSED (the link key is another than the one that it asks for). */
enum hs_err hs_enrol_read(struct hs_bytes body, const struct hs_key *link_key, struct hs_enrol_ask *ask);

/* May it join?  *again: it has joined with this token before, its answer was lost: it gets the certificate that it has.
 * HS_ETOKENUSED (by another), HS_ETOKENEXPIRED. */
enum hs_err hs_enrol_decide(const struct hs_enrolment *enrolment, const struct hs_enrol_ask *ask, uint64_t now_ms,
                            bool *again);

/* The certificate, appended, and the enrolment marked as used. */
struct hs_enrol_issuer {
    struct hs_bytes issuer_signed;
    const struct hs_secret *secret;
};
enum hs_err hs_enrol_certificate(struct hs_enrolment *enrolment, const struct hs_enrol_ask *ask,
                                 const struct hs_enrol_issuer *issuer, uint64_t now_ms, struct hs_buf *certificate);

/* The frame that answers, appended: certificates (encoded) if @err is HS_OK, else the error and @text. */
enum hs_err hs_enrol_reply(enum hs_err err, const char *text, struct hs_bytes certificate, struct hs_bytes hub,
                           struct hs_buf *frame);

#endif
