#include "node/daemon/alarms.h"

#include "node/client/hallsync.h"
#include "node/daemon/hook.h"
#include "node/daemon/peers.h"
#include "node/log/log.h"
#include "node/status/alarms.h"
#include "proto/base/thread.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOOK_MS        3000
#define CALL_MS        2000 /* an answer that takes longer is for the next look */
#define WAITING_MAX    64   /* documents that wait for the command */
#define DOCUMENT_BYTES 2048

enum { TOLD, FAILED, LEFT_OUT, COUNTERS };
static const char *const NAMES[COUNTERS] = {"hooks-told", "hooks-failed", "hooks-left-out"};

struct document {
    const char *alarm; /* its name: of a table */
    char text[DOCUMENT_BYTES];
    size_t size;
};

struct hs_alarmer {
    const struct hs_conf *conf;
    pthread_t thread;
    bool running;
    int stop_fd; /* an event: it is to end */
    _Atomic uint64_t counters[COUNTERS];

    /* the thread's */
    struct hallsync *node;
    struct hs_alarms before, after;
    struct hs_alarm_quota quota;
    struct hs_hook_run run;
    const char *run_alarm;
    struct document *waiting; /* a ring */
    size_t first, count;
    bool has_looked;
    uint64_t look_ms; /* the next one; tick */
};

static void count(struct hs_alarmer *alarmer, int counter)
{
    atomic_fetch_add(&alarmer->counters[counter], 1);
}

/* ---- handing out documents ---- */

static void append(struct hs_alarmer *alarmer, const struct document *document)
{
    struct hs_why why = {0};
    enum hs_err err = hs_hook_append(alarmer->conf->hook.file, HS_BYTES(document->text, document->size), &why);
    count(alarmer, err == HS_OK ? TOLD : FAILED);
    if (err != HS_OK)
        HS_LOG(HOOK_FILE_FAILED, HS_WORD("alarm", document->alarm), HS_WORD("reason", hs_err_name(err)),
               HS_PROSE("text", why.text));
}

static void enqueue(struct hs_alarmer *alarmer, const struct document *document)
{
    if (alarmer->count == WAITING_MAX) {
        count(alarmer, LEFT_OUT);
        HS_LOG(HOOK_LEFT_OUT, HS_WORD("alarm", document->alarm),
               HS_PROSE("text", "too many wait for hook.command: it is too slow"));
        return;
    }
    alarmer->waiting[(alarmer->first + alarmer->count++) % WAITING_MAX] = *document;
}

static void hand_out(struct hs_alarmer *alarmer, const char *alarm, const struct hs_detail *details,
                     size_t detail_count)
{
    struct document document = {.alarm = alarm};
    document.size = hs_details_json(document.text, sizeof document.text - 1, details, detail_count);
    document.text[document.size++] = '\n';
    if (alarmer->conf->hook.file[0] != '\0')
        append(alarmer, &document);
    if (alarmer->conf->hook.command[0] != '\0')
        enqueue(alarmer, &document);
}

static void hook_ended(struct hs_alarmer *alarmer, const char *alarm, enum hs_err err, const struct hs_why *why)
{
    count(alarmer, err == HS_OK ? TOLD : FAILED);
    if (err != HS_OK)
        HS_LOG(HOOK_FAILED, HS_WORD("alarm", alarm), HS_WORD("reason", hs_err_name(err)), HS_PROSE("text", why->text));
}

/* One at a time; what cannot be started is not tried again. */
static void go_on(struct hs_alarmer *alarmer)
{
    struct hs_why why = {0};
    bool ended = true;
    if (alarmer->run.pid != 0) {
        enum hs_err err = hs_hook_look(&alarmer->run, hs_tick_ms(), &ended, &why);
        if (ended)
            hook_ended(alarmer, alarmer->run_alarm, err, &why);
    }
    while (alarmer->run.pid == 0 && alarmer->count > 0) {
        const struct document *document = &alarmer->waiting[alarmer->first];
        uint64_t ends_ms = hs_tick_ms() + 1000ULL * alarmer->conf->hook.timeout_s;
        enum hs_err err = hs_hook_start(&alarmer->run, alarmer->conf->hook.command,
                                        HS_BYTES(document->text, document->size), ends_ms, &why);
        alarmer->run_alarm = document->alarm;
        if (err != HS_OK)
            hook_ended(alarmer, document->alarm, err, &why);
        alarmer->first = (alarmer->first + 1) % WAITING_MAX;
        alarmer->count--;
    }
}

