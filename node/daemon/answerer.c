#include "node/daemon/answerer.h"

#include "node/log/log.h"
#include "proto/base/thread.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"

#include <stdio.h>
#include <string.h>

enum {
    ANSWER_CLOSE = 2,
    ANSWER_NODE,
    ANSWER_VERDICT,
    ANSWER_ENTRIES,
    ANSWER_SUM,
    ANSWER_HASH,
    ANSWER_NUMBERS,
    ANSWER_MORE,
    ANSWER_TIME
};
enum { NUMBERS_SERIES = 1, NUMBERS_FIRST, NUMBERS_LAST, NUMBERS_HASH };

#define ANSWERS_MAX 4     /* of one run: each reads a day's entries of a hall */
#define LOOKS_MAX   64    /* closes that are looked at in one run */
#define READS_MAX   20000 /* entries that are read for that: the close that passes it is the last one */
#define SOON_MS     500   /* after a commit with money: what came with it is often not all */
#define FIRST_MS    1000
#define AGAIN_MS    60000 /* after a failure */

/* ---- one close ---- */

struct due {
    struct due *next;
    struct hs_closed closed;
    const struct hs_answered *own;
};

struct look {
    struct hs_answerer *answerer;
    struct hs_store *store;
    struct hs_view *view;
    struct hs_books_look entries;
    size_t seen, wanted;
    struct due *first;
};

static const struct hs_answered *own_of(const struct look *look, const struct hs_answered *answers)
{
    const char *own = look->answerer->own->node_id;
    while (answers != NULL && !hs_bytes_equal(answers->node, HS_BYTES(own, strlen(own))))
        answers = answers->next;
    return answers;
}

/* Has this hub nothing to say to the close, or something else than the last time?  One that agreed goes on to. */
static enum hs_err is_wanted(struct look *look, const struct hs_closed *closed, const struct hs_answered **own,
                             bool *wanted)
{
    struct hs_answered *answers;
    enum hs_err err = hs_books_answers(look->view, closed, &look->answerer->arena, &answers);
    *wanted = false;
    if (err != HS_OK)
        return err;
    *own = own_of(look, answers);
    if (*own == NULL) {
        *wanted = true;
        return HS_OK;
    }
    if ((*own)->books == HS_BOOKS_AGREES)
        return HS_OK;
    size_t count = hs_answered_named(*own, look->answerer->named);
    look->entries.home = closed->home;
    return hs_close_stale(look->answerer->named, count, hs_books_look, &look->entries, wanted);
}

static void put_named(const struct hs_close_named *named, struct hs_buf *to)
{
    struct hs_buf numbers = {0};
    hs_tlv_put_bytes(&numbers, NUMBERS_SERIES, named->series);
    hs_tlv_put_u64(&numbers, NUMBERS_FIRST, named->first);
    hs_tlv_put_u64(&numbers, NUMBERS_LAST, named->last);
    if (!named->missing)
        hs_tlv_put_bytes(&numbers, NUMBERS_HASH, HS_BYTES(named->hash.bytes, HS_HASH_BYTES));
    hs_tlv_put_bytes(to, ANSWER_NUMBERS, hs_buf_bytes(&numbers));
    if (numbers.err != HS_OK)
        to->err = numbers.err;
    hs_buf_fini(&numbers);
}

static void put_answer(const struct look *look, const struct hs_closed *closed, struct hs_buf *to)
{
    const struct hs_close_judged *judged = &look->answerer->judged;
    hs_tlv_put_bytes(to, ANSWER_CLOSE, closed->id);
    hs_tlv_put_text(to, ANSWER_NODE, look->answerer->own->node_id);
    hs_tlv_put_text(to, ANSWER_VERDICT, hs_books_text(judged->books));
    hs_tlv_put_u64(to, ANSWER_ENTRIES, judged->here.count);
    /* One that breaks a rule would be parked, and given again and again: a sum that is none is left out. */
    if (judged->here.sum_fen >= -HS_AMOUNT_FEN_MAX && judged->here.sum_fen <= HS_AMOUNT_FEN_MAX)
        hs_tlv_put_s64(to, ANSWER_SUM, judged->here.sum_fen);
    hs_tlv_put_bytes(to, ANSWER_HASH, HS_BYTES(judged->here.hash.bytes, HS_HASH_BYTES));
    for (size_t i = 0; i < judged->named_count; i++)
        put_named(&judged->named[i], to);
    if (judged->more != 0)
        hs_tlv_put_u64(to, ANSWER_MORE, judged->more < UINT32_MAX ? judged->more : UINT32_MAX);
    hs_tlv_put_u64(to, ANSWER_TIME, hs_now_ms());
}

static void tell(const struct hs_closed *closed, const struct hs_answerer *answerer)
{
    char close[HS_RECORD_ID_BYTES_MAX + 1];
    snprintf(close, sizeof close, "%.*s", (int)closed->id.size, (const char *)closed->id.data);
    HS_LOG(BOOKS_ANSWERED, HS_WORD("close", close), HS_WORD("verdict", hs_books_text(answerer->judged.books)),
           HS_NUMBER("entries", answerer->judged.here.count));
}

