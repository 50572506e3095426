/* What happens, line by line, and time that passes. */
#include "tests/sim/trace/trace.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

#define NAMES_WIDTH 20 /* of "hub > gulou" */
#define WHEN        "[%5llu] "
#define TELL_WIDTH  110
#define STEPS_MAX   100000

/* ---- lines ---- */

static void begin(struct trace *t, const struct world_node *node, const char *arrow, const struct world_node *other)
{
    char name[48], to[48], names[112];
    snprintf(names, sizeof names, "%s%s%s", trace_node_name(t, node, name), arrow,
             other == NULL ? "" : trace_node_name(t, other, to));
    trace_put(t, WHEN "%-*s ", (unsigned long long)(t->w->now_ms - t->zero_ms), NAMES_WIDTH, names);
}

static void end(struct trace *t)
{
    trace_put(t, "\n");
}

void trace_tell(struct trace *t, const char *format, ...)
{
    char text[400];
    size_t column = 2;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    trace_put(t, "%s--", t->text.size > 0 ? "\n" : "");
    for (const char *word = text; *word != '\0'; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        bool is_full = column + 1 + size > TELL_WIDTH;
        trace_put(t, "%s%.*s", is_full ? "\n   " : " ", (int)size, word);
        column = is_full ? 3 + size : column + 1 + size;
        word += size;
    }
    trace_put(t, "\n");
}

void trace_fact(struct trace *t, bool is_so, const char *text)
{
    trace_put(t, "        = %s: %s\n", text, is_so ? "yes" : "NO");
}

/* Raw ids in sentences for people are named too: they would be other ones with other seeds. */
static void put_text(struct trace *t, const char *text)
{
    while (*text != '\0') {
        size_t hex = 0;
        while (isxdigit((unsigned char)text[hex]))
            hex++;
        if (hex >= 16) {
            trace_put(t, "(id)");
            text += hex;
        } else {
            size_t size = hex == 0 ? 1 : hex;
            trace_put(t, "%.*s", (int)size, text);
            text += size;
        }
    }
}

/* ---- frames ---- */

static bool is_shown(const struct trace *t, uint8_t type)
{
    return type >= 32 || (t->hidden & 1U << type) == 0;
}

static void tell_sent(struct trace *t, const struct world_link *link, int to, struct hs_bytes bytes)
{
    struct hs_frame frame;
    bool is_frame = hs_frame_decode(bytes, &frame) == HS_OK;
    if (is_frame && frame.type == HALLSYNC__PEER_TYPE__PEER_FRONTIER) {
        hs_buf_reset(&t->offered);
        hs_buf_put_bytes(&t->offered, frame.body);
    }
    if (!is_frame || !is_shown(t, frame.type))
        return;
    begin(t, link->end[1 - to], " > ", link->end[to]);
    trace_message(t, frame.type, frame.body);
    end(t);
}

static void tell_received(void *ctx, struct world_node *node, hs_peer peer, struct hs_bytes bytes)
{
    struct trace *t = ctx;
    struct hs_frame frame;
    int at;
    const struct world_link *link = world_link_of(node, peer, &at);
    bool is_frame = hs_frame_decode(bytes, &frame) == HS_OK;
    if (t->hides_arrivals || link == NULL || (is_frame && !is_shown(t, frame.type)))
        return;
    begin(t, node, " < ", link->end[1 - at]);
    const char *name = is_frame ? trace_type_name(frame.type) : "(no frame)";
    trace_put(t, "%s", name == NULL ? "(no known message)" : name);
    end(t);
}

/* ---- obligations ---- */

static void put_pair(struct trace *t, hs_partition partition, uint8_t lane)
{
    char text[HS_PARTITION_TEXT_BYTES];
    trace_put(t, "%s of %s", hs_lane_text((enum hs_lane)lane), hs_partition_text(partition, text));
}

