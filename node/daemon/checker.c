#include "node/daemon/checker.h"

#include "node/log/log.h"
#include "proto/base/thread.h"
#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_MS      (60 * 1000ULL) /* after the start, whose rush is over then */
#define EVERY_MS      (6 * 3600 * 1000ULL)
#define PIECE_ROWS    200 /* some 10 ms: so long a stop waits at most */
#define REST          9   /* times as long as a piece took is rested behind it, if nobody waits for the end, */
#define REST_MS_MIN   10  /* and so long at least */
#define AGAIN_MS      1000
#define FINDINGS_MAX  100
#define FIELD_CHECKED 33 /* of StatusReply */
#define FIELD_FINDING 12 /* of VerifyReply */

struct outcome {
    uint64_t number;
    bool full;
    uint64_t ended_ms;
    enum hs_err err;
    struct hs_check_figures figures;
    struct hs_buf findings; /* packed, as fields of a VerifyReply */
    size_t finding_count;
};

struct hs_checker {
    struct hs_checker_options options;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;

    /* under the lock */
    bool stopping, wanted, wanted_full, running, hurried;
    struct outcome last, now;
    struct hs_check_progress at; /* of the one that runs; no `what`: it has not begun to read */

    /* the thread's */
    struct hs_check *check;
    uint64_t next_tick;
};

/* ---- findings ---- */

static bool of_stream(enum hs_rot sort)
{
    return sort == HS_ROT_OPS || sort == HS_ROT_CHECKPOINT || sort == HS_ROT_RECEIPT || sort == HS_ROT_LOOSE;
}

static void put_finding(struct outcome *outcome, const struct hs_rotten *rotten, char *text)
{
    Hallsync__VerifyFinding row = HALLSYNC__VERIFY_FINDING__INIT;
    struct hs_buf packed = {0};
    row.sort = (char *)(uintptr_t)hs_rot_text(rotten->sort);
    row.text = text;
    row.node_id = (char *)(uintptr_t)rotten->node;
    row.remedy = (char *)(uintptr_t)hs_rot_remedy(rotten);
    row.has_mends = true;
    row.mends = hs_rot_mends(rotten);
    if (of_stream(rotten->sort)) {
        row.has_origin = row.has_partition = row.has_first = row.has_last = true;
        row.origin = rotten->stream.origin;
        row.partition = rotten->stream.partition;
        row.lane = hs_lane_valid(rotten->stream.lane)
                       ? (char *)(uintptr_t)hs_lane_text((enum hs_lane)rotten->stream.lane)
                       : NULL;
        row.first = rotten->first;
        row.last = rotten->last;
    } else if (rotten->name.kind != 0) {
        row.has_partition = row.has_kind = row.has_record_id = true;
        row.partition = rotten->name.partition;
        row.kind = rotten->name.kind;
        row.record_id = (ProtobufCBinaryData){rotten->name.id.size, (uint8_t *)(uintptr_t)rotten->name.id.data};
    }
    hs_msg_pack(&row.base, &packed);
    hs_tlv_put_bytes(&outcome->findings, FIELD_FINDING, hs_buf_bytes(&packed));
    hs_buf_fini(&packed);
}

static enum hs_err visit(void *ctx, const struct hs_rotten *rotten)
{
    struct hs_checker *checker = ctx;
    struct hs_buf text = {0};
    hs_rotten_text(rotten, &text);
    hs_buf_put_u8(&text, 0);
    if (text.err == HS_OK)
        HS_LOG(CHECK_DAMAGED, HS_WORD("sort", hs_rot_text(rotten->sort)), HS_PROSE("text", (const char *)text.data));
    pthread_mutex_lock(&checker->lock);
    if (text.err == HS_OK && checker->now.finding_count++ < FINDINGS_MAX)
        put_finding(&checker->now, rotten, (char *)text.data);
    pthread_mutex_unlock(&checker->lock);
    hs_buf_fini(&text);
    if (rotten->sort < HS_ROT_RECORD)
        checker->options.rotten(checker->options.ctx, rotten);
    return HS_OK;
}

/* ---- one check ---- */

static bool take_wish(struct hs_checker *checker, bool *full)
{
    uint64_t now = hs_tick_ms();
    pthread_mutex_lock(&checker->lock);
    bool begins = checker->wanted || now >= checker->next_tick;
    *full = checker->wanted && checker->wanted_full;
    if (begins) {
        uint64_t number = checker->last.number + 1;
        checker->hurried = checker->wanted;
        checker->wanted = checker->wanted_full = false;
        checker->running = true;
        checker->at = (struct hs_check_progress){0};
        hs_buf_reset(&checker->now.findings);
        struct hs_buf findings = checker->now.findings;
        checker->now = (struct outcome){.number = number, .full = *full, .findings = findings};
    }
    pthread_mutex_unlock(&checker->lock);
    return begins;
}

