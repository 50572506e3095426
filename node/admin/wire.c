#include "node/admin/wire.h"

#include "node/admin/inside.h"
#include "node/log/log.h"
#include "proto/base/thread.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SAMPLES_PATH_BYTES 4096
#define SAMPLES_TRY_MS     10000 /* and then it is tried again */

void admin_events_post(struct admin *admin, const char *event, const char *data)
{
    admin_events_put(admin->events, event, data);
}

void admin_events_post_json(struct admin *admin, const char *event, json_t *data)
{
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT) : NULL;
    bool lacked = admin_json_lacked();
    if (text != NULL && !lacked)
        admin_events_put(admin->events, event, text);
    else
        admin_events_lost(admin->events);
    free(text);
    json_decref(data);
}

/* ---- samples ---- */

static enum hs_err make_dir(const char *dir, struct hs_why *why)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST)
        return HS_OK;
    enum hs_err err = hs_err_from_errno(errno);
    bool is_named_wrong = err == HS_EIO; /* what lies above it is no directory, or the name is too long */
    return hs_fail(is_named_wrong ? HS_ECONFIG : err, why, "admin.dir: %s: %s", dir, strerror(errno));
}

static enum hs_err open_samples(struct admin *admin, struct hs_why *why)
{
    struct hs_samples *samples;
    char path[SAMPLES_PATH_BYTES];
    bool anew = false;
    int size = snprintf(path, sizeof path, "%s/samples", admin->conf->admin.dir);
    if (size < 0 || (size_t)size >= sizeof path)
        return hs_fail(HS_ECONFIG, why, "admin.dir: the path is too long");
    enum hs_err err = make_dir(admin->conf->admin.dir, why);
    if (err == HS_OK)
        err = hs_samples_open(path, hs_now_ms(), &samples, &anew, why);
    if (err != HS_OK)
        return err;
    if (anew)
        HS_LOG(ADMIN_SAMPLES_ANEW, HS_PROSE("text", why->text));
    atomic_store(&admin->samples, samples);
    admin_overview_use(admin->overview, samples);
    return HS_OK;
}

/* Told once. */
static void samples_failed(struct admin *admin, enum hs_err err, const struct hs_why *why)
{
    if (!admin->samples_failed)
        HS_LOG(ADMIN_SAMPLES_FAILED, HS_WORD("reason", hs_err_name(err)),
               HS_PROSE("text", why->text[0] != '\0' ? why->text : hs_err_text(err)));
    admin->samples_failed = true;
    admin->samples_try_ms = hs_tick_ms() + SAMPLES_TRY_MS;
}

/* A full disk, or one that fails, does not keep the console away: that is when it is looked at. */
static enum hs_err begin_samples(struct admin *admin, struct hs_why *why)
{
    struct hs_why failure = {0};
    enum hs_err err = open_samples(admin, &failure);
    if (err == HS_EFULL || err == HS_EIO) {
        samples_failed(admin, err, &failure);
        return HS_OK;
    }
    *why = failure;
    return err;
}

static float measure(bool is_there, double value)
{
    return is_there ? (float)value : NAN;
}

static struct hs_sample sample_of(const Hallsync__PeerStatus *peer)
{
    uint64_t out_s = peer->lag_out_seconds, in_s = peer->lag_in_seconds;
    bool live = strcmp(peer->state, "live") == 0;
    return (struct hs_sample){
        .node_id = peer->node_id,
        .values = {[HS_MEASURE_LINK] = live ? 1 : 0,
                   [HS_MEASURE_LAG_OUT_OPS] = measure(live && peer->has_lag_out_ops, (double)peer->lag_out_ops),
                   [HS_MEASURE_LAG_IN_OPS] = measure(live && peer->has_lag_in_ops, (double)peer->lag_in_ops),
                   [HS_MEASURE_LAG_SECONDS] = measure(live, (double)(out_s > in_s ? out_s : in_s)),
                   [HS_MEASURE_OUT_OPS_PER_S] = measure(peer->has_out_ops_per_s, peer->out_ops_per_s),
                   [HS_MEASURE_IN_OPS_PER_S] = measure(peer->has_in_ops_per_s, peer->in_ops_per_s),
                   [HS_MEASURE_OUT_BYTES_PER_S] = measure(peer->has_out_bytes_per_s, peer->out_bytes_per_s),
                   [HS_MEASURE_IN_BYTES_PER_S] = measure(peer->has_in_bytes_per_s, peer->in_bytes_per_s)},
    };
}

