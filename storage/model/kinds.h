/* kinds.h -- the one table of kinds: number, name, shape, lane, message, fields, policies, indexes, rules.  To add a
 * kind: one message in records.proto, one row in kinds.c, its tests.  docs/kinds.md is tested against it. */
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
       HS_KIND_CATALOGUE = 1000,
       HS_KIND_NOTICE = 1001,
       HS_KIND_REISSUE = 1002,
       HS_KIND_DECISION = 1003,
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
    HS_FORM_TEXT,     /* valid text of 1..bytes_max bytes */
    HS_FORM_ACCOUNT,  /* ten digits */
    HS_FORM_AMOUNT,   /* 1..HS_AMOUNT_FEN_MAX */
    HS_FORM_NUMBER,   /* 0..2^32-1 */
    HS_FORM_ID,       /* 16 bytes */
    HS_FORM_DATE,     /* "2026-11-21" */
    HS_FORM_PERIOD,   /* "2026-11" */
    HS_FORM_CHOICE,   /* one of choices */
    HS_FORM_SERVICE,  /* a code of the service catalogue */
    HS_FORM_STATE,    /* a ticket state */
    HS_FORM_CHANGE,   /* an amount of either sign, not zero */
    HS_FORM_TIME,     /* milliseconds since 1970, UTC, below 2^47 */
    HS_FORM_DISTRICT, /* four digits */
    HS_FORM_BYTES,    /* 1..bytes_max bytes */
    HS_FORM_ANY,
};

struct hs_field_rule {
    uint32_t number; /* of the message */
    enum hs_form form;
    enum hs_policy policy;
    bool required;
    uint16_t bytes_max;         /* of text and bytes */
    const char *const *choices; /* of HS_FORM_CHOICE, NULL-terminated */
};

/* How a record's id comes about. */
enum hs_id_form {
    HS_ID_FIELD, /* the bytes of the text field id_field */
    HS_ID_128,   /* 16 bytes, see hs_id_from_text; id_field holds the text where it is hashed */
};

/* In which partition a new record goes. */
enum hs_home_form {
    HS_HOME_ACCOUNT,  /* that of the account in home_field; where that is missing, of its parent or the node's home */
    HS_HOME_NODE,     /* the writing node's home district */
    HS_HOME_REGION,   /* the region: every node of it has the record */
    HS_HOME_DISTRICT, /* the district in home_field; where that is missing, the region */
};

struct hs_index {
    uint8_t number;   /* frozen */
    const char *name; /* what find asks for */
    uint32_t field;   /* the shown value of this field is the key; 0: computed (ticket state, assignee) */
};

#define HS_FOLLOWS_MAX 256 /* decisions about a record that are looked at, and that one names */

struct hs_kind {
    uint16_t number;
    const char *name; /* "cash_entry": JSON, command line, docs */
    enum hs_shape shape;
    enum hs_lane lane;
    enum hs_id_form id_form;
    uint32_t id_field;
    enum hs_home_form home_form;
    uint32_t home_field; /* 0: none */
    const ProtobufCMessageDescriptor *message;
    const struct hs_field_rule *fields;
    size_t field_count;
    const struct hs_index *indexes;
    size_t index_count;
    bool by_node_only; /* made by the node, refused from clients */
};

extern const struct hs_kind HS_KINDS[];
extern const size_t HS_KIND_COUNT;

const struct hs_kind *hs_kind_by_number(uint32_t number); /* NULL: unknown */
const struct hs_kind *hs_kind_by_name(const char *name);
const struct hs_field_rule *hs_kind_rule(const struct hs_kind *kind, uint32_t field);
const struct hs_index *hs_kind_index(const struct hs_kind *kind, const char *name);
const char *hs_kind_field_name(const struct hs_kind *kind, uint32_t field); /* of the message; NULL: unknown */
/* The partition that the value of home_field (none: no bytes) puts a record into.  False: it says nothing. */
bool hs_kind_home(const struct hs_kind *kind, struct hs_bytes value, hs_partition *home);
/* The partition in which the records lie that @index finds under @key; without @index, the one with the id @key. False:
 * they may lie anywhere. */
bool hs_kind_found_in(const struct hs_kind *kind, const struct hs_index *index, struct hs_bytes key,
                      hs_partition *partition);

/* Check a record's message (shown bytes) against the kind's rules.  @complete: required fields must be there.
 * HS_EACCOUNT, HS_EAMOUNT, HS_EOVERFLOW, HS_EUTF8, HS_ETOOBIG, HS_EREQUIRED, HS_EVALUE, HS_ESERVICE, HS_ESTATE,
 * HS_EFIELD (a field unknown to the kind: only where @strict), HS_EMALFORMED.  @field out: the wrong field's number
 * or 0; @why names the field and what is wrong with it. */
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

/* "cash" -> list of choices etc. for help texts and docs/kinds.md: */
const char *hs_form_text(enum hs_form form);
const char *hs_policy_text(enum hs_policy policy);

#endif
