#include "node/link/join.h"

#include "node/link/link.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define FIRST_SEQUENCE    1
#define ANSWER_MS         5000 /* of a hub that is connected */
#define REPLY_ARENA_BYTES (64 * 1024)

enum { REPLY_CERTIFICATE = 3, REPLY_HUB = 4 }; /* fields of PeerJoinReply */

/* ---- the question ---- */

/* protobuf-c has no const; it does not write through these while packing. */
static ProtobufCBinaryData data_of(const uint8_t *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)bytes};
}

static enum hs_err encode_ask(const struct hs_join *join, struct hs_buf *frame)
{
    struct hs_signature proof;
    struct hs_signer signer = hs_signer_of(join->node_secret);
    enum hs_err err = hs_join_sign(join->token->secret, &join->node_key, &join->curve_key, &signer, &proof);
    if (err != HS_OK)
        return err;
    Hallsync__PeerJoin ask = HALLSYNC__PEER_JOIN__INIT;
    ask.secret = data_of(join->token->secret, sizeof join->token->secret);
    ask.node_key = data_of(join->node_key.bytes, sizeof join->node_key.bytes);
    ask.curve_key = data_of(join->curve_key.bytes, sizeof join->curve_key.bytes);
    ask.proof = data_of(proof.bytes, sizeof proof.bytes);
    hs_frame_encode(HALLSYNC__PEER_TYPE__PEER_JOIN, FIRST_SEQUENCE, &ask.base, frame);
    return frame->err;
}

/* ---- the answer ---- */

static enum hs_err refusal(const Hallsync__PeerJoinReply *reply, struct hs_why *why)
{
    enum hs_err err = hs_err_by_name(reply->error);
    if (err == HS_EINTERNAL || err == HS_OK)
        err = HS_EREFUSED;
    return hs_fail(err, why, "the hub says: %s", reply->text == NULL ? hs_err_text(err) : reply->text);
}

static enum hs_err verify_own(const struct hs_join *join, struct hs_bytes bytes, struct hs_why *why)
{
    struct hs_certificate certificate;
    enum hs_err err = hs_certificate_verify(bytes, &join->token->root_key, &certificate);
    if (err != HS_OK)
        return hs_fail(HS_ECERT, why, "the hub's answer: %s", hs_err_text(err));
    if (strcmp(certificate.node_id, join->token->node_id) != 0 || strcmp(certificate.region, join->token->region) != 0)
        return hs_fail(HS_ECERT, why, "the certificate is of %s in %s, the token of %s in %s", certificate.node_id,
                       certificate.region, join->token->node_id, join->token->region);
    if (!hs_key_equal(&certificate.node_key, &join->node_key) ||
        !hs_key_equal(&certificate.curve_key, &join->curve_key))
        return hs_fail(HS_ECERT, why, "the certificate is of other keys than ours");
    return HS_OK;
}

static enum hs_err verify_hub(const struct hs_join *join, struct hs_bytes bytes, struct hs_why *why)
{
    struct hs_certificate hub;
    enum hs_err err = hs_certificate_verify(bytes, &join->token->root_key, &hub);
    if (err != HS_OK)
        return hs_fail(HS_ECERT, why, "the hub's own certificate: %s", hs_err_text(err));
    if (hub.role != HS_ROLE_HUB || !hs_key_equal(&hub.curve_key, &join->token->hub_curve_key))
        return hs_fail(HS_ECERT, why, "the certificate that came with the answer is not that of the token's hub");
    return HS_OK;
}

/* Taken as the bytes that came, which are what is signed. */
static enum hs_err take_certificates(const struct hs_join *join, struct hs_bytes body, struct hs_buf *certificate,
                                     struct hs_buf *hub, struct hs_why *why)
{
    struct hs_bytes own = hs_tlv_bytes(body, REPLY_CERTIFICATE);
    struct hs_bytes of_hub = hs_tlv_bytes(body, REPLY_HUB);
    enum hs_err err = verify_own(join, own, why);
    if (err == HS_OK)
        err = verify_hub(join, of_hub, why);
    if (err != HS_OK)
        return err;
    hs_buf_put_bytes(certificate, own);
    hs_buf_put_bytes(hub, of_hub);
    return certificate->err != HS_OK ? certificate->err : hub->err;
}

