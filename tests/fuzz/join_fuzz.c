/* join_fuzz.c -- joining, both sides: what a hub makes of a question that comes from anybody, and what a joiner makes
 * of an answer that comes from whoever listens at the token's address.  Only the true question is taken, and only a
 * certificate for this token and these keys, beside that of the token's hub.  In the place of the link stands a box
 * with one answer in it.
 *
 *     input = how u8, changes: (at u16, with u8)* | bytes */
#include "node/enrol/enrol.h"
#include "node/link/join.h"
#include "node/link/link.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"
#include "tests/fuzz/fuzz_region.h"

enum { ASK_BYTES, ASK_CHANGED, ANSWER_BYTES, ANSWER_FRAMED, ANSWER_CHANGED, ANSWER_ERROR, ANSWER_OF_OTHERS, HOW_COUNT };

static struct fuzz_region region;
static struct fuzz_node hub, hall, other, twin; /* the last under the hall's name */
static struct hs_token token = {.node_id = "hall-1", .region = "region", .secret = "secret", .address_count = 1};
static struct hs_key joiner_curve;
static struct hs_buf sound_ask, sound_answer;

static void set_up(void)
{
    if (sound_answer.size > 0)
        return;
    fuzz_region_make(&region);
    fuzz_node_make(&region, "hub-1", 3, HS_ROLE_HUB, &hub);
    fuzz_node_make(&region, "hall-1", 4, HS_ROLE_HALL, &hall);
    fuzz_node_make(&region, "hall-2", 5, HS_ROLE_HALL, &other);
    fuzz_node_make(&region, "hall-1", 6, HS_ROLE_HALL, &twin);
    token.root_key = region.root_key;
    token.hub_curve_key = hub.certificate.curve_key;
    joiner_curve = hall.certificate.curve_key;
    snprintf(token.addresses[0], sizeof token.addresses[0], "tcp://192.0.2.1:7400");
    struct hs_signer signer = hs_signer_of(&hall.secret);
    struct hs_signature proof;
    FUZZ_CHECK(hs_join_sign(token.secret, &hall.certificate.node_key, &joiner_curve, &signer, &proof) == HS_OK);
    hs_tlv_put_bytes(&sound_ask, 1, HS_BYTES(token.secret, sizeof token.secret));
    hs_tlv_put_bytes(&sound_ask, 2, HS_BYTES(hall.certificate.node_key.bytes, HS_KEY_BYTES));
    hs_tlv_put_bytes(&sound_ask, 3, HS_BYTES(joiner_curve.bytes, HS_KEY_BYTES));
    hs_tlv_put_bytes(&sound_ask, 4, HS_BYTES(proof.bytes, sizeof proof.bytes));
    FUZZ_CHECK(hs_enrol_reply(HS_OK, NULL, hs_buf_bytes(&hall.encoded), hs_buf_bytes(&hub.encoded), &sound_answer) ==
               HS_OK);
}

static void change(struct hs_cur *in, const struct hs_buf *sound, struct hs_buf *changed)
{
    hs_buf_put_bytes(changed, hs_buf_bytes(sound));
    while (in->left >= 3) {
        size_t at = fuzz_u16(in) % changed->size;
        changed->data[at] ^= fuzz_u8(in);
    }
}

/* ---- the hub's side ---- */

/* Taken: who asks has the key that it names, is connected with the other, and knows what it knows. */
static void hear(struct hs_bytes body)
{
    struct hs_enrol_ask ask;
    uint8_t *copy = malloc(body.size > 0 ? body.size : 1); /* wiped by who reads it */
    FUZZ_CHECK(copy != NULL);
    if (body.size > 0)
        memcpy(copy, body.data, body.size);
    enum hs_err err = hs_enrol_read(HS_BYTES(copy, body.size), &joiner_curve, &ask);
    FUZZ_CHECK(err == HS_OK || err == HS_EMALFORMED || err == HS_EREFUSED || err == HS_ESIGNATURE || err == HS_ENOMEM);
    if (err == HS_OK) {
        struct hs_hash secret_hash = hs_enrol_secret_hash(token.secret);
        FUZZ_CHECK(hs_key_equal(&ask.curve_key, &joiner_curve));
        FUZZ_CHECK(hs_key_equal(&ask.node_key, &hall.certificate.node_key)); /* nobody else's secret is here */
        FUZZ_CHECK(hs_hash_equal(&ask.secret_hash, &secret_hash));           /* the proof covers it */
    }
    free(copy);
}

