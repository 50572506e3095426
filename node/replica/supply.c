/* Sending record states to who asked for them.  PROTOCOL.md, "State transfer":
 *
 * First the list of the heads that the states reflect at least, then the records in the order of their keys, each piece
 * read from a snapshot of its own.  What a snapshot may reflect beyond the heads told so far is told ahead of its
 * piece; so a piece whose commit STORED has not told yet waits.  Lists and pieces cost credit and wait for their turn
 * like segments: in their lane, behind its segments.
 *
 * Of each lane at most one piece is held for a session, and read when there is room for it. */
#include "node/replica/fill.h"

#include "proto/base/text.h"
#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_COST      (HS_STATES_BYTES_SOFT + REP_SEGMENT_COST)
#define PRUNED_AGAIN_MS 30000
#define AGAIN_MS        20 /* until records that are not flushed yet are looked at again */

struct rep_supply {
    hs_partition partition;
    uint8_t lane;
    bool is_listed; /* the list has gone out */
    bool is_counted;
    bool are_forks_told;
    const struct rep_stream **heads; /* to be told; NULL: nothing is */
    size_t head_count, head_next;
    uint64_t told;  /* commit of which all heads were told, or stand in @heads */
    uint64_t least; /* what the list said: states must reflect it */
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    size_t after_size;
    uint64_t queued_ms, again_ms;
    uint64_t records, total; /* sent; about */
    TAILQ_ENTRY(rep_supply) turn;
};
TAILQ_HEAD(rep_supply_queue, rep_supply);

/* A piece that was read and has not gone out whole. */
struct piece {
    const struct rep_supply *of; /* NULL: none */
    struct hs_buf body;
    struct hs_bytes next;
    size_t at; /* sent up to here */
    uint64_t commit, records;
    bool last;
};

struct rep_supplies {
    struct rep_supply_queue lanes[HS_LANE_COUNT];
    size_t counts[HS_LANE_COUNT];
    struct piece pieces[HS_LANE_COUNT];
};

/* ---- the table ---- */

static struct rep_supplies *supplies_of(struct rep_session *s)
{
    if (s->supplies != NULL)
        return s->supplies;
    s->supplies = calloc(1, sizeof *s->supplies);
    if (s->supplies == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return NULL;
    }
    for (size_t lane = 0; lane < HS_LANE_COUNT; lane++)
        TAILQ_INIT(&s->supplies->lanes[lane]);
    return s->supplies;
}

static void close_supply(struct rep_session *s, struct rep_supply *supply)
{
    struct rep_supplies *all = s->supplies;
    struct piece *piece = &all->pieces[supply->lane];
    if (piece->of == supply) {
        hs_buf_fini(&piece->body);
        *piece = (struct piece){0};
    }
    TAILQ_REMOVE(&all->lanes[supply->lane], supply, turn);
    all->counts[supply->lane]--;
    free(supply->heads);
    free(supply);
}

void hs_rep_supplies_fini(struct rep_session *s)
{
    for (size_t lane = 0; s->supplies != NULL && lane < HS_LANE_COUNT; lane++) {
        while (!TAILQ_EMPTY(&s->supplies->lanes[lane]))
            close_supply(s, TAILQ_FIRST(&s->supplies->lanes[lane]));
    }
    free(s->supplies);
    s->supplies = NULL;
}

static struct rep_supply *find(const struct rep_session *s, hs_partition partition, uint32_t lane)
{
    struct rep_supply *supply = s->supplies == NULL ? NULL : TAILQ_FIRST(&s->supplies->lanes[lane]);
    while (supply != NULL && supply->partition != partition)
        supply = TAILQ_NEXT(supply, turn);
    return supply;
}

/* ---- heads to be told ---- */

static int compare_streams(const void *a, const void *b)
{
    const struct rep_stream *first = *(const struct rep_stream *const *)a;
    const struct rep_stream *second = *(const struct rep_stream *const *)b;
    return hs_stream_compare(&first->name, &second->name);
}

static bool is_to_be_told(const struct rep_supply *supply, const struct rep_stream *stream)
{
    if (stream->name.lane != supply->lane || stream->n == 0)
        return false;
    if (!supply->is_listed)
        return stream->fork == NULL; /* a forked one goes by its operations */
    return stream->changed > supply->told || (stream->fork != NULL && !supply->are_forks_told);
}

