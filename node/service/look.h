/* look.h -- looking at records: those of this node's store, and beside them what a hub has said of a district that is
 * not here, each record joined with this node's own part of it.  Inside node/service/ only. */
#ifndef HS_SERVICE_LOOK_H
#define HS_SERVICE_LOOK_H

#include "node/service/foreign.h"
#include "storage/model/bill_due.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"

struct hs_desk;
struct hs_look {
    const struct hs_desk *desk;
    struct hs_view *view;
    const struct hs_foreign *foreign; /* NULL: nothing was asked, or nobody could say */
    struct hs_arena *arena;           /* what is joined, or gone through, lives in it */
};

/* All as the hs_view_* of the same name.  HS_ENOMEM besides. */
enum hs_err hs_look_find(const struct hs_look *look, uint16_t kind, struct hs_bytes id, struct hs_stored *stored);
enum hs_err hs_look_index(const struct hs_look *look, const struct hs_ask *ask, hs_visit_record visit, void *ctx);
/* Its amount_fen is the most that it can ever ask for: hs_bill_most(). */
enum hs_err hs_look_bill(const struct hs_look *look, const char *account, struct hs_bytes bill_id,
                         struct hs_bill_sums *sums);
/* What a record shows; lives in the look's arena. */
enum hs_err hs_look_message(const struct hs_look *look, const struct hs_stored *stored, struct hs_bytes *message);

/* due.c: what is asked for today. */
struct hs_due {
    enum hs_bill_end end;
    struct hs_bill_asks asks;
    int64_t paid_fen;    /* payments less reversals, less what was settled */
    int64_t settled_fen; /* given back or counted elsewhere; below zero: counted here */
    int64_t due_fen;     /* below zero: paid too much */
};
/* Of a bill that shows @bill and names a valid account. */
enum hs_err hs_look_due(const struct hs_look *look, struct hs_bytes bill, struct hs_due *due);
/* Of an account: the sum of what its bills ask for, as far as they are here; what was paid too much of one is not
 * taken off. */
enum hs_err hs_look_account_due(const struct hs_look *look, const char *account, int64_t *due_fen);
/* What was paid ahead for an account: for no bill, top-up or fee; less what was settled. */
enum hs_err hs_look_advance(const struct hs_look *look, const char *account, int64_t *fen);
uint32_t hs_look_today(const struct hs_look *look); /* business date */
/* How safe an op is: what a hub has shown is at a hub. */
enum hs_safety hs_look_safety(const struct hs_look *look, const struct hs_record_name *name, const struct hs_dot *dot);

#endif
