/* check.c -- a store held against itself, in steps: the log row by row, what it says against the records, the records
 * against their checksums, and all that is derived from them. */
#include "storage/store/inside.h"

#include "storage/model/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE       64  /* one op of so many is held against the records */
#define DOUBTS_MAX   256 /* base states that were newer than the records when they were looked at */
#define DOUBT_ROUNDS 50

enum phase { PHASE_LOG, PHASE_DOUBTS, PHASE_EFFECTS, PHASE_RECORDS, PHASE_DERIVED, PHASE_OVER };

struct doubt {
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t size;
};

struct hs_check {
    struct hs_check_options options;
    struct hs_check_figures figures;
    enum phase phase;
    enum hs_role role;
    struct hs_log_check log;
    uint64_t rows_all, records_all, commits_all; /* to be read, as they were at the beginning; 0: not known */
    struct hs_txn *log_txn, *records_txn;        /* of the step; no records: NULL */
    bool current;                                /* in it the records reflect all of the log */
    struct hs_position at;                       /* effects: the last commit looked at */
    uint64_t ops;
    struct hs_records_scan scan;
    bool records_sound;  /* each has its hash */
    bool records_rotten; /* something was found that is made anew from the log */
    struct hs_arena arena;
    struct hs_buf state;
    struct doubt *doubts;
    size_t doubt_count;
    unsigned doubt_rounds;
};

static enum hs_err found(struct hs_check *check, const struct hs_rotten *rotten)
{
    check->figures.found++;
    check->records_rotten = check->records_rotten || rotten->sort >= HS_ROT_RECORD ||
                            (rotten->sort == HS_ROT_TABLE && check->phase > PHASE_LOG);
    return check->options.visit(check->options.ctx, rotten);
}

/* ---- what the log says, against the records ---- */

/* Does applying it once more change nothing?  HS_EDAMAGED: it does, or the record is not there or not readable. */
static enum hs_err encode_same(struct hs_check *check, const struct hs_stored *stored, const struct hs_record *record)
{
    hs_buf_reset(&check->state);
    hs_record_encode(record, &check->state);
    if (check->state.err != HS_OK)
        return check->state.err;
    return hs_bytes_equal(hs_buf_bytes(&check->state), stored->state) ? HS_OK : HS_EDAMAGED;
}

static enum hs_err read_record(struct hs_check *check, const struct hs_record_name *name, struct hs_stored *stored,
                               struct hs_record *record)
{
    enum hs_err err = hs_records_get(check->records_txn, name, stored);
    if (err == HS_OK)
        err = hs_record_decode(stored->state, &check->arena, record);
    return err == HS_ENOTFOUND || err == HS_EMALFORMED ? HS_EDAMAGED : err;
}

/* What is live of this write must be what it wrote; of a fork's two contents under one number it is one of them. */
static enum hs_err live_as_written(const struct hs_record *record, const struct hs_dot *dot, hs_stamp stamp,
                                   const struct hs_field_write *write)
{
    const struct hs_field_state *field = hs_record_field(record, write->number);
    bool is_live = false;
    for (size_t i = 0; field != NULL && i < field->live_count; i++) {
        const struct hs_live *live = &field->live[i];
        if (hs_dot_compare(&live->dot, dot) != 0)
            continue;
        if (live->stamp == stamp && hs_bytes_equal(live->value, write->value))
            return HS_OK;
        is_live = true;
    }
    return is_live ? HS_EDAMAGED : HS_OK;
}

