/* Certificates issued anew: two nodes with different ideas of one's districts would compare different views, so who
 * shows an older certificate gets the later one and no session.  PROTOCOL.md, "Hello". */
#include "node/replica/core.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <string.h>

enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ISSUED = 8 }; /* of Certificate, Signed, NodeBody */

static bool same_districts(const struct hs_certificate *a, const struct hs_certificate *b)
{
    return a->role == b->role && a->district_count == b->district_count &&
           memcmp(a->districts, b->districts, a->district_count * sizeof *a->districts) == 0;
}

/* In the store, where it was verified before it was put there: its time is looked at first. */
static bool is_later(struct hs_bytes certificate, uint64_t issued_ms)
{
    struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(certificate, CERTIFICATE_NODE), SIGNED_BODY);
    return hs_tlv_u64(body, NODE_ISSUED, 0) > issued_ms;
}

static bool find_later(struct rep_session *s, struct hs_buf *bytes)
{
    struct hs_replica *r = s->r;
    struct hs_certificate later;
    enum hs_err err = hs_rep_read(r, r->source.certificate(r->source.ctx, &s->certificate.node_key, bytes));
    if (err != HS_OK || !is_later(hs_buf_bytes(bytes), s->certificate.issued_ms) ||
        hs_certificate_verify(hs_buf_bytes(bytes), &r->options.root_key, &later) != HS_OK)
        return false;
    return !same_districts(&later, &s->certificate);
}

bool hs_rep_reissued(struct rep_session *s)
{
    struct hs_buf bytes = {0};
    ProtobufCMessage *certificate = NULL;
    Hallsync__PeerRefuse refuse = HALLSYNC__PEER_REFUSE__INIT;
    hs_arena_reset(&s->r->sending);
    bool later = find_later(s, &bytes) && hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&bytes),
                                                        &s->r->sending, &certificate) == HS_OK;
    hs_buf_fini(&bytes);
    if (!later)
        return false;
    const char *text = hs_rep_text(s->r, "the certificate of %s was issued anew with other districts: it gets that one",
                                   s->certificate.node_id);
    refuse.error = (char *)hs_err_name(HS_EREFUSED);
    refuse.text = (char *)text;
    refuse.certificate = (Hallsync__Certificate *)certificate;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_REFUSE, &refuse.base);
    s->reason = HS_REASON_OLDER_CERTIFICATE;
    hs_rep_session_refused(s, HS_EREFUSED, text);
    return true;
}

void hs_rep_reissue_received(struct hs_replica *r, const Hallsync__Certificate *message)
{
    struct hs_buf bytes = {0};
    struct hs_certificate later;
    hs_msg_pack(&message->base, &bytes);
    hs_rep_fail(r, bytes.err);
    bool own = r->err == HS_OK && hs_certificate_verify(hs_buf_bytes(&bytes), &r->options.root_key, &later) == HS_OK &&
               hs_key_equal(&later.node_key, &r->certificate.node_key) && later.issued_ms > r->certificate.issued_ms;
    struct hs_replica_store *store = own ? hs_rep_store_new(r, HS_STORE_CERTIFICATE) : NULL;
    if (store != NULL) {
        store->certificate = hs_rep_store_copy(r, store, hs_buf_bytes(&bytes));
        hs_rep_store_give(r, store);
    }
    hs_buf_fini(&bytes);
}
