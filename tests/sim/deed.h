/* deed.h -- what a client wants done and what it is told: the history that workload and auditor share.  Plain values;
 * nothing here is a node's. */
#ifndef HS_SIM_DEED_H
#define HS_SIM_DEED_H

#include "tests/sim/sim.h"

enum deed_type {
    DEED_CUSTOMER, /* put: some fields of a customer */
    DEED_BILL,     /* put: a bill */
    DEED_PAYMENT,  /* put */
    DEED_REVERSAL, /* reverse */
    DEED_TICKET,   /* put: the head */
    DEED_EVENT,    /* put: a move of a ticket or a note */
    DEED_RESOLVE,  /* of a conflict: writes the chosen values over all that are live */
    DEED_NEWER,    /* a record of a kind, or with a field, that only a newer version knows; written past the service */
};

#define DEED_ID_BYTES 65

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

#endif
