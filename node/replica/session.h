/* session.h -- one peer: what it is, what it may see, what it lacks, what may be sent to it.  Inside node/replica only.
 *
 *            PEER_UP            their Hello is good
 *    (none) ---------> GREETED ---------------------> LIVE
 *                         |  refused, silent, garbled   |  silent, garbled, connection gone
 *                         +----------> ENDED <----------+        (freed when the step is over)
 */
#ifndef HS_REPLICA_SESSION_H
#define HS_REPLICA_SESSION_H

#include "node/replica/bucket.h"
#include "node/replica/frontier.h"
#include "proto/peer.pb-c.h"

#include <sys/queue.h>

#define REP_PROCESS_BYTES 16
#define REP_PARTS         32 /* of what is on its way, told apart */

enum rep_session_state { REP_GREETED, REP_LIVE, REP_ENDED };

/* Who dials whom.  Halls and hubs compare what they hold; a witness only keeps. */
enum rep_relation { REP_HALL_HUB, REP_HUB_HUB, REP_HALL_WITNESS, REP_WITNESS_HUB };

/* One stream of which the peer is known to hold another number than we do.  No entry: the same, or nothing is known yet
 * (hs_rep_exchange_open). */
struct rep_lag {
    struct hs_stream name;
    struct rep_stream *stream; /* NULL: we hold nothing of it */
    uint64_t peer_n;           /* what it surely holds */
    uint64_t sent_n;           /* what was sent on top */
    uint64_t since_ms;         /* something has waited to be stored there since; 0: nothing does */
    uint64_t awaited_ms;       /* something that it named has been waited for since; 0: nothing is */
    uint64_t queued_ms;        /* waiting for its turn since */
    uint64_t stopped_ms;       /* stopped since */
    bool queued;
    bool blocked; /* disputed: nothing is sent by number */
    bool stopped; /* bad chain or signature: not taken from this peer until the head moves */
    bool assumed; /* peer_n is, until the peer has answered what we offered: nothing is sent */
    bool gapped;  /* what it sent was dropped: it begins anew from the head that it is, or will be, told */
    bool vouched; /* of a revoked key: the peer was told how far hubs have signed */
    bool shown;   /* the peer was shown what it has itself signed for, and holds no more */
    bool pruned;  /* we cannot go on by number: it waits until the peer has states instead */
    TAILQ_ENTRY(rep_lag) turn;
};
TAILQ_HEAD(rep_lags, rep_lag);

/* A place in the tree that frontiers are compared by (exchange.h): a list of partitions, of a partition's nodes, or of
 * a node's streams there, as far as their names begin so. */
struct rep_place {
    uint8_t level;
    uint8_t depth; /* digits of the prefix */
    hs_partition partition;
    uint8_t node[HS_NODE_HASH_BYTES];
    uint8_t prefix[HS_NODE_HASH_BYTES]; /* digits of four bits, then zeros */
};
TAILQ_HEAD(rep_lists, rep_list);

/* The districts that a node holds in full, or whose halls a witness serves. */
struct rep_scope {
    bool everything;
    size_t count;
    hs_partition districts[HS_SCOPE_MAX]; /* ascending */
};

struct rep_exchange {
    bool begun;  /* with a witness: what the peer holds is known */
    void *lists; /* tsearch tree */
    struct rep_lists waiting;
    size_t list_count, offered_count;
    uint8_t depths[3];   /* the deepest that was ever opened, by level */
    struct hs_buf parts; /* to be sent at the end of the step, packed as fields of PeerFrontier */
    size_t part_count;
    struct hs_buf heads; /* of an announcement, likewise */
    size_t head_count;
};

/* A set of (partition, lane), ascending. */
struct rep_pairs {
    uint32_t *items;
    size_t count, room;
};
#define REP_PAIR(partition, lane) ((uint32_t)(partition) << 8 | (lane))

/* A piece of what is on its way: the credit and the bytes of frames that were sent in all at its end. */
struct rep_flight {
    uint64_t sent, bytes;
};

