/* audit_inside.h -- what the files of the auditor share: its model of the world, plain sets.
 *
 * An operation is one content under one name (stream, n); which machines hold it is a set of bits, one a machine.
 * Everything else is computed from these sets when it is asked for. */
#ifndef HS_SIM_AUDIT_INSIDE_H
#define HS_SIM_AUDIT_INSIDE_H

#include "tests/sim/audit_map.h"
#include "tests/sim/auditor.h"

#include "proto/base/arena.h"
#include "proto/local.pb-c.h"
#include "storage/store/inside.h"

#define AUDIT_HUB_STORES 2 /* more make nothing safer */

/* ---- operations ---- */

struct audit_node { /* by its id; a clone is the same node */
    char id[HS_NODE_ID_BYTES_MAX + 1];
    enum hs_role role;
    hs_partition home;
    bool hub, fork_possible, damaged;
    unsigned number; /* bit of it in audit_machine.knows */
    bool revoked;
    bool may_renew; /* it was set back once, or copied: its store may get another id */
};

struct audit_stream {
    struct hs_stream name;
    struct audit_node *author;
    struct audit_op **ops; /* [n - 1]; NULL: not seen */
    uint64_t room;
    uint64_t head[SIM_MACHINES_MAX]; /* held by the machine up to here, by number */
    bool forked;
};

struct audit_op {
    struct audit_op *other; /* another content under the same name: a fork */
    struct audit_stream *stream;
    uint64_t n;
    struct hs_bytes bytes;
    struct hs_hash chain; /* h(n), by our own reckoning */
    hs_stamp stamp;
    bool is_void;
    struct hs_bytes request; /* 16 bytes or none */
    uint32_t held;           /* machines that have it by its number */
    uint32_t loose;          /* machines that have it as a loose piece: facts only */
    uint32_t own;            /* machines of its author that wrote it, or had it when they started: not from a peer */
    uint64_t hub_stores[AUDIT_HUB_STORES];
    unsigned hub_store_count; /* stores of hubs that ever had it */
    bool at_damaged_hub;      /* which is not followed, and signs for it all the same */
    bool witnessed;           /* a witness ever had it */
    bool released;            /* a person has, of a revoked node's */
    struct audit_write *writes;
    size_t write_count;
};

struct audit_field {
    uint32_t number;
    struct hs_bytes value; /* size 0: a clear */
    struct hs_dot *over;
    size_t over_count;
};

struct audit_write {
    struct audit_op *op;
    struct audit_record *record;
    struct audit_write *next; /* of the record, in the order in which they were first seen */
    bool is_fact;
    struct hs_bytes fact;
    struct hs_hash fact_hash;
    struct audit_field *fields;
    size_t field_count;
};

struct audit_record {
    struct hs_bytes key; /* as in PROTOCOL.md 3.4 */
    hs_partition partition;
    uint8_t lane;
    uint16_t kind;
    struct hs_bytes id;
    struct audit_write *writes, **writes_end; /* of operations that are not void */
    struct audit_record *same_name;           /* the same kind and id in the next higher partition */
    struct audit_list *reversals;             /* of a payment: records that name it in one of their contents */
    struct audit_list *entries;               /* of a payment or reversal: cash entries that name it */
    struct audit_list *decisions;             /* of a payment: those that name it in one of their contents */
    struct audit_list *events;                /* of a ticket: those that name it in one of their contents */
};

struct audit_list {
    struct audit_record *record;
    struct audit_list *next;
};

/* ---- machines ---- */

struct audit_totals {
    uint64_t count, reversed_count;
    int64_t fen, reversed_fen;
};

struct audit_place { /* a position of the feed, as it came */
    uint64_t commit, tag, ops, shown_commit, shown_tag;
    bool has_ops, has_shown_commit, has_shown_tag;
};
struct audit_feed {
    bool lost;               /* its position is not known to the node: to be listed anew */
    struct audit_place from; /* where to go on */
    struct audit_map copy;   /* kind, partition, id -> struct hs_buf: the record as last shown */
};