static void put_fill_store(struct trace *t, const struct hs_replica_store *store)
{
    struct hs_cur cur = hs_cur_of(store->states.body);
    unsigned records = 0;
    switch (store->type) {
    case HS_STORE_NOTE:
        trace_put(t, "%u heads%s of ", (unsigned)store->note.count, store->note.last ? ", the last," : "");
        put_pair(t, store->note.partition, store->note.lane);
        break;
    case HS_STORE_STATES:
        for (; cur.left > 0; records++) {
            hs_cur_sized(&cur);
            hs_cur_sized(&cur);
        }
        trace_put(t, "%u records: ", records);
        put_pair(t, store->states.partition, store->states.lane);
        break;
    default:
        trace_put(t, store->type == HS_STORE_FILL ? "to be filled: " : "filled: ");
        put_pair(t, store->partition, store->lane);
        break;
    }
}

static void put_store(struct trace *t, const struct hs_replica_store *store)
{
    struct hs_opening opening;
    const struct hs_segment *piece = store->type == HS_STORE_LOOSE ? &store->loose.segment : &store->segment;
    if (store->type == HS_STORE_ORIGIN) {
        enum hs_err err = hs_opening_verify(store->opening, &opening);
        assert(err == HS_OK);
        trace_put(t, "opening of origin %s", trace_origin_name(t, opening.origin));
    } else if (store->type == HS_STORE_STRIKE) {
        trace_put(t, "strike out the current origin");
    } else if (store->type == HS_STORE_RECEIPT) {
        trace_put(t, "receipt of %s for ", trace_store_name(t, store->receipt.store_id));
        trace_put_stream(t, &store->receipt.stream);
        trace_put(t, " ");
        trace_put_number(t, &store->receipt.stream, store->receipt.n, store->receipt.hash.bytes);
    } else if (store->type == HS_STORE_RENEW) {
        trace_put(t, "another store id at the next start");
    } else if (store->type == HS_STORE_GONE || store->type == HS_STORE_TOLD) {
        trace_put(t, store->type == HS_STORE_GONE ? "gone: %s" : "all receipts came of %s",
                  trace_store_name(t, store->store_id));
    } else if (store->type == HS_STORE_REVOCATION || store->type == HS_STORE_RELEASE) {
        trace_put(t, store->type == HS_STORE_REVOCATION ? "a revocation" : "a release");
    } else if (store->type == HS_STORE_ROT) {
        trace_put(t, "whether something has rotted in ");
        trace_put_stream(t, &store->stream);
    } else if (store->type == HS_STORE_CERTIFICATE) {
        trace_put(t, "certificate of its own, issued anew");
    } else if (store->type == HS_STORE_BASE) {
        trace_put(t, "beginning of ");
        trace_put_stream(t, &store->head.stream);
        trace_put(t, " behind ");
        trace_put_number(t, &store->head.stream, store->head.n, store->head.hash.bytes);
    } else if (store->type == HS_STORE_FORK) {
        trace_put(t, "fork proof of ");
        trace_put_stream(t, &store->stream);
    } else if (store->type >= HS_STORE_FILL && store->type <= HS_STORE_FILLED) {
        put_fill_store(t, store);
    } else {
        trace_put(t, store->type == HS_STORE_LOOSE ? "loose piece " : "segment ");
        trace_put_stream(t, &piece->stream);
        trace_put(t, " ");
        if (piece->count > 1)
            trace_put(t, "%llu..", (unsigned long long)piece->first);
        trace_put_number(t, &piece->stream, piece->first + piece->count - 1, piece->end.bytes);
    }
}

static const char *notice_text(enum hs_replica_notice notice)
{
    switch (notice) {
    case HS_NOTICE_LIVE:
        return "session is live: ";
    case HS_NOTICE_REFUSED:
        return "refused: ";
    case HS_NOTICE_ENDED:
        return "session ended: ";
    case HS_NOTICE_PROBE_DONE:
        return "synced";
    case HS_NOTICE_EQUAL:
        return "digests are equal";
    case HS_NOTICE_DAMAGE:
        return "ALARM damage: ";
    case HS_NOTICE_FORK:
        return "ALARM fork: ";
    case HS_NOTICE_STREAM_STOPPED:
        return "ALARM stream stopped: ";
    case HS_NOTICE_NAMED_BEYOND:
        return "ALARM set back, or lied to: ";
    case HS_NOTICE_CLONE:
        return "ALARM clone: ";
    case HS_NOTICE_FILLING:
        return "filling ";
    case HS_NOTICE_FILLED:
        return "filled ";
    case HS_NOTICE_FILL_FAILED:
        return "filling has to wait: ";
    case HS_NOTICE_HELD:
        return "held: ";
    case HS_NOTICE_STORES_FULL:
        return "ALARM ";
    case HS_NOTICE_TWIN:
        return "session ended: ";
    case HS_NOTICE_REVOKED:
        return "revoked: ";
    case HS_NOTICE_OWN_REVOKED:
        return "ALARM its own key was revoked: ";
    case HS_NOTICE_WAITING:
        return "waits: ";
    case HS_NOTICE_ADMITTING:
        return "lets halls in: ";
    case HS_NOTICE_SET_BACK:
        return "ALARM an older copy: ";
    }
    return "";
}

