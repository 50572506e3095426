/* inquiry.c -- questions of a peer whose answers cost no credit.  PROTOCOL.md, "Questions that wait": what is answered
 * comes out of a bucket of the session, by its bytes and something for the looking up.  While that is empty questions
 * wait, in their order and not many; nothing else does. */
#include "node/replica/core.h"

#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

struct rep_inquiry {
    const struct rep_message *message;
    TAILQ_ENTRY(rep_inquiry) order;
    size_t size;
    uint8_t body[];
};

void hs_rep_inquiries_init(struct rep_session *s)
{
    TAILQ_INIT(&s->inquiries.waiting);
}

static void forget(struct rep_inquiries *all, struct rep_inquiry *inquiry)
{
    TAILQ_REMOVE(&all->waiting, inquiry, order);
    all->bytes -= inquiry->size;
    free(inquiry);
}

void hs_rep_inquiries_fini(struct rep_session *s)
{
    while (!TAILQ_EMPTY(&s->inquiries.waiting))
        forget(&s->inquiries, TAILQ_FIRST(&s->inquiries.waiting));
    hs_rep_pairs_fini(&s->inquiries.pruned);
}

uint64_t hs_rep_inquiries_bytes(const struct rep_session *s)
{
    return s->inquiries.bytes + s->inquiries.pruned.room * sizeof *s->inquiries.pruned.items;
}

/* ---- what they cost ---- */

bool hs_rep_inquiry_may(struct rep_session *s)
{
    struct rep_inquiries *all = &s->inquiries;
    if (hs_rep_bucket_has(&all->bucket, HS_QUESTIONS_BYTES_S, HS_QUESTIONS_BYTES, s->r->now_ms))
        return true;
    all->due_ms = hs_rep_bucket_due_ms(&all->bucket, HS_QUESTIONS_BYTES_S, HS_QUESTIONS_BYTES, s->r->now_ms);
    hs_rep_wake(s->r, all->due_ms);
    return false;
}

void hs_rep_inquiry_pay(struct rep_session *s, uint64_t sent_before)
{
    hs_rep_bucket_put(&s->inquiries.bucket, s->sent_bytes - sent_before + HS_QUESTION_COST);
}

uint64_t hs_rep_inquiries_tick(struct rep_session *s)
{
    struct rep_inquiries *all = &s->inquiries;
    if (all->due_ms == 0 || s->state != REP_LIVE)
        return UINT64_MAX;
    if (s->r->now_ms < all->due_ms)
        return all->due_ms;
    all->due_ms = 0;
    hs_rep_session_dirty(s);
    return UINT64_MAX;
}

/* ---- questions ---- */

static void answer(struct rep_session *s, const struct rep_message *message, const ProtobufCMessage *body)
{
    uint64_t before = s->sent_bytes;
    message->received(s, body);
    hs_rep_inquiry_pay(s, before);
}

static void wait_for_turn(struct rep_session *s, const struct rep_message *message, struct hs_bytes body)
{
    struct rep_inquiries *all = &s->inquiries;
    const struct rep_inquiry *other;
    size_t count = 0;
    TAILQ_FOREACH(other, &all->waiting, order)
    count += other->message == message;
    if (count >= message->questions_max || all->bytes + body.size > HS_QUESTIONS_WAITING_BYTES) {
        hs_rep_session_end(s, HS_EMALFORMED, "more questions at a time than may be open");
        return;
    }
    struct rep_inquiry *inquiry = malloc(sizeof *inquiry + body.size);
    if (inquiry == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    *inquiry = (struct rep_inquiry){.message = message, .size = body.size};
    if (body.size > 0)
        memcpy(inquiry->body, body.data, body.size);
    all->bytes += body.size;
    TAILQ_INSERT_TAIL(&all->waiting, inquiry, order);
}

void hs_rep_inquiry_received(struct rep_session *s, const struct rep_message *message, const ProtobufCMessage *body,
                             struct hs_bytes packed)
{
    if (TAILQ_EMPTY(&s->inquiries.waiting) && hs_rep_inquiry_may(s))
        answer(s, message, body);
    else
        wait_for_turn(s, message, packed);
}

/* It was read when it came, so it can be read. */
static void answer_first(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    struct rep_inquiry *first = TAILQ_FIRST(&s->inquiries.waiting);
    ProtobufCMessage *body;
    hs_arena_reset(&r->inquiring);
    enum hs_err err = hs_msg_unpack(first->message->descriptor, HS_BYTES(first->body, first->size), &r->inquiring,
                                    &body);
    if (err == HS_OK)
        answer(s, first->message, body);
    else
        hs_rep_fail(r, HS_ENOMEM);
    forget(&s->inquiries, first);
}

/* Where we are, to whoever takes it that he cannot go on by number. */
static void answer_pruned(struct rep_session *s)
{
    struct rep_pairs *pruned = &s->inquiries.pruned;
    uint64_t before = s->sent_bytes;
    uint32_t pair = pruned->items[pruned->count - 1];
    hs_partition partition = (hs_partition)(pair >> 8);
    hs_rep_pairs_remove(pruned, partition, (uint8_t)pair);
    hs_rep_fill_tell_done(s, partition, (uint8_t)pair);
    hs_rep_inquiry_pay(s, before);
}

void hs_rep_inquiries_run(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    while (s->state == REP_LIVE && r->err == HS_OK && !TAILQ_EMPTY(&s->inquiries.waiting) && hs_rep_inquiry_may(s))
        answer_first(s);
    while (s->state == REP_LIVE && r->err == HS_OK && s->inquiries.pruned.count > 0 && hs_rep_inquiry_may(s))
        answer_pruned(s);
}

void hs_rep_inquiry_pruned(struct rep_session *s, hs_partition partition, uint8_t lane)
{
    hs_rep_pairs_add(s->r, &s->inquiries.pruned, partition, lane);
    hs_rep_session_dirty(s);
}
