/* Do both hold the same records?  PROTOCOL.md, "Compare": digests, drilled down where they differ.
 *
 *   level 0: all (partition, kind) of the common view
 *   level 1: the 64 branches of one
 *   level 2: the 64 leaves of a branch
 *   level 3: the records of a leaf, page by page: key, hash, hash of what went into it
 *
 * Records of which both sides have the key, with equal inputs and unequal hash, are damage; everything else that
 * differs is lag.  Records are read a little later than they are logged, so damage counts only when a leaf that is
 * asked again after a second still shows it.  Nothing is joined or mended here.
 *
 *            roots unequal                     leaf with damage
 *   IDLE --> ASKING ------> ASKING deeper ... ----------------> RESTING (a second) --> ASKING that leaf again
 *     ^        |                  |                                                       |
 *     +--------+------------------+---- nothing left to ask: equal, lag or damage --------+
 */
#include "node/replica/compare.h"

#include "node/replica/ask.h"
#include "proto/base/text.h"

#include <stdlib.h>
#include <string.h>

#define RECHECK_MS   1000
#define RETRY_MIN_MS 1000

/* ---- questions that are still to be asked ---- */

static bool push(struct rep_session *s, const struct rep_question *question)
{
    struct rep_compare *c = s->compare;
    if (c->question_count == c->question_room) {
        size_t room = c->question_room == 0 ? 8 : c->question_room * 2;
        struct rep_question *questions = realloc(c->questions, room * sizeof *questions);
        if (questions == NULL) {
            hs_rep_fail(s->r, HS_ENOMEM);
            return false;
        }
        c->questions = questions;
        c->question_room = room;
    }
    c->questions[c->question_count++] = *question;
    return true;
}

static void deeper(struct rep_session *s, hs_partition partition, uint16_t kind, uint32_t index)
{
    struct rep_question question = {
        .level = s->compare->at.level + 1, .partition = partition, .kind = kind, .index = index};
    push(s, &question);
}

static void ask(struct rep_session *s, const struct rep_question *question, struct hs_bytes after)
{
    struct rep_compare *c = s->compare;
    Hallsync__PeerCompare message = HALLSYNC__PEER_COMPARE__INIT;
    c->at = *question;
    c->digest_count = 0;
    c->next_digest = 0;
    c->is_asking = true;
    c->is_begun = false;
    if (after.size > 0)
        memmove(c->after, after.data, after.size); /* it may be the same */
    c->after_size = after.size;
    message.id = ++c->id;
    message.level = question->level;
    message.has_partition = message.has_kind = question->level > REP_COMPARE_ROOTS;
    message.partition = question->partition;
    message.kind = question->kind;
    message.has_branch = question->level > REP_COMPARE_BRANCHES;
    message.branch = question->index;
    message.has_after = after.size > 0;
    message.after = hs_rep_data(after.data, after.size);
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_COMPARE, &message.base);
}

/* ---- a round ---- */

static void round_over(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    struct rep_compare *c = s->compare;
    bool equal = !c->has_lag && !c->has_damage;
    if (equal) {
        s->equal_ms = r->source.clock_ms(r->source.ctx);
        hs_rep_notice(r, HS_NOTICE_EQUAL, s->peer, HS_OK, "");
    }
    free(s->differs);
    s->differs = c->differs;
    s->differ_count = c->differ_count;
    c->differs = NULL;
    s->comparison = equal ? HS_COMPARED_EQUAL : c->has_damage ? HS_COMPARED_DAMAGE : HS_COMPARED_LAG;
    s->compared = c->token;
    uint64_t retry_ms = s->compare_retry_ms * 2;
    bool soon = c->has_lag && retry_ms < r->options.compare_ms;
    s->compare_retry_ms = soon ? retry_ms : RETRY_MIN_MS;
    s->compare_ms = r->now_ms + (soon ? retry_ms : r->options.compare_ms);
    if (s->is_compare_wanted)
        s->compare_ms = r->now_ms; /* somebody asked while this one was under way */
    hs_rep_compare_fini(s);
    hs_rep_wake(r, s->compare_ms);
}