/* ---- the joiner's side: a link that brings one answer ---- */

static struct hs_bytes answer;
static unsigned events;
static uint64_t now_ms;

enum hs_err hs_link_new(const struct hs_link_options *options, struct hs_link **link, struct hs_why *why)
{
    (void)options;
    (void)why;
    *link = NULL;
    return HS_OK;
}

void hs_link_free(struct hs_link *link)
{
    (void)link;
}

enum hs_err hs_link_send(struct hs_link *link, hs_peer peer, struct hs_bytes frame)
{
    struct hs_frame asked;
    (void)link;
    FUZZ_CHECK(peer == 1 && hs_frame_decode(frame, &asked) == HS_OK);
    FUZZ_CHECK(asked.type == HALLSYNC__PEER_TYPE__PEER_JOIN);
    FUZZ_CHECK(hs_bytes_equal(asked.body, hs_buf_bytes(&sound_ask)));
    return HS_OK;
}

void hs_link_drop(struct hs_link *link, hs_peer peer, bool failed)
{
    (void)link;
    (void)peer;
    (void)failed;
}

uint64_t hs_link_now_ms(void)
{
    return ++now_ms;
}

enum hs_err hs_link_next(struct hs_link *link, uint64_t until_ms, struct hs_link_event *event)
{
    (void)link;
    *event = (struct hs_link_event){.type = events == 0 ? HS_LINK_UP : HS_LINK_FRAME, .peer = 1, .data = answer};
    now_ms = events < 2 ? now_ms : until_ms;
    return events++ < 2 ? HS_OK : HS_ETIMEDOUT;
}

static void hear_answer(struct hs_bytes frame, bool may_hold)
{
    struct hs_join join = {.token = &token,
                           .node_secret = &hall.secret,
                           .node_key = hall.certificate.node_key,
                           .curve_key = joiner_curve,
                           .timeout_ms = 1000};
    struct hs_buf certificate = {0}, of_hub = {0};
    struct hs_certificate own, its;
    struct hs_why why = {{0}};
    answer = frame;
    events = 0;
    now_ms = 0;
    enum hs_err err = hs_join_ask(&join, &certificate, &of_hub, &why);
    FUZZ_CHECK(err == HS_OK || why.text[0] != '\0');
    FUZZ_CHECK(hs_text_valid(HS_BYTES(why.text, strlen(why.text))) || strlen(why.text) + 1 == sizeof why.text);
    if (err == HS_OK) {
        FUZZ_CHECK(may_hold);
        FUZZ_CHECK(hs_certificate_verify(hs_buf_bytes(&certificate), &region.root_key, &own) == HS_OK);
        FUZZ_CHECK(hs_certificate_verify(hs_buf_bytes(&of_hub), &region.root_key, &its) == HS_OK);
        FUZZ_CHECK(strcmp(own.node_id, token.node_id) == 0);
        FUZZ_CHECK(hs_key_equal(&own.node_key, &hall.certificate.node_key));
        FUZZ_CHECK(hs_key_equal(&own.curve_key, &joiner_curve));
        FUZZ_CHECK(its.role == HS_ROLE_HUB && hs_key_equal(&its.curve_key, &token.hub_curve_key));
    }
    hs_buf_fini(&certificate);
    hs_buf_fini(&of_hub);
}

static void put_frame(uint8_t type, uint32_t sequence, struct hs_bytes body, struct hs_buf *frame)
{
    hs_buf_put_u8(frame, HS_FRAME_VERSION);
    hs_buf_put_u8(frame, type);
    hs_buf_put_u32(frame, sequence);
    hs_buf_put_bytes(frame, body);
}