/* Of a node's writing, at one machine. */
struct audit_life {
    uint64_t origin;               /* under which it wrote last; 0: none */
    bool may_open;                 /* something has happened for which it opens another one */
    bool set_back;                 /* its disk is another one: it may be told so by anybody, at any time */
    bool starting;                 /* what is read now was committed by a process that is gone */
    uint64_t told_origin, told_ms; /* it was told of more of this origin than it had; 0: it was not */
};

struct audit_machine {
    struct sim_machine *sim;
    struct audit_node *node;
    uint32_t bit;
    bool damaged; /* nothing that it says or holds counts any more; what it writes others may get */
    struct hs_position seen;
    uint64_t store_id;            /* 0: not known yet */
    uint64_t gained;              /* operations, so far */
    struct audit_totals totals;   /* of what it holds */
    struct audit_totals *history; /* [commit]: after that commit */
    uint64_t history_room;
    uint64_t records_seen; /* position of the records when their totals were last compared */
    struct audit_feed feed;
    struct audit_life life;
    uint32_t knows;           /* nodes of whose revocation its store said, when it was last read */
    struct audit_map blurred; /* partition, lane -> not NULL: its records may show more than it holds by number */
};

/* ---- deeds ---- */

struct audit_deed {
    const struct deed *deed;
    unsigned asked, refused, done;
    bool import;
    uint8_t id[HS_RECORD_ID_BYTES_MAX]; /* of the record */
    size_t id_size;
    struct hs_bytes content; /* the fact, or the fields, as they must be stored */
};

/* ---- the auditor ---- */

struct audit_wire;

struct auditor {
    struct sim *sim;
    struct hs_arena arena;
    struct audit_node *nodes[SIM_MACHINES_MAX];
    unsigned node_count;
    struct audit_machine machines[SIM_MACHINES_MAX]; /* by the index of the sim's */
    struct audit_map streams;                        /* stream key -> struct audit_stream */
    struct audit_map records;                        /* record key -> struct audit_record */
    struct audit_map names;                          /* kind, id -> the lowest partition's struct audit_record */
    struct audit_map deeds;                          /* number, be64 -> struct audit_deed */
    struct audit_map receipts;                       /* number told -> struct audit_record of its fact */
    struct audit_op **ops;
    size_t op_count, op_room;
    struct audit_wire *wire;
    unsigned turn; /* of sampling checks */
    struct auditor_figures figures;
};

