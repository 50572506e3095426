/* A stranger with a join token: judged, certified and remembered in one job of the writer, answered after its commit.
 */
#include "node/daemon/peers_private.h"

#include "node/enrol/enrol.h"
#include "node/log/log.h"
#include "proto/msg/frame.h"

#include <stdio.h>
#include <stdlib.h>

struct join_job {
    struct hs_job job;
    struct hs_peers *peers;
    struct hs_enrol_ask ask;
    struct hs_buf certificate;
    char node_id[HS_NODE_ID_BYTES_MAX + 1];
    struct note *note; /* the answer; made beforehand */
};

static enum hs_err issue(struct join_job *self, struct hs_store *store, struct hs_enrolment *enrolment)
{
    const struct hs_keys *keys = self->peers->options.keys;
    struct hs_enrol_issuer issuer = {hs_buf_bytes(&keys->issuer_signed), keys->issuer};
    enum hs_err err = hs_enrol_certificate(enrolment, &self->ask, &issuer, hs_now_ms(), &self->certificate);
    if (err == HS_OK)
        err = hs_store_put_enrolment(store, &self->ask.secret_hash, enrolment);
    if (err == HS_OK)
        err = hs_store_put_certificate(store, hs_buf_bytes(&self->certificate));
    return err;
}

static enum hs_err run(struct hs_job *job, struct hs_store *store)
{
    struct join_job *self = (struct join_job *)job;
    struct hs_enrolment enrolment;
    struct hs_bytes known = HS_BYTES_NONE;
    bool again = false;
    hs_buf_reset(&self->certificate);
    enum hs_err err = hs_view_enrolment(hs_store_view(store), &self->ask.secret_hash, &enrolment);
    if (err == HS_OK) {
        snprintf(self->node_id, sizeof self->node_id, "%s", enrolment.node_id);
        err = hs_enrol_decide(&enrolment, &self->ask, hs_now_ms(), &again);
    }
    if (err == HS_OK && hs_view_revocation(hs_store_view(store), &self->ask.node_key, &known) == HS_OK)
        err = HS_EREVOKED; /* it is to draw new keys */
    if (err != HS_OK)
        return err;
    if (!again)
        return issue(self, store, &enrolment);
    err = hs_view_certificate(hs_store_view(store), &self->ask.node_key, &known);
    hs_buf_put_bytes(&self->certificate, known);
    return err != HS_OK ? err : self->certificate.err;
}

static void done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct join_job *self = (struct join_job *)job;
    (void)commit;
    snprintf(self->note->node_id, sizeof self->note->node_id, "%s", self->node_id);
    enum hs_log_event event = err == HS_OK ? HS_EV_JOINED : HS_EV_JOIN_REFUSED;
    HS_LOG_AT(hs_log_row(event)->level, event, HS_WORD("node", self->node_id[0] != '\0' ? self->node_id : "unknown"),
              HS_WORD("reason", hs_err_name(err)));
    hs_surveyor_want(self->peers->options.surveyor);
    struct hs_bytes own = hs_buf_bytes(&self->peers->options.keys->certificate);
    self->note->verdict = err;
    self->note->err = hs_enrol_reply(err, hs_err_text(err), hs_buf_bytes(&self->certificate), own, &self->note->frame);
    peers_note_post(self->peers, self->note);
    hs_buf_fini(&self->certificate);
    free(self);
}

static enum hs_err submit(struct hs_peers *peers, hs_peer peer, const struct hs_key *curve_key,
                          const struct hs_enrol_ask *ask)
{
    struct join_job *job = calloc(1, sizeof *job);
    struct note *note = peers_note_new(NOTE_JOINED);
    enum hs_err err = job == NULL || note == NULL ? HS_ENOMEM : HS_OK;
    if (err == HS_OK) {
        note->peer = peer;
        note->key = *curve_key;
        *job = (struct join_job){
            .job = {.run = run, .done = done, .weight = 1024}, .peers = peers, .ask = *ask, .note = note};
        err = hs_writer_submit(peers->options.writer, &job->job);
    }
    if (err != HS_OK) {
        free(job);
        peers_note_free(note);
    }
    return err;
}

static void refuse(struct hs_peers *peers, hs_peer peer, const struct hs_key *key, enum hs_err err)
{
    struct hs_buf frame = {0};
    HS_LOG(JOIN_REFUSED, HS_WORD("node", "unknown"), HS_WORD("reason", hs_err_name(err)));
    peers_refused_note(peers, HS_REASON_JOIN, key, NULL, hs_link_peer_address(peers->link, peer), hs_err_text(err));
    if (hs_enrol_reply(err, hs_err_text(err), HS_BYTES_NONE, HS_BYTES_NONE, &frame) == HS_OK)
        hs_link_send(peers->link, peer, hs_buf_bytes(&frame));
    hs_link_drop(peers->link, peer, true); /* it has had its one message */
    hs_buf_fini(&frame);
}

void peers_join(struct hs_peers *peers, hs_peer peer, const struct hs_key *curve_key, struct hs_bytes data)
{
    struct hs_frame frame;
    struct hs_enrol_ask ask;
    enum hs_err err = hs_frame_decode(data, &frame);
    if (err == HS_OK && peers->options.keys->issuer == NULL)
        err = HS_ENOTHUB;
    if (err == HS_OK)
        err = hs_enrol_read(frame.body, curve_key, &ask);
    if (err == HS_OK)
        err = submit(peers, peer, curve_key, &ask);
    if (err != HS_OK)
        refuse(peers, peer, curve_key, err);
}
