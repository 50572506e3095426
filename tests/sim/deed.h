/* deed.h -- what a client wants done and what it is told: the history that workload and auditor share.  Plain values;
 * nothing here is a node's. */
#ifndef HS_SIM_DEED_H
#define HS_SIM_DEED_H

#include "proto/local.pb-c.h"
#include "tests/sim/sim.h"

enum deed_type {
    DEED_CUSTOMER, /* put: some fields of a customer */
    DEED_BILL,     /* put: a bill */
    DEED_PAYMENT,  /* put */
    DEED_REVERSAL, /* reverse */
    DEED_TICKET,   /* put: the head */
    DEED_EVENT,    /* put: a move of a ticket or a note */
    DEED_RESOLVE,  /* of a conflict: writes the chosen values over all that are live */
    DEED_HALL,     /* put: of a hall's day: windows, closes, queue, appointments, ratings; the node adds to it */
    DEED_NEWER,    /* a record of a kind, or with a field, that only a newer version knows; written past the service */
};

#define DEED_ID_BYTES       65
#define DEED_NEWER_FACT     900 /* kinds of a newer version */
#define DEED_NEWER_REGISTER 901

struct deed {
    uint64_t number; /* 1, 2, 3... of a run */
    enum deed_type type;
    uint8_t request_id[16]; /* the same each time it is sent */
    uint16_t kind;          /* enum hs_kind_number of the record */
    char id[DEED_ID_BYTES]; /* of the record as people write it: account, bill id, 32 hex digits */
    hs_partition partition; /* in which it belongs */
    char account[HS_ACCOUNT_DIGITS + 1];
    int64_t amount_fen;        /* payments, bills */
    char other[DEED_ID_BYTES]; /* payment: the bill, or ""; reversal: the payment; event: the ticket */
    struct hs_buf request;     /* the encoded Request, as sent again and again */
    struct hs_buf record;      /* puts: the kind's message as asked */
};

/* One answer to one deed. */
struct deed_told {
    const struct deed *deed;
    struct sim_machine *machine;
    uint64_t at_ms;  /* virtual */
    char error[32];  /* name from err.h; "": done */
    unsigned result; /* Hallsync__Result; 0: none */
    unsigned safe;   /* Hallsync__Safety; 0: none */
    char receipt[80];
};

/* ---- making them: each a new request id; freed by deed_free ---- */

/* NULL fields are not written.  @shown: what the user saw, NULL: nothing in particular; @source: of an import, or NULL.
 */
struct deed_fields {
    const char *name, *phone, *supply_status, *remark;
    const Hallsync__Record *shown;
    const char *source;
};
struct deed *deed_customer(struct sim_random *random, const char *account, const struct deed_fields *fields);
struct deed *deed_bill(struct sim_random *random, const char *id, const char *account, const char *period,
                       int64_t amount_fen);
struct deed *deed_payment(struct sim_random *random, const char *id, const char *account, int64_t amount_fen,
                          const char *bill, uint32_t window); /* bill: "" for none */
/* The bill and another one of the account get a part each; what is over is advance. */
struct deed *deed_payment_parts(struct sim_random *random, const char *id, const char *account, int64_t amount_fen,
                                const char *const bills[2], const int64_t parts[2], uint32_t window);
struct deed *deed_topup(struct sim_random *random, const char *id, const char *account, int64_t amount_fen,
                        const char *card, uint32_t counter, uint32_t window);
struct deed *deed_reversal(struct sim_random *random, const char *id, const struct deed *payment, uint32_t window);
struct deed *deed_ticket(struct sim_random *random, const char *id, const char *account, const char *service);
/* Of @state, @note and @assignee those that are not NULL. */
struct deed *deed_event(struct sim_random *random, const char *id, const struct deed *ticket, const char *state,
                        const char *note, const char *assignee);
/* A record of a hall's day, as its message says it; @id: the same as in there. */
struct deed *deed_hall(struct sim_random *random, uint16_t kind, const char *id, hs_partition partition,
                       const ProtobufCMessage *message);
struct deed *deed_resolve(struct sim_random *random, const Hallsync__Conflict *conflict);
struct deed *deed_newer(struct sim_random *random, uint16_t kind, const char *id, const char *account, uint8_t value);
void deed_free(struct deed *deed);
/* Sent past the service by a job of the machine's writer; done() is the caller's, and frees the job's memory. */
enum hs_err deed_write_newer(const struct deed *deed, struct hs_store *store);

/* A request that only looks. */
void deed_look(const uint8_t id[static 16], Hallsync__Request *request, struct hs_buf *to);

/* The answer to a deed, as far as it is one: error, result, level, receipt. */
void deed_told_read(const Hallsync__Reply *reply, struct deed_told *told);

#endif