/* Credit and the measured rate of what we send. */
struct rep_outflow {
    uint64_t allowed;                   /* cumulative, as the peer says */
    uint64_t first;                     /* the first credit */
    uint64_t sent;                      /* cumulative cost */
    struct rep_flight parts[REP_PARTS]; /* a ring; when it is full, the newest one takes in what follows */
    size_t part_at, part_count;
    uint64_t bytes, bytes_back;             /* of frames, cumulative: sent at the last part's end; of what came back */
    uint64_t last_cost, last_bytes;         /* of what was sent last */
    uint64_t rate;                          /* bytes of frames per second whose credit came back */
    uint64_t mark_sent, mark_back, mark_ms; /* the sample being taken; back: bytes */
    uint64_t base_ms;                       /* what an answer takes when nothing else is on its way; 0: not known */
    bool marked, limited, is_alone;         /* is_alone: nothing was on its way at the sample's beginning */
    enum hs_waits waits;                    /* what the last piece that was to go found in its way */
    uint64_t back_ms;                       /* something came back last, or nothing was on its way */
    unsigned turns;

    /* The limit that people set, here or there.  What has passed stands with the node: rep_node.sent. */
    uint64_t limit, peer_limit; /* bytes per second; 0: none */
    uint64_t counted;           /* of the session's sent_bytes */
    uint64_t limit_wake_ms;     /* something waits for the limit until then; 0: nothing */
};

/* Credit of what we receive: costs, cumulative. */
struct rep_inflow {
    uint64_t first; /* the first credit */
    uint64_t taken; /* of what came */
    uint64_t back;  /* of what was stored or dropped */
    uint64_t told;  /* ... as last told */
};

/* A message that may come.  replica.c has them all. */
struct rep_message {
    const ProtobufCMessageDescriptor *descriptor;
    void (*received)(struct rep_session *s, const ProtobufCMessage *message);
    unsigned states;                               /* in which it may come: bits 1 << state */
    size_t questions_max;                          /* that may be open, where an answer costs; 0: it asks nothing */
    bool (*asks)(const ProtobufCMessage *message); /* this one does; NULL: all do */
};

/* inquiry.c: questions that wait for their answers. */
struct rep_inquiry;
TAILQ_HEAD(rep_inquiry_queue, rep_inquiry);
struct rep_inquiries {
    struct rep_bucket bucket; /* bytes of answers */
    uint64_t due_ms;          /* it has something again, and something waits; 0: nothing does */
    struct rep_inquiry_queue waiting;
    size_t bytes;            /* of those */
    struct rep_pairs pruned; /* it is to be told that these can go on by number */
};

/* PROTOCOL.md, "Fetch": a question of the peer's that is not answered. */
struct rep_fetch {
    struct hs_stream stream;
    uint64_t first; /* 0: the receipts */
    bool is_open;
};

struct rep_session {
    struct hs_replica *r;
    hs_peer peer;
    bool outbound;
    bool has_stopped;      /* some stream, at some time */
    bool is_proven;        /* its certificate holds, and is of the connection's key */
    enum hs_reason reason; /* why it ends, where the error alone does not say it */
    enum rep_session_state state;
    struct hs_key curve_key;
    uint32_t sequence_in, sequence_out;
    uint64_t up_ms, live_ms, heard_ms, beat_ms;

    struct rep_inquiries inquiries;
    struct rep_fetch fetch; /* asked of us */
    bool is_fetching;       /* we have asked, and it has not answered */
    size_t stores;          /* of what it brought, with the writer */

    /* From its Hello. */
    struct hs_certificate certificate;
    struct hs_buf certificate_bytes;
    uint8_t process_id[REP_PROCESS_BYTES];
    uint64_t store_id, backup_store;
    uint64_t backup_told; /* our own */
    uint64_t beyond_ms;   /* what it has beyond us is noted then; 0: not before it is known */
    uint64_t beyond_was;  /* as noted last: a sum that changes with it */
    bool own_known;       /* a hall's own payments */
    uint64_t own_payments;
    int64_t own_fen;
    struct rep_wanted *wanted; /* receipts that it is asked for anew; NULL: none */
    uint32_t revocations_due;  /* that its Hello said: they come before anything else */
    bool is_held;              /* its Hello is good, and it is not let in */
    uint64_t takes;            /* messages of later nodes that it named: bits 1 << type */
    struct rep_node *node;
    struct rep_session *of_node; /* the node's next live one */