static enum hs_err write_answer(struct look *look, const struct hs_closed *closed, const struct hs_answered *own)
{
    struct hs_buf answer = {0};
    struct hs_dot dot;
    hs_stamp stamp;
    put_answer(look, closed, &answer);
    struct hs_hash id = hs_hash_domain("hallsync close answer 1", hs_buf_bytes(&answer));
    struct hs_write write = {.kind = HS_KIND_CLOSE_ANSWER,
                             .id = HS_BYTES(id.bytes, HS_ID_BYTES),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&answer)};
    struct hs_draft draft = {.partition = closed->home,
                             .lane = HS_LANE_MONEY,
                             .above = own != NULL && own->stamp > closed->stamp ? own->stamp : closed->stamp,
                             .writes = &write,
                             .write_count = 1};
    enum hs_err err = answer.err;
    if (err == HS_OK)
        err = hs_store_write(look->store, &draft, &dot, &stamp);
    if (err == HS_OK)
        tell(closed, look->answerer);
    hs_buf_fini(&answer);
    return err;
}

static enum hs_err answer(struct look *look, const struct hs_closed *closed, const struct hs_answered *own)
{
    const struct hs_close_claim claim = {.node = closed->node,
                                         .date = closed->date,
                                         .has_window = closed->has_window,
                                         .window = closed->window,
                                         .sums = closed->sums};
    look->entries.home = closed->home;
    enum hs_err err = hs_close_judge(&claim, closed->lines, closed->line_count, hs_books_look, &look->entries,
                                     &look->answerer->judged);
    return err == HS_OK ? write_answer(look, closed, own) : err;
}

/* ---- all of them ---- */

/* HS_EEXISTS: enough for now. */
static enum hs_err visit(void *ctx, const struct hs_stored *stored)
{
    struct look *look = ctx;
    struct hs_answerer *answerer = look->answerer;
    bool wanted = false;
    if (look->seen++ < answerer->behind)
        return HS_OK;
    answerer->more = look->wanted == ANSWERS_MAX || look->seen > answerer->behind + LOOKS_MAX ||
                     look->entries.looks > READS_MAX;
    if (answerer->more)
        return HS_EEXISTS;
    struct due *due = hs_arena_alloc(&answerer->arena, sizeof *due);
    if (due == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_closed_read(look->view, stored, &answerer->arena, &due->closed);
    if (err == HS_OK)
        err = is_wanted(look, &due->closed, &due->own, &wanted);
    if (err == HS_OK && wanted) {
        due->next = look->first;
        look->first = due;
        look->wanted++;
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* What is written changes the index that is gone through: it is written behind it.  HS_ENOTFOUND: there is nothing to
 * say, and no group to be committed. */
static enum hs_err run(struct hs_job *job, struct hs_store *store)
{
    struct hs_answerer *answerer = (struct hs_answerer *)job;
    struct look look = {.answerer = answerer, .store = store, .view = hs_store_view(store)};
    look.entries = (struct hs_books_look){.view = look.view, .arena = &answerer->entry_arena};
    hs_arena_reset(&answerer->arena);
    answerer->more = false;
    enum hs_err err = hs_books_unsettled(look.view, visit, &look);
    err = err == HS_EEXISTS ? HS_OK : err;
    for (const struct due *due = look.first; due != NULL && err == HS_OK; due = due->next)
        err = answer(&look, &due->closed, due->own);
    job->torn = err != HS_OK && look.first != NULL;
    if (err != HS_OK)
        return err;
    /* Those that were answered may have left the index, or not: the round begins anew. */
    answerer->behind = look.wanted == 0 && answerer->more ? look.seen - 1 : 0;
    answerer->chore.wait_ms = look.wanted != 0 || answerer->more ? SOON_MS : UINT64_MAX;
    return look.wanted != 0 ? HS_OK : HS_ENOTFOUND;
}

static void done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct hs_answerer *answerer = (struct hs_answerer *)job;
    (void)commit;
    job->torn = false; /* it comes again */
    if (err == HS_OK || err == HS_ENOTFOUND)
        return;
    answerer->behind = 0;
    answerer->chore.wait_ms = AGAIN_MS;
    if (err != HS_ESTOPPING)
        HS_LOG(BOOKS_FAILED, HS_WORD("reason", hs_err_name(err)));
}

/* ---- from outside ---- */

void hs_answerer_init(struct hs_answerer *answerer, const struct hs_store *store)
{
    const struct hs_certificate *own = hs_store_certificate(store);
    *answerer = (struct hs_answerer){
        .chore = {.job = {.run = run, .done = done}, .wait_ms = own->role == HS_ROLE_HUB ? FIRST_MS : UINT64_MAX},
        .own = own};
    hs_arena_init(&answerer->arena, 0);
    hs_arena_init(&answerer->entry_arena, 0);
}

void hs_answerer_committed(struct hs_answerer *answerer, const struct hs_commit *commit)
{
    for (size_t i = 0; i < commit->head_count && answerer->own->role == HS_ROLE_HUB; i++) {
        if (commit->heads[i].stream.lane == HS_LANE_MONEY) {
            hs_chore_soon(&answerer->chore, SOON_MS);
            break;
        }
    }
}

void hs_answerer_fini(struct hs_answerer *answerer)
{
    hs_arena_fini(&answerer->arena);
    hs_arena_fini(&answerer->entry_arena);
}
