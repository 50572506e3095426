/* derive.h -- from records to the rows that follow from them: indexes, sums, lists.
 *
 * Every derived row is a function of the set of states that the node holds, never of the order in which they
 * came.  Records form groups: a payment with its reversals, the entries of one fact, a ticket with its events; most
 * stand alone.  A change of a record takes away what its group gave before and adds what it gives now; and the whole
 * is what all groups give, each asked through one of its records.  So hs_derive_change over any history and
 * hs_derive_whole over the last states must come to the same rows: hs_records_verify holds them against each other. */
#ifndef HS_RECORDS_DERIVE_H
#define HS_RECORDS_DERIVE_H

#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"
#include "storage/records/rows.h"

#define HS_FACET_FIELDS (HS_FIELD_ID_MAX + 1)

/* A record as derivation sees it. */
struct hs_facet {
    struct hs_facet *next;
    bool there; /* else nothing below has a meaning, but the name */
    struct hs_record_name name;
    const struct hs_kind *kind; /* NULL: this version does not know it, and derives nothing from it */
    struct hs_record record;
    struct hs_bytes message;               /* what it shows */
    enum hs_err fault;                     /* the rule that it breaks: it is parked, unless somebody decides */
    bool may_release;                      /* it could be counted as it is */
    enum hs_verdict verdict;               /* of the decision that holds */
    struct hs_id decision;                 /* that one */
    bool is_disputed;                      /* somebody decided otherwise, and did not know of that */
    struct hs_tlv fields[HS_FACET_FIELDS]; /* of the message, by number, the last of lines; number 0: is not there */
};
bool hs_facet_counts(const struct hs_facet *facet); /* of a known kind, and keeps its rules or was released */
struct hs_hash hs_facet_contents(const struct hs_facet *facet); /* what a decision names */
bool hs_facet_is_named(const struct hs_facet *facet);           /* is its id the one that its kind gives it? */
/* Does it lie in the partition of the account that it names, if it names one?  Else it is parked. */
bool hs_facet_at_home(const struct hs_facet *facet);
/* Has it what its kind is made of?  A fact that a strange writer has put in the form of a register record says nothing.
 */
bool hs_facet_is_shaped(const struct hs_facet *facet);
/* A field of a facet that counts, so of its right type; nothing or 0 if it is not there. */
struct hs_bytes hs_facet_bytes(const struct hs_facet *facet, uint32_t field);
uint64_t hs_facet_number(const struct hs_facet *facet, uint32_t field);
/* Does its message have what stands in the index?  Else nobody needs to read it once more. */
bool hs_facet_has(const struct hs_facet *facet, const struct hs_index *index);

/* A sum and what is to be added to it. */
struct hs_addition {
    hs_table table;
    const struct hs_row_key *key;
    enum hs_pair pair;
    int sign; /* 1, or -1 to take it away again */
    int64_t fen;
};

struct hs_listing {
    hs_wide fen;
    struct hs_bytes detail;
};

struct hs_derive;

/* Where derived rows go: into the tables, or into a check of the tables. */
struct hs_derive_sink {
    void (*index)(struct hs_derive *derive, const struct hs_row_key *key, bool there);
    void (*add)(struct hs_derive *derive, const struct hs_addition *addition);
    /* Make the row be so; @listing NULL: not there. */
    void (*list)(struct hs_derive *derive, const struct hs_row_key *key, const struct hs_listing *listing);
    /* The same of a ticket's fold; @row without bytes: not there. */
    void (*fold)(struct hs_derive *derive, struct hs_bytes key, struct hs_bytes row);
};

struct hs_derive {
    struct hs_txn *txn; /* where the other records of a group are found */
    struct hs_arena *arena;
    enum hs_err *err; /* sticky */
    int utc_offset_minutes;
    const struct hs_derive_sink *sink;
    void *ctx; /* of the sink */
};
void hs_derive_fail(struct hs_derive *derive, enum hs_err err); /* HS_OK is none */

/* The facet of a state; views into record and arena.  The record must outlive it. */
void hs_facet_of(struct hs_derive *derive, const struct hs_record_name *name, const struct hs_record *record,
                 struct hs_facet *facet);
