#include "node/daemon/surveyor.h"

#include "node/disk/disk.h"
#include "node/log/log.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

#define SAY_MS         10000
#define SURVEY_MS      60000
#define ROLL_MS        2000 /* from one look at the registry to the next, at least */
#define SURVEY_SHARE   100  /* of the time a hundredth at most: a region has a thousand books */
#define ROLL_SHARE     20   /* ... a twentieth */
#define DAY_MS         (24 * 3600 * 1000ULL)
#define DISK_HOURS_MAX (10 * 366 * 24)
#define UNCOUNTED      "the books of yesterday, or late tickets, cannot be counted: hallsync verify says why"

/* Fields of StatusReply, of BackupStatus. */
enum {
    STATUS_PROBLEMS = 21,
    STATUS_BACKUP = 30,
    STATUS_DISK_DAYS = 71,
    STATUS_BOOKS,
    STATUS_CERTIFICATE,
    STATUS_KEY,
    STATUS_STARTED,
    STATUS_OVERDUE
};
enum { BACKUP_LAST = 3 };

struct hs_surveyor {
    struct hs_surveyor_options options;
    uint64_t started_ms;
    pthread_t thread;
    bool running;
    atomic_bool stop;

    /* the thread's */
    struct hs_disk disk;
    struct hs_buf partial;
    uint64_t say_tick, survey_tick, roll_tick, roll_rest_ms;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool wanted; /* a look at the registry */
    struct hs_known *known;
    bool has_books, has_overdue;
    bool counts_fail; /* one of them, at the last look */
    uint32_t books_date;
    struct hs_books_count books;
    uint64_t overdue;
};

/* ---- the registry, counted by who holds it ---- */

void hs_known_release(struct hs_known *known)
{
    if (known == NULL || atomic_fetch_sub(&known->holders, 1) != 1)
        return;
    hs_roll_fini(&known->roll);
    free(known);
}

struct hs_known *hs_surveyor_known(struct hs_surveyor *surveyor)
{
    pthread_mutex_lock(&surveyor->lock);
    struct hs_known *known = surveyor->known;
    if (known != NULL)
        atomic_fetch_add(&known->holders, 1);
    pthread_mutex_unlock(&surveyor->lock);
    return known;
}

static enum hs_err survey_roll(struct hs_surveyor *surveyor, const struct hs_survey *survey)
{
    struct hs_known *known = calloc(1, sizeof *known), *before;
    if (known == NULL)
        return HS_ENOMEM;
    atomic_init(&known->holders, 1);
    enum hs_err err = hs_survey_roll(survey, &known->roll);
    if (err != HS_OK) {
        hs_known_release(known);
        return err;
    }
    pthread_mutex_lock(&surveyor->lock);
    before = surveyor->known;
    surveyor->known = known;
    pthread_mutex_unlock(&surveyor->lock);
    hs_known_release(before);
    return HS_OK;
}

/* ---- once a minute ---- */

/* A witness has no records. */
static bool has_records(const struct hs_surveyor *surveyor)
{
    return hs_store_certificate(surveyor->options.store)->role != HS_ROLE_WITNESS;
}

static void forget_records(struct hs_surveyor *surveyor)
{
    pthread_mutex_lock(&surveyor->lock);
    surveyor->has_books = surveyor->has_overdue = false;
    surveyor->counts_fail = has_records(surveyor);
    pthread_mutex_unlock(&surveyor->lock);
}

/* What cannot be counted now is not known: yesterday's number would be taken for today's. */
static enum hs_err survey_records(struct hs_surveyor *surveyor, const struct hs_survey *survey)
{
    struct hs_books_count books = {0};
    uint64_t overdue = 0, now_ms = hs_now_ms();
    uint32_t yesterday = hs_date_of(now_ms > DAY_MS ? now_ms - DAY_MS : 0, survey->utc_offset_minutes);
    enum hs_err books_err = hs_survey_books(survey, yesterday, &books);
    enum hs_err err = hs_survey_overdue(survey, now_ms, &overdue);
    pthread_mutex_lock(&surveyor->lock);
    surveyor->has_books = books_err == HS_OK;
    surveyor->has_overdue = err == HS_OK;
    surveyor->counts_fail = !surveyor->has_books || !surveyor->has_overdue;
    surveyor->books_date = yesterday;
    surveyor->books = books;
    surveyor->overdue = overdue;
    pthread_mutex_unlock(&surveyor->lock);
    return books_err != HS_OK ? books_err : err;
}

enum hs_err hs_surveyor_look(struct hs_surveyor *surveyor)
{
    const struct hs_surveyor_options *options = &surveyor->options;
    struct hs_survey survey = {
        .store = options->store, .utc_offset_minutes = options->conf->utc_offset_minutes, .stop = &surveyor->stop};
    enum hs_err records_err = HS_OK, err = hs_view_open(options->store, 0, 0, &survey.view);
    if (err != HS_OK) {
        forget_records(surveyor);
        return err;
    }
    err = survey_roll(surveyor, &survey);
    if (has_records(surveyor))
        records_err = survey_records(surveyor, &survey);
    hs_view_close(survey.view);
    return err != HS_OK ? err : records_err;
}

