/* put.h -- one record on its way into the store.  Inside node/service/ only.
 *
 * An item is prepared on the service's thread (form, id, canonical bytes) and written on the writer's, in the open
 * group, by the function that it names.  A write checks everything before it writes anything; what it refuses is of
 * class INPUT or DAMAGE, and any other error means that the group cannot go on. */
#ifndef HS_SERVICE_PUT_H
#define HS_SERVICE_PUT_H

#include "node/service/call.h"
#include "node/service/look.h"
#include "storage/model/queue.h"

/* Why a record is not taken. */
struct hs_refusal {
    enum hs_err err;
    uint32_t field; /* 0: none in particular */
    struct hs_why why;
};

/* A field of a register record as it was given; no bytes: to be cleared. */
struct hs_given {
    uint32_t number;
    struct hs_bytes value;
    const struct hs_field_rule *rule;
};

struct hs_work;
struct hs_item {
    const struct hs_kind *kind;
    enum hs_err (*write)(struct hs_work *work, const struct hs_item *item);
    const Hallsync__PutRecord *put;
    const ProtobufCMessage *parsed; /* what message says */
    struct hs_bytes message;        /* canonical; without an id field that only repeats a 128-bit id */
    struct hs_bytes id;             /* of the record */
    const hs_partition *partition;  /* where it is; NULL: to be found */
    const char *id_text;            /* what people call it */
    struct hs_bytes request;        /* register records: 16 bytes or none */
    const struct hs_given *given;   /* register records: ascending numbers */
    size_t given_count;
    const struct hs_refusal *incomplete; /* register records: why it cannot be a new record; NULL: it can */
    const struct hs_refusal *refused;    /* before anything was looked up; NULL: not */
};

/* What came of it. */
struct hs_outcome {
    Hallsync__Result result;
    Hallsync__Safety safe;
    char receipt[HS_NUMBER_BYTES_MAX];      /* empty: none */
    char number[HS_QUEUE_NUMBER_BYTES_MAX]; /* of the queue; empty: none */
    char of[HS_ID_TEXT_BYTES];              /* id of what it is about, where the node has found it; empty: none */
    char id[HS_ID_TEXT_BYTES];              /* of the record, where the node has made it; empty: as in the item */
    uint32_t reprints;                      /* of a receipt; 0: it is about none */
};

/* Where items are written: one group, one item at a time. */
struct hs_work {
    struct hs_call *call; /* for whom; NULL: nobody, the node does it by itself */
    struct hs_desk *desk;
    struct hs_store *store;
    struct hs_view *view;     /* of the open group */
    struct hs_look look;      /* the same, with what a hub has just said */
    struct hs_ask *wanted;    /* out: a record that is not here, to be asked for; NULL: that cannot be */
    bool answered;            /* it has been asked for, and a hub said what it knows: it may be nothing */
    struct hs_arena *scratch; /* emptied before each item */
    struct hs_buf *bytes;     /* the same */
    uint64_t now_ms;
    struct hs_refusal refusal; /* field and sentence of what a write refuses */
    struct hs_outcome out;     /* of what it does */
};