static void tell_notice(struct trace *t, const struct world_node *node, const struct hs_replica_update *update)
{
    bool names_error = update->notice == HS_NOTICE_REFUSED || update->notice == HS_NOTICE_ENDED ||
                       update->notice == HS_NOTICE_STREAM_STOPPED;
    bool names_stream = update->notice == HS_NOTICE_FORK || update->notice == HS_NOTICE_STREAM_STOPPED ||
                        update->notice == HS_NOTICE_WAITING;
    if (update->notice == HS_NOTICE_EQUAL && !is_shown(t, HALLSYNC__PEER_TYPE__PEER_COMPARE))
        return;
    begin(t, node, "", NULL);
    trace_put(t, "* %s", notice_text(update->notice));
    if (names_stream) {
        trace_put_stream(t, &update->stream);
        trace_put(t, ": ");
    }
    if (names_error)
        trace_put(t, "%s: ", hs_err_name(update->err));
    put_text(t, update->text == NULL ? "" : update->text);
    end(t);
}

static void tell_wanted(void *ctx, struct world_node *node, const struct hs_replica_update *update)
{
    struct trace *t = ctx;
    int at;
    const struct world_link *link = world_link_of(node, update->peer, &at);
    if (update->type == HS_REPLICA_SEND) {
        tell_sent(t, link, 1 - at, update->frame);
    } else if (update->type == HS_REPLICA_DROP) {
        begin(t, node, " x ", link->end[1 - at]);
        trace_put(t, "hangs up");
        end(t);
    } else if (update->type == HS_REPLICA_STORE &&
               (update->store->type == HS_STORE_MEET || update->store->type == HS_STORE_ANNOUNCED)) {
        return; /* in every session with a hub */
    } else if (update->type == HS_REPLICA_STORE) {
        begin(t, node, "", NULL);
        trace_put(t, "asks its store: ");
        put_store(t, update->store);
        end(t);
    } else if (update->type == HS_REPLICA_ANSWER) {
        begin(t, node, "", NULL);
        trace_put(t, "* answer to question %llu: ", (unsigned long long)update->token);
        if (update->err == HS_OK)
            trace_put(t, "%zu records, as %s had them", update->answer->count, update->answer->node);
        else
            trace_put(t, "%s", hs_err_name(update->err));
        end(t);
    } else {
        tell_notice(t, node, update);
    }
}

static void tell_stored(void *ctx, struct world_node *node, const struct hs_replica_store *todo, enum hs_err err)
{
    struct trace *t = ctx;
    if (todo->type == HS_STORE_MEET || todo->type == HS_STORE_ANNOUNCED)
        return;
    begin(t, node, "", NULL);
    trace_put(t, err == HS_OK ? "committed: " : "NOT committed (%s): ", hs_err_name(err));
    put_store(t, todo);
    end(t);
}

static void tell_wrote(void *ctx, const struct world_node *node, const struct hs_head *head)
{
    struct trace *t = ctx;
    begin(t, node, "", NULL);
    trace_put(t, "writes ");
    trace_put_stream(t, &head->stream);
    trace_put(t, " ");
    trace_put_number(t, &head->stream, head->n, head->hash.bytes);
    end(t);
}

/* ---- the trace ---- */

