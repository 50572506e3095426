/* Answering questions about digests.  PROTOCOL.md, "Compare". */
#include "node/replica/compare.h"

#include "proto/msg/tlv.h"

#include <string.h>

enum { REPLY_ID = 1, REPLY_ENTRIES = 2, REPLY_LAST = 3, REPLY_ERROR = 4 }; /* fields of PeerCompareReply */
enum {
    ENTRY_PARTITION = 1,
    ENTRY_KIND = 2,
    ENTRY_INDEX = 3,
    ENTRY_COUNT = 4,
    ENTRY_SUM = 5,
    ENTRY_KEY = 6,
    ENTRY_APPLIED = 7,
    ENTRY_STATE = 8
};

#define PAGE_RECORDS 256                          /* of one answer: far below a message's limit */
#define STATE_MAX    (HS_ANSWER_BYTES_MAX - 1024) /* of a record that is told whole: room for the rest of the message */

struct reply {
    struct rep_session *s;
    const Hallsync__PeerCompare *question;
    size_t count;
    bool full;
    enum hs_err err; /* of a record that was asked for */
};

static void begin_reply(struct reply *reply)
{
    struct hs_buf *body = &reply->s->r->list;
    hs_buf_reset(body);
    hs_tlv_put_u64(body, REPLY_ID, reply->question->id);
    reply->count = 0;
}

static void end_reply(struct reply *reply, bool last)
{
    struct hs_buf *body = &reply->s->r->list;
    hs_tlv_put_u64(body, REPLY_LAST, last);
    hs_rep_fail(reply->s->r, body->err);
    hs_rep_send_bytes(reply->s, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY, hs_buf_bytes(body));
}

static void put_entry(struct reply *reply)
{
    struct hs_replica *r = reply->s->r;
    hs_rep_fail(r, r->entry.err);
    hs_tlv_put_bytes(&r->list, REPLY_ENTRIES, hs_buf_bytes(&r->entry));
    hs_buf_reset(&r->entry);
    reply->count++;
}

static enum hs_err put_digest(void *ctx, const struct hs_digest *digest)
{
    struct reply *reply = ctx;
    struct hs_buf *entry = &reply->s->r->entry;
    bool roots = reply->question->level == REP_COMPARE_ROOTS;
    if (!hs_rep_in_view(reply->s, digest->partition))
        return HS_OK;
    if (reply->count == HS_LIST_ITEMS_MAX) {
        end_reply(reply, false);
        begin_reply(reply);
    }
    if (roots) {
        hs_tlv_put_u64(entry, ENTRY_PARTITION, digest->partition);
        hs_tlv_put_u64(entry, ENTRY_KIND, digest->kind);
    } else {
        hs_tlv_put_u64(entry, ENTRY_INDEX, digest->index);
    }
    hs_tlv_put_u64(entry, ENTRY_COUNT, digest->count);
    hs_tlv_put_bytes(entry, ENTRY_SUM, HS_BYTES(digest->sum.bytes, HS_HASH_BYTES));
    put_entry(reply);
    return HS_OK;
}

static void pack_record(struct hs_buf *entry, const struct hs_compared *compared)
{
    hs_tlv_put_bytes(entry, ENTRY_SUM, HS_BYTES(compared->hash.bytes, HS_HASH_BYTES));
    hs_tlv_put_bytes(entry, ENTRY_KEY, compared->key);
    hs_tlv_put_bytes(entry, ENTRY_APPLIED, HS_BYTES(compared->inputs.bytes, HS_HASH_BYTES));
}

/* HS_EBUSY stops the source when the page is full. */
static enum hs_err put_record(void *ctx, const struct hs_compared *compared)
{
    struct reply *reply = ctx;
    struct hs_buf *entry = &reply->s->r->entry;
    reply->full = reply->count == PAGE_RECORDS;
    if (reply->full)
        return HS_EBUSY;
    pack_record(entry, compared);
    put_entry(reply);
    return HS_OK;
}

/* The first one at or behind the key that was asked for; HS_EBUSY: no other. */
static enum hs_err put_asked(void *ctx, const struct hs_compared *compared)
{
    struct reply *reply = ctx;
    struct hs_buf *entry = &reply->s->r->entry;
    const ProtobufCBinaryData *wanted = &reply->question->record;
    if (!hs_bytes_equal(compared->key, HS_BYTES(wanted->data, wanted->len)))
        return HS_EBUSY;
    reply->err = compared->state.size <= STATE_MAX ? HS_OK : HS_ETOOBIG;
    if (reply->err != HS_OK)
        return HS_EBUSY;
    pack_record(entry, compared);
    hs_tlv_put_bytes(entry, ENTRY_STATE, compared->state);
    put_entry(reply);
    return HS_EBUSY;
}