static enum hs_err check_write(struct hs_check *check, const struct hs_logged *op, hs_stamp stamp,
                               const struct hs_write *write)
{
    struct hs_record_name name = {op->stream.partition, op->stream.lane, write->kind, write->id};
    struct hs_dot dot = {op->stream.origin, op->n};
    struct hs_record record = {0};
    struct hs_stored stored;
    enum hs_err err = read_record(check, &name, &stored, &record);
    if (err == HS_OK)
        err = hs_record_apply(&record, &dot, stamp, write, &check->arena);
    if (err == HS_OK)
        err = encode_same(check, &stored, &record);
    for (size_t i = 0; err == HS_OK && i < write->field_count; i++)
        err = live_as_written(&record, &dot, stamp, &write->fields[i]);
    if (err != HS_EDAMAGED)
        return err;
    return found(check, &(struct hs_rotten){.sort = HS_ROT_EFFECT,
                                            .stream = op->stream,
                                            .first = op->n,
                                            .last = op->n,
                                            .name = name,
                                            .node = check->log.writer_known ? check->log.writer.node_id : NULL});
}

static enum hs_err check_effect(void *ctx, const struct hs_logged *op)
{
    struct hs_check *check = ctx;
    struct hs_op decoded = {0};
    if (op->state != NULL || op->evicted != NULL || (check->ops++ % SAMPLE != 0 && !check->options.full))
        return HS_OK;
    check->figures.effects++;
    hs_arena_reset(&check->arena);
    struct hs_records_op judged = {
        .stream = op->stream,
        .n = op->n,
        .bytes = op->bytes,
        .writer = hs_log_check_writer(&check->log, check->log_txn, op->stream.origin),
    };
    enum hs_err err = hs_records_judge(&judged, &check->arena, &decoded);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_OK; /* void */
    for (size_t i = 0; i < decoded.write_count && err == HS_OK; i++) {
        if (decoded.writes[i].is_fact || !op->loose)
            err = check_write(check, op, decoded.stamp, &decoded.writes[i]);
    }
    return err;
}

static enum hs_err pass_over(void *ctx, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    (void)ctx, (void)stream, (void)first, (void)last; /* the log's check has told it */
    return HS_OK;
}

/* A commit that cannot be walked has been told as damage of the log. */
static enum hs_err check_effects(struct hs_check *check, size_t budget)
{
    uint64_t until = hs_records_snapshot_position(check->records_txn).commit;
    struct hs_log_span span = {check->at.commit, until, budget, pass_over};
    struct hs_position before = check->at;
    enum hs_err err = hs_log_walk(check->log_txn, &span, check_effect, check, &check->at);
    if (err == HS_EDAMAGED && check->log_txn->err == HS_OK && check->records_txn->err == HS_OK) {
        check->at.commit++;
        if (check->figures.found == 0)
            err = found(check, &(struct hs_rotten){.sort = HS_ROT_COMMITS,
                                                   .first = check->at.commit,
                                                   .text = "what a commit lists cannot be read"});
        return err == HS_EDAMAGED ? HS_OK : err;
    }
    if (err == HS_OK && check->at.commit == before.commit)
        check->phase++;
    return err;
}

/* ---- base states ---- */

static enum hs_err check_base(struct hs_check *check, const struct hs_stored *base)
{
    struct hs_record came = {0}, record = {0}, both = {0};
    struct hs_stored stored;
    hs_arena_reset(&check->arena);
    enum hs_err err = read_record(check, &base->name, &stored, &record);
    if (err == HS_OK)
        err = hs_record_decode(base->state, &check->arena, &came);
    if (err == HS_OK)
        err = hs_record_join(&record, &came, &check->arena, &both);
    return err == HS_OK ? encode_same(check, &stored, &both) : err == HS_EMALFORMED ? HS_EDAMAGED : err;
}

static enum hs_err base_differs(struct hs_check *check, const struct hs_record_name *name)
{
    return found(check, &(struct hs_rotten){.sort = HS_ROT_EFFECT, .name = *name});
}