/* The facet of a stored state, copied into the arena. */
void hs_facet_of_stored(struct hs_derive *derive, const struct hs_stored *stored, struct hs_facet *facet);
/* The facet of a record as it is in the store; not there is no error. */
void hs_facet_load(struct hs_derive *derive, const struct hs_record_name *name, struct hs_facet *facet);

/* The record changed from @old to @new, which is stored already; @old may be not there. */
void hs_derive_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
/* All rows of the groups that are asked through this record; every record is there already. */
void hs_derive_whole(struct hs_derive *derive, const struct hs_facet *facet);

/* ---- index.c ---- */

void hs_index_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_index_row(struct hs_derive *derive, const char *index, struct hs_bytes value, const struct hs_record_name *name,
                  bool there); /* of a computed index */
/* Which records to look for: those of a kind by one of its indexes. */
struct hs_wanted {
    uint16_t kind;
    const char *index;
    struct hs_bytes value;
    bool anywhere; /* else in this partition only */
    hs_partition partition;
};
size_t hs_index_count(struct hs_derive *derive, const struct hs_wanted *wanted, size_t most);
/* In the order of their keys; NULL: none, or an error. */
struct hs_facet *hs_index_facets(struct hs_derive *derive, const struct hs_wanted *wanted);

/* ---- written.c: the index "written" of a kind that has it ---- */

void hs_written_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);

/* ---- customers.c ---- */

void hs_customer_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_customer_whole(struct hs_derive *derive, const struct hs_facet *customer);

/* ---- lists.c: rows that a record gives by itself ---- */

void hs_lists_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);

/* ---- decisions.c ---- */

/* Of the decisions about this record the one that holds, into the facet. */
void hs_decisions_judge(struct hs_derive *derive, struct hs_facet *facet);
void hs_decision_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_decision_whole(struct hs_derive *derive, const struct hs_facet *decision);

/* ---- money.c ---- */

void hs_payment_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_payment_whole(struct hs_derive *derive, const struct hs_facet *payment);
void hs_reversal_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_bill_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_bill_whole(struct hs_derive *derive, const struct hs_facet *bill);
/* Lists that follow from a bill's sums: as a set of bits, and made so where the bit is in @which. */
uint8_t hs_bill_lists(const struct hs_sums *sums);
void hs_bill_list(struct hs_derive *derive, struct hs_bytes key, const struct hs_sums *sums, uint8_t which);
/* A payment or settlement that names a bill has changed: how many do so bounds what is looked at for these lists. */
void hs_bill_named(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);

/* ---- topups.c: payments of one card and counter ---- */

void hs_topup_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_topup_whole(struct hs_derive *derive, const struct hs_facet *payment);
/* The payment was taken back, or is not any more. */
void hs_topup_reversed(struct hs_derive *derive, const struct hs_facet *payment);

/* ---- settlements.c: settlements, and the grants that say who owns a district ---- */

void hs_settlement_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_settlement_whole(struct hs_derive *derive, const struct hs_facet *settlement);
void hs_grant_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
bool hs_settlement_stands(struct hs_derive *derive,
                          const struct hs_facet *settlement);     /* of one that counts: here too */
int64_t hs_settlement_refunds(const struct hs_facet *settlement); /* 0: it is a credit */
int64_t hs_settlement_pays(const struct hs_facet *settlement, struct hs_bytes bill_id); /* below zero: takes away */

/* ---- entries.c: cash entries ---- */

void hs_entry_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_entry_whole(struct hs_derive *derive, const struct hs_facet *entry);

/* ---- closes.c ---- */

void hs_close_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_close_whole(struct hs_derive *derive, const struct hs_facet *close);
void hs_answer_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);

/* ---- tickets.c ---- */

void hs_ticket_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_ticket_whole(struct hs_derive *derive, const struct hs_facet *ticket);
void hs_ticket_event_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);

/* ---- notices.c ---- */

void hs_notice_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_notice_whole(struct hs_derive *derive, const struct hs_facet *notice);

/* ---- queue.c ---- */

void hs_queue_ticket_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
void hs_queue_ticket_whole(struct hs_derive *derive, const struct hs_facet *ticket);
void hs_queue_event_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);

#endif