/* The last key that could lie before @key, of @size bytes; answers its size. */
static size_t key_before(uint8_t key[static HS_RECORD_KEY_BYTES_MAX], size_t size)
{
    if (key[size - 1] == 0)
        return size - 1;
    key[size - 1]--;
    memset(key + size, 0xff, HS_RECORD_KEY_BYTES_MAX - size); /* longer ones that begin so lie between */
    return HS_RECORD_KEY_BYTES_MAX;
}

/* The source goes on behind a key. */
static enum hs_err put_record_asked(struct reply *reply)
{
    const Hallsync__PeerCompare *question = reply->question;
    const struct hs_replica_source *source = &reply->s->r->source;
    uint8_t before[HS_RECORD_KEY_BYTES_MAX];
    memcpy(before, question->record.data, question->record.len);
    size_t size = key_before(before, question->record.len);
    reply->err = HS_ENOTFOUND;
    return source->digest_leaf(source->ctx, (hs_partition)question->partition, (uint16_t)question->kind,
                               question->branch, HS_BYTES(before, size), put_asked, reply);
}

static enum hs_err put_answer(struct reply *reply)
{
    const Hallsync__PeerCompare *question = reply->question;
    const struct hs_replica_source *source = &reply->s->r->source;
    hs_partition partition = (hs_partition)question->partition;
    uint16_t kind = (uint16_t)question->kind;
    switch (question->level) {
    case REP_COMPARE_ROOTS:
        return source->digests(source->ctx, put_digest, reply);
    case REP_COMPARE_BRANCHES:
        return source->digest_level(source->ctx, partition, kind, -1, put_digest, reply);
    case REP_COMPARE_LEAVES:
        return source->digest_level(source->ctx, partition, kind, (int)question->branch, put_digest, reply);
    default:
        if (question->has_record)
            return put_record_asked(reply);
        return source->digest_leaf(source->ctx, partition, kind, question->branch,
                                   HS_BYTES(question->after.data, question->after.len), put_record, reply);
    }
}

static enum hs_err check_form(const struct rep_session *s, const Hallsync__PeerCompare *question)
{
    uint32_t level = question->level;
    if (level > REP_COMPARE_RECORDS || question->after.len > HS_RECORD_KEY_BYTES_MAX)
        return HS_EMALFORMED;
    if (question->has_record &&
        (level != REP_COMPARE_RECORDS || question->record.len == 0 || question->record.len > HS_RECORD_KEY_BYTES_MAX))
        return HS_EMALFORMED;
    if (level == REP_COMPARE_ROOTS)
        return HS_OK;
    if (!hs_partition_valid(question->partition) || question->kind > UINT16_MAX)
        return HS_EMALFORMED;
    if ((level == REP_COMPARE_LEAVES && question->branch >= HS_DIGEST_BRANCHES) || question->branch >= HS_DIGEST_LEAVES)
        return HS_EMALFORMED;
    return hs_rep_in_view(s, (hs_partition)question->partition) ? HS_OK : HS_ESCOPE;
}

/* Partitions outside the common view are nobody's business. */
void hs_rep_compare_received(struct rep_session *s, const ProtobufCMessage *message)
{
    struct reply reply = {.s = s, .question = (const Hallsync__PeerCompare *)message};
    enum hs_err err = check_form(s, reply.question);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "a question about digests that cannot be asked");
        return;
    }
    begin_reply(&reply);
    err = put_answer(&reply);
    if (err == HS_EDAMAGED) /* the others of the leaf look to the asker as if they lagged */
        hs_rep_notice(s->r, HS_NOTICE_DAMAGE, 0, err, "a record here cannot be read");
    else if (err != HS_EBUSY)
        hs_rep_fail(s->r, err);
    if (err == HS_EDAMAGED && reply.question->has_record)
        reply.err = err;
    if (reply.err != HS_OK)
        hs_tlv_put_text(&s->r->list, REPLY_ERROR, hs_err_name(reply.err));
    end_reply(&reply, !reply.full);
}