/* The next question; those that ask a leaf again lie at the bottom and wait for their time. */
static void go_on(struct rep_session *s)
{
    struct rep_compare *c = s->compare;
    if (c->question_count == 0) {
        round_over(s);
        return;
    }
    struct rep_question question = c->questions[c->question_count - 1];
    c->is_asking = false;
    if (question.not_before_ms > s->r->now_ms) {
        s->compare_ms = question.not_before_ms;
        hs_rep_wake(s->r, s->compare_ms);
        return;
    }
    c->question_count--;
    ask(s, &question, HS_BYTES_NONE);
}

static void begin(struct rep_session *s)
{
    static const struct rep_question ROOTS = {.level = REP_COMPARE_ROOTS};
    s->is_compare_wanted = false;
    s->compare = calloc(1, sizeof *s->compare);
    if (s->compare == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    s->compare->token = s->r->compare_token;
    ask(s, &ROOTS, HS_BYTES_NONE);
}

void hs_rep_compare_soon(struct rep_session *s)
{
    s->compare_retry_ms = RETRY_MIN_MS;
    s->compare_ms = s->r->now_ms + RETRY_MIN_MS;
    hs_rep_wake(s->r, s->compare_ms);
}

void hs_rep_compare_all(struct hs_replica *r, const struct hs_replica_event *event)
{
    if (event->token > r->compare_token)
        r->compare_token = event->token;
    for (size_t i = 0; i < r->session_count; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state != REP_LIVE || !hs_rep_has_view(s))
            continue;
        s->is_compare_wanted = true;
        if (s->compare != NULL)
            continue; /* behind the one that runs */
        s->compare_ms = r->now_ms;
        hs_rep_wake(r, r->now_ms);
    }
}

/* While one side is filled with the partition's records, they differ and nothing is wrong. */
static bool is_filling(const struct rep_session *s, hs_partition partition)
{
    bool there = false;
    for (uint32_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT && !there; lane++)
        there = hs_rep_pairs_have(&s->peer_fills, partition, (uint8_t)lane) ||
                hs_rep_pairs_have(&s->peer_lacks, partition, (uint8_t)lane);
    return there || hs_rep_is_filling(s->r, partition);
}

/* By itself only while nothing lags: else it would only find what is known. */
uint64_t hs_rep_compare_tick(struct rep_session *s)
{
    if (s->state != REP_LIVE || !hs_rep_has_view(s) || (s->compare != NULL && s->compare->is_asking))
        return UINT64_MAX;
    if (s->r->now_ms < s->compare_ms)
        return s->compare_ms;
    if (s->compare != NULL) {
        go_on(s);
        return s->compare != NULL && s->compare->is_asking ? UINT64_MAX : s->compare_ms;
    }
    if (hs_rep_exchange_done(s) && (s->is_compare_wanted || s->lag_count == 0)) {
        begin(s);
        return UINT64_MAX;
    }
    s->compare_ms = s->r->now_ms + RETRY_MIN_MS;
    return s->compare_ms;
}

void hs_rep_compare_fini(struct rep_session *s)
{
    if (s->compare == NULL)
        return;
    free(s->compare->questions);
    free(s->compare->digests);
    free(s->compare->records);
    free(s->compare->differs);
    free(s->compare);
    s->compare = NULL;
}

uint64_t hs_rep_compare_bytes(const struct rep_session *s)
{
    const struct rep_compare *c = s->compare;
    return c == NULL ? 0
                     : sizeof *c + c->question_room * sizeof *c->questions + c->digest_room * sizeof *c->digests +
                           c->record_room * sizeof *c->records;
}

/* ---- our own side of what was asked ---- */