static void tell_failure(enum hs_err err)
{
    if (err != HS_OK && err != HS_ESTOPPING)
        HS_LOG(SURVEYOR_FAILED, HS_WORD("reason", hs_err_name(err)));
}

static uint64_t rest_ms(uint64_t begin, uint64_t share, uint64_t least)
{
    uint64_t rest = share * (hs_tick_ms() - begin);
    return rest > least ? rest : least;
}

/* Late tickets come by the clock, so a day in which nothing is written is looked at, too. */
static void survey_if_due(struct hs_surveyor *surveyor)
{
    uint64_t begin = hs_tick_ms();
    if (begin < surveyor->survey_tick)
        return;
    tell_failure(hs_surveyor_look(surveyor));
    surveyor->roll_tick = hs_tick_ms() + ROLL_MS;
    surveyor->survey_tick = hs_tick_ms() + rest_ms(begin, SURVEY_SHARE, SURVEY_MS);
}

static size_t roll_count(struct hs_surveyor *surveyor)
{
    struct hs_known *known = hs_surveyor_known(surveyor);
    size_t count = known == NULL ? 0 : known->roll.count;
    hs_known_release(known);
    return count;
}

static void look_at_roll_if_due(struct hs_surveyor *surveyor)
{
    uint64_t begin = hs_tick_ms();
    struct hs_survey survey = {.store = surveyor->options.store, .stop = &surveyor->stop};
    pthread_mutex_lock(&surveyor->lock);
    bool wanted = surveyor->wanted && begin >= surveyor->roll_tick;
    surveyor->wanted = surveyor->wanted && !wanted;
    pthread_mutex_unlock(&surveyor->lock);
    if (!wanted)
        return;
    size_t before = roll_count(surveyor);
    enum hs_err err = hs_view_open(surveyor->options.store, 0, 0, &survey.view);
    if (err == HS_OK)
        err = survey_roll(surveyor, &survey);
    hs_view_close(survey.view);
    tell_failure(err);
    /* Who is asked for may never be in it: what was in vain is done half as often. */
    uint64_t twice_ms = 2 * surveyor->roll_rest_ms < SURVEY_MS ? 2 * surveyor->roll_rest_ms : SURVEY_MS;
    surveyor->roll_rest_ms = roll_count(surveyor) != before || twice_ms < ROLL_MS ? ROLL_MS : twice_ms;
    surveyor->roll_tick = hs_tick_ms() + rest_ms(begin, ROLL_SHARE, surveyor->roll_rest_ms);
}

/* ---- what this node says of itself ---- */

static void take_told(struct hs_bytes partial, struct hs_figures *figures)
{
    struct hs_cur cur = hs_cur_of(partial);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        double days;
        if (tlv.number == STATUS_PROBLEMS)
            figures->problems++;
        if (tlv.number == STATUS_BACKUP && tlv.wire == HS_WIRE_BYTES)
            figures->backup_ms = hs_tlv_u64(tlv.bytes, BACKUP_LAST, 0);
        if (tlv.number != STATUS_DISK_DAYS || tlv.wire != HS_WIRE_FIXED64)
            continue;
        memcpy(&days, &tlv.value, sizeof days); /* a double, as protobuf has it */
        figures->has_disk_hours = days >= 0;
        figures->disk_hours = days * 24 < DISK_HOURS_MAX ? (uint32_t)(days * 24) : DISK_HOURS_MAX;
    }
}

static enum hs_err take_store(struct hs_surveyor *surveyor, struct hs_figures *figures)
{
    struct hs_store_sizes sizes;
    struct hs_view *view;
    enum hs_err err = hs_view_open(surveyor->options.store, 0, 0, &view);
    if (err != HS_OK)
        return err;
    hs_view_sizes(view, &sizes);
    figures->store_bytes = sizes.log_bytes + sizes.records_bytes;
    figures->conflicts = hs_conflict_count(view);
    figures->parked = hs_view_list_count(view, HS_LIST_PARKED);
    hs_view_close(view);
    return HS_OK;
}

static void say_if_due(struct hs_surveyor *surveyor)
{
    const struct hs_surveyor_options *options = &surveyor->options;
    struct hs_figures figures = {0};
    uint64_t now = hs_tick_ms();
    if (now < surveyor->say_tick)
        return;
    surveyor->say_tick = now + SAY_MS;
    if (take_store(surveyor, &figures) != HS_OK)
        return; /* who reads the store otherwise says so */
    hs_disk_look(&surveyor->disk, now);
    figures.disk_free_bytes = surveyor->disk.free_bytes;
    figures.disk_level = (uint32_t)surveyor->disk.level;
    hs_buf_reset(&surveyor->partial);
    options->status(options->ctx, &surveyor->partial);
    if (surveyor->partial.err == HS_OK)
        take_told(hs_buf_bytes(&surveyor->partial), &figures);
    options->say(options->ctx, &figures);
}

/* ---- the thread ---- */

static uint64_t next_tick(const struct hs_surveyor *surveyor)
{
    uint64_t next = surveyor->say_tick < surveyor->survey_tick ? surveyor->say_tick : surveyor->survey_tick;
    return surveyor->wanted && surveyor->roll_tick < next ? surveyor->roll_tick : next;
}