static void end(struct hs_checker *checker, enum hs_err err)
{
    uint64_t ended_ms = hs_now_ms();
    pthread_mutex_lock(&checker->lock);
    struct hs_buf spare = checker->last.findings;
    checker->now.err = err;
    checker->now.ended_ms = ended_ms;
    if (checker->check != NULL)
        checker->now.figures = *hs_check_figures(checker->check);
    checker->last = checker->now;
    checker->now.findings = spare;
    checker->running = false;
    uint64_t found = checker->last.figures.found;
    uint64_t ops = checker->last.figures.ops, records = checker->last.figures.records;
    pthread_mutex_unlock(&checker->lock);
    hs_check_free(checker->check);
    checker->check = NULL;
    checker->next_tick = hs_tick_ms() + EVERY_MS;
    if (err == HS_OK)
        checker->options.ended(checker->options.ctx, &(struct hs_checked){ended_ms, found});
    HS_LOG_AT(found != 0 || err != HS_OK ? HS_LOG_ERROR : HS_LOG_INFO, HS_EV_CHECK_ENDED, HS_NUMBER("operations", ops),
              HS_NUMBER("records", records), HS_NUMBER("found", found), HS_WORD("reason", hs_err_name(err)));
}

static bool is_stopping(void *ctx)
{
    struct hs_checker *checker = ctx;
    pthread_mutex_lock(&checker->lock);
    bool stopping = checker->stopping;
    pthread_mutex_unlock(&checker->lock);
    return stopping;
}

static enum hs_err piece(struct hs_checker *checker)
{
    struct hs_view *view = NULL;
    enum hs_err err = hs_view_open(checker->options.store, 0, 0, &view);
    if (err == HS_OK)
        err = hs_check_step(checker->check, view, PIECE_ROWS);
    hs_view_close(view);
    return err;
}

/* How much there is to be read. */
static void measure(struct hs_checker *checker)
{
    struct hs_view *view = NULL;
    if (hs_view_open(checker->options.store, 0, 0, &view) == HS_OK)
        hs_check_measure(checker->check, view);
    hs_view_close(view);
}

/* Rests make it polite, not a low priority: with that it would hold its snapshot, and a stop that waits for it, for as
 * long as others are busy. */
static uint64_t go_on(struct hs_checker *checker)
{
    uint64_t began = hs_tick_ms();
    enum hs_err err = piece(checker);
    if (err == HS_ESTOPPING)
        return UINT64_MAX;
    if (err != HS_OK || hs_check_over(checker->check)) {
        end(checker, err);
        return checker->next_tick;
    }
    pthread_mutex_lock(&checker->lock);
    checker->now.figures = *hs_check_figures(checker->check);
    hs_check_progress(checker->check, &checker->at);
    bool hurried = checker->hurried;
    pthread_mutex_unlock(&checker->lock);
    uint64_t ended = hs_tick_ms(), rest = REST * (ended - began);
    return ended + (hurried ? 0 : rest > REST_MS_MIN ? rest : REST_MS_MIN);
}

uint64_t hs_checker_turn(struct hs_checker *checker)
{
    bool full;
    if (checker->check != NULL)
        return go_on(checker);
    if (!take_wish(checker, &full))
        return checker->next_tick;
    struct hs_check_options options = {.full = full, .visit = visit, .stopped = is_stopping, .ctx = checker};
    enum hs_err err = hs_check_new(&options, &checker->check);
    if (err == HS_OK)
        measure(checker);
    else
        end(checker, err);
    return err == HS_OK ? hs_tick_ms() : checker->next_tick;
}

/* ---- its thread ---- */

/* Until @tick, or until somebody wants something. */
static bool wait_until(struct hs_checker *checker, uint64_t tick)
{
    struct timespec at = {.tv_sec = (time_t)(tick / 1000), .tv_nsec = (long)(tick % 1000) * 1000000};
    int code = 0;
    pthread_mutex_lock(&checker->lock);
    while (!checker->stopping && !(checker->wanted && !checker->running) && code == 0 && hs_tick_ms() < tick)
        code = pthread_cond_timedwait(&checker->wake, &checker->lock, &at);
    bool stopping = checker->stopping;
    pthread_mutex_unlock(&checker->lock);
    return !stopping;
}