    /* What it may see (view.c). */
    enum rep_relation relation;
    struct rep_scope scope;           /* the peer's */
    bool is_equal;                    /* of two hubs: their scopes are */
    TAILQ_ENTRY(rep_session) by_node; /* in r->by_node */

    struct rep_exchange exchange;
    void *lags; /* tsearch tree */
    size_t lag_count, assumed_count;
    struct rep_lags turns[HS_LANE_COUNT]; /* of the lags with something to send */
    struct rep_looses *looses;            /* branches to be sent; NULL: none */
    struct rep_outflow out;
    struct rep_inflow in;
    struct hs_buf acks; /* to be sent at the end of the step, packed as fields of PeerAck */
    size_t ack_parts;
    TAILQ_ENTRY(rep_session) work;
    bool dirty; /* in r->dirty */

    /* States instead of operations. */
    struct rep_pairs peer_fills;      /* what the peer wants as states: no operations of it until it says so */
    struct rep_pairs peer_lacks;      /* of a hub: what it has told us that it is being filled with, but for money */
    struct rep_pairs told_fills;      /* what it takes us to be filling */
    struct rep_pairs pruned_there;    /* what it has told us that it cannot send by number: it is asked first */
    bool is_rebuilding;               /* a hub that takes states from halls */
    struct rep_pairs said_pruned;     /* what we have told it that we cannot send by number */
    uint64_t pruned_ms;               /* say it again then; 0: nothing to say */
    struct rep_supplies *supplies;    /* what is sent to it as states; NULL: nothing */
    size_t fills_open[HS_LANE_COUNT]; /* asked of it and not ended */
    size_t fill_bounds;               /* of all of them together */
    uint64_t brought_ms;              /* something that costs credit came last, or waited for us to give it back */

    /* Lanes of which nothing is taken: bits 1 << lane (hold.c). */
    uint32_t peer_held;
    uint32_t told_held;  /* what the peer knows of ours */
    uint64_t held_bytes; /* states that came all the same */
    unsigned held_notices;
    uint64_t held_notice_ms;

    /* Heartbeats. */
    bool is_limit_new;      /* the peer has not been told it */
    uint64_t heads_told;    /* own heads of commits up to this one; a witness: of streams that no hub has signed for */
    uint64_t hello_commit;  /* the last one when our Hello was made: it names nothing of later ones */
    uint64_t heads_due;     /* a witness: it names next those of commits up to this one ... */
    uint64_t heads_due_ms;  /* ... then */
    uint64_t receipts_told; /* of receipts stored with commits up to this one */
    int64_t clock_offset_ms;
    uint64_t round_trip_ms;
    bool payments_known;
    uint64_t payments_count;
    int64_t payments_fen;
    char software[HS_SOFTWARE_BYTES_MAX + 1];
    struct hs_figures figures;
    uint64_t figures_told_ms; /* ours to it; 0: not yet */

    /* Digests. */
    struct rep_compare *compare; /* the round; NULL: none */
    uint64_t compare_ms;         /* begin one, or go on with it, then */
    uint64_t compare_retry_ms;   /* how long was waited last because something lagged */
    bool is_compare_wanted;      /* whatever lags */
    uint64_t equal_ms;
    uint64_t compared; /* token of the COMPARE before the last round that has ended */
    enum hs_comparison comparison;
    struct hs_differ *differs; /* of that round; NULL: none */
    size_t differ_count;

    /* Probes. */
    bool is_asked;        /* one is to be answered when the frontiers are compared */
    uint64_t probe_asked; /* its id */
    uint64_t question;    /* id of our own that is not answered yet; 0: none */

    uint64_t sent_ops[HS_LANE_COUNT], received_ops[HS_LANE_COUNT]; /* by lane */
    uint64_t sent_bytes, received_bytes;
};
TAILQ_HEAD(rep_sessions, rep_session);