/* The numbers of the project's design, section 12; from 20 on our own. */
enum audit_invariant {
    AUDIT_FACTS = 1,
    AUDIT_MONEY = 2,
    AUDIT_STATE = 3,
    AUDIT_CAUSALITY = 4,
    AUDIT_ONE_CONTENT = 5,
    AUDIT_RECEIPTS = 6,
    AUDIT_EQUAL = 7,
    AUDIT_DAMAGE = 8,
    AUDIT_BOOKS = 9,
    AUDIT_BOUNDS = 12,
    AUDIT_VERDICT = 14,
    AUDIT_FRONTIER = 15,
    AUDIT_FEED = 16,
    AUDIT_SCOPE = 18,
    AUDIT_NUMBERS = 19,
    AUDIT_ORIGINS = 20,
    AUDIT_SET_BACK = 21,
    AUDIT_REVOKED = 22,
};
_Noreturn void audit_fail(const struct auditor *auditor, enum audit_invariant invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- memory and bytes: auditor.c ---- */

void *audit_new(struct auditor *auditor, size_t size); /* zeroed, for the auditor's life; never NULL */
struct hs_bytes audit_copy(struct auditor *auditor, struct hs_bytes bytes);
struct hs_bytes audit_text(const char *text);
/* The record in words; one of a few static buffers. */
const char *audit_name(const struct audit_record *record);
const char *audit_op_name(const struct audit_op *op);
struct audit_machine *audit_machine_of(struct auditor *auditor, const struct sim_machine *machine);
bool audit_watched(const struct audit_machine *machine);                       /* it runs, and what it says counts */
bool audit_belongs(const struct audit_machine *machine);                       /* ... and its key is not revoked */
bool audit_holds(const struct audit_machine *machine, hs_partition partition); /* in full */
/* Must it come to all who hold its district?  Not what only a revoked node, or none but halls and witnesses, have. */
bool audit_counts(const struct auditor *auditor, const struct audit_op *op);
bool audit_passes(const struct audit_machine *machine, const struct audit_node *author); /* whatever it writes */
/* Has a hub's store had it (1), and a second store, a hub's or a witness's (2)? */
bool audit_at_hubs(const struct auditor *auditor, const struct audit_op *op, unsigned stores);
/* Read what has been committed since; of a damaged machine only what it has written. */
void audit_follow(struct auditor *auditor, struct audit_machine *machine);

/* ---- fields of messages: audit_tlv.c ---- */

struct audit_tlv {
    uint32_t number;
    unsigned wire;
    uint64_t value;       /* of varints and fixed ones */
    struct hs_bytes data; /* of what has a length */
    struct hs_bytes raw;  /* the whole field */
};
/* False: the end, or cur->err. */
bool audit_tlv_next(struct hs_cur *cur, struct audit_tlv *tlv);
/* The last one of the number; all zero if there is none. */
struct audit_tlv audit_tlv_find(struct hs_bytes message, uint32_t number);
/* An id of 128 bits as its text says; false: the text is more than a spelling of it. */
bool audit_id(const char *text, uint8_t id[static 16]);

/* ---- operations: audit_ops.c ---- */

/* One operation that a machine has got: into the sets; checks what can be checked at once. */
void audit_gain(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn,
                const struct hs_logged *logged);
/* One that a damaged machine has got.  It is believed nothing; but what it wrote itself others come to hold, by number
 * or as state. */
void audit_learn(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn,
                 const struct hs_logged *logged);
void audit_forget(struct auditor *auditor, struct audit_machine *machine); /* it holds nothing any more */
struct audit_stream *audit_stream_find(const struct auditor *auditor, const struct hs_stream *name);
struct audit_op *audit_op_find(const struct auditor *auditor, const struct audit_record *record,
                               const struct hs_dot *dot, uint32_t bit);
/* A content of that name, whoever holds or held it; NULL: nobody ever did. */
struct audit_op *audit_op_seen(const struct auditor *auditor, const struct audit_record *record,
                               const struct hs_dot *dot);
/* The content that the machine holds by that number; NULL: none. */
struct audit_op *audit_held_at(const struct audit_stream *stream, uint64_t n, uint32_t bit);
/* audit_decode.c: false: malformed, nothing of it counts. */
bool audit_decode(struct auditor *auditor, struct audit_op *op, bool hub);
struct audit_record *audit_record(struct auditor *auditor, const struct hs_stream *stream, uint16_t kind,
                                  struct hs_bytes id);
struct audit_record *audit_named(const struct auditor *auditor, uint16_t kind, struct hs_bytes id);

/* Into the machine's set, with what it adds up to. */
void audit_hold(struct auditor *auditor, struct audit_machine *machine, struct audit_op *op, bool loose);

/* ---- what comes as state: audit_fill.c ---- */

void audit_blur(struct audit_machine *machine, hs_partition partition, uint8_t lane);
/* What its log has no longer by number, but as base states. */
void audit_blur_folded(struct audit_machine *machine, struct hs_txn *txn);
bool audit_is_blurred(const struct audit_machine *machine, hs_partition partition, uint8_t lane);
bool audit_is_sharp(const struct audit_machine *machine); /* nothing of it is blurred */
bool audit_kind_blurred(const struct auditor *auditor, const struct audit_machine *machine, hs_partition partition,
                        uint16_t kind);
bool audit_in_log(const struct audit_machine *machine, const struct audit_op *op); /* by number, now */
void audit_sharpen(struct auditor *auditor, struct audit_machine *machine, struct hs_view *view);
struct audit_claim {
    uint64_t n;
    const struct hs_hash *hash; /* h(n); NULL: not known */
};
/* It claims a stream without having got it by number: counts as held, if its log says that it came as state; else
 * false. */
bool audit_jump(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn, struct audit_stream *stream,
                const struct audit_claim *claim);

/* ---- a node's origins and stamps: audit_life.c ---- */

/* An operation that nobody had before is read in the log of its author's machine. */
void audit_life_wrote(struct auditor *auditor, struct audit_machine *machine, const struct audit_op *op);
void audit_life_begins(struct audit_machine *machine);
void audit_life_ends(struct auditor *auditor, struct audit_machine *machine);

/* ---- records as a machine must have them: audit_state.c ---- */

bool audit_fact_held(const struct audit_write *write, uint32_t bit);     /* by it, whatever way */
bool audit_register_held(const struct audit_write *write, uint32_t bit); /* with effect on registers */
bool audit_present(const struct audit_record *record, uint32_t bit);
/* The content that counts, under the name that counts; NULL: none. */
const struct audit_write *audit_variant(const struct audit_record *record, uint32_t bit);
size_t audit_variant_count(const struct audit_record *record, uint32_t bit);
struct audit_value {
    uint32_t number;
    const struct audit_write *write;
    struct hs_bytes value;
};
struct audit_values {
    struct audit_value *list; /* ascending by field, dot, value */
    size_t count, room;
};
void audit_values(const struct audit_record *record, uint32_t bit, struct audit_values *values);
void audit_values_fini(struct audit_values *values);
const struct audit_value *audit_shown(const struct audit_values *values, uint32_t number); /* NULL: none */
/* Live values that differ from the shown one: is there one? */
bool audit_rivals(const struct audit_values *values, uint32_t number);
/* The message as a client sees it, appended. */
void audit_message(const struct audit_record *record, uint32_t bit, struct hs_buf *message);
/* The hash in digests, by PROTOCOL.md 10.3. */
struct hs_hash audit_record_hash(const struct audit_record *record, uint32_t bit);
extern const uint16_t AUDIT_KINDS[]; /* whose records are looked at as their clients see them; 0: the end */
bool audit_is_looked_at(uint16_t kind);
bool audit_by_number(uint32_t kind); /* its ids are 16 bytes */
/* Does it keep the rules of its kind as far as they can be broken by halves? */
bool audit_complete(const struct audit_record *record, uint32_t bit);

/* Of a ticket that is complete: where its events have brought it: audit_tickets.c. */
struct audit_fold {
    void (*misfit)(void *ctx, const struct audit_record *event); /* NULL: nobody asks */
    void *ctx;
    const char *state; /* out */
    struct hs_bytes assignee;
};
void audit_fold(const struct audit_record *ticket, uint32_t bit, struct audit_fold *fold);

/* ---- decisions: audit_decide.c ---- */

struct audit_verdict {
    bool counts;
    bool is_open; /* somebody has to decide, or to decide again */
};
bool audit_breaks_rule(const struct audit_record *record, uint32_t bit);
struct audit_verdict audit_verdict(const struct audit_record *record, uint32_t bit);

/* Of a queue ticket at that machine: where its events have brought it; and who has a seat: audit_queue.c. */
struct audit_queue {
    void (*misfit)(void *ctx, const struct audit_record *event); /* NULL: nobody asks */
    void *ctx;
    const char *state; /* out */
    uint64_t window;
};
void audit_queue_fold(const struct auditor *auditor, const struct audit_record *ticket, uint32_t bit,
                      struct audit_queue *queue);
struct audit_slot {
    uint64_t capacity, taken;
};
struct audit_slot audit_slot_fold(const struct auditor *auditor, const struct audit_record *slot, uint32_t bit);
/* Of an appointment: "booked", "full"...; "asked": its slot is not there. */
const char *audit_seat(const struct auditor *auditor, const struct audit_record *asked, uint32_t bit);

/* ---- money: audit_money.c ---- */

/* What payment and reversals add up to, at that machine. */
struct audit_totals audit_group(const struct audit_record *payment, uint32_t bit);
/* Of a reversal: the payment that it is about, at that machine; NULL: none. */
struct audit_record *audit_reversed(const struct auditor *auditor, const struct audit_record *reversal, uint32_t bit);
struct audit_record *audit_payment_named(const struct auditor *auditor, const struct audit_record *reversal,
                                         struct hs_bytes fact); /* that such a content is about */
/* Payments whose sums a record has a part in, for what @op writes: appended to @list, each once. */
size_t audit_groups_of(struct auditor *auditor, const struct audit_op *op, struct audit_record **list, size_t room);
void audit_money_turn(struct auditor *auditor, struct audit_machine *machine); /* cheap: after each step */
void audit_money_check(struct auditor *auditor, struct audit_machine *machine, bool whole);
/* (account, bill) -> struct audit_totals: what was paid and reversed of each bill; freed by the second. */
void audit_bills_paid(struct auditor *auditor, uint32_t bit, struct audit_map *sums);
void audit_bills_free(struct audit_map *sums);
/* What a cash entry says of the fact, at that machine; NULL: nothing. */
const struct audit_write *audit_entered(const struct audit_record *entry, const struct audit_record *fact,
                                        uint32_t bit);
void audit_link(struct auditor *auditor, struct audit_write *write); /* a new write of a fact */

/* ---- asking nodes: audit_nodes.c ---- */

/* NULL: it has died, or answers with an error.  To be freed by hallsync__reply__free_unpacked. */
Hallsync__Reply *audit_ask(struct auditor *auditor, struct audit_machine *machine, Hallsync__Request *request);
void audit_digests_check(struct auditor *auditor, struct audit_machine *machine);
void audit_sessions_check(struct auditor *auditor, struct audit_machine *machine);
void audit_heads_check(struct auditor *auditor, struct audit_machine *machine);
void audit_nodes_equal(struct auditor *auditor);
/* A page of the records of a kind; NULL: it has died, or answers with an error. */
Hallsync__Reply *audit_page(struct auditor *auditor, struct audit_machine *machine, uint32_t kind,
                            struct hs_bytes after);
void audit_listing_check(struct auditor *auditor, struct audit_machine *machine); /* audit_listing.c */
void audit_lists_check(struct auditor *auditor, struct audit_machine *machine);   /* audit_lists.c */
/* audit_feed.c */
void audit_feed_turn(struct auditor *auditor, struct audit_machine *machine); /* a few pages */
void audit_feed_check_end(struct auditor *auditor, struct audit_machine *machine);
void audit_feed_free(struct audit_feed *feed);

/* ---- what peers tell each other: audit_peers.c ---- */

enum audit_frame {
    AUDIT_FRAME_HELLO = 1,
    AUDIT_FRAME_FRONTIER = 3,
    AUDIT_FRAME_SEGMENT = 5,
    AUDIT_FRAME_ACK = 6,
    AUDIT_FRAME_HEARTBEAT = 7,
    AUDIT_FRAME_PROBE_REPLY = 9,
    AUDIT_FRAME_DISPUTE = 12,
    AUDIT_FRAME_LOOSE = 14,
    AUDIT_FRAME_FILL_HEADS = 19,
    AUDIT_FRAME_STATES = 20,
    AUDIT_FRAME_FETCH = 25
};
/* What a session has said of the other side's current origin, until that has shown that it read it. */
struct audit_tale {
    struct hs_stream stream; /* named beyond what its writer has */
    uint64_t n;              /* 0: nothing was named so */
    uint64_t asked_ms;       /* the clock of the first heartbeat behind it, which the other side echoes; 0: none yet */
};
struct audit_talk {
    struct audit_machine *from, *to;
    struct audit_tale *tale;  /* of the frame's session; NULL: not certain which that is */
    struct audit_tale *heard; /* of the newest session of the other way; NULL: none, or not certain */
    uint64_t *clock_ms;       /* the highest that any heartbeat has shown on this way */
};
void audit_peers_sent(struct auditor *auditor, struct audit_talk *talk, uint8_t type, struct hs_bytes body);
/* What a hub holds is known to be there at the machine that wrote it. */
bool audit_levels_settled(struct auditor *auditor, char why[static 200]);

/* ---- cash books: audit_books.c ---- */

/* A new operation of the machine's node writes that. */
void audit_books_wrote(struct auditor *auditor, const struct audit_machine *machine, const struct audit_write *write);
/* Each close has been answered, and what a hub that holds its district says of it is what its entries make. */
bool audit_books_settled(const struct auditor *auditor, char why[static 200]);

/* ---- the rest ---- */

void audit_wire_check(struct auditor *auditor);         /* audit_wire.c */
void audit_deeds_check_end(struct auditor *auditor);    /* audit_deeds.c */
void audit_receipts_check_end(struct auditor *auditor); /* audit_receipts.c */
void audit_receipt_told(struct auditor *auditor, const struct audit_deed *deed, const struct deed_told *told,
                        const struct audit_record *fact, uint32_t bit);

#endif