void trace_init(struct trace *t)
{
    *t = (struct trace){.w = world_new(1), .hidden = TRACE_TIMERS};
    t->watch = (struct world_watch){t, tell_wrote, tell_received, tell_wanted, tell_stored};
    t->w->watch = &t->watch;
    t->w->latency_ms = TRACE_LATENCY_MS;
    hs_arena_init(&t->arena, 0);
    trace_zero(t);
}

void trace_fini(struct trace *t)
{
    t->w->watch = NULL;
    world_free(t->w);
    hs_arena_fini(&t->arena);
    hs_buf_fini(&t->text);
    hs_buf_fini(&t->offered);
    trace_names_fini(t);
}

void trace_zero(struct trace *t)
{
    t->zero_ms = t->w->now_ms;
    t->label_count = 0;
    t->is_quiet = false;
}

/* ---- time ---- */

/* When does that end hear something next?  UINT64_MAX: nothing is on its way. */
static uint64_t due_at(const struct world *w, const struct world_link *link, int to)
{
    if (!link->up[to])
        return UINT64_MAX;
    if (link->frames[to] != NULL)
        return link->frames[to]->due_ms;
    return link->up[1 - to] ? UINT64_MAX : link->down_ms[1 - to] + w->latency_ms;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_event(const struct world *w)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < w->link_count; i++) {
        next = earlier(next, due_at(w, &w->links[i], 0));
        next = earlier(next, due_at(w, &w->links[i], 1));
    }
    for (size_t i = 0; i < w->node_count; i++) {
        next = earlier(next, w->nodes[i]->wake_ms);
        if (w->nodes[i]->store_count > 0)
            next = earlier(next, w->nodes[i]->asked_ms + TRACE_COMMIT_MS);
    }
    return next;
}

static void do_what_is_due(struct world *w)
{
    for (size_t i = 0; i < w->link_count; i++) {
        for (int to = 1; to >= 0; to--) {
            while (due_at(w, &w->links[i], to) <= w->now_ms)
                world_deliver(&w->links[i], to);
        }
    }
    for (size_t i = 0; i < w->node_count; i++) {
        struct world_node *node = w->nodes[i];
        if (node->store_count > 0 && node->asked_ms + TRACE_COMMIT_MS <= w->now_ms)
            world_store_next(node, node->store_count);
        if (node->wake_ms <= w->now_ms)
            world_tick(node);
    }
}

void trace_run(struct trace *t, uint64_t ms)
{
    uint64_t end_ms = t->w->now_ms + ms;
    unsigned steps = 0;
    for (uint64_t next; (next = next_event(t->w)) <= end_ms;) {
        assert(++steps < STEPS_MAX); /* else time stands still */
        t->w->now_ms = next > t->w->now_ms ? next : t->w->now_ms;
        do_what_is_due(t->w);
    }
    t->w->now_ms = end_ms;
}

/* ---- what scenarios do ---- */

void trace_cut(struct trace *t, struct world_link *link)
{
    char a[48], b[48];
    trace_put(t, WHEN "(the line between %s and %s is cut)\n", (unsigned long long)(t->w->now_ms - t->zero_ms),
              trace_node_name(t, link->end[0], a), trace_node_name(t, link->end[1], b));
    world_cut(link);
}

void trace_lose(struct trace *t, struct world_link *link, int to)
{
    struct hs_frame frame;
    char name[48];
    assert(link->frames[to] != NULL);
    enum hs_err err = hs_frame_decode(hs_buf_bytes(&link->frames[to]->bytes), &frame);
    assert(err == HS_OK);
    trace_put(t, WHEN "(the line loses the %s for %s)\n", (unsigned long long)(t->w->now_ms - t->zero_ms),
              trace_type_name(frame.type), trace_node_name(t, link->end[to], name));
    world_lose(link, to);
}

void trace_holds(struct trace *t, const struct world_node *node, const struct hs_stream *name)
{
    const struct world_stream *stream = world_store_find(&node->store, name);
    begin(t, node, "", NULL);
    trace_put(t, "holds ");
    trace_put_stream(t, name);
    trace_put(t, " ");
    if (stream == NULL || stream->count == 0)
        trace_put(t, "0");
    else
        trace_put_number(t, name, stream->count, stream->ops[stream->count - 1].hash.bytes);
    for (size_t i = 0; i < node->store.loose_count; i++) {
        const struct hs_segment *piece = &node->store.looses[i].loose.segment;
        if (!hs_stream_equal(&piece->stream, name))
            continue;
        trace_put(t, " and the piece ");
        if (piece->count > 1)
            trace_put(t, "%llu..", (unsigned long long)piece->first);
        trace_put_number(t, name, piece->first + piece->count - 1, piece->end.bytes);
    }
    end(t);
}