/* Of the list all that are held; after it those that moved since.  Streams never go, so they can be pointed at. */
static void gather_heads(struct hs_replica *r, struct rep_supply *supply)
{
    const struct rep_partition *partition = hs_rep_partition_find(&r->frontier, supply->partition);
    size_t room = 0, count = 0;
    for (size_t i = 0; partition != NULL && i < partition->count; i++)
        room += partition->members[i]->count;
    const struct rep_stream **heads = calloc(room + 1, sizeof *heads);
    if (heads == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return;
    }
    for (size_t i = 0; partition != NULL && i < partition->count; i++) {
        const struct rep_member *member = partition->members[i];
        for (size_t k = 0; k < member->count; k++) {
            if (is_to_be_told(supply, member->streams[k]))
                heads[count++] = member->streams[k];
        }
    }
    supply->told = r->commit;
    supply->are_forks_told = supply->is_listed;
    if (supply->is_listed && count == 0) {
        free(heads);
        return;
    }
    qsort(heads, count, sizeof *heads, compare_streams);
    supply->heads = heads;
    supply->head_count = count;
    supply->head_next = 0;
}

/* ---- opening one ---- */

static void answer_error(struct rep_session *s, hs_partition partition, uint8_t lane, enum hs_err err)
{
    Hallsync__PeerFillHeads message = HALLSYNC__PEER_FILL_HEADS__INIT;
    message.partition = partition;
    message.lane = lane;
    message.last = true;
    message.error = (char *)hs_err_name(err);
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS, &message.base);
}

static void open_supply(struct rep_session *s, hs_partition partition, uint8_t lane, struct hs_bytes after)
{
    struct rep_supplies *all = supplies_of(s);
    struct rep_supply *supply = all == NULL ? NULL : calloc(1, sizeof *supply);
    if (supply == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    *supply = (struct rep_supply){
        .partition = partition, .lane = lane, .after_size = after.size, .queued_ms = s->r->now_ms};
    if (after.size > 0)
        memcpy(supply->after, after.data, after.size);
    TAILQ_INSERT_TAIL(&all->lanes[lane], supply, turn);
    all->counts[lane]++;
    gather_heads(s->r, supply);
    hs_rep_session_dirty(s);
}

/* States of one's own that are being filled in may name operations whose heads are not known here; the asker's are. */
static bool is_half_filled(const struct rep_session *s, hs_partition partition, uint8_t lane)
{
    const struct rep_fill *fill = hs_rep_fill_find(s->r, partition, lane);
    return fill != NULL && lane != HS_LANE_MONEY && fill->after_size > 0 && (fill->is_mixed || fill->from != s);
}

static enum hs_err may_supply(const struct rep_session *s, hs_partition partition, uint8_t lane)
{
    if (s->r->certificate.role != HS_ROLE_HUB && !(s->is_rebuilding && s->r->certificate.role == HS_ROLE_HALL))
        return HS_ENOTHUB;
    if (is_half_filled(s, partition, lane))
        return HS_EFILLING;
    bool is_full = s->supplies != NULL && s->supplies->counts[lane] >= REP_FILLS_OPEN_MAX;
    return is_full ? HS_EBUSY : HS_OK;
}

static enum hs_err check_form(const struct rep_session *s, const Hallsync__PeerFill *message)
{
    if (!hs_partition_valid(message->partition) || !hs_lane_valid(message->lane))
        return HS_EMALFORMED;
    if (message->has_done && message->done)
        return HS_OK;
    struct hs_record_name name;
    struct hs_bytes after = HS_BYTES(message->after.data, message->after.len);
    if (after.size > 0 && (hs_record_from_key(after, &name) != HS_OK || name.partition != message->partition ||
                           name.lane != message->lane))
        return HS_EMALFORMED;
    if (!hs_rep_in_view(s, (hs_partition)message->partition))
        return HS_ESCOPE;
    return find(s, (hs_partition)message->partition, message->lane) == NULL ? HS_OK : HS_EMALFORMED;
}

/* It has announced where it is: operations go on from there.  What is still out of reach is said again, but not at
 * once: whoever supplied it may not have had that. */
static void take_done(struct rep_session *s, hs_partition partition, uint8_t lane)
{
    bool is_pruned = hs_rep_pairs_have(&s->said_pruned, partition, lane);
    hs_rep_pairs_remove(&s->peer_lacks, partition, lane);
    if (hs_rep_pairs_remove(&s->peer_fills, partition, lane) || is_pruned)
        hs_rep_lags_resume(s, partition, lane);
    if (!is_pruned || s->pruned_ms != 0)
        return;
    s->pruned_ms = s->r->now_ms + PRUNED_AGAIN_MS;
    hs_rep_wake(s->r, s->pruned_ms);
}

static uint64_t pruned_tick(struct rep_session *s)
{
    if (s->pruned_ms == 0 || s->r->now_ms < s->pruned_ms)
        return s->pruned_ms == 0 ? UINT64_MAX : s->pruned_ms;
    s->pruned_ms = 0;
    hs_rep_pairs_fini(&s->said_pruned);
    hs_rep_lags_retry(s);
    return UINT64_MAX;
}

void hs_rep_fill_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerFill *fill = (const Hallsync__PeerFill *)message;
    hs_partition partition = (hs_partition)fill->partition;
    uint8_t lane = (uint8_t)fill->lane;
    enum hs_err err = check_form(s, fill);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "states are asked for that cannot be");
        return;
    }
    if (fill->has_done && fill->done) {
        take_done(s, partition, lane);
        return;
    }
    err = may_supply(s, partition, lane);
    if (err != HS_OK) {
        answer_error(s, partition, lane, err);
        return;
    }
    if (lane != HS_LANE_MONEY && s->r->certificate.role == HS_ROLE_HUB)
        hs_rep_pairs_add(s->r, &s->peer_fills, partition, lane);
    if (lane != HS_LANE_MONEY && s->certificate.role == HS_ROLE_HUB)
        hs_rep_pairs_add(s->r, &s->peer_lacks, partition, lane);
    open_supply(s, partition, lane, HS_BYTES(fill->after.data, fill->after.len));
}