static enum hs_err keep_digest(void *ctx, const struct hs_digest *digest)
{
    struct rep_session *s = ctx;
    struct rep_compare *c = s->compare;
    if (!hs_rep_in_view(s, digest->partition) || is_filling(s, digest->partition))
        return HS_OK;
    if (c->digest_count == c->digest_room) {
        size_t room = c->digest_room == 0 ? HS_DIGEST_BRANCHES : c->digest_room * 2;
        struct hs_digest *digests = realloc(c->digests, room * sizeof *digests);
        if (digests == NULL)
            return HS_ENOMEM;
        c->digests = digests;
        c->digest_room = room;
    }
    c->digests[c->digest_count++] = *digest;
    return HS_OK;
}

static enum hs_err keep_record(void *ctx, const struct hs_compared *compared)
{
    struct rep_session *s = ctx;
    struct rep_compare *c = s->compare;
    if (compared->key.size > sizeof c->records->key)
        return HS_EDAMAGED;
    if (c->record_count == c->record_room) {
        size_t room = c->record_room == 0 ? 32 : c->record_room * 2;
        struct rep_record *records = realloc(c->records, room * sizeof *records);
        if (records == NULL)
            return HS_ENOMEM;
        c->records = records;
        c->record_room = room;
    }
    struct rep_record *record = &c->records[c->record_count++];
    *record = (struct rep_record){.key_size = compared->key.size, .hash = compared->hash, .inputs = compared->inputs};
    memcpy(record->key, compared->key.data, compared->key.size);
    return HS_OK;
}

static int compare_digests(const void *a, const void *b)
{
    const struct hs_digest *first = a, *second = b;
    if (first->partition != second->partition)
        return first->partition < second->partition ? -1 : 1;
    if (first->kind != second->kind)
        return first->kind < second->kind ? -1 : 1;
    return (first->index > second->index) - (first->index < second->index);
}

/* Damage found while reading our own is told and not compared. */
static void note_read(struct rep_session *s, enum hs_err err)
{
    if (err == HS_EDAMAGED)
        hs_rep_notice(s->r, HS_NOTICE_DAMAGE, 0, err, "a record here cannot be read");
    else
        hs_rep_fail(s->r, err);
}

static void read_own(struct rep_session *s)
{
    struct rep_compare *c = s->compare;
    const struct hs_replica_source *source = &s->r->source;
    enum hs_err err = HS_OK;
    c->digest_count = c->record_count = 0;
    switch (c->at.level) {
    case REP_COMPARE_ROOTS:
        err = source->digests(source->ctx, keep_digest, s);
        break;
    case REP_COMPARE_BRANCHES:
        err = source->digest_level(source->ctx, c->at.partition, c->at.kind, -1, keep_digest, s);
        break;
    case REP_COMPARE_LEAVES:
        err = source->digest_level(source->ctx, c->at.partition, c->at.kind, (int)c->at.index, keep_digest, s);
        break;
    default:
        err = source->digest_leaf(source->ctx, c->at.partition, c->at.kind, c->at.index, HS_BYTES_NONE, keep_record, s);
        break;
    }
    note_read(s, err);
    if (c->digest_count > 0)
        qsort(c->digests, c->digest_count, sizeof *c->digests, compare_digests);
}

/* ---- digests that came ---- */

static bool read_digest(const struct rep_compare *c, const Hallsync__CompareEntry *entry, struct hs_digest *digest)
{
    bool roots = c->at.level == REP_COMPARE_ROOTS;
    if (!entry->has_sum || entry->sum.len != HS_HASH_BYTES || !entry->has_count)
        return false;
    if (roots && (!entry->has_partition || !hs_partition_valid(entry->partition) || !entry->has_kind ||
                  entry->kind > UINT16_MAX))
        return false;
    if (!roots && !entry->has_index)
        return false;
    digest->partition = roots ? (hs_partition)entry->partition : c->at.partition;
    digest->kind = roots ? (uint16_t)entry->kind : c->at.kind;
    digest->index = roots ? 0 : entry->index;
    digest->count = entry->count;
    memcpy(digest->sum.bytes, entry->sum.data, HS_HASH_BYTES);
    return true;
}

