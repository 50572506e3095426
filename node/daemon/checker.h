/* checker.h -- reads the store whole, from time to time and when somebody asks, on a thread of its own, and tells what
 * is not as it was written. */
#ifndef HS_CHECKER_H
#define HS_CHECKER_H

#include "storage/store.h"

struct hs_checker;

struct hs_checker_options {
    struct hs_store *store;
    /* What is in the log and not as it was; on the checker's thread. */
    void (*rotten)(void *ctx, const struct hs_rotten *rotten);
    void (*ended)(void *ctx, const struct hs_checked *checked); /* whole; on the checker's thread */
    struct hs_checked last;                                     /* before this start */
    void *ctx;
};
enum hs_err hs_checker_new(const struct hs_checker_options *options, struct hs_checker **checker); /* HS_ENOMEM */
enum hs_err hs_checker_start(struct hs_checker *checker); /* its thread, which takes turns.  HS_ENOMEM */
/* One turn, for who gives it no thread: a piece of the check, if it is time for one.  Answers when it wants the next
 * one at the latest, by the monotonic clock. */
uint64_t hs_checker_turn(struct hs_checker *checker);
void hs_checker_stop(struct hs_checker *checker); /* before the writer; waits for a piece at most; NULL is fine */
void hs_checker_free(struct hs_checker *checker); /* NULL is fine */
/* Append a packed VerifyReply; @start: begin a check, or hurry the one under way.  Any thread. */
void hs_checker_ask(struct hs_checker *checker, bool start, bool full, struct hs_buf *reply);
void hs_checker_status(struct hs_checker *checker, struct hs_buf *partial); /* of a StatusReply; any thread */

#endif
