/* What the replica wants stored, as jobs of the writer. */
#include "node/daemon/peers_private.h"

#include "proto/msg/tlv.h"

#include <stdlib.h>

#define WAY_MS_MAX (366 * 24 * 3600 * 1000ULL) /* what took longer tells of a clock that began in 1970 */

enum { OP_STAMP = 1 }; /* of an operation */

struct store_job {
    struct hs_job job;
    struct hs_peers *peers;
    struct hs_replica_store *store;
    bool reopens;      /* what rotted takes a new opening of the store */
    struct note *note; /* made beforehand, so that telling the end cannot fail */
};

static enum hs_err note_rot(struct store_job *self, struct hs_store *store)
{
    const struct hs_replica_store *what = self->store;
    if (what->store_id != 0)
        return hs_store_note_receipt(store, &what->stream, what->store_id);
    enum hs_err err = hs_store_note_rot(store, &what->stream, what->n, what->last);
    self->reopens = err == HS_OK && hs_store_wants_opening(store);
    return err;
}

static enum hs_err run(struct hs_job *job, struct hs_store *store)
{
    const struct hs_replica_store *what = ((struct store_job *)job)->store;
    switch (what->type) {
    case HS_STORE_ORIGIN:
        return hs_store_put_origin(store, what->certificate, what->opening);
    case HS_STORE_SEGMENT:
        return hs_store_receive(store, &what->segment);
    case HS_STORE_RECEIPT:
        return hs_store_put_receipt(store, &what->receipt, what->certificate);
    case HS_STORE_STRIKE:
        return hs_store_strike(store, what->why);
    case HS_STORE_FORK:
        return hs_store_put_fork(store, &what->stream, what->n, what->proof);
    case HS_STORE_LOOSE:
        return hs_store_put_loose(store, &what->loose);
    case HS_STORE_FILL:
        return hs_store_fill_begin(store, what->partition, what->lane);
    case HS_STORE_NOTE:
        return hs_store_fill_note(store, &what->note);
    case HS_STORE_STATES:
        return hs_store_fill_states(store, &what->states);
    case HS_STORE_FILLED:
        return hs_store_fill_end(store, what->partition, what->lane);
    case HS_STORE_BASE:
        return hs_store_put_base(store, &what->head);
    case HS_STORE_ANNOUNCED:
        return hs_store_put_announced(store, &what->announcement);
    case HS_STORE_MEET:
        return hs_store_meet(store, &what->met);
    case HS_STORE_GONE:
        return hs_store_gone(store, &what->key, what->store_id);
    case HS_STORE_TOLD:
        return hs_store_told(store, &what->key, what->store_id);
    case HS_STORE_RENEW:
        return hs_store_strike(store, what->why);
    case HS_STORE_CERTIFICATE:
        return hs_store_put_certificate(store, what->certificate);
    case HS_STORE_REVOCATION:
        return hs_store_put_revocation(store, what->row);
    case HS_STORE_RELEASE:
        return hs_store_put_release(store, what->row);
    case HS_STORE_ROT:
        return note_rot((struct store_job *)job, store);
    case HS_STORE_HEAL:
        return hs_store_heal(store, &what->segment);
    }
    return HS_EINTERNAL;
}

/* By both clocks, of the first operation of a segment: it has waited longest. */
void peers_way_note(struct hs_peers *peers, const struct hs_segment *segment, uint64_t now_ms)
{
    struct hs_cur cur = hs_cur_of(segment->body);
    struct hs_cur op = hs_cur_of(hs_cur_take(&cur, hs_cur_varint(&cur)));
    struct hs_tlv stamp;
    if (!hs_tlv_next(&op, &stamp) || stamp.number != OP_STAMP || stamp.wire != HS_WIRE_FIXED64)
        return;
    uint64_t written_ms = hs_stamp_ms(stamp.value), way_ms = now_ms > written_ms ? now_ms - written_ms : 0;
    if (way_ms <= WAY_MS_MAX)
        hs_histogram_add(&peers->ways[segment->stream.lane], way_ms * 1000);
}

/* The commit itself was told before by hs_peers_committed(); this says which of our stores it held. */
static void done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct store_job *self = (struct store_job *)job;
    self->note->err = err;
    if (commit != NULL)
        self->note->commit.position = commit->position;
    if (err == HS_OK && self->store->type == HS_STORE_SEGMENT)
        peers_way_note(self->peers, &self->store->segment, hs_now_ms());
    if (err == HS_OK && self->store->type == HS_STORE_CERTIFICATE)
        self->peers->options.certified(self->peers->options.ctx);
    if (err == HS_OK && self->reopens)
        self->peers->options.reopen(self->peers->options.ctx);
    peers_note_post(self->peers, self->note);
    hs_replica_store_free(self->store);
    free(self);
}

static size_t weight_of(const struct hs_replica_store *store)
{
    return 512 + store->segment.body.size + store->loose.segment.body.size + store->states.body.size + store->row.size +
           store->note.count * sizeof *store->note.heads;
}

enum hs_err peers_store(struct hs_peers *peers, struct hs_replica_store *store)
{
    struct store_job *job = calloc(1, sizeof *job);
    struct note *note = peers_note_new(NOTE_STORED);
    enum hs_err err = job == NULL || note == NULL ? HS_ENOMEM : HS_OK;
    if (err == HS_OK) {
        note->token = store->token;
        *job = (struct store_job){.job = {.run = run, .done = done, .weight = weight_of(store)},
                                  .peers = peers,
                                  .store = store,
                                  .note = note};
        err = hs_writer_submit(peers->options.writer, &job->job);
    }
    if (err != HS_OK) {
        free(job);
        peers_note_free(note);
    }
    return err;
}