static enum hs_err read_answer(const struct hs_join *join, struct hs_bytes bytes, struct hs_buf *certificate,
                               struct hs_buf *hub, struct hs_why *why)
{
    struct hs_frame frame;
    struct hs_arena arena;
    ProtobufCMessage *message;
    enum hs_err err = hs_frame_decode(bytes, &frame);
    if (err == HS_OK && (frame.type != HALLSYNC__PEER_TYPE__PEER_JOIN_REPLY || frame.sequence != FIRST_SEQUENCE))
        err = HS_EMALFORMED;
    if (err != HS_OK)
        return hs_fail(err, why, "the hub's answer: %s", hs_err_text(err));
    hs_arena_init(&arena, REPLY_ARENA_BYTES);
    err = hs_msg_unpack(&hallsync__peer_join_reply__descriptor, frame.body, &arena, &message);
    if (err == HS_OK) {
        const Hallsync__PeerJoinReply *reply = (const Hallsync__PeerJoinReply *)message;
        err = reply->error != NULL ? refusal(reply, why) : take_certificates(join, frame.body, certificate, hub, why);
    } else {
        hs_fail(err, why, "the hub's answer: %s", hs_err_text(err));
    }
    hs_arena_fini(&arena);
    return err;
}

/* ---- the exchange: over a link of its own, which dials the token's addresses in order and again ---- */

static enum hs_err open_link(const struct hs_join *join, struct hs_link **link, struct hs_why *why)
{
    struct hs_link_upstream upstreams[HS_ADDRESSES_MAX] = {0};
    struct hs_link_options options = {.upstreams = upstreams, .upstream_count = join->token->address_count};
    for (size_t i = 0; i < join->token->address_count; i++) {
        memcpy(upstreams[i].address, join->token->addresses[i], sizeof upstreams[i].address);
        upstreams[i].curve_key = join->token->hub_curve_key;
    }
    options.curve_public = join->curve_key;
    options.curve_secret = join->curve_secret;
    options.backoff_max_ms = 1000; /* somebody waits for it */
    return hs_link_new(&options, link, why);
}

/* Where it stands. */
struct exchange {
    struct hs_link *link;
    hs_peer peer; /* 0: not connected */
    uint64_t answer_by_ms;
};

static void ask(struct exchange *exchange, hs_peer peer, struct hs_bytes question)
{
    exchange->peer = peer;
    exchange->answer_by_ms = hs_link_now_ms() + ANSWER_MS;
    if (hs_link_send(exchange->link, peer, question) != HS_OK) {
        hs_link_drop(exchange->link, peer, true);
        exchange->peer = 0;
    }
}

static void give_up_on(struct exchange *exchange, struct hs_why *why)
{
    hs_fail(HS_ETIMEDOUT, why, "the hub does not answer");
    hs_link_drop(exchange->link, exchange->peer, true);
    exchange->peer = 0;
}

static enum hs_err run_exchange(struct exchange *exchange, const struct hs_join *join, struct hs_bytes question,
                                struct hs_buf *certificate, struct hs_buf *hub, struct hs_why *why)
{
    uint64_t until = hs_link_now_ms() + join->timeout_ms;
    struct hs_link_event event;
    while (hs_link_now_ms() < until) {
        uint64_t wait = exchange->peer != 0 && exchange->answer_by_ms < until ? exchange->answer_by_ms : until;
        enum hs_err err = hs_link_next(exchange->link, wait, &event);
        if (err == HS_ETIMEDOUT) {
            if (exchange->peer != 0)
                give_up_on(exchange, why);
        } else if (err != HS_OK) {
            return err;
        } else if (event.type == HS_LINK_UP) {
            ask(exchange, event.peer, question);
        } else if (event.type == HS_LINK_FRAME && event.peer == exchange->peer) {
            return read_answer(join, event.data, certificate, hub, why);
        } else if (event.type == HS_LINK_DOWN || event.err != HS_OK) {
            exchange->peer = 0;
            hs_fail(event.err, why, "%s", event.text);
        }
    }
    return hs_wrap(HS_EUNREACHABLE, why, "cannot reach the hub");
}

enum hs_err hs_join_ask(const struct hs_join *join, struct hs_buf *certificate, struct hs_buf *hub, struct hs_why *why)
{
    struct hs_buf question = {0};
    struct exchange exchange = {0};
    enum hs_err err = encode_ask(join, &question);
    if (err == HS_OK)
        err = open_link(join, &exchange.link, why);
    if (err == HS_OK)
        err = run_exchange(&exchange, join, hs_buf_bytes(&question), certificate, hub, why);
    hs_link_free(exchange.link);
    if (question.data != NULL)
        sodium_memzero(question.data, question.size);
    hs_buf_fini(&question);
    return err;
}
