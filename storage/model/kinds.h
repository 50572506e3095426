/* kinds.h -- the one table of kinds: number, name, shape, lane, message, fields, policies, indexes, rules, meanings. To
 * add a plain kind: one message in records.proto, one row in kinds.c, its tests; writing, finding, the command line,
 * CSV and JSON follow from these.  docs/records.md is made from the table, and tested against it. */
#ifndef HS_MODEL_KINDS_H
#define HS_MODEL_KINDS_H

#include "proto/base/hash.h"
#include "proto/base/names.h"
#include "proto/msg/op.h"

#include <protobuf-c/protobuf-c.h>

enum { /* numbers are frozen */
       HS_KIND_CUSTOMER = 1,
       HS_KIND_BILL = 2,
       HS_KIND_PAYMENT = 3,
       HS_KIND_CASH_ENTRY = 4,
       HS_KIND_REVERSAL = 5,
       HS_KIND_TICKET = 6,
       HS_KIND_TICKET_EVENT = 7,
       HS_KIND_TITLE_CHANGE = 8,
       HS_KIND_SUBSCRIPTION = 9,
       HS_KIND_REPRINT = 10,
       HS_KIND_INVOICE_REQUEST = 11,
       HS_KIND_QUEUE_TICKET = 19,
       HS_KIND_QUEUE_EVENT = 20,
       HS_KIND_REMINDER = 24,
       HS_KIND_WINDOW_EVENT = 12,
       HS_KIND_CLOSE = 13,
       HS_KIND_HANDING_IN = 15,
       HS_KIND_SETTLEMENT = 16,
       HS_KIND_SLOT = 21,
       HS_KIND_APPOINTMENT = 22,
       HS_KIND_APPOINTMENT_EVENT = 23,
       HS_KIND_RATING = 25,
       HS_KIND_AUDIT = 26,
       HS_KIND_CATALOGUE = 1000,
       HS_KIND_NOTICE = 1001,
       HS_KIND_REISSUE = 1002,
       HS_KIND_DECISION = 1003,
       HS_KIND_CLOSE_ANSWER = 1004,
       HS_KIND_CALENDAR = 1005,
       HS_KIND_GRANT = 1006,
};

enum hs_shape { HS_SHAPE_FACT = 1, HS_SHAPE_REGISTER = 2 };

/* How concurrent values of a field are treated, where they are shown; never a matter of merging. */
enum hs_policy {
    HS_POLICY_MERGE,  /* the highest stamp shows, no more is said */
    HS_POLICY_REVIEW, /* as merge, and listed until a person has resolved it */
    HS_POLICY_FIXED,  /* the local API refuses a change */
};

/* What a field's value must look like; checked by the local API, and a record that breaks it is parked. */
enum hs_form {
    HS_FORM_TEXT,     /* valid text of 1..most bytes */
    HS_FORM_ACCOUNT,  /* ten digits */
    HS_FORM_AMOUNT,   /* 1..HS_AMOUNT_FEN_MAX */
    HS_FORM_NUMBER,   /* 0..most, where that is 0 to 2^32-1 */
    HS_FORM_ID,       /* 16 bytes */
    HS_FORM_DATE,     /* "2026-11-21" */
    HS_FORM_PERIOD,   /* "2026-11" */
    HS_FORM_CHOICE,   /* one of choices */
    HS_FORM_SERVICE,  /* a code that the service catalogue can have */
    HS_FORM_STATE,    /* a ticket state */
    HS_FORM_CHANGE,   /* an amount of either sign, not zero */
    HS_FORM_TIME,     /* milliseconds since 1970, UTC, below 2^47 */
    HS_FORM_DISTRICT, /* four digits */
    HS_FORM_BYTES,    /* 1..most bytes */
    HS_FORM_ANY,
    HS_FORM_COUNT,    /* 1..most, where that is 0 to 2^32-1 */
    HS_FORM_SUM,      /* 0..HS_AMOUNT_FEN_MAX */
    HS_FORM_BALANCE,  /* an amount of either sign, or zero */
    HS_FORM_QUANTITY, /* 0..HS_QUANTITY_MAX */
    HS_FORM_HASH,     /* 32 bytes */
    HS_FORM_NODE,     /* id of a node */
    HS_FORM_HOUR,     /* "08:30" */
    HS_FORM_LINES,    /* up to most sub-messages, each with the fields of lines; together they are one value */
    HS_FORM_LAST = HS_FORM_LINES,
};
#define HS_QUANTITY_MAX  1000000000000LL
#define HS_FIELD_ID_MAX  31  /* of a kind's fields; those of a later version may be higher */
#define HS_LINES_MAX     255 /* of one field */
#define HS_MEANING_BYTES 60  /* of a meaning in English; in Chinese as many characters */

