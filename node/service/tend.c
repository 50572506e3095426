/* Chores that go round an index: so many records are looked at in a run, and what is to be done about some of them is
 * written behind the look, for it may change the index.  Only where all of a district is here, for elsewhere nobody
 * can say what has been done already. */
#include "node/service/tend.h"

#include "node/service/settled.h"
#include "node/service/tended.h"
#include "proto/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS_MAX  64 /* of one run */
#define WRITES_MAX 16
#define FIRST_MS   2000
#define PIECE_MS   200   /* from one piece to the next */
#define SOON_MS    5000  /* from a commit to the next round, and from round to round at least */
#define AGAIN_MS   60000 /* after a failure */
#define LEAVE_MS   (3600 * 1000ULL)

struct hs_tend {
    struct hs_chore chore; /* first */
    const struct hs_tend_task *task;
    bool wanted, alone;
    void (*tell)(const char *task, const char *record, enum hs_err err);
    struct hs_desk desk; /* without clients: of what is asked of one, there are only options */
    struct hs_arena scratch;
    struct hs_buf bytes;
    struct hs_work work; /* of the run */

    size_t value; /* of the task's values, where the round has got to ... */
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    size_t after_size; /* ... and behind which record; 0: at the beginning */
    uint64_t next_ms;  /* when something found in this round is to be done */
    bool again;        /* something came meanwhile */

    size_t looks;
    struct hs_tended found[WRITES_MAX];
    size_t count;
};

enum hs_err hs_tend_leave(struct hs_work *work, hs_partition district, bool is_own, uint64_t *leave_ms)
{
    const struct hs_certificate *own = hs_store_certificate(work->store);
    char text[HS_PARTITION_TEXT_BYTES];
    struct hs_owner owner;
    hs_partition_text(district, text);
    enum hs_err err = hs_owner_find(work->view, work->scratch, text, &owner);
    bool is_mine = owner.number != 0 ? strcmp(owner.node, own->node_id) == 0 : is_own;
    *leave_ms = is_mine ? 0 : own->role == HS_ROLE_HUB ? LEAVE_MS : UINT64_MAX;
    return err;
}

/* ---- looking ---- */

static bool is_whole(const struct hs_tend *tend, hs_partition partition)
{
    return tend->alone ? hs_store_holds(tend->work.store, partition) : hs_view_whole(tend->work.view, partition);
}

/* HS_EEXISTS: enough for now. */
static enum hs_err visit(void *ctx, const struct hs_stored *stored)
{
    struct hs_tend *tend = ctx;
    uint64_t wait_ms = UINT64_MAX;
    if (tend->looks == LOOKS_MAX || tend->count == WRITES_MAX)
        return HS_EEXISTS;
    tend->looks++;
    /* One that cannot be read is not in the way of those behind it: the next run goes on there. */
    tend->after_size = hs_record_key(&stored->name, tend->after);
    if (!is_whole(tend, stored->name.partition))
        return HS_OK;
    struct hs_tended *tended = &tend->found[tend->count];
    *tended = (struct hs_tended){.name = stored->name};
    memcpy(tended->id, stored->name.id.data, stored->name.id.size);
    tended->name.id.data = tended->id;
    hs_arena_reset(&tend->scratch);
    enum hs_err err = tend->task->look(&tend->work, stored, tended, &wait_ms);
    if (err != HS_OK)
        return err;
    tend->count += wait_ms == 0;
    if (wait_ms != 0 && wait_ms < tend->next_ms) /* what stays a moment away, as while its time stands still, too */
        tend->next_ms = wait_ms > SOON_MS ? wait_ms : SOON_MS;
    return HS_OK;
}

/* HS_EEXISTS: there is more.  HS_OK: the round is over. */
static enum hs_err look_on(struct hs_tend *tend)
{
    const struct hs_tend_task *task = tend->task;
    uint8_t index = hs_kind_index(hs_kind_by_number(task->kind), task->index)->number;
    enum hs_err err = HS_OK;
    tend->looks = tend->count = 0;
    while (err == HS_OK && task->values[tend->value] != NULL) {
        const char *value = task->values[tend->value];
        uint8_t after[HS_RECORD_KEY_BYTES_MAX];
        memcpy(after, tend->after, tend->after_size);
        err = hs_view_index(tend->work.view, task->kind, index, HS_BYTES(value, strlen(value)),
                            HS_BYTES(after, tend->after_size), visit, tend);
        if (err != HS_OK)
            break;
        tend->value++;
        tend->after_size = 0;
    }
    return err;
}

/* ---- doing ---- */