/* Refuse: err, the field and a sentence. */
enum hs_err hs_refuse(struct hs_refusal *refusal, enum hs_err err, uint32_t field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* May the other items of the group go on after this error? */
bool hs_refused_alone(enum hs_err err);

/* Refuse for now, with HS_ENOTHERE: a hub is asked for the record, and the write is run again.  False: that cannot be.
 */
bool hs_work_wants(struct hs_work *work, uint16_t kind, struct hs_bytes id);

/* item.c: check one record and make it ready.  HS_ENOMEM; what is wrong with the record itself is in item->refused. */
enum hs_err hs_item_prepare(struct hs_call *call, size_t index, struct hs_item *item);
enum hs_err hs_refusal_copy(struct hs_arena *arena, const struct hs_refusal *refusal, const struct hs_refusal **copy);
/* 128-bit hashes, apart by domain. */
void hs_id_made(const char *domain, struct hs_bytes from, struct hs_id *id);
ProtobufCBinaryData hs_binary(struct hs_bytes bytes); /* borrowed; only read */
/* The fields of a canonical message of the kind, each once, into @given, which has room for all.  Answers how many. */
size_t hs_given_of(const struct hs_kind *kind, struct hs_bytes message, struct hs_given *given);
/* The canonical encoding: fields in ascending order, each in its shortest form.  NULL data: out of memory. */
struct hs_bytes hs_canonical(const ProtobufCMessage *message, struct hs_arena *arena);

/* Where a new record goes: to the partition that its kind says; else to the district asked for, or this node's own. */
enum hs_err hs_item_home(struct hs_work *work, const struct hs_item *item, hs_partition *partition);

/* put.c: one item as a job, run by hs_put_run.  Copies it. */
enum hs_err hs_batch_one(struct hs_call *call, const struct hs_item *item);

/* fact.c: facts that are here already. */
/* Write a fact that is not here, as its rules would have it. */
struct hs_new_fact {
    struct hs_bytes message;
    hs_partition partition;
    hs_stamp above; /* what it is to come behind; 0: nothing */
};
enum hs_err hs_fact_put(struct hs_work *work, const struct hs_item *item, const struct hs_new_fact *fact);
/* The write of a fact without rules of its own: nothing is looked at but whether it is here already. */
enum hs_err hs_fact_write(struct hs_work *work, const struct hs_item *item);
/* The fact has the same content: HS_OK and the outcome.  Other content: HS_EDIFFERS.  HS_ENOTFOUND. */
enum hs_err hs_fact_known(struct hs_work *work, const struct hs_item *item, struct hs_bytes message);
/* Number of the cash entry of a payment or reversal; empty if none is here. */
enum hs_err hs_fact_receipt(const struct hs_look *look, uint16_t kind, struct hs_bytes id,
                            char receipt[static HS_NUMBER_BYTES_MAX]);
/* The slip of a fact that is not here itself, because its district is not: its number, in @work->out.  HS_ENOTFOUND;
 * HS_EDIFFERS: it is of another amount. */
enum hs_err hs_fact_slip(struct hs_work *work, const struct hs_item *item, int64_t amount_fen);
/* Has a payment been reversed?  @payment: partition and id. */
enum hs_err hs_fact_reversed(const struct hs_look *look, const struct hs_record_name *payment, bool *reversed);
/* The counting variant of a stored fact: a view into @stored, and what @arena holds. */
enum hs_err hs_fact_variant(const struct hs_stored *stored, struct hs_arena *arena, const struct hs_variant **variant);
Hallsync__Safety hs_safety_of(struct hs_view *view, const struct hs_record_name *name, const struct hs_dot *dot);
Hallsync__Safety hs_safety_here(const struct hs_desk *desk); /* of what this node has just committed */

/* cash.c: a fact of the money lane, and its entry in this node's cash book, together or not at all. */
struct hs_money {
    hs_partition partition; /* of the fact */
    struct hs_bytes fact;
    uint32_t window;
    int64_t amount_fen;     /* into the drawer; below zero: out of it */
    struct hs_bytes method; /* of the payment; none: cash */
};
enum hs_err hs_cash_write(struct hs_work *work, const struct hs_item *item, const struct hs_money *money);

/* reconnect.c: where rules.reconnect_on_payment says so, an account that owes nothing any more and has no supply gets
 * an urgent ticket, in the same commit as the payment @id, which is written already. */
enum hs_err hs_reconnect_after(struct hs_work *work, const char *account, struct hs_bytes id);

/* register.c: fields to write, and what they overwrite. */
struct hs_target {
    hs_partition partition;
    struct hs_record record; /* as it stands; empty if new */
    bool is_new;
};
struct hs_plan {
    struct hs_arena *arena;
    struct hs_field_write *writes;
    size_t count;
    size_t room;
    hs_stamp above;
    size_t seen_changes; /* of these, such as people see */
};
enum hs_err hs_register_find(struct hs_work *work, const struct hs_item *item, struct hs_target *target);
enum hs_err hs_register_plan(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                             struct hs_plan *plan);
enum hs_err hs_register_commit(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                               const struct hs_plan *plan);
/* Was this very request done before?  Then the outcome is set. */
/* In the audit trail, behind the commit: by the names of the fields, and nothing of what they say. */
enum hs_err hs_register_tell(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                             const struct hs_plan *plan, const char *action);
bool hs_register_repeated(struct hs_work *work, const struct hs_item *item);
/* Names as overwritten the live values of @field that @takes says yes to (NULL: all). */
typedef bool (*hs_takes_live)(void *ctx, const struct hs_live *live);
enum hs_err hs_plan_begin(struct hs_arena *arena, size_t room, struct hs_plan *plan);
enum hs_err hs_plan_add(struct hs_plan *plan, uint32_t number, struct hs_bytes value,
                        const struct hs_field_state *field, hs_takes_live takes, void *ctx);
Hallsync__Safety hs_record_safety(const struct hs_look *look, const struct hs_record_name *name,
                                  const struct hs_record *record);

/* import.c: what the item's source brought the last time. */
struct hs_import;
enum hs_err hs_import_load(const struct hs_item *item, const struct hs_record *record, struct hs_arena *arena,
                           struct hs_import **import);
enum hs_err hs_import_plan(struct hs_import *import, const struct hs_given *given, const struct hs_record *record,
                           struct hs_plan *plan);
enum hs_err hs_import_remember(struct hs_import *import, const struct hs_record *record, struct hs_plan *plan);

/* receipt.c: how often the receipt of a number was printed again, as far as is known here. */
enum hs_err hs_receipt_reprints(const struct hs_look *look, struct hs_bytes number, uint32_t *count);

/* What an item is written by: payment.c, reversal.c, receipt.c, register.c,
 * ticket.c, event.c, catalogue.c, queue.c, resolve.c, decide.c. */
enum hs_err hs_payment_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_reversal_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_reprint_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_settlement_write(struct hs_work *work, const struct hs_item *item); /* settlement.c */
enum hs_err hs_invoice_write(struct hs_work *work, const struct hs_item *item);    /* invoice.c */
enum hs_err hs_grant_write(struct hs_work *work, const struct hs_item *item);      /* grant.c */
enum hs_err hs_register_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_ticket_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_event_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_queue_ticket_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_queue_event_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_catalogue_write(struct hs_work *work, const struct hs_item *item);
/* transfer.c, subscription.c */
enum hs_err hs_transfer_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_subscription_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_reminder_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_window_write(struct hs_work *work, const struct hs_item *item);  /* window.c */
enum hs_err hs_handing_write(struct hs_work *work, const struct hs_item *item); /* handing_in.c */
enum hs_err hs_slot_write(struct hs_work *work, const struct hs_item *item);    /* appointment.c */
enum hs_err hs_appointment_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_appointment_event_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_resolve_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_decide_write(struct hs_work *work, const struct hs_item *item);
enum hs_err hs_outside_write(struct hs_work *work, const struct hs_item *item); /* audit.c */

/* window.c: may a window serve anybody?  Of one that was opened today, or anything else was done with; who never opens
 * windows is not asked to.  HS_EWINDOW: it is closed or paused. */
enum hs_err hs_window_check(struct hs_work *work, uint32_t window, uint32_t field);

#endif