/* Ours up to @end (NULL: all) are not among theirs: they have none of these yet. */
static void skip_digests(struct rep_compare *c, const struct hs_digest *end)
{
    while (c->next_digest < c->digest_count && (end == NULL || compare_digests(&c->digests[c->next_digest], end) < 0)) {
        c->has_lag = true;
        c->next_digest++;
    }
}

static enum hs_err take_digest(struct rep_session *s, const Hallsync__CompareEntry *entry)
{
    struct rep_compare *c = s->compare;
    struct hs_digest theirs;
    if (!read_digest(c, entry, &theirs) || (c->is_begun && compare_digests(&theirs, &c->last_digest) <= 0))
        return HS_EMALFORMED;
    c->is_begun = true;
    c->last_digest = theirs;
    if (is_filling(s, theirs.partition)) { /* not compared, and not equal */
        c->has_lag = true;
        return HS_OK;
    }
    skip_digests(c, &theirs);
    const struct hs_digest *ours = c->next_digest < c->digest_count ? &c->digests[c->next_digest] : NULL;
    if (ours == NULL || compare_digests(ours, &theirs) != 0) {
        c->has_lag = true;
        return HS_OK;
    }
    c->next_digest++;
    if (ours->count != theirs.count || !hs_hash_equal(&ours->sum, &theirs.sum))
        deeper(s, ours->partition, ours->kind, ours->index);
    return HS_OK;
}

/* ---- records that came ---- */

static const struct rep_record *own_record(const struct rep_compare *c, struct hs_bytes key)
{
    for (size_t i = 0; i < c->record_count; i++) {
        if (hs_bytes_equal(HS_BYTES(c->records[i].key, c->records[i].key_size), key))
            return &c->records[i];
    }
    return NULL;
}

static bool is_suspect(const struct rep_compare *c, struct hs_bytes key)
{
    struct hs_hash hash = hs_hash_of(key);
    for (size_t i = 0; i < c->suspect_count; i++) {
        if (hs_hash_equal(&c->suspects[i], &hash))
            return true;
    }
    return false;
}

static void keep_differ(struct rep_compare *c, const struct hs_record_name *name, const struct hs_hash *here,
                        const struct hs_hash *there)
{
    if (c->differs == NULL)
        c->differs = calloc(HS_DIFFERS_MAX, sizeof *c->differs);
    if (c->differs == NULL || c->differ_count == HS_DIFFERS_MAX)
        return; /* the notice names it */
    struct hs_differ *differ = &c->differs[c->differ_count++];
    *differ = (struct hs_differ){.name = *name, .here = *here, .there = *there};
    memcpy(differ->id, name->id.data, name->id.size);
    differ->name.id = HS_BYTES(differ->id, name->id.size);
}

static void report(struct rep_session *s, struct hs_bytes key, const struct hs_hash *here, const struct hs_hash *there)
{
    struct hs_record_name name;
    char partition[HS_PARTITION_TEXT_BYTES], id[2 * HS_RECORD_ID_BYTES_MAX + 1];
    s->compare->has_damage = true;
    if (hs_record_from_key(key, &name) != HS_OK)
        return;
    hs_text_to_hex(name.id, id);
    keep_differ(s->compare, &name, here, there);
    const char *text = hs_rep_text(s->r, "partition %s kind %u record %s: same operations, other content than %s",
                                   hs_partition_text(name.partition, partition), name.kind, id, s->certificate.node_id);
    hs_rep_notice(s->r, HS_NOTICE_DAMAGE, s->peer, HS_EDAMAGED, text);
}

/* Seen once it is a suspicion, and the leaf is asked again; seen again it is damage. */
static void found_damage(struct rep_session *s, struct hs_bytes key, const struct hs_hash *here,
                         const struct hs_hash *there)
{
    struct rep_compare *c = s->compare;
    if (is_suspect(c, key)) {
        report(s, key, here, there);
    } else if (c->at.not_before_ms == 0 && c->suspect_count < REP_SUSPECTS_MAX) {
        c->suspects[c->suspect_count++] = hs_hash_of(key);
        c->ask_again = true;
    }
    c->has_lag |= !c->has_damage; /* not equal yet, whatever it is */
}