static void *work(void *arg)
{
    struct hs_checker *checker = arg;
    while (wait_until(checker, hs_checker_turn(checker)))
        ;
    return NULL;
}

enum hs_err hs_checker_new(const struct hs_checker_options *options, struct hs_checker **out)
{
    struct hs_checker *checker = calloc(1, sizeof *checker);
    if (checker == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_cond_init(&checker->wake);
    if (err != HS_OK) {
        free(checker);
        return err;
    }
    pthread_mutex_init(&checker->lock, NULL);
    checker->options = *options;
    checker->last.ended_ms = options->last.ended_ms;
    checker->last.figures.found = options->last.found;
    checker->next_tick = hs_tick_ms() + FIRST_MS;
    *out = checker;
    return HS_OK;
}

enum hs_err hs_checker_start(struct hs_checker *checker)
{
    enum hs_err err = hs_thread_start(&checker->thread, "checker", work, checker);
    checker->has_thread = err == HS_OK;
    return err;
}

void hs_checker_stop(struct hs_checker *checker)
{
    if (checker == NULL || !checker->has_thread)
        return;
    pthread_mutex_lock(&checker->lock);
    checker->stopping = true;
    pthread_cond_signal(&checker->wake);
    pthread_mutex_unlock(&checker->lock);
    pthread_join(checker->thread, NULL);
    checker->has_thread = false;
}

void hs_checker_free(struct hs_checker *checker)
{
    if (checker == NULL)
        return;
    hs_check_free(checker->check);
    hs_buf_fini(&checker->last.findings);
    hs_buf_fini(&checker->now.findings);
    pthread_cond_destroy(&checker->wake);
    pthread_mutex_destroy(&checker->lock);
    free(checker);
}

/* ---- for others ---- */

static void set_progress(const struct hs_checker *checker, Hallsync__VerifyReply *reply)
{
    const struct hs_check_progress *at = &checker->at;
    if (!checker->running || at->what == NULL)
        return;
    reply->phase = (char *)(uintptr_t)at->what;
    reply->unit = (char *)(uintptr_t)at->unit;
    reply->has_done = true;
    reply->done = at->done;
    reply->has_total = at->total != 0;
    reply->total = at->total;
}

static void put_reply(const struct hs_checker *checker, struct hs_buf *to)
{
    Hallsync__VerifyReply reply = HALLSYNC__VERIFY_REPLY__INIT;
    const struct outcome *outcome = checker->running ? &checker->now : &checker->last;
    reply.running = checker->running || checker->wanted;
    reply.number = outcome->number;
    reply.full = outcome->full;
    reply.has_ended_ms = !checker->running && outcome->number != 0; /* one before this start is for status alone */
    reply.ended_ms = outcome->ended_ms;
    reply.error = outcome->err == HS_OK ? NULL : (char *)(uintptr_t)hs_err_name(outcome->err);
    reply.rows = outcome->figures.rows;
    reply.streams = outcome->figures.streams;
    reply.ops = outcome->figures.ops;
    reply.records = outcome->figures.records;
    reply.effects = outcome->figures.effects;
    reply.found = outcome->figures.found;
    set_progress(checker, &reply);
    hs_msg_pack(&reply.base, to);
    hs_buf_put_bytes(to, hs_buf_bytes(&outcome->findings));
}

void hs_checker_ask(struct hs_checker *checker, bool start, bool full, struct hs_buf *reply)
{
    pthread_mutex_lock(&checker->lock);
    if (start && checker->running && (checker->now.full || !full)) {
        checker->hurried = true;
    } else if (start) {
        checker->wanted = true;
        checker->wanted_full = checker->wanted_full || full;
        checker->hurried = true;
    }
    put_reply(checker, reply);
    pthread_cond_signal(&checker->wake);
    pthread_mutex_unlock(&checker->lock);
}

void hs_checker_status(struct hs_checker *checker, struct hs_buf *partial)
{
    Hallsync__CheckStatus status = HALLSYNC__CHECK_STATUS__INIT;
    struct hs_buf packed = {0};
    pthread_mutex_lock(&checker->lock);
    status.running = checker->running;
    status.has_ended_ms = checker->last.ended_ms != 0 && checker->last.err == HS_OK;
    status.ended_ms = checker->last.ended_ms;
    status.found = checker->last.figures.found;
    pthread_mutex_unlock(&checker->lock);
    hs_msg_pack(&status.base, &packed);
    hs_tlv_put_bytes(partial, FIELD_CHECKED, hs_buf_bytes(&packed));
    hs_buf_fini(&packed);
}