/* True certificates, of whom the input says. */
static void answer_of_others(struct hs_cur *in)
{
    const struct fuzz_node *const NODES[] = {&hall, &hub, &other, &twin};
    struct hs_buf frame = {0};
    uint8_t which = fuzz_u8(in);
    const struct fuzz_node *first = NODES[which % 4], *second = NODES[which / 4 % 4];
    FUZZ_CHECK(hs_enrol_reply(HS_OK, NULL, hs_buf_bytes(&first->encoded), hs_buf_bytes(&second->encoded), &frame) ==
               HS_OK);
    hear_answer(hs_buf_bytes(&frame), first == &hall && second == &hub);
    hs_buf_fini(&frame);
}

static void answer_error(struct hs_cur *in)
{
    struct hs_buf body = {0}, frame = {0};
    uint8_t how = fuzz_u8(in);
    if (how % 4 == 0)
        hs_tlv_put_bytes(&body, 1, fuzz_bytes(in, how));
    else
        hs_tlv_put_text(&body, 1, hs_err_name((enum hs_err)(how % (HS_EINTERNAL + 1))));
    if (how % 8 < 6)
        hs_tlv_put_bytes(&body, 2, fuzz_rest(in));
    put_frame(HALLSYNC__PEER_TYPE__PEER_JOIN_REPLY, 1, hs_buf_bytes(&body), &frame);
    hear_answer(hs_buf_bytes(&frame), false);
    hs_buf_fini(&body);
    hs_buf_fini(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    struct hs_buf bytes = {0};
    set_up();
    uint8_t how = fuzz_u8(&in) % HOW_COUNT;
    if (how == ASK_BYTES) {
        hear(fuzz_rest(&in));
    } else if (how == ASK_CHANGED) {
        change(&in, &sound_ask, &bytes);
        hear(hs_buf_bytes(&bytes));
    } else if (how == ANSWER_BYTES) {
        hear_answer(fuzz_rest(&in), true);
    } else if (how == ANSWER_FRAMED) {
        put_frame(HALLSYNC__PEER_TYPE__PEER_JOIN_REPLY, 1, fuzz_rest(&in), &bytes);
        hear_answer(hs_buf_bytes(&bytes), true);
    } else if (how == ANSWER_CHANGED) {
        change(&in, &sound_answer, &bytes);
        hear_answer(hs_buf_bytes(&bytes), true);
    } else if (how == ANSWER_ERROR) {
        answer_error(&in);
    } else {
        answer_of_others(&in);
    }
    hs_buf_fini(&bytes);
    return 0;
}

/* ---- seeds ---- */

static void put_how(fuzz_put put, const char *name, uint8_t how, struct hs_bytes bytes)
{
    struct hs_buf seed = {0};
    hs_buf_put_u8(&seed, how);
    hs_buf_put_bytes(&seed, bytes);
    put(name, hs_buf_bytes(&seed));
    hs_buf_fini(&seed);
}

void fuzz_seeds(fuzz_put put)
{
    static const uint8_t WHICH[] = {0, 1, 4, 5, 6, 7, 8, 12};
    char name[32];
    set_up();
    struct hs_bytes whole = hs_buf_bytes(&sound_answer);
    put_how(put, "ask", ASK_BYTES, hs_buf_bytes(&sound_ask));
    put_how(put, "ask-changed", ASK_CHANGED, FUZZ_SEED("\0\5\1"));
    put_how(put, "answer", ANSWER_BYTES, whole);
    put_how(put, "answer-framed", ANSWER_FRAMED,
            HS_BYTES(whole.data + HS_FRAME_HEADER_BYTES, whole.size - HS_FRAME_HEADER_BYTES));
    put_how(put, "answer-unchanged", ANSWER_CHANGED, HS_BYTES_NONE);
    put_how(put, "answer-changed", ANSWER_CHANGED, FUZZ_SEED("\0\30\1"));
    put_how(put, "error", ANSWER_ERROR, FUZZ_SEED("\11no"));
    put_how(put, "error-without-text", ANSWER_ERROR, FUZZ_SEED("\4bad-"));
    for (size_t i = 0; i < sizeof WHICH; i++) {
        snprintf(name, sizeof name, "certificates-%zu", i);
        put_how(put, name, ANSWER_OF_OTHERS, HS_BYTES(&WHICH[i], 1));
    }
}
