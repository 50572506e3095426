#include "node/daemon/mend.h"

#include "node/log/log.h"

#include <stdlib.h>
#include <string.h>

struct mend_job {
    struct hs_job job;
    struct hs_rotten rotten; /* sort 0: a check has ended */
    uint8_t id[HS_RECORD_ID_BYTES_MAX];
    struct hs_checked checked;
};

static enum hs_err run(struct hs_job *job, struct hs_store *store)
{
    struct mend_job *self = (struct mend_job *)job;
    return self->rotten.sort == 0 ? hs_store_note_check(store, &self->checked) : hs_store_mend(store, &self->rotten);
}

static void done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    (void)commit;
    if (err != HS_OK)
        HS_LOG(NOT_MENDED, HS_WORD("reason", hs_err_name(err)));
    free(job);
}

static void submit(struct hs_writer *writer, struct mend_job *job)
{
    job->job.run = run;
    job->job.done = done;
    job->job.weight = sizeof *job;
    if (hs_writer_submit(writer, &job->job) != HS_OK)
        free(job);
}

void hs_mend(struct hs_writer *writer, const struct hs_rotten *rotten)
{
    struct mend_job *job = calloc(1, sizeof *job);
    if (job == NULL || rotten->name.id.size > sizeof job->id) {
        free(job);
        return;
    }
    job->rotten = (struct hs_rotten){
        .sort = rotten->sort, .stream = rotten->stream, .first = rotten->first, .last = rotten->last};
    job->rotten.store_id = rotten->store_id;
    job->rotten.name = rotten->name;
    if (rotten->name.id.size > 0)
        memcpy(job->id, rotten->name.id.data, rotten->name.id.size);
    job->rotten.name.id.data = job->id;
    submit(writer, job);
}

void hs_mend_note_check(struct hs_writer *writer, const struct hs_checked *checked)
{
    struct mend_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return;
    job->checked = *checked;
    submit(writer, job);
}