/* It may have come since the records were committed: then it is looked at again when they have it. */
static enum hs_err visit_base(void *ctx, const struct hs_stored *base)
{
    struct hs_check *check = ctx;
    if (check->records_txn == NULL)
        return HS_OK;
    enum hs_err err = check_base(check, base);
    if (err != HS_EDAMAGED)
        return err;
    if (check->current)
        return base_differs(check, &base->name);
    if (check->doubt_count < DOUBTS_MAX) {
        struct doubt *doubt = &check->doubts[check->doubt_count++];
        doubt->size = hs_record_key(&base->name, doubt->key);
    }
    return HS_OK;
}

/* One of them; gone: over. */
static enum hs_err check_doubt(struct hs_check *check, const struct doubt *doubt, bool *over)
{
    struct hs_record_name name;
    struct hs_stored base;
    *over = true;
    if (hs_record_from_key(HS_BYTES(doubt->key, doubt->size), &name) != HS_OK)
        return HS_OK;
    enum hs_err err = hs_log_base_state(check->log_txn, &name, &base);
    if (err == HS_OK)
        err = check_base(check, &base);
    if (err != HS_EDAMAGED)
        return err == HS_ENOTFOUND ? HS_OK : err;
    *over = check->current;
    return check->current ? base_differs(check, &name) : HS_OK;
}

/* Where the records are never as far as the log, nothing can be said of them. */
static enum hs_err check_doubts(struct hs_check *check)
{
    enum hs_err err = HS_OK;
    size_t left = 0;
    for (size_t i = 0; i < check->doubt_count && err == HS_OK; i++) {
        bool over;
        err = check_doubt(check, &check->doubts[i], &over);
        if (!over)
            check->doubts[left++] = check->doubts[i];
    }
    check->doubt_count = left;
    if (left == 0 || ++check->doubt_rounds == DOUBT_ROUNDS)
        check->phase++;
    return err;
}

/* ---- the records ---- */

static enum hs_err visit_record(void *ctx, const struct hs_rotten *rotten)
{
    struct hs_check *check = ctx;
    check->records_sound = false;
    return found(check, rotten);
}

static enum hs_err check_records(struct hs_check *check, size_t budget)
{
    enum hs_err err = hs_records_scan(check->records_txn, &check->scan, budget, visit_record, check);
    check->figures.records = check->scan.records;
    if (check->scan.over)
        check->phase++;
    return err;
}

/* Of records that cannot be read nothing follows. */
static enum hs_err check_derived(struct hs_check *check)
{
    struct hs_why why = {0};
    const struct hs_check_options *options = &check->options;
    check->phase++;
    if (!check->records_sound)
        return HS_OK;
    enum hs_err err = hs_records_verify_until(check->records_txn, options->stopped, options->ctx, &why);
    if (err != HS_EDAMAGED)
        return err;
    return found(check, &(struct hs_rotten){.sort = HS_ROT_DERIVED,
                                            .text = why.text[0] != '\0' ? why.text : "pages cannot be read"});
}

/* ---- steps ---- */

static enum hs_err visit_rotten(void *ctx, const struct hs_rotten *rotten)
{
    struct hs_check *check = ctx;
    return check->options.visit(check->options.ctx, rotten); /* the log's check has counted it */
}

enum hs_err hs_check_new(const struct hs_check_options *options, struct hs_check **out)
{
    struct hs_check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return HS_ENOMEM;
    check->doubts = calloc(DOUBTS_MAX, sizeof *check->doubts);
    if (check->doubts == NULL) {
        free(check);
        return HS_ENOMEM;
    }
    check->options = *options;
    check->records_sound = true;
    check->log = (struct hs_log_check){
        .visit = visit_rotten, .base = visit_base, .ctx = check, .figures = &check->figures};
    hs_arena_init(&check->arena, 0);
    *out = check;
    return HS_OK;
}

void hs_check_free(struct hs_check *check)
{
    if (check == NULL)
        return;
    hs_arena_fini(&check->arena);
    hs_buf_fini(&check->state);
    free(check->doubts);
    free(check);
}