static void rest(struct hs_surveyor *surveyor)
{
    pthread_mutex_lock(&surveyor->lock);
    for (;;) {
        uint64_t now = hs_tick_ms(), next = next_tick(surveyor);
        if (atomic_load(&surveyor->stop) || now >= next)
            break;
        struct timespec until = hs_tick_in_ns((next - now) * 1000000);
        pthread_cond_timedwait(&surveyor->wake, &surveyor->lock, &until);
    }
    pthread_mutex_unlock(&surveyor->lock);
}

static void *work(void *arg)
{
    struct hs_surveyor *surveyor = arg;
    while (!atomic_load(&surveyor->stop)) {
        survey_if_due(surveyor);
        look_at_roll_if_due(surveyor);
        if (!atomic_load(&surveyor->stop))
            say_if_due(surveyor);
        rest(surveyor);
    }
    return NULL;
}

void hs_surveyor_want(struct hs_surveyor *surveyor)
{
    if (surveyor == NULL)
        return;
    pthread_mutex_lock(&surveyor->lock);
    if (!surveyor->wanted) /* else it knows: each picture asks for each that it lacks */
        pthread_cond_signal(&surveyor->wake);
    surveyor->wanted = true;
    pthread_mutex_unlock(&surveyor->lock);
}

enum hs_err hs_surveyor_new(const struct hs_surveyor_options *options, struct hs_surveyor **out)
{
    struct hs_surveyor *surveyor = calloc(1, sizeof *surveyor);
    if (surveyor == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_cond_init(&surveyor->wake);
    if (err != HS_OK) {
        free(surveyor);
        return err;
    }
    pthread_mutex_init(&surveyor->lock, NULL);
    surveyor->options = *options;
    surveyor->started_ms = hs_now_ms();
    surveyor->disk = (struct hs_disk){.dir = options->conf->node.data,
                                      .store = options->store,
                                      .reserve_bytes = (uint64_t)options->conf->limits.disk_reserve_mib << 20};
    *out = surveyor;
    return HS_OK;
}

enum hs_err hs_surveyor_start(struct hs_surveyor *surveyor)
{
    enum hs_err err = hs_thread_start(&surveyor->thread, "surveyor", work, surveyor);
    surveyor->running = err == HS_OK;
    return err;
}

void hs_surveyor_stop(struct hs_surveyor *surveyor)
{
    if (surveyor == NULL || !surveyor->running)
        return;
    pthread_mutex_lock(&surveyor->lock);
    atomic_store(&surveyor->stop, true);
    pthread_cond_signal(&surveyor->wake);
    pthread_mutex_unlock(&surveyor->lock);
    pthread_join(surveyor->thread, NULL);
    surveyor->running = false;
}

void hs_surveyor_free(struct hs_surveyor *surveyor)
{
    if (surveyor == NULL)
        return;
    hs_known_release(surveyor->known);
    hs_buf_fini(&surveyor->partial);
    pthread_cond_destroy(&surveyor->wake);
    pthread_mutex_destroy(&surveyor->lock);
    free(surveyor);
}

/* ---- for others ---- */

static void put_books(const struct hs_surveyor *surveyor, struct hs_buf *partial)
{
    Hallsync__BooksStatus books = HALLSYNC__BOOKS_STATUS__INIT;
    struct hs_buf packed = {0};
    books.date = surveyor->books_date;
    books.days = surveyor->books.days;
    books.agree = surveyor->books.agree;
    books.differ = surveyor->books.differ;
    books.open = surveyor->books.open;
    books.waiting = surveyor->books.waiting;
    books.has_more = books.more = surveyor->books.more;
    hs_msg_pack(&books.base, &packed);
    hs_tlv_put_bytes(partial, STATUS_BOOKS, hs_buf_bytes(&packed));
    hs_buf_fini(&packed);
}

void hs_surveyor_status(struct hs_surveyor *surveyor, struct hs_buf *partial)
{
    const struct hs_certificate *own = hs_store_certificate(surveyor->options.store);
    uint64_t key_ms = own->issued_ms;
    pthread_mutex_lock(&surveyor->lock);
    if (surveyor->has_books)
        put_books(surveyor, partial);
    if (surveyor->known != NULL) {
        const struct hs_enrolled *row = hs_roll_find(&surveyor->known->roll, &own->node_key);
        key_ms = row != NULL && row->key_ms < key_ms ? row->key_ms : key_ms;
    }
    hs_tlv_put_u64(partial, STATUS_CERTIFICATE, own->issued_ms);
    hs_tlv_put_u64(partial, STATUS_KEY, key_ms);
    hs_tlv_put_u64(partial, STATUS_STARTED, surveyor->started_ms);
    if (surveyor->has_overdue)
        hs_tlv_put_u64(partial, STATUS_OVERDUE, surveyor->overdue);
    if (surveyor->counts_fail)
        hs_tlv_put_text(partial, STATUS_PROBLEMS, UNCOUNTED);
    pthread_mutex_unlock(&surveyor->lock);
}