static enum hs_err add_samples(struct hs_samples *samples, const struct admin_status *status)
{
    const Hallsync__StatusReply *reply = status->reply;
    struct hs_sample *peers = calloc(reply->n_peers + 1, sizeof *peers);
    if (peers == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < reply->n_peers; i++)
        peers[i] = sample_of(reply->peers[i]);
    enum hs_err err = hs_samples_add(samples, status->time_ms, peers, reply->n_peers);
    free(peers);
    return err;
}

static enum hs_err try_samples(struct admin *admin, const struct admin_status *status, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    if (admin->samples == NULL)
        err = open_samples(admin, why);
    return err == HS_OK ? add_samples(admin->samples, status) : err;
}

/* Told once, and again when it is over. */
static void keep_samples(struct admin *admin, const struct admin_status *status)
{
    struct hs_why why = {0};
    if (admin->samples == NULL && hs_tick_ms() < admin->samples_try_ms)
        return;
    enum hs_err err = try_samples(admin, status, &why);
    if (err != HS_OK) {
        samples_failed(admin, err, &why);
        return;
    }
    if (admin->samples_failed)
        HS_LOG(ADMIN_SAMPLES_KEPT, HS_PROSE("text", "they are written again"));
    admin->samples_failed = false;
}

/* ---- alarms ---- */

struct telling {
    struct admin *admin;
    uint64_t now_ms;
};

static void tell_alarm(void *ctx, struct hs_alarm *alarm, enum hs_alarm_phase phase)
{
    const struct telling *telling = ctx;
    char en[HS_ALARM_TEXT_BYTES], zh[HS_ALARM_TEXT_BYTES];
    hs_alarm_text(alarm, phase, false, en);
    hs_alarm_text(alarm, phase, true, zh);
    admin_events_post_json(telling->admin, "alarm",
                           json_pack("{sI ss ss ss ss ss}", "time_ms", (json_int_t)telling->now_ms, "node_id",
                                     alarm->node, "code", hs_alarm_row(alarm->id)->name, "phase",
                                     hs_alarm_phase_text(phase), "text_en", en, "text_zh", zh));
}

/* What is in force when this program starts is no news: the page shows it. */
static void look_for_alarms(struct admin *admin, const struct admin_status *status)
{
    struct telling telling = {admin, status->time_ms};
    struct hs_alarms after = {0};
    hs_alarms_look(status->reply, status->time_ms, &admin->alarms, &after);
    if (after.cut) {
        hs_alarms_fini(&after);
        return;
    }
    if (admin->alarms_known)
        hs_alarms_compare(&admin->alarms, &after, tell_alarm, &telling);
    hs_alarms_fini(&admin->alarms);
    admin->alarms = after;
    admin->alarms_known = true;
}

/* ---- all that lives on the status ---- */

enum hs_err admin_wire_new(struct admin *admin, struct hs_why *why)
{
    enum hs_err err = admin_overview_new(&admin->overview);
    return err == HS_OK ? begin_samples(admin, why) : err;
}

void admin_wire_free(struct admin *admin)
{
    hs_alarms_fini(&admin->alarms);
    admin_overview_free(admin->overview);
    hs_samples_close(admin->samples);
}

void admin_wire_told(void *ctx, const struct admin_status *status)
{
    struct admin *admin = ctx;
    struct hs_buf event = {0};
    if (status == NULL)
        return;
    keep_samples(admin, status);
    enum hs_err err = admin_overview_take(admin->overview, status->reply, status->time_ms);
    if (err == HS_OK)
        err = admin_overview_news(admin->overview, &event);
    hs_buf_put_u8(&event, 0);
    if (err == HS_OK && event.err == HS_OK)
        admin_events_post(admin, "status", (const char *)event.data);
    else if (err != HS_ENOTFOUND)
        admin_events_lost(admin->events);
    hs_buf_fini(&event);
    look_for_alarms(admin, status);
}