struct hs_choice {
    const char *value, *en, *zh; /* and what it means */
};

struct hs_field_rule {
    uint32_t number; /* of the message */
    enum hs_form form;
    enum hs_policy policy; /* of a line's field: none, the lines are one value */
    bool required;
    uint16_t most;                     /* what it bounds is said by the form */
    const struct hs_choice *choices;   /* of HS_FORM_CHOICE; behind the last one without a value */
    const struct hs_field_rule *lines; /* of HS_FORM_LINES: the fields of each, which have no lines of their own */
    uint16_t line_fields;
    const char *unit;    /* "fen", "ms", "days"...; NULL: none */
    const char *en, *zh; /* what it means */
};

/* How a record's id comes about. */
enum hs_id_form {
    HS_ID_FIELD, /* the bytes of the text field id_field */
    HS_ID_128,   /* 16 bytes, see hs_id_from_text; id_field holds the text where it is hashed */
    HS_ID_HASH,  /* 16 bytes, hs_kind_id() of the fields in id_of; id_field names it, and is never set */
};

/* In which partition a new record goes. */
enum hs_home_form {
    HS_HOME_ACCOUNT,  /* that of the account in home_field; where that is missing, of its parent or the node's home */
    HS_HOME_NODE,     /* the writing node's home district */
    HS_HOME_REGION,   /* the region: every node of it has the record */
    HS_HOME_DISTRICT, /* the district in home_field; where that is missing, the region */
};

/* Who may write it.  Kinds that hubs alone may write have numbers from 1000 up: PROTOCOL.md, section 5.3. */
enum hs_by {
    HS_BY_ANYONE,
    HS_BY_HUBS,
    HS_BY_NODE,  /* made by the node, refused from clients */
    HS_BY_OWNER, /* of the district; what others write counts nothing */
};

/* The shown value of a field is the key; of a field of lines, that of each line's field.  A second field makes the key
 * narrower, where one alone would find too many.  Rows with the same number, which stand together, are one index: it
 * finds by any of them. */
struct hs_index {
    uint8_t number;   /* frozen */
    const char *name; /* what find asks for: the field's name */
    uint32_t field;   /* 0: computed (ticket state, assignee) */
    uint32_t line;    /* 0: none */
    uint32_t then;    /* 0: none */
};
/* A computed index of facts: who wrote one, and on which day of UTC: "3f00a1b2c3d4e5f6-20261121". */
#define HS_WRITTEN       "written"
#define HS_WRITTEN_BYTES 26
void hs_written_text(uint64_t origin, uint32_t date, char text[static HS_WRITTEN_BYTES]);
/* A computed index of customers: those who are cut off, and nobody else. */
#define HS_SUPPLY     "supply"
#define HS_SUPPLY_OFF "off"

struct hs_kind_error {
    enum hs_err err;
    const char *when; /* it is refused so, besides what the forms ask for */
};

#define HS_FOLLOWS_MAX 256 /* decisions about a record that are looked at, and that one names */

struct hs_kind {
    uint16_t number;
    const char *name;             /* "cash_entry": JSON, command line, docs */
    const char *en, *zh;          /* for people: "cash entry" */
    const char *about, *about_zh; /* a sentence */
    enum hs_shape shape;
    enum hs_lane lane;
    enum hs_id_form id_form;
    uint32_t id_field;
    const uint32_t *id_of; /* of HS_ID_HASH: fields, ascending, 0 behind the last */
    enum hs_home_form home_form;
    uint32_t home_field; /* 0: none */
    bool personal;       /* about one customer, or names what is: hs_kind_open */
    const char *fold;    /* what the node derives of it is shown by this field of Record (local.proto); NULL: nothing */
    const ProtobufCMessageDescriptor *message;
    const struct hs_field_rule *fields;
    size_t field_count;
    const struct hs_index *indexes;
    size_t index_count;
    enum hs_by by;
    const struct hs_kind_error *errors;
    size_t error_count;
};

extern const struct hs_kind HS_KINDS[];
extern const size_t HS_KIND_COUNT;

const struct hs_kind *hs_kind_by_number(uint32_t number); /* NULL: unknown */
const struct hs_kind *hs_kind_by_name(const char *name);
const struct hs_field_rule *hs_kind_rule(const struct hs_kind *kind, uint32_t field);
const struct hs_index *hs_kind_index(const struct hs_kind *kind, const char *name);
/* May a counter look for records of this kind by @index (NULL: by none)?  Those about a customer, or that lead to one,
 * are found by a number that he brings with him, and by nothing else: of an account, electricity card, identity card,
 * bill, payment, receipt, slip, ticket or appointment. */