struct trace_pair trace_pair(struct trace *t)
{
    static const hs_partition GULOU[] = {3201};
    struct trace_pair pair = {.hub = world_hub(t->w, "hub"), .hall = world_hall(t->w, "gulou", GULOU, 1)};
    t->is_quiet = true;
    world_start(pair.hub);
    world_start(pair.hall);
    pair.link = world_call(pair.hall, pair.hub);
    trace_run(t, 100);
    trace_zero(t);
    return pair;
}

struct hs_stream trace_write(struct world_node *node, hs_partition partition, enum hs_lane lane, unsigned count)
{
    struct hs_stream stream = {0};
    for (unsigned i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s writes its number %llu", node->certificate.node_id,
                 (unsigned long long)node->store.commit);
        stream = world_write_text(node, partition, lane, text);
    }
    return stream;
}

/* ---- puppets ---- */

void trace_puppet_calls(struct puppet *p, struct world_node *self, struct world_node *other)
{
    *p = (struct puppet){.self = self, .link = world_call(self, other), .me = 0};
    hs_arena_init(&p->arena, 0);
}

void trace_puppet_called(struct puppet *p, struct world_node *self, struct world_node *other)
{
    *p = (struct puppet){.self = self, .link = world_call(other, self), .me = 1};
    hs_arena_init(&p->arena, 0);
}

void trace_say(struct trace *t, struct puppet *p, uint8_t type, const ProtobufCMessage *message)
{
    struct hs_buf frame = {0};
    hs_frame_encode(type, ++p->sequence, message, &frame);
    tell_sent(t, p->link, 1 - p->me, hs_buf_bytes(&frame));
    world_push(p->link, 1 - p->me, hs_buf_bytes(&frame));
    hs_buf_fini(&frame);
}

void trace_say_raw(struct trace *t, struct puppet *p, struct hs_bytes frame, const char *what)
{
    begin(t, p->self, " > ", puppet_other(p));
    trace_put(t, "%s", what);
    end(t);
    world_push(p->link, 1 - p->me, frame);
}

void trace_say_head(struct trace *t, struct puppet *p, const struct hs_stream *stream, uint64_t n,
                    const struct world_node *holder)
{
    const struct world_stream *held = world_store_find(&holder->store, stream);
    struct hs_hash start = hs_chain_start(stream);
    const struct hs_hash *hash = n == 0 ? &start : &held->ops[n - 1].hash;
    Hallsync__PeerFrontier message = HALLSYNC__PEER_FRONTIER__INIT;
    Hallsync__StreamHead *head = puppet_head(p, stream, n, hash->bytes);
    message.heads = &head;
    message.n_heads = 1;
    trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &message.base);
}

void trace_say_hello(struct trace *t, struct puppet *p)
{
    trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(p)->base);
    trace_run(t, TRACE_LATENCY_MS);
    Hallsync__PeerFrontier *nothing = puppet_nothing(p);
    if (p->me == 1) { /* the other has offered its list */
        ProtobufCMessage *offered;
        trace_run(t, TRACE_LATENCY_MS);
        enum hs_err err = hs_msg_unpack(&hallsync__peer_frontier__descriptor, hs_buf_bytes(&t->offered), &p->arena,
                                        &offered);
        assert(err == HS_OK);
        nothing = puppet_frontier(p, puppet_lacks_all(p, ((Hallsync__PeerFrontier *)offered)->parts[0]));
    }
    trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &nothing->base);
    trace_run(t, TRACE_LATENCY_MS);
}

void trace_say_segment(struct trace *t, struct puppet *p, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    if (first == 1)
        trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(p, stream->origin)->base);
    trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &puppet_segment(p, stream, first, last)->base);
}