static void tell(const struct hs_tend *tend, const struct hs_tended *tended)
{
    char text[HS_ID_TEXT_BYTES];
    struct hs_id id = tended->follow; /* of a customer the payment: an account is no matter for a log */
    if (tended->name.kind == HS_KIND_TICKET)
        memcpy(id.bytes, tended->id, sizeof id.bytes);
    hs_id_text(&id, text);
    tend->tell(tend->task->name, text, tended->err);
}

/* What is refused, as a service that the region does not offer, is no reason to leave out the others.  HS_ENOTFOUND:
 * nothing was written. */
static enum hs_err do_all(struct hs_tend *tend)
{
    enum hs_err err = HS_OK;
    bool wrote = false;
    for (size_t i = 0; i < tend->count && err == HS_OK; i++) {
        struct hs_tended *tended = &tend->found[i];
        hs_arena_reset(&tend->scratch);
        tended->err = tend->task->write(&tend->work, tended);
        wrote = wrote || tended->err == HS_OK;
        err = hs_refused_alone(tended->err) ? HS_OK : tended->err;
    }
    return err == HS_OK && !wrote ? HS_ENOTFOUND : err;
}

/* ---- the chore ---- */

static void begin_work(struct hs_tend *tend, struct hs_store *store)
{
    struct hs_view *view = hs_store_view(store);
    tend->work = (struct hs_work){.desk = &tend->desk,
                                  .store = store,
                                  .view = view,
                                  .look = {.desk = &tend->desk, .view = view, .arena = &tend->scratch},
                                  .scratch = &tend->scratch,
                                  .bytes = &tend->bytes,
                                  .now_ms = hs_now_ms()};
}

static void begin_round(struct hs_tend *tend)
{
    tend->value = 0;
    tend->after_size = 0;
    tend->next_ms = tend->task->rest_ms;
    tend->again = false;
}

/* HS_ENOTFOUND: there is nothing to be done, and no group to be committed. */
static enum hs_err run(struct hs_job *job, struct hs_store *store)
{
    struct hs_tend *tend = (struct hs_tend *)job;
    if (tend->value == 0 && tend->after_size == 0)
        begin_round(tend);
    begin_work(tend, store);
    enum hs_err err = look_on(tend);
    bool more = err == HS_EEXISTS;
    if (err != HS_OK && !more) {
        tend->count = 0;
        return err;
    }
    err = do_all(tend);
    job->torn = err != HS_OK && err != HS_ENOTFOUND;
    if (job->torn)
        return err;
    tend->chore.wait_ms = more ? PIECE_MS : tend->again && tend->next_ms > SOON_MS ? SOON_MS : tend->next_ms;
    if (!more)
        begin_round(tend);
    return err;
}

static void done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct hs_tend *tend = (struct hs_tend *)job;
    (void)commit;
    job->torn = false; /* it comes again */
    if (err != HS_OK && err != HS_ENOTFOUND) {
        tend->chore.wait_ms = AGAIN_MS;
        tend->count = 0;
        if (err != HS_ESTOPPING)
            tend->tell(tend->task->name, "", err);
    }
    for (size_t i = 0; i < tend->count; i++)
        tell(tend, &tend->found[i]);
    tend->count = 0;
}

/* ---- from outside ---- */

enum hs_err hs_tend_new(const struct hs_tend_options *options, struct hs_tend **out)
{
    struct hs_tend *tend = calloc(1, sizeof *tend);
    if (tend == NULL)
        return HS_ENOMEM;
    tend->chore = (struct hs_chore){.job = {.run = run, .done = done}, .wait_ms = UINT64_MAX};
    tend->task = options->what == HS_TEND_OVERDUE ? &HS_TASK_OVERDUE : &HS_TASK_CUT_OFF;
    tend->alone = options->alone;
    tend->tell = options->tell;
    tend->wanted = options->wanted && hs_store_certificate(options->store)->role != HS_ROLE_WITNESS;
    if (tend->wanted)
        tend->chore.wait_ms = FIRST_MS;
    tend->desk.options.store = options->store;
    tend->desk.options.utc_offset_minutes = options->utc_offset_minutes;
    hs_arena_init(&tend->scratch, 0);
    *out = tend;
    return HS_OK;
}

struct hs_chore *hs_tend_chore(struct hs_tend *tend)
{
    return &tend->chore;
}

void hs_tend_committed(struct hs_tend *tend, const struct hs_commit *commit)
{
    bool matters = false;
    for (size_t i = 0; i < commit->head_count && !matters && tend->wanted; i++)
        matters = (tend->task->lanes >> commit->heads[i].stream.lane & 1) != 0;
    if (!matters)
        return;
    tend->again = true;
    hs_chore_soon(&tend->chore, SOON_MS);
}

void hs_tend_free(struct hs_tend *tend)
{
    if (tend == NULL)
        return;
    hs_arena_fini(&tend->scratch);
    hs_buf_fini(&tend->bytes);
    free(tend);
}