/* PROTOCOL.md, "State transfer": who cannot go on by number says so, once; of what the view does not show in full there
 * are no states. */
void hs_rep_pruned_send(struct rep_session *s, struct rep_lag *lag)
{
    Hallsync__PeerPruned message = HALLSYNC__PEER_PRUNED__INIT;
    Hallsync__StreamHead head = HALLSYNC__STREAM_HEAD__INIT;
    Hallsync__StreamName name;
    lag->pruned = true;
    hs_rep_stream_write(&lag->name, &name);
    head.stream = &name;
    head.n = lag->stream->n;
    head.hash = hs_rep_data(lag->stream->hash.bytes, REP_SHORT_HASH_BYTES);
    message.head = &head;
    if (hs_rep_in_view(s, lag->name.partition) &&
        hs_rep_pairs_add(s->r, &s->said_pruned, lag->name.partition, lag->name.lane))
        hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_PRUNED, &message.base);
    hs_rep_lag_settle(s, lag);
}

/* ---- telling heads ---- */

struct signed_head {
    Hallsync__SignedHead head;
    Hallsync__StreamName name;
    struct hs_checkpoint checkpoint;
};

static void fill_head(struct signed_head *to, const struct hs_stream *name, uint64_t n)
{
    hallsync__signed_head__init(&to->head);
    hs_rep_stream_write(name, &to->name);
    to->head.stream = &to->name;
    to->head.n = n;
    to->head.hash = hs_rep_data(to->checkpoint.hash.bytes, HS_HASH_BYTES);
    to->head.signature = hs_rep_data(to->checkpoint.signature.bytes, HS_SIGNATURE_BYTES);
}

static enum hs_err highest_loose(void *ctx, const struct hs_loose *loose)
{
    struct hs_checkpoint *highest = ctx;
    uint64_t last = loose->segment.first + loose->segment.count - 1;
    if (last > highest->n)
        *highest = (struct hs_checkpoint){last, loose->segment.end, loose->segment.signature};
    return HS_OK;
}

/* Its head with the checkpoint; of a forked stream the highest on any branch. */
static enum hs_err read_head(struct hs_replica *r, const struct rep_stream *stream, struct signed_head *to)
{
    const struct hs_replica_source *source = &r->source;
    enum hs_err err = hs_rep_checkpoint(r, stream, stream->n, &to->checkpoint);
    if (err == HS_OK && stream->fork != NULL)
        err = source->loose(source->ctx, &stream->name, highest_loose, &to->checkpoint);
    if (err == HS_OK)
        fill_head(to, &stream->name, to->checkpoint.n);
    return err;
}

