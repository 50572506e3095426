/* One record as one node has it, content and all: for the operator who is told that two nodes differ.  PROTOCOL.md,
 * "Compare": a question of level 3 with the record's key.
 *
 * Questions of a round of comparing are numbered from 1; these have the highest bit set, so that no answer is taken for
 * another's. */
#include "node/replica/ask.h"

#include "storage/model/record.h"

#include <string.h>

#define NUMBER_BIT (UINT64_C(1) << 63)

static struct rep_session *session_with(const struct hs_replica *r, const char *node_id)
{
    for (size_t i = 0; i < r->session_count; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state == REP_LIVE && hs_rep_has_view(s) && strcmp(s->certificate.node_id, node_id) == 0)
            return s;
    }
    return NULL;
}

/* One at a time: people read them one after the other. */
static bool is_asked(const struct rep_session *s)
{
    const struct rep_ask *ask;
    bool found = false;
    TAILQ_FOREACH(ask, &s->r->asks, order)
    found = found || (ask->of_node && ask->asked == s);
    return found;
}

static void send(const struct rep_ask *ask, const struct hs_record_name *name)
{
    Hallsync__PeerCompare message = HALLSYNC__PEER_COMPARE__INIT;
    message.id = ask->id;
    message.level = 3;
    message.has_partition = message.has_kind = message.has_branch = message.has_record = true;
    message.partition = name->partition;
    message.kind = name->kind;
    message.branch = hs_record_leaf(name);
    message.record = hs_rep_data(ask->ask.after.data, ask->ask.after.size);
    hs_rep_send(ask->asked, HALLSYNC__PEER_TYPE__PEER_COMPARE, &message.base);
}

static enum hs_err begin(struct hs_replica *r, const struct hs_replica_event *event)
{
    struct hs_record_name name;
    enum hs_err err = hs_record_from_key(event->record, &name) == HS_OK ? HS_OK : HS_EINVAL;
    struct rep_session *s = session_with(r, event->node_id);
    if (err != HS_OK || s == NULL)
        return err != HS_OK ? err : HS_EUNREACHABLE;
    if (!hs_rep_in_view(s, name.partition))
        return HS_ENOTHERE;
    if (is_asked(s))
        return HS_EBUSY;
    struct hs_ask from = {.kind = name.kind, .key = name.id, .after = event->record};
    struct rep_ask *ask = hs_rep_ask_new(r, &from, &err);
    if (ask == NULL)
        return err;
    ask->of_node = true;
    ask->token = event->token;
    ask->asked = s;
    ask->id = NUMBER_BIT | ++r->ask_id;
    send(ask, &name);
    hs_rep_ask_wait(r, ask, REP_ASK_MS);
    return HS_OK;
}

void hs_rep_ask_node(struct hs_replica *r, const struct hs_replica_event *event)
{
    enum hs_err err = begin(r, event);
    if (err != HS_OK)
        hs_rep_ask_tell(r, event->token, err, NULL);
}

/* HS_EVERSION: an older program has answered as if it had been asked for the whole leaf. */
static enum hs_err read_answer(struct rep_session *s, const struct rep_ask *ask,
                               const Hallsync__PeerCompareReply *reply, struct hs_answer **answer)
{
    struct hs_replica *r = s->r;
    enum hs_err err = HS_EVERSION;
    struct hs_asked *record = hs_arena_alloc(&r->arena, sizeof *record);
    *answer = hs_arena_alloc(&r->arena, sizeof **answer);
    if (record == NULL || *answer == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return HS_ENOMEM;
    }
    if (reply->error != NULL)
        err = hs_err_by_name(reply->error);
    if (reply->error != NULL)
        return err == HS_OK || err == HS_EINTERNAL ? HS_EREFUSED : err;
    for (size_t i = 0; i < reply->n_entries; i++) {
        const Hallsync__CompareEntry *entry = reply->entries[i];
        struct hs_bytes key = HS_BYTES(entry->key.data, entry->key.len); /* lives as long as the answer */
        if (!entry->has_state || !hs_bytes_equal(key, ask->ask.after))
            continue;
        *record = (struct hs_asked){.stored = {.state = HS_BYTES(entry->state.data, entry->state.len)}};
        err = hs_record_from_key(key, &record->stored.name);
        **answer = (struct hs_answer){.records = record,
                                      .count = 1,
                                      .last = true,
                                      .as_of_ms = r->source.clock_ms(r->source.ctx),
                                      .node = s->certificate.node_id};
    }
    return err;
}

bool hs_rep_ask_node_answered(struct rep_session *s, const Hallsync__PeerCompareReply *reply)
{
    struct rep_ask *ask = hs_rep_ask_of(s, reply->id, true);
    struct hs_answer *answer;
    if (ask == NULL)
        return false;
    enum hs_err err = read_answer(s, ask, reply, &answer);
    if (!ask->abandoned)
        hs_rep_ask_tell(s->r, ask->token, err, err == HS_OK ? answer : NULL);
    hs_rep_ask_over(s->r, ask);
    return true;
}
