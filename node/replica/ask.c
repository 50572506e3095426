/* Putting questions about records to hubs, for ourselves and for who asked us, and what becomes of the answers.
 * PROTOCOL.md, "Questions".
 *
 * An asker counts what is open on a session by what it sent and has had no answer to; so a question that nobody waits
 * for any more stays until its answer comes, or the session ends. */
#include "node/replica/ask.h"

#include <stdlib.h>
#include <string.h>

/* ---- whom to ask ---- */

/* A hub that holds more than we do: any, for a hall; for a hub one that stands above it.  So a question goes up only.
 */
static bool knows_more(const struct rep_session *s)
{
    return (s->relation == REP_HALL_HUB && s->certificate.role == HS_ROLE_HUB) ||
           (s->relation == REP_HUB_HUB && s->outbound && !s->is_equal);
}

static size_t open_at(const struct rep_session *asked)
{
    const struct rep_ask *ask;
    size_t count = 0;
    TAILQ_FOREACH(ask, &asked->r->asks, order)
    count += ask->asked == asked;
    return count;
}

size_t hs_rep_asks_of(const struct rep_session *asker)
{
    const struct rep_ask *ask;
    size_t count = 0;
    TAILQ_FOREACH(ask, &asker->r->asks, order)
    count += ask->asker == asker;
    return count;
}

bool hs_rep_ask_open(const struct rep_session *asker, uint64_t id)
{
    const struct rep_ask *ask;
    TAILQ_FOREACH(ask, &asker->r->asks, order)
    {
        if (ask->asker == asker && ask->asker_id == id)
            return true;
    }
    return false;
}

static bool was_tried(const struct rep_ask *ask, hs_peer peer)
{
    for (size_t i = 0; i < ask->tried_count; i++) {
        if (ask->tried[i] == peer)
            return true;
    }
    return false;
}

/* The hub with the fewest questions open; NULL: *err says why. */
static struct rep_session *choose(struct hs_replica *r, const struct rep_ask *ask, enum hs_err *err)
{
    struct rep_session *best = NULL;
    size_t least = REP_ASKS_OPEN_MAX;
    *err = HS_ENOLINK;
    for (size_t i = 0; i < r->session_count && ask->tried_count < REP_ASK_TRIES; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state != REP_LIVE || s == ask->asker || !knows_more(s) || was_tried(ask, s->peer))
            continue;
        size_t open = open_at(s);
        *err = best == NULL && open >= REP_ASKS_OPEN_MAX ? HS_EBUSY : *err;
        if (open >= least)
            continue;
        best = s;
        least = open;
    }
    return best;
}

static void send(struct rep_ask *ask)
{
    Hallsync__PeerAsk message = HALLSYNC__PEER_ASK__INIT;
    message.id = ask->id;
    message.kind = ask->ask.kind;
    message.index = ask->ask.index;
    message.key = hs_rep_data(ask->ask.key.data, ask->ask.key.size);
    message.has_after = ask->ask.after.size != 0;
    message.after = hs_rep_data(ask->ask.after.data, ask->ask.after.size);
    hs_rep_send(ask->asked, HALLSYNC__PEER_TYPE__PEER_ASK, &message.base);
}

/* False: *err says why no hub can be asked. */
static bool put(struct hs_replica *r, struct rep_ask *ask, enum hs_err *err)
{
    ask->asked = choose(r, ask, err);
    if (ask->asked == NULL)
        return false;
    ask->tried[ask->tried_count++] = ask->asked->peer;
    ask->id = ++r->ask_id;
    send(ask);
    return true;
}

static struct hs_bytes keep(uint8_t *room, struct hs_bytes bytes)
{
    if (bytes.size != 0)
        memcpy(room, bytes.data, bytes.size);
    return HS_BYTES(room, bytes.size);
}

void hs_rep_ask_over(struct hs_replica *r, struct rep_ask *ask)
{
    TAILQ_REMOVE(&r->asks, ask, order);
    free(ask);
}

static size_t asks_count(const struct hs_replica *r)
{
    const struct rep_ask *ask;
    size_t count = 0;
    TAILQ_FOREACH(ask, &r->asks, order)
    count++;
    return count;
}