static bool is_origin_known(struct rep_session *s, const struct rep_stream *stream)
{
    const struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    return lag != NULL ? lag->peer_n > 0 : !hs_rep_exchange_open(s, stream);
}

static void refuse_rest(struct rep_session *s, struct rep_supply *supply, enum hs_err err)
{
    answer_error(s, supply->partition, supply->lane, err);
    close_supply(s, supply);
}

static void fail_supply(struct rep_session *s, struct rep_supply *supply, enum hs_err err, const char *what)
{
    struct hs_replica *r = s->r;
    char partition[HS_PARTITION_TEXT_BYTES];
    hs_rep_read(r, err);
    if (r->err != HS_OK)
        return;
    hs_rep_notice(r, HS_NOTICE_FILL_FAILED, s->peer, err,
                  hs_rep_text(r, "%s of %s to %s: %s", hs_lane_text((enum hs_lane)supply->lane),
                              hs_partition_text(supply->partition, partition), s->certificate.node_id, what));
    refuse_rest(s, supply, err);
}

/* The next heads in one message.  False: no room now, or the supply has failed and is gone. */
static bool tell_heads(struct rep_session *s, struct rep_supply *supply)
{
    struct hs_replica *r = s->r;
    struct signed_head heads[REP_FILL_PARTS];
    Hallsync__SignedHead *list[REP_FILL_PARTS];
    Hallsync__PeerFillHeads message = HALLSYNC__PEER_FILL_HEADS__INIT;
    size_t left = supply->head_count - supply->head_next, count = left < REP_FILL_PARTS ? left : REP_FILL_PARTS;
    for (size_t i = 0; i < count; i++) {
        const struct rep_stream *stream = supply->heads[supply->head_next + i];
        enum hs_err err = read_head(r, stream, &heads[i]);
        if (err == HS_OK && !is_origin_known(s, stream) && !hs_rep_opening_send(s, stream->name.origin))
            err = HS_ENOTFOUND;
        if (err != HS_OK) {
            fail_supply(s, supply, err, "a head cannot be read");
            return false;
        }
        list[i] = &heads[i].head;
    }
    message.partition = supply->partition;
    message.lane = supply->lane;
    message.heads = list;
    message.n_heads = count;
    message.update = supply->is_listed;
    message.last = count == left;
    message.has_records = !supply->is_counted;
    message.records = supply->total;
    supply->is_counted = true;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS, &message.base);
    hs_rep_spend(s, count * REP_FILL_HEAD_COST + REP_SEGMENT_COST);
    for (size_t i = 0; i < count && !supply->is_listed; i++)
        hs_rep_receipts_tell(s, &supply->heads[supply->head_next + i]->name);
    supply->head_next += count;
    return true;
}

static void heads_told(struct rep_session *s, struct rep_supply *supply)
{
    free(supply->heads);
    supply->heads = NULL;
    if (supply->is_listed)
        return;
    supply->is_listed = true;
    supply->least = s->r->commit;
}

/* ---- pieces ---- */

static enum hs_err count_records(const struct hs_buf *body, uint64_t *count, struct hs_bytes *large)
{
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(body));
    *large = HS_BYTES_NONE;
    for (*count = 0; cur.left > 0 && cur.err == HS_OK; ++*count) {
        struct hs_bytes key = hs_cur_sized(&cur);
        if (hs_cur_sized(&cur).size > HS_STATE_BYTES_MAX)
            *large = key;
    }
    if (cur.err != HS_OK)
        return HS_EDAMAGED;
    return large->size > 0 ? HS_ETOOBIG : HS_OK;
}