bool hs_kind_open(const struct hs_kind *kind, const struct hs_index *index);
const char *hs_kind_field_name(const struct hs_kind *kind, uint32_t field); /* of the message; NULL: unknown */
/* Rules and types of a record's fields, or of a line's. */
struct hs_fields {
    const ProtobufCMessageDescriptor *message;
    const struct hs_field_rule *rules;
    size_t count;
};
struct hs_fields hs_kind_fields(const struct hs_kind *kind);
struct hs_fields hs_line_fields(const struct hs_fields *fields, const struct hs_field_rule *rule);
const struct hs_field_rule *hs_field_rule(const struct hs_fields *fields, uint32_t field);
/* The partition that the value of home_field (none: no bytes) puts a record into.  False: it says nothing. */
bool hs_kind_home(const struct hs_kind *kind, struct hs_bytes value, hs_partition *home);
/* The partition in which the records lie that @index finds under @key; without @index, the one with the id @key. False:
 * they may lie anywhere. */
bool hs_kind_found_in(const struct hs_kind *kind, const struct hs_index *index, struct hs_bytes key,
                      hs_partition *partition);

/* The id of a record of HS_ID_HASH: BLAKE2b-128("hallsync id of 1", kind be16, the raw bytes of the fields in id_of).
 */
void hs_kind_id(const struct hs_kind *kind, struct hs_bytes message, struct hs_id *id);

/* kinds_index.c: keys.  A number's is its eight bytes, big-endian; of two fields the first one's size, be16, stands
 * before them. */
/* Calls @take for each key under which @index, not a computed one, finds the record that shows @message; one may come
 * more than once.  HS_ENOMEM. */
typedef void (*hs_take_key)(void *ctx, struct hs_bytes key);
enum hs_err hs_index_keys(const struct hs_index *index, struct hs_bytes message, hs_take_key take, void *ctx);
/* The key of two values. */
void hs_index_pair(struct hs_buf *key, struct hs_bytes first, struct hs_bytes then);
/* The key that people write as @text, and @then where the index has a second field; else NULL.  Into @key, emptied.
 * HS_EVALUE and a sentence; HS_ENOMEM. */
enum hs_err hs_index_key_parse(const struct hs_kind *kind, const struct hs_index *index, const char *text,
                               const char *then, struct hs_buf *key, struct hs_why *why);

/* kinds_text.c: values as people write them.  A number in decimal; an id as its text or 32 hexadecimal digits, other
 * bytes in hexadecimal.  Lines are one text, "b-1:350;b-2:700": fields in the order of their numbers with ':' between,
 * lines with ';', and '\' before any of the three in a text; empty fields at the end of a line are left out. */
/* Append the field, tag included; of lines each.  Only types are checked, and that lines are not too many.  HS_EVALUE,
 * HS_EAMOUNT, HS_EOVERFLOW, HS_EUTF8, HS_ETOOBIG and a sentence that names the field; HS_ENOMEM. */
enum hs_err hs_field_parse(const struct hs_fields *fields, const struct hs_field_rule *rule, struct hs_bytes text,
                           struct hs_buf *to, struct hs_why *why);
/* The other way, of the raw occurrences of a field; what its type cannot be read from comes out in hexadecimal. */
void hs_field_text(const struct hs_fields *fields, const struct hs_field_rule *rule, struct hs_bytes value,
                   struct hs_buf *text);

/* Check a record's message (shown bytes) against the kind's rules.  @complete: required fields must be there.
 * HS_EACCOUNT, HS_EAMOUNT, HS_EOVERFLOW, HS_EUTF8, HS_ETOOBIG, HS_EREQUIRED, HS_EVALUE, HS_ESERVICE, HS_ESTATE,
 * HS_EFIELD (a field unknown to the kind: only where @strict), HS_EMALFORMED.  @field out: the wrong field's number
 * or 0; @why names the field, "parts[2].amount_fen" of a line's, and what is wrong with it. */
struct hs_check {
    bool complete;
    bool strict;
};
enum hs_err hs_kind_check(const struct hs_kind *kind, struct hs_bytes message, struct hs_check how, uint32_t *field,
                          struct hs_why *why);
/* All that breaks a rule: a hash of these fields, as they stand.  HS_OK: a person may let it pass, for it can be
 * counted and looked up as it is: a choice, service, day or month that is not known, a text that is missing or too
 * long. HS_EVALUE: an amount, account or id is none, or the bytes are no message.  HS_ENOMEM. */
enum hs_err hs_kind_flaw(const struct hs_kind *kind, struct hs_bytes message, struct hs_hash *flaw);

/* For help texts and docs/records.md. */
const char *hs_form_text(enum hs_form form);
const char *hs_policy_text(enum hs_policy policy);
const char *hs_by_text(enum hs_by by);

#endif