struct rep_ask *hs_rep_ask_new(struct hs_replica *r, const struct hs_ask *from, enum hs_err *err)
{
    *err = HS_EBUSY;
    if (asks_count(r) >= REP_ASKS_MAX)
        return NULL;
    struct rep_ask *ask = calloc(1, sizeof *ask);
    if (ask == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return NULL;
    }
    ask->ask = *from;
    ask->ask.key = keep(ask->room, from->key);
    ask->ask.after = keep(ask->room + HS_RECORD_ID_BYTES_MAX, from->after);
    return ask;
}

void hs_rep_ask_wait(struct hs_replica *r, struct rep_ask *ask, uint64_t wait_ms)
{
    ask->until_ms = r->now_ms + wait_ms;
    TAILQ_INSERT_TAIL(&r->asks, ask, order);
    hs_rep_wake(r, ask->until_ms);
}

static bool begin(struct hs_replica *r, struct rep_ask *ask, uint64_t wait_ms, enum hs_err *err)
{
    if (!put(r, ask, err)) {
        free(ask);
        return false;
    }
    hs_rep_ask_wait(r, ask, wait_ms);
    return true;
}

bool hs_rep_ask_put(struct hs_replica *r, const struct hs_ask *from, struct rep_session *asker, uint64_t id,
                    enum hs_err *err)
{
    struct rep_ask *ask = hs_rep_ask_new(r, from, err);
    if (ask == NULL)
        return false;
    ask->asker = asker;
    ask->asker_id = id;
    return begin(r, ask, REP_ASK_ON_MS, err);
}

/* ---- ours ---- */

void hs_rep_ask_tell(struct hs_replica *r, uint64_t token, enum hs_err err, const struct hs_answer *answer)
{
    struct hs_replica_update *update = hs_rep_update(r, HS_REPLICA_ANSWER);
    if (update == NULL)
        return;
    update->token = token;
    update->err = err;
    update->answer = answer;
}

void hs_rep_ask_begin(struct hs_replica *r, const struct hs_replica_event *event)
{
    enum hs_err err = HS_EINVAL;
    bool fits = event->ask.key.size <= HS_RECORD_ID_BYTES_MAX && event->ask.after.size <= HS_RECORD_KEY_BYTES_MAX;
    struct rep_ask *ask = fits ? hs_rep_ask_new(r, &event->ask, &err) : NULL;
    if (ask != NULL)
        ask->token = event->token;
    if (ask == NULL || !begin(r, ask, REP_ASK_MS, &err))
        hs_rep_ask_tell(r, event->token, err, NULL);
}

void hs_rep_ask_end(struct hs_replica *r, const struct hs_replica_event *event)
{
    struct rep_ask *ask;
    TAILQ_FOREACH(ask, &r->asks, order)
    {
        if (ask->asker == NULL && ask->token == event->token)
            ask->abandoned = true;
    }
}

/* ---- the end of a question ---- */

static void give_up(struct hs_replica *r, const struct rep_ask *ask, enum hs_err err)
{
    if (ask->abandoned)
        return;
    if (ask->asker == NULL)
        hs_rep_ask_tell(r, ask->token, err, NULL);
    else
        hs_rep_answer_error(ask->asker, ask->asker_id, err);
}

/* Whom we asked cannot say: perhaps another can.  Frees the question or keeps it. */
static void try_next(struct hs_replica *r, struct rep_ask *ask, enum hs_err err)
{
    enum hs_err none;
    if (ask->err == HS_OK)
        ask->err = err;
    if (!ask->abandoned && !ask->of_node && put(r, ask, &none))
        return;
    give_up(r, ask, ask->err);
    hs_rep_ask_over(r, ask);
}

void hs_rep_asks_left(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    struct rep_ask *ask, *next;
    for (ask = TAILQ_FIRST(&r->asks); ask != NULL; ask = next) {
        next = TAILQ_NEXT(ask, order);
        if (ask->asker == s) {
            ask->asker = NULL;
            ask->abandoned = true;
        }
        if (ask->asked == s)
            try_next(r, ask, HS_ENOLINK);
    }
}

uint64_t hs_rep_asks_tick(struct hs_replica *r)
{
    struct rep_ask *ask;
    uint64_t until = UINT64_MAX;
    TAILQ_FOREACH(ask, &r->asks, order)
    {
        if (!ask->abandoned && ask->until_ms <= r->now_ms) {
            give_up(r, ask, HS_ENOLINK);
            ask->abandoned = true;
            ask->asker = NULL;
        }
        if (!ask->abandoned && ask->until_ms < until)
            until = ask->until_ms;
    }
    return until;
}