/* False: not now, or the supply has failed and is gone. */
static bool read_piece(struct rep_session *s, struct rep_supply *supply, struct piece *piece)
{
    struct hs_replica *r = s->r;
    struct hs_states_wanted wanted = {supply->partition, supply->lane, HS_BYTES(supply->after, supply->after_size),
                                      HS_STATES_BYTES_SOFT};
    struct hs_states_read read = {0};
    struct hs_bytes large = HS_BYTES_NONE;
    uint64_t records = 0;
    hs_buf_reset(&piece->body);
    enum hs_err err = r->source.states(r->source.ctx, supply->least, &wanted, &piece->body, &read);
    if (err == HS_EBUSY) {
        supply->again_ms = r->now_ms + AGAIN_MS;
        hs_rep_wake(r, supply->again_ms);
        hs_buf_fini(&piece->body);
        return false;
    }
    if (err == HS_EFILLING) { /* something has rotted here: the next hub, or later */
        hs_buf_fini(&piece->body);
        refuse_rest(s, supply, err);
        return false;
    }
    if (err == HS_OK)
        err = piece->body.err != HS_OK ? piece->body.err : count_records(&piece->body, &records, &large);
    if (err != HS_OK) {
        char id[2 * HS_RECORD_KEY_BYTES_MAX + 1] = "";
        if (large.size <= HS_RECORD_KEY_BYTES_MAX)
            hs_text_to_hex(large, id);
        hs_buf_fini(&piece->body);
        fail_supply(s, supply, err, hs_rep_text(r, "its records cannot be sent: %s", id));
        return false;
    }
    piece->of = supply;
    piece->next = read.next;
    piece->last = read.last;
    piece->commit = read.commit;
    piece->records = records;
    piece->at = 0;
    return true;
}

/* False: the supply has failed and is gone. */
static bool check_piece(struct rep_session *s, struct rep_supply *supply, const struct piece *piece)
{
    struct hs_states states = {supply->partition, supply->lane, hs_buf_bytes(&piece->body)};
    enum hs_err err = piece->at > 0 ? HS_OK : hs_rep_states_check(s->r, &states);
    if (err == HS_OK)
        return true;
    if (err == HS_EFILLING) /* no failure of ours: the next hub, or later */
        refuse_rest(s, supply, err);
    else
        fail_supply(s, supply, err, "its records cannot be sent");
    return false;
}

static void send_part(struct rep_session *s, const struct rep_supply *supply, struct piece *piece)
{
    struct hs_replica *r = s->r;
    Hallsync__PeerStates message = HALLSYNC__PEER_STATES__INIT;
    size_t left = piece->body.size - piece->at;
    size_t size = left < HS_STATES_BYTES_SOFT ? left : HS_STATES_BYTES_SOFT;
    message.compressed = hs_rep_compress(r, HS_BYTES(piece->body.data + piece->at, size), &r->packing);
    message.partition = supply->partition;
    message.lane = supply->lane;
    message.raw_bytes = (uint32_t)size;
    message.body = hs_rep_data(r->packing.data, r->packing.size);
    message.partial = size < left;
    message.last = piece->last && size == left;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_STATES, &message.base);
    hs_rep_spend(s, size + REP_SEGMENT_COST);
    piece->at += size;
}

static void rotate(struct rep_session *s, struct rep_supply *supply)
{
    struct rep_supply_queue *queue = &s->supplies->lanes[supply->lane];
    TAILQ_REMOVE(queue, supply, turn);
    TAILQ_INSERT_TAIL(queue, supply, turn);
    supply->queued_ms = s->r->now_ms;
}

static void piece_sent(struct rep_session *s, struct rep_supply *supply, struct piece *piece)
{
    supply->after_size = piece->next.size;
    if (piece->next.size > 0)
        memmove(supply->after, piece->next.data, piece->next.size); /* it may be the same */
    supply->records += piece->records;
    bool last = piece->last;
    piece->of = NULL;
    hs_buf_fini(&piece->body); /* what waits holds nothing */
    if (last)
        close_supply(s, supply);
    else
        rotate(s, supply);
}

/* What is to be told before the piece may go: false: not all of it yet. */
static bool tell_moved(struct rep_session *s, struct rep_supply *supply)
{
    const struct rep_partition *partition = hs_rep_partition_find(&s->r->frontier, supply->partition);
    bool moved = partition != NULL && partition->changed[supply->lane] > supply->told;
    if (moved || !supply->are_forks_told)
        gather_heads(s->r, supply);
    return supply->heads == NULL;
}

/* ---- turns ---- */

/* The first of its lane that does not wait for the store. */
static struct rep_supply *next_supply(struct rep_session *s, uint8_t lane)
{
    const struct piece *piece = &s->supplies->pieces[lane];
    struct rep_supply *supply;
    TAILQ_FOREACH(supply, &s->supplies->lanes[lane], turn)
    {
        bool is_other = piece->of != NULL && piece->of != supply && supply->heads == NULL;
        bool is_early = piece->of == supply && piece->commit > s->r->commit;
        if (!is_other && !is_early && supply->again_ms <= s->r->now_ms)
            return supply;
    }
    return NULL;
}