/* The records cannot be read any further: pages are gone. */
static enum hs_err judge_records(struct hs_check *check, enum hs_err err)
{
    if (err != HS_EDAMAGED || check->records_txn == NULL || check->records_txn->err != HS_EDAMAGED)
        return err;
    check->phase = PHASE_OVER;
    return found(check, &(struct hs_rotten){.sort = HS_ROT_TABLE, .text = "records"});
}

static enum hs_err take_step(struct hs_check *check, size_t budget)
{
    enum hs_err err = HS_OK;
    switch (check->phase) {
    case PHASE_LOG:
        err = hs_log_check_step(&check->log, check->log_txn, budget);
        if (hs_log_check_over(&check->log))
            check->phase = check->records_txn != NULL ? PHASE_DOUBTS : PHASE_OVER;
        break;
    case PHASE_DOUBTS:
        err = check_doubts(check);
        break;
    case PHASE_EFFECTS:
        err = check_effects(check, budget);
        break;
    case PHASE_RECORDS:
        err = check_records(check, budget);
        break;
    case PHASE_DERIVED:
        err = check_derived(check);
        break;
    case PHASE_OVER:
        break;
    }
    return judge_records(check, err);
}

static enum hs_err step_in(struct hs_check *check, struct hs_txn *log, struct hs_txn *records, size_t budget)
{
    bool begins = check->phase == PHASE_LOG && check->figures.rows == 0;
    enum hs_err err = begins ? hs_log_owner(log, &check->log.root, &check->role) : HS_OK;
    if (check->role == HS_ROLE_WITNESS)
        records = NULL; /* it has none */
    check->log_txn = log;
    check->records_txn = records;
    check->figures.no_records = records == NULL && check->role != HS_ROLE_WITNESS;
    check->current = records != NULL && hs_records_snapshot_position(records).commit == hs_log_last(log).commit;
    return err == HS_OK ? take_step(check, budget) : err;
}

enum hs_err hs_check_step(struct hs_check *check, struct hs_view *view, size_t budget)
{
    enum hs_err err = step_in(check, store_log_reader(view).txn, store_records_txn(view), budget);
    if (err == HS_OK && check->phase == PHASE_OVER && check->records_rotten)
        store_rot_seen(view->store);
    return err;
}

/* ---- how far it is ---- */

static void measure(struct hs_check *check, struct hs_txn *log, struct hs_txn *records)
{
    check->rows_all = hs_log_check_rows(log);
    check->commits_all = hs_log_last(log).commit;
    check->records_all = records != NULL ? hs_records_count(records) : 0;
}

void hs_check_measure(struct hs_check *check, struct hs_view *view)
{
    measure(check, store_log_reader(view).txn, store_records_txn(view));
}

void hs_check_progress(const struct hs_check *check, struct hs_check_progress *at)
{
    const struct hs_check_figures *figures = &check->figures;
    switch (check->phase) {
    case PHASE_LOG:
        *at = (struct hs_check_progress){"reading the log", "rows", figures->rows, check->rows_all};
        break;
    case PHASE_DOUBTS:
    case PHASE_EFFECTS:
        *at = (struct hs_check_progress){"holding the log against the records", "commits", check->at.commit,
                                         check->commits_all};
        break;
    case PHASE_RECORDS:
        *at = (struct hs_check_progress){"reading the records", "records", figures->records, check->records_all};
        break;
    case PHASE_DERIVED:
    case PHASE_OVER:
    default:
        *at = (struct hs_check_progress){"holding indexes, sums and lists against the records", NULL, 0, 0};
    }
}

bool hs_check_over(const struct hs_check *check)
{
    return check->phase == PHASE_OVER;
}

const struct hs_check_figures *hs_check_figures(const struct hs_check *check)
{
    return &check->figures;
}

/* ---- a store that nobody has open ---- */

#define DIR_BUDGET 100000

struct environments {
    struct hs_env *log, *records;
};