void hs_rep_asks_fini(struct hs_replica *r)
{
    struct rep_ask *ask;
    while ((ask = TAILQ_FIRST(&r->asks)) != NULL)
        hs_rep_ask_over(r, ask);
}

/* ---- answers ---- */

/* PROTOCOL.md, "Questions": one record of an answer.  @last: key of the one asked for before. */
static bool read_record(const struct hs_ask *ask, const Hallsync__AnswerRecord *from, struct hs_bytes *last,
                        struct hs_asked *to)
{
    struct hs_bytes key = HS_BYTES(from->key.data, from->key.len);
    *to = (struct hs_asked){.beside = from->has_beside && from->beside};
    to->stored.state = HS_BYTES(from->state.data, from->state.len);
    if (hs_record_from_key(key, &to->stored.name) != HS_OK)
        return false;
    if (to->beside)
        return last->data != NULL;
    const struct hs_record_name *name = &to->stored.name;
    bool fits = name->kind == ask->kind && (ask->index != 0 || hs_bytes_equal(name->id, ask->key));
    bool ascends = hs_bytes_compare(ask->after, key) < 0 && (last->data == NULL || hs_bytes_compare(*last, key) < 0);
    *last = key;
    return fits && ascends;
}

static bool read_answer(struct hs_replica *r, const struct rep_ask *ask, const Hallsync__PeerAnswer *from,
                        struct hs_answer *to)
{
    struct hs_asked *records = hs_arena_array(&r->arena, from->n_records, sizeof *records);
    struct hs_bytes last = HS_BYTES_NONE;
    size_t asked_for = 0;
    if (records == NULL || from->n_records > HS_LIST_ITEMS_MAX)
        return false;
    for (size_t i = 0; i < from->n_records; i++) {
        if (!read_record(&ask->ask, from->records[i], &last, &records[i]))
            return false;
        asked_for += !records[i].beside;
    }
    *to = (struct hs_answer){.records = records,
                             .count = from->n_records,
                             .last = from->last,
                             .cut = from->has_cut && from->cut,
                             .as_of_ms = from->as_of_ms,
                             .node = from->node};
    bool goes_on = from->last || asked_for > 0; /* else nobody could ask for the rest */
    return asked_for <= HS_ANSWER_RECORDS_MAX && goes_on && from->node != NULL && hs_node_id_valid(from->node);
}

struct rep_ask *hs_rep_ask_of(const struct rep_session *asked, uint64_t id, bool of_node)
{
    struct rep_ask *ask;
    TAILQ_FOREACH(ask, &asked->r->asks, order)
    {
        if (ask->asked == asked && ask->id == id && ask->of_node == of_node)
            return ask;
    }
    return NULL;
}

static void pass_back(const struct rep_ask *ask, const Hallsync__PeerAnswer *answer)
{
    Hallsync__PeerAnswer same = *answer;
    uint64_t before = ask->asker->sent_bytes;
    same.id = ask->asker_id;
    hs_rep_send(ask->asker, HALLSYNC__PEER_TYPE__PEER_ANSWER, &same.base);
    hs_rep_inquiry_pay(ask->asker, before);
}

/* The answer lives until the next message comes: as long as the updates of this step. */
static void take_answer(struct rep_session *s, struct rep_ask *ask, const Hallsync__PeerAnswer *message)
{
    struct hs_replica *r = s->r;
    struct hs_answer *answer = hs_arena_alloc(&r->arena, sizeof *answer);
    if (answer == NULL || !read_answer(r, ask, message, answer)) {
        hs_rep_session_end(s, HS_EMALFORMED, "an answer that does not fit its question");
        return;
    }
    if (!ask->abandoned && ask->asker == NULL)
        hs_rep_ask_tell(r, ask->token, HS_OK, answer);
    else if (!ask->abandoned)
        pass_back(ask, message);
    hs_rep_ask_over(r, ask);
}

void hs_rep_answer_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerAnswer *answer = (const Hallsync__PeerAnswer *)message;
    struct rep_ask *ask = hs_rep_ask_of(s, answer->id, false);
    if (ask == NULL) {
        hs_rep_session_end(s, HS_EMALFORMED, "an answer to no question of ours");
    } else if (answer->error == NULL) {
        take_answer(s, ask, answer);
    } else {
        enum hs_err err = hs_err_by_name(answer->error);
        ask->asked = NULL;
        try_next(s->r, ask, err == HS_OK || err == HS_EINTERNAL ? HS_ENOLINK : err);
    }
}