/* session.c: the table, and who hears of what */
struct rep_session *hs_rep_session_find(struct hs_replica *r, hs_peer peer); /* NULL: unknown or ended */
void hs_rep_session_up(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_session_down(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_session_end(struct rep_session *s, enum hs_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void hs_rep_session_refuse(struct rep_session *s, enum hs_err err, const char *text);  /* says so, then ends it */
void hs_rep_session_refused(struct rep_session *s, enum hs_err err, const char *text); /* by either side */
/* Of two sessions of the same two processes this one ends. */
void hs_rep_session_twin(struct rep_session *s, const struct rep_session *stays);
void hs_rep_session_dirty(struct rep_session *s); /* something may be sent to it at the end of the step */
void hs_rep_sessions_sweep(struct hs_replica *r); /* free the ended ones */
void hs_rep_sessions_fini(struct hs_replica *r);

/* view.c */
/* What @certificate allows and @named (@count; 0: all of that) says; false: these are no districts. */
bool hs_rep_scope_of(const struct hs_certificate *certificate, const uint32_t *named, size_t count,
                     struct rep_scope *scope);
bool hs_rep_scope_has(const struct rep_scope *scope, hs_partition district); /* the region is none */
/* May it be a peer at all?  Sets relation; HS_ENOTHUB, HS_ESCOPE and why. */
enum hs_err hs_rep_view_check(struct rep_session *s, const char **why);
void hs_rep_view_begin(struct rep_session *s); /* it goes live: what it may hear of */
void hs_rep_view_end(struct rep_session *s);
bool hs_rep_watch(struct rep_session *s, struct rep_partition *partition); /* one that is new here; false: no memory */
bool hs_rep_has_view(const struct rep_session *s);                         /* frontiers and digests are compared */
bool hs_rep_in_view(const struct rep_session *s, hs_partition partition);  /* in full */
bool hs_rep_visible(const struct rep_session *s, hs_partition partition, struct rep_node *node);
bool hs_rep_may_send(const struct rep_session *s, const struct rep_stream *stream);
bool hs_rep_may_take(const struct rep_session *s, const struct hs_stream *name);
bool hs_rep_may_tell(const struct rep_session *s, const struct rep_stream *stream); /* receipts, forks */
bool hs_rep_may_hear(const struct rep_session *s, const struct hs_stream *name);    /* ... of a known origin */
/* Those that may be told of a stream, or bring it.  @visit ends no session. */
typedef void (*hs_rep_visit_session)(struct rep_session *s, const struct rep_stream *stream, void *ctx);
void hs_rep_session_each(struct hs_replica *r, const struct rep_stream *stream, hs_rep_visit_session visit, void *ctx);

/* revoke.c, gate.c */
void hs_rep_revocations_send(struct rep_session *s); /* all that there are */
void hs_rep_revocations_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_revocation_shown(struct rep_session *s, const Hallsync__Revocation *message);
bool hs_rep_refuse_revoked(struct rep_session *s); /* its key is, and the session has ended */
/* It passes the limit of a revoked key: what it brings was counted, and is not taken. */
bool hs_rep_segment_waits(struct rep_session *s, struct rep_stream *stream, const Hallsync__PeerSegment *message,
                          const struct hs_segment *form);
bool hs_rep_gate_holds(struct rep_session *s, const Hallsync__PeerHello *hello);
void hs_rep_gate_told(struct rep_session *s); /* it has told all its revocations */

/* stores.c */
void hs_rep_stores_meet(struct rep_session *s);           /* it has named its stores */
void hs_rep_stores_send(struct rep_session *s);           /* those that are gone */
bool hs_rep_stores_asks(const ProtobufCMessage *message); /* for receipts */
void hs_rep_stores_received(struct rep_session *s, const ProtobufCMessage *message);
/* It holds a stream up to n only, of which it has signed for more. */
void hs_rep_stores_check(struct rep_session *s, const struct rep_stream *stream, uint64_t n);
/* It has a receipt of our own: is it for more than we hold? */
void hs_rep_stores_own(struct rep_session *s, const struct hs_receipt *receipt);
void hs_rep_wanted_fini(struct rep_session *s);
uint64_t hs_rep_wanted_bytes(const struct rep_session *s);

/* inquiry.c: the tick returns when to come again */
void hs_rep_inquiries_init(struct rep_session *s);
void hs_rep_inquiries_fini(struct rep_session *s);
uint64_t hs_rep_inquiries_bytes(const struct rep_session *s);
/* A question: answered now, or when there is something left for it.  @packed: what @body was read from. */
void hs_rep_inquiry_received(struct rep_session *s, const struct rep_message *message, const ProtobufCMessage *body,
                             struct hs_bytes packed);
void hs_rep_inquiry_pruned(struct rep_session *s, hs_partition partition, uint8_t lane); /* to be told: it is not */
bool hs_rep_inquiry_may(struct rep_session *s); /* answer something; false: the session becomes dirty when it may */
void hs_rep_inquiry_pay(struct rep_session *s, uint64_t sent_before); /* for what was sent since sent_bytes was that */
void hs_rep_inquiries_run(struct rep_session *s);
uint64_t hs_rep_inquiries_tick(struct rep_session *s);

/* beyond.c: what it has and we do not is remembered; the tick returns when to come again */
void hs_rep_beyond_left(struct rep_session *s); /* it ends */
uint64_t hs_rep_beyond_tick(struct rep_session *s);

/* hello.c */
void hs_rep_hello_send(struct rep_session *s);
void hs_rep_hello_received(struct rep_session *s, const ProtobufCMessage *message);
bool hs_rep_takes(const struct rep_session *s, unsigned type); /* of a live one: may it be sent such a message? */
void hs_rep_refuse_received(struct rep_session *s, const ProtobufCMessage *message);

/* reissue.c */
/* The peer's certificate was issued anew with other districts: it has got that one, and the session has ended. */
bool hs_rep_reissued(struct rep_session *s);
void hs_rep_reissue_received(struct hs_replica *r, const Hallsync__Certificate *message); /* ours, it is said */

/* heartbeat.c: the tick returns when to come again */
void hs_rep_heartbeat_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_heartbeat_next(struct rep_session *s);
void hs_rep_heartbeat_soon(struct rep_session *s); /* in this step */
void hs_rep_heartbeat_now(struct rep_session *s);  /* ahead of what the step sends from here on */
uint64_t hs_rep_heartbeat_tick(struct rep_session *s);

/* lag.c: a lag is freed when there is none any more: a pointer to one is good until the next of these calls */
struct rep_lag *hs_rep_lag_find(const struct rep_session *s, const struct hs_stream *name);
struct rep_lag *hs_rep_lag_get(struct rep_session *s, const struct hs_stream *name);      /* NULL: no memory, noted */
void hs_rep_lag_learn(struct rep_session *s, const struct hs_stream *name, uint64_t n);   /* it holds n at least */
void hs_rep_lag_rewind(struct rep_session *s, const struct hs_stream *name, uint64_t n);  /* it holds n, no more */
void hs_rep_lag_commit(struct rep_session *s, struct rep_stream *stream, uint64_t old_n); /* our head has moved */
void hs_rep_lag_rotate(struct rep_session *s, struct rep_lag *lag);                       /* it has had its turn */
void hs_rep_lags_assured(struct rep_session *s);                    /* some lists are not open any more */
void hs_rep_lag_settle(struct rep_session *s, struct rep_lag *lag); /* it was changed: queue or forget it */
/* It never comes to the peer from here: not by number any more, and not as states. */
bool hs_rep_lag_is_elsewhere(const struct rep_session *s, const struct rep_lag *lag);
void hs_rep_lags_resume(struct rep_session *s, hs_partition partition, uint8_t lane);    /* they may go out again */
void hs_rep_lags_retry(struct rep_session *s);                                           /* those that were pruned */
typedef void (*hs_rep_visit_lag)(struct rep_session *s, struct rep_lag *lag, void *ctx); /* changes no lag */
void hs_rep_lags_visit(struct rep_session *s, hs_rep_visit_lag visit, void *ctx);
void hs_rep_lags_fini(struct rep_session *s);

/* exchange.c */
void hs_rep_exchange_init(struct rep_session *s);
void hs_rep_exchange_fini(struct rep_session *s);
void hs_rep_exchange_start(struct rep_session *s);
void hs_rep_exchange_received(struct rep_session *s, const ProtobufCMessage *message);
bool hs_rep_exchange_open(const struct rep_session *s, const struct rep_stream *stream); /* not known what it holds */
/* We have told it what we hold, and it has not answered. */
bool hs_rep_exchange_offered(const struct rep_session *s, const struct rep_stream *stream);
void hs_rep_exchange_flush(struct rep_session *s); /* send the parts that were made */
uint64_t hs_rep_exchange_bytes(const struct rep_session *s);
bool hs_rep_exchange_done(const struct rep_session *s);
void hs_rep_announce(struct rep_session *s, const struct hs_stream *names, size_t count); /* where we are */
/* The peer holds this much of a stream, whose name is put into @name; false: the session has ended. */
bool hs_rep_head_received(struct rep_session *s, const Hallsync__StreamHead *head, struct hs_stream *name);

/* schedule.c */
void hs_rep_schedule(struct rep_session *s); /* send what may be sent */
void hs_rep_credit_received(struct rep_session *s, uint64_t total);
void hs_rep_rate(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_rate_told(struct rep_session *s, uint64_t limit); /* by the peer */
enum hs_waits hs_rep_waits_for(const struct rep_session *s);
/* status.c: a segment of so many operations went one way or the other: of such the size of what waits is guessed. */
void hs_rep_moved(struct hs_replica *r, uint8_t lane, uint32_t ops, size_t bytes);
uint64_t hs_rep_rate_max(const struct rep_session *s); /* what is sent to it, bytes a second; 0: no limit */
uint64_t hs_rep_schedule_tick(struct rep_session *s);
/* One zstd frame, if that makes it smaller; into @to. */
bool hs_rep_compress(struct hs_replica *r, struct hs_bytes body, struct hs_buf *to);
bool hs_rep_opening_send(struct rep_session *s, uint64_t origin); /* false: it cannot be read */
/* May so much go out now?  Work waits for credit only; what is not urgent goes as of lane bulk. */
bool hs_rep_room(struct rep_session *s, uint8_t lane, uint64_t cost);
void hs_rep_spend(struct rep_session *s, uint64_t cost);

/* receive.c */
void hs_rep_opening_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_segment_received(struct rep_session *s, const ProtobufCMessage *message);
bool hs_rep_take_credit(struct rep_session *s, uint64_t cost); /* false: more than was allowed, the session has ended */
void hs_rep_give_credit(struct rep_session *s, uint64_t cost);
/* A body of a segment or of states, as it was before compression, into @arena; HS_EMALFORMED. */
struct rep_packed {
    struct hs_bytes body;
    uint32_t raw_bytes;
    bool compressed;
};
enum hs_err hs_rep_unpack(struct hs_replica *r, const struct rep_packed *packed, struct hs_arena *arena,
                          struct hs_bytes *raw);

/* ack.c */
void hs_rep_ack_put(struct rep_session *s, const struct rep_stream *stream); /* "I hold it up to n" */
void hs_rep_ack_part(struct rep_session *s, uint32_t field, struct hs_bytes part);
void hs_rep_ack_send(struct rep_session *s);
void hs_rep_ack_received(struct rep_session *s, const ProtobufCMessage *message);

/* receipt.c */
void hs_rep_receipt_put(struct rep_session *s, const struct hs_receipt *receipt); /* into the next ack */
void hs_rep_receipts_tell(struct rep_session *s, const struct hs_stream *name);   /* all that we have of a stream */
void hs_rep_receipt_received(struct rep_session *s, const Hallsync__Receipt *receipt);

/* Up to where hubs' stores, @stores of them, have signed for a stream. */
uint64_t hs_rep_signed_by_hubs(struct hs_replica *r, const struct rep_stream *stream, unsigned stores);
void hs_rep_receipts_pass(struct rep_session *s); /* a hall's: what is new of its own streams */

/* witness.c */
void hs_rep_witness_start(struct rep_session *s);
void hs_rep_witness_announced(struct rep_session *s, const struct hs_stream *names, size_t count);
/* What it holds more of was not asked for as long as that was being filled. */
void hs_rep_witness_filled(struct rep_session *s, hs_partition partition, uint8_t lane);
void hs_rep_witness_beat(struct rep_session *s, struct hs_buf *body, uint32_t field); /* what no hub has signed for */
void hs_rep_witness_heard(struct rep_session *s, const struct hs_stream *names, size_t count);
void hs_rep_base_received(struct rep_session *s, const ProtobufCMessage *message);

/* hold.c */
void hs_rep_hold_told(struct rep_session *s, uint32_t lanes); /* by the peer */
bool hs_rep_goes(const struct rep_session *s, uint8_t lane);  /* does the peer take it now? */
bool hs_rep_is_held(const struct hs_replica *r, uint8_t lane);
/* States of a lane that is held came: what was on its way is stored.  False: it is more than that, and the session has
 * ended. */
bool hs_rep_hold_bears(struct rep_session *s, uint8_t lane, uint64_t cost);

/* strike.c */
void hs_rep_named(struct rep_session *s, const struct hs_stream *name, uint64_t n); /* our current origin, too far? */
void hs_rep_strike(struct rep_session *s, uint64_t origin, const char *why);

/* probe.c */
void hs_rep_probe_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_probe_answered(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_probe_check(struct rep_session *s);
void hs_rep_probes_joined(struct rep_session *s); /* it went live */
void hs_rep_probes_left(struct rep_session *s);   /* it has ended */

/* ask.c, ask_answer.c */
void hs_rep_ask_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_answer_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_asks_left(struct rep_session *s); /* it has ended */

/* fetch.c */
void hs_rep_fetch_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_fetch_answer(struct rep_session *s); /* if one is asked for, and there is room */
void hs_rep_rots_left(struct rep_session *s);    /* it has ended */

/* compare.c, compare_answer.c: the tick returns when to come again */
void hs_rep_compare_soon(struct rep_session *s);
uint64_t hs_rep_compare_tick(struct rep_session *s);
void hs_rep_compare_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_compare_answered(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_compare_fini(struct rep_session *s);
uint64_t hs_rep_compare_bytes(const struct rep_session *s);

/* fill.c, fill_take.c */
void hs_rep_heads_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_states_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_pruned_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_fills_left(struct rep_session *s);     /* it has ended */
uint64_t hs_rep_fills_tick(struct rep_session *s); /* does it bring what it was asked for? */
/* PROTOCOL.md, "State transfer": where we are now, then that operations may go on from there. */
void hs_rep_fill_tell_done(struct rep_session *s, hs_partition partition, uint8_t lane);

/* supply.c */
void hs_rep_fill_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_pruned_send(struct rep_session *s, struct rep_lag *lag);
bool hs_rep_supply_waits(struct rep_session *s, uint8_t lane, uint64_t *queued_ms); /* something could be sent */
bool hs_rep_supply_send(struct rep_session *s, uint8_t lane);                       /* false: no room for it now */
uint64_t hs_rep_supply_tick(struct rep_session *s);
void hs_rep_supply_status(const struct rep_session *s, struct hs_peer_status *status);
void hs_rep_supplies_fini(struct rep_session *s);
uint64_t hs_rep_supplies_bytes(const struct rep_session *s);

/* dispute.c, proof.c, loose.c, fork.c */
void hs_rep_dispute_send(struct rep_session *s, struct rep_stream *stream);
void hs_rep_dispute_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_proof_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_loose_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_looses_send(struct rep_session *s);
void hs_rep_looses_fini(struct rep_session *s);
uint64_t hs_rep_looses_bytes(const struct rep_session *s);
void hs_rep_fork_greet(struct rep_session *s, struct rep_stream *stream);
/* A list named it so, or (NULL) left it out. */
void hs_rep_fork_named(struct rep_session *s, struct rep_stream *stream, const Hallsync__StreamHead *head);

#endif
