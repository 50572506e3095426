/* bill_due.h -- the arithmetic of bills: what a payment gives to which bill, and what a bill asks for on a day.  Pure:
 * of messages of records.proto, whatever bytes they are; what is no amount or day counts nothing. */
#ifndef HS_MODEL_BILL_DUE_H
#define HS_MODEL_BILL_DUE_H

#include "proto/base/buf.h"

#include <stdint.h>

/* Calls @take for each bill that @payment pays, in the order of its parts, each as far as the amount goes; without
 * parts for its bill_id with the whole amount.  Returns what is left over: it is the account's. */
struct hs_part {
    struct hs_bytes bill_id;
    int64_t fen; /* above zero */
};
typedef void (*hs_take_part)(void *ctx, const struct hs_part *part);
int64_t hs_payment_parts(struct hs_bytes payment, hs_take_part take, void *ctx);
/* The same of one bill: what the payment gives to it. */
int64_t hs_payment_gives(struct hs_bytes payment, struct hs_bytes bill_id);
/* What it pays ahead: its remainder, if it is neither a top-up nor a fee. */
int64_t hs_payment_ahead(struct hs_bytes payment);

enum hs_bill_end {
    HS_BILL_STANDS,
    HS_BILL_CANCELLED, /* it asks for nothing */
    HS_BILL_REPLACED,  /* corrected by another bill, which asks for it */
};
enum hs_bill_end hs_bill_end(struct hs_bytes bill);

/* The most that the bill can ever ask for: its amount and all late fees.  It does not depend on any day. */
int64_t hs_bill_most(struct hs_bytes bill);

/* What was paid of it on a day, and not taken back. */
struct hs_bill_paid {
    uint32_t date; /* business date, 20261121 */
    int64_t fen;
};
struct hs_bill_asks {
    int64_t amount_fen; /* 0 if it is cancelled or replaced */
    int64_t late_fen;   /* late fees up to @today, that day's among them */
};
/* A late fee counts from its day on if the bill, with the late fees of earlier days, was not paid off before that day:
 * who has paid in time owes no fee that was foreseen for later. */
void hs_bill_asks(struct hs_bytes bill, const struct hs_bill_paid *paid, size_t count, uint32_t today,
                  struct hs_bill_asks *asks);

#endif