/* ---- what has changed ---- */

struct looking {
    struct hs_alarmer *alarmer;
    const Hallsync__StatusReply *status;
    uint64_t now_ms;
};

static void tell_document(const struct looking *looking, const struct hs_alarm *alarm, enum hs_alarm_phase phase)
{
    const struct hs_alarm_row *row = hs_alarm_row(alarm->id);
    char en[HS_ALARM_TEXT_BYTES], zh[HS_ALARM_TEXT_BYTES];
    const struct hs_detail details[] = {
        HS_NUMBER("format", 1),
        HS_NUMBER("time_ms", looking->now_ms),
        HS_WORD("node", looking->status->node_id),
        HS_WORD("role", looking->status->role),
        HS_WORD("region", looking->status->region),
        HS_WORD("alarm", row->name),
        HS_WORD("phase", hs_alarm_phase_text(phase)),
        HS_WORD("severity", hs_severity_text(row->severity)),
        HS_WORD("about", alarm->node),
        HS_NUMBER("count", alarm->count),
        HS_WORD("detail", alarm->detail[0] != '\0' ? alarm->detail : NULL),
        HS_NUMBER("span_s", alarm->span_s),
        HS_NUMBER("since_ms", alarm->since_ms),
        HS_YES("again", !looking->alarmer->has_looked),
        HS_PROSE("text_en", hs_alarm_text(alarm, phase, false, en)),
        HS_PROSE("text_zh", hs_alarm_text(alarm, phase, true, zh)),
    };
    hand_out(looking->alarmer, row->name, details, sizeof details / sizeof *details);
}

static void changed(void *ctx, struct hs_alarm *alarm, enum hs_alarm_phase phase)
{
    static const enum hs_log_event EVENTS[] = {HS_EV_ALARM_BEGINS, HS_EV_ALARM_GROWS, HS_EV_ALARM_ENDS};
    const struct looking *looking = ctx;
    const struct hs_alarm_row *row = hs_alarm_row(alarm->id);
    enum hs_log_level level = row->severity == HS_SEVERITY_ERROR ? HS_LOG_ERROR : HS_LOG_WARN;
    char text[HS_ALARM_TEXT_BYTES];
    HS_LOG_AT(phase == HS_ALARM_ENDS ? HS_LOG_INFO : level, EVENTS[phase], HS_WORD("alarm", row->name),
              HS_WORD("about", alarm->node), HS_NUMBER("count", alarm->count),
              HS_PROSE("text", hs_alarm_text(alarm, phase, false, text)));
    if (hs_alarm_quota_take(&looking->alarmer->quota, alarm, phase, hs_tick_ms()))
        tell_document(looking, alarm, phase);
    else if (phase != HS_ALARM_ENDS)
        count(looking->alarmer, LEFT_OUT);
}

/* Of the process, and of what was left out: not in the table, for they are no alarms. */
static void tell_note(const struct looking *looking, const char *name, const char *of, uint64_t number, const char *en,
                      const char *zh)
{
    const struct hs_detail details[] = {
        HS_NUMBER("format", 1),
        HS_NUMBER("time_ms", looking->now_ms),
        HS_WORD("node", looking->status->node_id),
        HS_WORD("role", looking->status->role),
        HS_WORD("region", looking->status->region),
        HS_WORD("alarm", name),
        HS_WORD("phase", "note"),
        HS_WORD("severity", "info"),
        HS_WORD("about", looking->status->node_id),
        HS_NUMBER("count", number),
        HS_WORD("of", of),
        HS_PROSE("text_en", en),
        HS_PROSE("text_zh", zh),
    };
    hand_out(looking->alarmer, name, details, sizeof details / sizeof *details);
}

static void tell_left_out(const struct looking *looking)
{
    for (unsigned id = 0; id < HS_ALARM_COUNT; id++) {
        uint64_t left_out = hs_alarm_quota_ended(&looking->alarmer->quota, (enum hs_alarm_id)id, hs_tick_ms());
        if (left_out != 0)
            tell_note(looking, "left-out", hs_alarm_row((enum hs_alarm_id)id)->name, left_out,
                      "so many of this alarm were not told in the last hour: hallsync status shows what is in force",
                      "上一小时内此类告警有若干条未发送：请用 hallsync status 查看当前情况");
    }
}