/* Records of another log, as after one that was put back alone, are no damage. */
static enum hs_err are_of_log(struct hs_txn *log, struct hs_txn *records)
{
    struct hs_position at = hs_records_snapshot_position(records);
    return at.commit == 0 ? HS_ERESET : hs_log_check_position(log, &at);
}

static enum hs_err step_dir(struct hs_check *check, const struct environments *environments)
{
    struct hs_txn log = {0}, records = {0};
    bool any = environments->records != NULL;
    enum hs_err err = hs_txn_begin(environments->log, false, &log);
    if (err == HS_OK && any)
        err = hs_txn_begin(environments->records, false, &records);
    if (err == HS_OK && any && are_of_log(&log, &records) != HS_OK)
        any = false;
    if (err == HS_OK)
        err = step_in(check, &log, any ? &records : NULL, DIR_BUDGET);
    hs_txn_abort(&records);
    hs_txn_abort(&log);
    return err;
}

/* In transactions of its own: what cannot be counted is for the check to find. */
static void measure_dir(struct hs_check *check, const struct environments *environments)
{
    struct hs_txn log = {0}, records = {0};
    bool any = environments->records != NULL && hs_txn_begin(environments->records, false, &records) == HS_OK;
    if (hs_txn_begin(environments->log, false, &log) == HS_OK)
        measure(check, &log, any ? &records : NULL);
    hs_txn_abort(&records);
    hs_txn_abort(&log);
}

static void tell(const struct hs_check *check)
{
    struct hs_check_progress at;
    if (check->options.told == NULL || check->phase == PHASE_OVER)
        return;
    hs_check_progress(check, &at);
    check->options.told(check->options.ctx, &at);
}

static enum hs_err check_environments(const struct environments *environments, const struct hs_check_options *options,
                                      struct hs_check_figures *figures)
{
    struct hs_check *check = NULL;
    enum hs_err err = hs_check_new(options, &check);
    if (err == HS_OK)
        measure_dir(check, environments);
    while (err == HS_OK && !hs_check_over(check)) {
        tell(check);
        err = step_dir(check, environments);
    }
    if (check != NULL)
        *figures = check->figures;
    hs_check_free(check);
    return err;
}

static enum hs_err open_environments(const char *dir, const struct hs_check_options *options,
                                     struct environments *environments, struct hs_check_figures *figures,
                                     struct hs_why *why)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/log", dir);
    enum hs_err err = hs_log_inspect(path, store_map_bytes(0), &environments->log, why);
    if (err != HS_OK) {
        environments->log = NULL;
        return err;
    }
    snprintf(path, sizeof path, "%s/records", dir);
    err = hs_records_inspect(path, store_map_bytes(0), &environments->records, why);
    if (err != HS_OK)
        environments->records = NULL;
    if (err == HS_EDAMAGED) {
        figures->found++;
        return options->visit(options->ctx, &(struct hs_rotten){.sort = HS_ROT_TABLE, .text = "records"});
    }
    return err == HS_ERESET || err == HS_ENOSTORE ? HS_OK : err;
}

enum hs_err hs_check_dir(const char *dir, const struct hs_check_options *options, struct hs_check_figures *figures,
                         struct hs_why *why)
{
    struct environments environments = {NULL, NULL};
    struct hs_check_figures before = {0};
    int lock = -1;
    *figures = before;
    enum hs_err err = store_prepare_dir(dir, false, why);
    if (err == HS_OK)
        err = store_lock_dir(dir, &lock, why);
    if (err == HS_OK)
        err = open_environments(dir, options, &environments, &before, why);
    if (err == HS_OK) {
        err = check_environments(&environments, options, figures);
        if (err != HS_OK)
            hs_fail(err, why, "cannot check %s: %s", dir, hs_err_text(err));
    }
    figures->found += before.found;
    hs_env_close(environments.records);
    hs_env_close(environments.log);
    if (lock >= 0)
        close(lock);
    return err;
}