static enum hs_err take_record(struct rep_session *s, const Hallsync__CompareEntry *entry)
{
    struct rep_compare *c = s->compare;
    struct hs_bytes key = HS_BYTES(entry->key.data, entry->key.len);
    if (!entry->has_key || key.size == 0 || key.size > HS_RECORD_KEY_BYTES_MAX || entry->sum.len != HS_HASH_BYTES ||
        entry->applied.len != HS_HASH_BYTES || hs_bytes_compare(key, HS_BYTES(c->after, c->after_size)) <= 0)
        return HS_EMALFORMED; /* out of order there would be no end */
    const struct rep_record *ours = own_record(c, key);
    c->matched += ours != NULL;
    bool same_inputs = ours != NULL && memcmp(ours->inputs.bytes, entry->applied.data, HS_HASH_BYTES) == 0;
    bool same_hash = ours != NULL && memcmp(ours->hash.bytes, entry->sum.data, HS_HASH_BYTES) == 0;
    if (!same_inputs || is_filling(s, c->at.partition))
        c->has_lag = true;
    else if (!same_hash) {
        struct hs_hash there;
        memcpy(there.bytes, entry->sum.data, HS_HASH_BYTES);
        found_damage(s, key, &ours->hash, &there);
    }
    c->after_size = key.size;
    memcpy(c->after, key.data, key.size);
    return HS_OK;
}

/* A page is one message; the last one ends the leaf. */
static void end_page(struct rep_session *s, bool last)
{
    struct rep_compare *c = s->compare;
    if (!last) {
        struct rep_question question = c->at;
        size_t matched = c->matched;
        ask(s, &question, HS_BYTES(c->after, c->after_size));
        c->matched = matched;
        return;
    }
    if (c->matched < c->record_count)
        c->has_lag = true;
    if (c->ask_again) {
        struct rep_question again = c->at;
        again.not_before_ms = s->r->now_ms + RECHECK_MS;
        if (push(s, &again)) { /* to the bottom: everything else first */
            memmove(c->questions + 1, c->questions, (c->question_count - 1) * sizeof *c->questions);
            c->questions[0] = again;
        }
    }
    c->ask_again = false;
    c->matched = 0;
    go_on(s);
}

static enum hs_err take_entries(struct rep_session *s, const Hallsync__PeerCompareReply *reply)
{
    enum hs_err err = reply->n_entries > HS_LIST_ITEMS_MAX ? HS_EMALFORMED : HS_OK;
    bool records = s->compare->at.level == REP_COMPARE_RECORDS;
    if (records && !reply->last && reply->n_entries == 0)
        err = HS_EMALFORMED; /* there would be no end */
    for (size_t i = 0; i < reply->n_entries && err == HS_OK; i++)
        err = records ? take_record(s, reply->entries[i]) : take_digest(s, reply->entries[i]);
    return err;
}

void hs_rep_compare_answered(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerCompareReply *reply = (const Hallsync__PeerCompareReply *)message;
    struct rep_compare *c = s->compare;
    if (hs_rep_ask_node_answered(s, reply))
        return;
    bool asked = c != NULL && c->is_asking && c->id == reply->id;
    if (asked && !c->is_read) {
        read_own(s);
        c->is_read = true;
    }
    if (!asked || take_entries(s, reply) != HS_OK) {
        hs_rep_session_end(s, HS_EMALFORMED, "an answer about digests that is none");
        return;
    }
    bool records = c->at.level == REP_COMPARE_RECORDS;
    if (records || reply->last)
        c->is_read = false;
    if (records) {
        end_page(s, reply->last);
    } else if (reply->last) {
        skip_digests(c, NULL);
        go_on(s);
    }
}