bool hs_rep_supply_waits(struct rep_session *s, uint8_t lane, uint64_t *queued_ms)
{
    const struct rep_supply *supply = s->supplies == NULL ? NULL : next_supply(s, lane);
    if (supply != NULL)
        *queued_ms = supply->queued_ms;
    return supply != NULL;
}

static bool send_heads(struct rep_session *s, struct rep_supply *supply)
{
    size_t left = supply->head_count - supply->head_next, count = left < REP_FILL_PARTS ? left : REP_FILL_PARTS;
    if (!hs_rep_room(s, HS_LANE_BULK, count * REP_FILL_HEAD_COST + REP_SEGMENT_COST))
        return false;
    if (!supply->is_counted && supply->lane != HS_LANE_MONEY)
        supply->total = s->r->source.states_count(s->r->source.ctx, supply->partition, supply->lane);
    if (!tell_heads(s, supply) || supply->head_next < supply->head_count)
        return true;
    heads_told(s, supply);
    if (supply->lane == HS_LANE_MONEY)
        close_supply(s, supply);
    else
        rotate(s, supply);
    return true;
}

/* Whatever is sent, of states or segments, an urgent operation must not wait for more than one of them: states of lane
 * work are no exception. */
bool hs_rep_supply_send(struct rep_session *s, uint8_t lane)
{
    struct rep_supply *supply = next_supply(s, lane);
    struct piece *piece = &s->supplies->pieces[lane];
    if (supply == NULL)
        return true;
    if (supply->heads != NULL)
        return send_heads(s, supply);
    if (!hs_rep_room(s, HS_LANE_BULK, PIECE_COST))
        return false;
    if (piece->of == NULL && !read_piece(s, supply, piece))
        return true;
    if (piece->commit > s->r->commit || !tell_moved(s, supply) || !check_piece(s, supply, piece))
        return true;
    send_part(s, supply, piece);
    if (piece->at == piece->body.size)
        piece_sent(s, supply, piece);
    return true;
}

uint64_t hs_rep_supply_tick(struct rep_session *s)
{
    uint64_t next_ms = s->state == REP_LIVE ? pruned_tick(s) : UINT64_MAX;
    for (size_t lane = HS_LANE_WORK; s->supplies != NULL && lane < HS_LANE_COUNT; lane++) {
        const struct rep_supply *supply;
        TAILQ_FOREACH(supply, &s->supplies->lanes[lane], turn)
        {
            if (supply->again_ms > s->r->now_ms && supply->again_ms < next_ms)
                next_ms = supply->again_ms;
            else if (supply->again_ms != 0)
                hs_rep_session_dirty(s);
        }
    }
    return next_ms;
}

/* ---- figures ---- */

/* What the peer wants and nobody brings now counts, too: it may have no room for it, or ask another hub. */
void hs_rep_supply_status(const struct rep_session *s, struct hs_peer_status *status)
{
    size_t money = 0;
    for (size_t lane = HS_LANE_WORK; s->supplies != NULL && lane < HS_LANE_COUNT; lane++) {
        const struct rep_supply *supply;
        TAILQ_FOREACH(supply, &s->supplies->lanes[lane], turn)
        {
            status->supplying++;
            money += lane == HS_LANE_MONEY;
            status->supplied_records += supply->records;
            status->supplied_total += supply->total;
        }
    }
    if (status->supplying < money + s->peer_fills.count)
        status->supplying = money + s->peer_fills.count;
}

uint64_t hs_rep_supplies_bytes(const struct rep_session *s)
{
    uint64_t bytes = s->supplies == NULL ? 0 : sizeof *s->supplies;
    for (size_t lane = HS_LANE_WORK; s->supplies != NULL && lane < HS_LANE_COUNT; lane++) {
        const struct rep_supply *supply;
        bytes += s->supplies->pieces[lane].body.room;
        TAILQ_FOREACH(supply, &s->supplies->lanes[lane], turn)
        bytes += sizeof *supply + (supply->heads == NULL ? 0 : supply->head_count * sizeof(void *));
    }
    return bytes;
}