static void take_status(struct hs_alarmer *alarmer, const Hallsync__StatusReply *status)
{
    struct looking looking = {alarmer, status, hs_now_ms()};
    hs_alarms_look(status, looking.now_ms, &alarmer->before, &alarmer->after);
    if (alarmer->after.cut)
        return; /* out of memory: at the next look */
    if (!alarmer->has_looked)
        tell_note(&looking, "started", NULL, 0, "the node has started: what is in force is told again",
                  "节点已启动：当前告警将重新发送");
    hs_alarms_compare(&alarmer->before, &alarmer->after, changed, &looking);
    struct hs_alarms spare = alarmer->before;
    alarmer->before = alarmer->after;
    alarmer->after = spare;
    alarmer->has_looked = true;
    tell_left_out(&looking);
}

static void look(struct hs_alarmer *alarmer)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply = NULL;
    uint8_t id[16];
    body.has_region = body.region = true; /* who is away is not connected */
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    enum hallsync_status status = hallsync_call(alarmer->node, &request, id, &reply);
    if (status == HALLSYNC_OK && reply->body_case == HALLSYNC__REPLY__BODY_STATUS)
        take_status(alarmer, reply->status);
}

/* ---- the thread ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Until there is something to do; true: it is over. */
static bool rest(struct hs_alarmer *alarmer)
{
    struct pollfd fds[] = {{.fd = alarmer->stop_fd, .events = POLLIN},
                           {.fd = alarmer->run.pid != 0 ? alarmer->run.fd : -1, .events = POLLIN}};
    uint64_t now_ms = hs_tick_ms(), until_ms = alarmer->look_ms;
    if (alarmer->run.pid != 0 && !alarmer->run.killed)
        until_ms = earlier(until_ms, alarmer->run.ends_ms);
    poll(fds, 2, until_ms > now_ms ? (int)(until_ms - now_ms) : 0); /* a signal: one round more */
    return (fds[0].revents & POLLIN) != 0;
}

static void *live(void *arg)
{
    struct hs_alarmer *alarmer = arg;
    do {
        if (hs_tick_ms() >= alarmer->look_ms) {
            look(alarmer);
            alarmer->look_ms = hs_tick_ms() + LOOK_MS;
        }
        go_on(alarmer);
    } while (!rest(alarmer));
    hs_hook_kill(&alarmer->run);
    return NULL;
}

enum hs_err hs_alarmer_new(const struct hs_conf *conf, struct hs_alarmer **out)
{
    struct hs_alarmer *alarmer = calloc(1, sizeof *alarmer);
    if (alarmer == NULL)
        return HS_ENOMEM;
    *alarmer = (struct hs_alarmer){.conf = conf, .stop_fd = -1, .run.fd = -1, .quota.per_hour = conf->hook.per_hour};
    *out = alarmer;
    return HS_OK;
}

static enum hs_err start(struct hs_alarmer *alarmer)
{
    alarmer->stop_fd = eventfd(0, EFD_CLOEXEC);
    alarmer->waiting = calloc(WAITING_MAX, sizeof *alarmer->waiting);
    alarmer->node = hallsync_open(alarmer->conf->listen.clients);
    if (alarmer->stop_fd < 0 || alarmer->waiting == NULL || alarmer->node == NULL)
        return HS_ENOMEM;
    hallsync_set_timeout(alarmer->node, CALL_MS);
    return hs_thread_start(&alarmer->thread, "alarms", live, alarmer);
}

void hs_alarmer_start(struct hs_alarmer *alarmer)
{
    enum hs_err err = start(alarmer);
    alarmer->running = err == HS_OK;
    if (err != HS_OK)
        HS_LOG(ALARM_OFF, HS_WORD("reason", hs_err_name(err)));
}

void hs_alarmer_stop(struct hs_alarmer *alarmer)
{
    if (alarmer == NULL || !alarmer->running)
        return;
    eventfd_write(alarmer->stop_fd, 1);
    pthread_join(alarmer->thread, NULL);
    alarmer->running = false;
}

void hs_alarmer_free(struct hs_alarmer *alarmer)
{
    if (alarmer == NULL)
        return;
    hallsync_close(alarmer->node);
    hs_alarms_fini(&alarmer->before);
    hs_alarms_fini(&alarmer->after);
    if (alarmer->stop_fd >= 0)
        close(alarmer->stop_fd);
    free(alarmer->waiting);
    free(alarmer);
}

void hs_alarmer_status(struct hs_alarmer *alarmer, struct hs_buf *partial)
{
    for (int i = 0; i < COUNTERS; i++)
        hs_peers_put_counter(partial, NAMES[i], atomic_load(&alarmer->counters[i]));
}
