/* Answering questions about records; what lies outside a narrowed scope is passed on to a hub that knows more.
 * PROTOCOL.md, "Questions". */
#include "node/replica/ask.h"

#include "proto/msg/tlv.h"

enum {
    ANSWER_ID = 1,
    ANSWER_RECORDS = 2,
    ANSWER_LAST = 3,
    ANSWER_AS_OF = 4,
    ANSWER_ERROR = 5,
    ANSWER_NODE = 6,
    ANSWER_CUT = 7
};                                                            /* fields of PeerAnswer */
enum { RECORD_KEY = 1, RECORD_STATE = 2, RECORD_BESIDE = 3 }; /* fields of AnswerRecord */

#define TAIL_BYTES 128 /* of an answer, behind its records: last, time, node */

/* An answer being written into r->list. */
struct reply {
    struct rep_session *s;
    uint64_t id;
    size_t asked_for, entries;
    size_t mark; /* where the last record that was asked for begins */
    bool full;   /* there are more */
    bool cut;
    bool too_big;
};

static void begin_reply(struct reply *reply)
{
    hs_buf_reset(&reply->s->r->list);
    hs_tlv_put_u64(&reply->s->r->list, ANSWER_ID, reply->id);
}

static void end_reply(struct reply *reply, enum hs_err err)
{
    struct hs_replica *r = reply->s->r;
    struct hs_buf *body = &r->list;
    hs_tlv_put_u64(body, ANSWER_LAST, !reply->full);
    hs_tlv_put_u64(body, ANSWER_AS_OF, r->source.clock_ms(r->source.ctx));
    if (err != HS_OK)
        hs_tlv_put_text(body, ANSWER_ERROR, hs_err_name(err));
    hs_tlv_put_text(body, ANSWER_NODE, r->certificate.node_id);
    if (reply->cut)
        hs_tlv_put_u64(body, ANSWER_CUT, true);
    hs_rep_fail(r, body->err);
    hs_rep_send_bytes(reply->s, HALLSYNC__PEER_TYPE__PEER_ANSWER, hs_buf_bytes(body));
}

void hs_rep_answer_error(struct rep_session *s, uint64_t id, enum hs_err err)
{
    struct reply reply = {.s = s, .id = id};
    begin_reply(&reply);
    end_reply(&reply, err);
}

static void pack_record(struct hs_replica *r, const struct hs_asked *asked)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    hs_buf_reset(&r->entry);
    hs_tlv_put_bytes(&r->entry, RECORD_KEY, HS_BYTES(key, hs_record_key(&asked->stored.name, key)));
    hs_tlv_put_bytes(&r->entry, RECORD_STATE, asked->stored.state);
    if (asked->beside)
        hs_tlv_put_u64(&r->entry, RECORD_BESIDE, true);
    hs_rep_fail(r, r->entry.err);
}

/* It does not fit: the one that was asked for goes with the next question, together with what it needs; if it is the
 * first, it goes with what there is room for. */
static enum hs_err stop_before(struct reply *reply, const struct hs_asked *asked)
{
    reply->full = reply->asked_for > 1;
    reply->cut = reply->asked_for == 1 && asked->beside;
    reply->too_big = reply->asked_for == 1 && !asked->beside;
    if (reply->full) {
        reply->s->r->list.size = reply->mark;
        reply->cut = false;
    }
    return reply->cut ? HS_OK : HS_EEXISTS;
}

static enum hs_err put_record(void *ctx, const struct hs_asked *asked)
{
    struct reply *reply = ctx;
    struct hs_replica *r = reply->s->r;
    bool enough = r->list.size > HS_STATES_BYTES_SOFT || reply->asked_for == HS_ANSWER_RECORDS_MAX || reply->cut;
    if (!asked->beside && reply->asked_for > 0 && enough) {
        reply->full = true;
        return HS_EEXISTS;
    }
    if (!asked->beside) {
        reply->mark = r->list.size;
        reply->asked_for++;
    }
    if (reply->cut)
        return HS_OK;
    pack_record(r, asked);
    if (r->list.size + r->entry.size + TAIL_BYTES > HS_ANSWER_BYTES_MAX || reply->entries == HS_LIST_ITEMS_MAX)
        return stop_before(reply, asked);
    reply->entries++;
    hs_tlv_put_bytes(&r->list, ANSWER_RECORDS, hs_buf_bytes(&r->entry));
    return r->list.err;
}

static void answer(struct rep_session *s, const struct hs_ask *ask, uint64_t id)
{
    struct hs_replica *r = s->r;
    struct reply reply = {.s = s, .id = id};
    enum hs_err passed;
    begin_reply(&reply);
    enum hs_err err = r->source.ask(r->source.ctx, ask, put_record, &reply);
    hs_buf_reset(&r->entry); /* others go on behind what is in it */
    if (err == HS_EEXISTS)
        err = reply.too_big ? HS_ETOOBIG : HS_OK;
    if ((err == HS_ENOTHERE || err == HS_EFILLING) && hs_rep_ask_put(r, ask, s, id, &passed))
        return;
    if (err == HS_EDAMAGED)
        hs_rep_notice(r, HS_NOTICE_DAMAGE, 0, err, "a record here cannot be read");
    else if (err != HS_ENOTHERE && err != HS_EFILLING && err != HS_EINVAL && err != HS_ETOOBIG)
        hs_rep_fail(r, err);
    if (reply.asked_for > 0 && (err == HS_ENOTHERE || err == HS_EFILLING))
        err = HS_OK; /* as far as it can be known now */
    else if (err == HS_ENOTHERE)
        err = HS_ENOLINK;
    if (err != HS_OK)
        hs_rep_answer_error(s, id, err);
    else
        end_reply(&reply, HS_OK);
}

/* PROTOCOL.md, "Questions": what ends the session. */
static enum hs_err check_form(const struct rep_session *s, const Hallsync__PeerAsk *ask)
{
    if (s->r->certificate.role != HS_ROLE_HUB || s->certificate.role == HS_ROLE_WITNESS)
        return HS_ESCOPE;
    bool sizes = ask->key.len > 0 && ask->key.len <= HS_RECORD_ID_BYTES_MAX &&
                 ask->after.len <= HS_RECORD_KEY_BYTES_MAX;
    if (!sizes || ask->kind == 0 || ask->kind > UINT16_MAX || ask->index > UINT8_MAX)
        return HS_EMALFORMED;
    bool room = hs_rep_asks_of(s) < REP_ASKS_OPEN_MAX;
    return room && !hs_rep_ask_open(s, ask->id) ? HS_OK : HS_EMALFORMED;
}

void hs_rep_ask_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerAsk *from = (const Hallsync__PeerAsk *)message;
    enum hs_err err = check_form(s, from);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "a question about records that cannot be asked");
        return;
    }
    struct hs_ask ask = {.kind = (uint16_t)from->kind,
                         .index = (uint8_t)from->index,
                         .key = HS_BYTES(from->key.data, from->key.len),
                         .after = HS_BYTES(from->after.data, from->after.len)};
    answer(s, &ask, from->id);
}
