#include "tests/sim/stage.h"

#include "proto/msg/frame.h"
#include "proto/records.pb-c.h"
#include "storage/model/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define CLIENT    1

/* ---- hooks ---- */

static void turned(void *ctx, struct sim_machine *machine)
{
    auditor_turned(((struct stage *)ctx)->auditor, machine);
}

static void started(void *ctx, struct sim_machine *machine)
{
    auditor_started(((struct stage *)ctx)->auditor, machine);
}

static void ended(void *ctx, struct sim_machine *machine, bool clean, enum hs_err err)
{
    (void)err;
    auditor_ended(((struct stage *)ctx)->auditor, machine, clean);
}

static void answered(void *ctx, struct sim_machine *machine, uint64_t client, struct hs_bytes bytes)
{
    struct stage *stage = ctx;
    (void)machine;
    (void)client;
    Hallsync__Reply *reply = hallsync__reply__unpack(NULL, bytes.size, bytes.data);
    if (reply == NULL)
        sim_fail(stage->sim, "a reply that nobody can read");
    if (reply->id.len == sizeof stage->asked && memcmp(reply->id.data, stage->asked, reply->id.len) == 0) {
        stage->answered = true;
        hs_buf_reset(&stage->reply);
        hs_buf_put_bytes(&stage->reply, bytes);
    }
    hallsync__reply__free_unpacked(reply, NULL);
}

static void sent(void *ctx, struct sim_machine *from, struct sim_machine *to, struct hs_bytes frame)
{
    struct stage *stage = ctx;
    struct hs_frame decoded;
    if (hs_frame_decode(frame, &decoded) == HS_OK && decoded.type < STAGE_FRAME_TYPES)
        stage->frames[from->index][decoded.type]++;
    stage->bytes[from->index] += frame.size;
    auditor_sent(stage->auditor, from, to, frame);
}

static void logged(void *ctx, struct sim_machine *machine, const char *module, const char *event, const char *line)
{
    struct stage *stage = ctx;
    auditor_logged(stage->auditor, machine, module, event, line);
    if (strcmp(event, stage->watched) == 0)
        stage->marks++;
}

/* ---- opening and closing ---- */

void stage_open(struct stage *stage, uint64_t seed, bool verbose)
{
    struct sim_options options = {.seed = seed, .verbose = verbose, .accept_unknown_accounts = true};
    struct sim_hooks hooks = {stage, turned, started, ended, answered, sent, logged};
    *stage = (struct stage){.random = sim_random_of(seed, "stage")};
    stage->sim = sim_new(&options, &hooks);
    if (stage->sim == NULL)
        abort();
    stage->auditor = auditor_new(stage->sim);
}

uint64_t stage_close(struct stage *stage)
{
    stage_settle(stage);
    auditor_check_end(stage->auditor);
    uint64_t ms = stage->sim->now_ms;
    auditor_free(stage->auditor);
    sim_free(stage->sim);
    for (size_t i = 0; i < stage->deed_count; i++)
        deed_free(stage->deeds[i]);
    free(stage->deeds);
    hs_buf_fini(&stage->reply);
    return ms;
}

struct sim_machine *stage_hub(struct stage *stage, const char *name, struct sim_machine *peer)
{
    static const hs_partition HOME = 3200;
    struct sim_machine *machine = sim_add(stage->sim, name, HS_ROLE_HUB, &HOME, 1, &peer, peer != NULL);
    sim_start(machine);
    return machine;
}

struct sim_machine *stage_hall(struct stage *stage, const char *name, hs_partition district, struct sim_machine *hub,
                               struct sim_machine *other_hub)
{
    struct sim_machine *upstreams[] = {hub, other_hub};
    struct sim_machine *machine = sim_add(stage->sim, name, HS_ROLE_HALL, &district, 1, upstreams,
                                          other_hub != NULL ? 2 : 1);
    sim_start(machine);
    return machine;
}

struct sim_machine *stage_add(struct stage *stage, const struct sim_plan *plan)
{
    struct sim_machine *machine = sim_add_as(stage->sim, plan);
    sim_start(machine);
    return machine;
}

/* ---- deeds ---- */

static void own(struct stage *stage, struct deed *deed)
{
    for (size_t i = 0; i < stage->deed_count; i++) {
        if (stage->deeds[i] == deed)
            return;
    }
    stage->deeds = realloc(stage->deeds, (stage->deed_count + 1) * sizeof(struct deed *));
    if (stage->deeds == NULL)
        abort();
    stage->deeds[stage->deed_count++] = deed;
    deed->number = stage->deed_count;
}

bool stage_try(struct stage *stage, struct sim_machine *machine, struct deed *deed, uint64_t ms, struct deed_told *told)
{
    uint64_t until_ms = stage->sim->now_ms + ms;
    own(stage, deed);
    memcpy(stage->asked, deed->request_id, sizeof stage->asked);
    stage->answered = false;
    auditor_asked(stage->auditor, deed, machine);
    sim_ask(machine, CLIENT, hs_buf_bytes(&deed->request));
    while (!stage->answered && sim_step(stage->sim, until_ms))
        continue;
    if (!stage->answered)
        return false;
    Hallsync__Reply *reply = hallsync__reply__unpack(NULL, stage->reply.size, stage->reply.data);
    *told = (struct deed_told){.deed = deed, .machine = machine, .at_ms = stage->sim->now_ms};
    deed_told_read(reply, told);
    hallsync__reply__free_unpacked(reply, NULL);
    sim_say(stage->sim, "%s: %s: %s", machine->name, deed->id, told->error[0] != '\0' ? told->error : "done");
    auditor_told(stage->auditor, told);
    return true;
}

static bool is_refusal(const char *error)
{
    for (int err = 0; err < HS_ERR_COUNT; err++) {
        if (strcmp(hs_err_name((enum hs_err)err), error) == 0)
            return hs_err_class((enum hs_err)err) == HS_CLASS_INPUT;
    }
    return false;
}

struct deed_told stage_do(struct stage *stage, struct sim_machine *machine, struct deed *deed)
{
    struct deed_told told = {0};
    uint64_t until_ms = stage->sim->now_ms + MINUTE_MS;
    while (stage->sim->now_ms < until_ms) {
        bool came = stage_try(stage, machine, deed, 1000, &told);
        if (came && (told.error[0] == '\0' || is_refusal(told.error)))
            return told;
        stage_run(stage, 100);
    }
    sim_fail(stage->sim, "%s does not answer to %s: %s", machine->name, deed->id, told.error);
}

void stage_expect(struct stage *stage, const struct deed_told *told, const char *error)
{
    if (strcmp(told->error, error) != 0)
        sim_fail(stage->sim, "%s: %s: '%s', not '%s'", told->machine->name, told->deed->id, told->error, error);
}

static const struct deed *done(struct stage *stage, struct sim_machine *machine, struct deed *deed)
{
    struct deed_told told = stage_do(stage, machine, deed);
    stage_expect(stage, &told, "");
    return deed;
}

const struct deed *stage_pay(struct stage *stage, struct sim_machine *machine, const char *id, const char *account,
                             int64_t amount_fen, const char *bill)
{
    return done(stage, machine, deed_payment(&stage->random, id, account, amount_fen, bill, 1));
}

const struct deed *stage_name_seen(struct stage *stage, struct sim_machine *machine, const char *account,
                                   const char *name, const Hallsync__Record *shown)
{
    struct deed_fields fields = {.name = name, .shown = shown};
    return done(stage, machine, deed_customer(&stage->random, account, &fields));
}

const struct deed *stage_name(struct stage *stage, struct sim_machine *machine, const char *account, const char *name)
{
    return stage_name_seen(stage, machine, account, name, NULL);
}

const struct deed *stage_bill(struct stage *stage, struct sim_machine *machine, const char *id, const char *account,
                              int64_t amount_fen)
{
    return done(stage, machine, deed_bill(&stage->random, id, account, "2026-05", amount_fen));
}

const struct deed *stage_reverse(struct stage *stage, struct sim_machine *machine, const char *id,
                                 const struct deed *payment)
{
    return done(stage, machine, deed_reversal(&stage->random, id, payment, 1));
}

const struct deed *stage_ticket(struct stage *stage, struct sim_machine *machine, const char *id, const char *account)
{
    return done(stage, machine, deed_ticket(&stage->random, id, account, "outage-report"));
}

const struct deed *stage_move(struct stage *stage, struct sim_machine *machine, const char *id,
                              const struct deed *ticket, const char *state)
{
    return done(stage, machine, deed_event(&stage->random, id, ticket, state, NULL, NULL));
}

struct past_service {
    struct hs_job job;
    const struct hs_draft *draft;
    struct hs_dot dot;
    enum hs_err err;
    bool done;
};

static enum hs_err write_draft(struct hs_job *job, struct hs_store *store)
{
    struct past_service *write = (struct past_service *)job;
    hs_stamp stamp;
    return hs_store_write(store, write->draft, &write->dot, &stamp);
}

static void write_done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    (void)commit;
    ((struct past_service *)job)->err = err;
    ((struct past_service *)job)->done = true;
}

struct hs_dot stage_write(struct stage *stage, struct sim_machine *machine, const struct hs_draft *draft)
{
    struct past_service write = {.job = {.run = write_draft, .done = write_done, .weight = 64}, .draft = draft};
    if (!sim_submit(machine, &write.job))
        sim_fail(stage->sim, "%s takes no job", machine->name);
    while (!write.done && machine->life == SIM_RUNNING)
        sim_run(stage->sim, 1);
    if (write.err != HS_OK)
        sim_fail(stage->sim, "%s: a write past the service: %s", machine->name, hs_err_name(write.err));
    return write.dot;
}

/* ---- faults ---- */

void stage_part(struct stage *stage, struct sim_machine *a, struct sim_machine *b, bool part)
{
    (void)stage;
    sim_part(a, b, part);
    if (part)
        sim_hang_up(a, b);
}

void stage_set_back(struct stage *stage, struct sim_machine *machine, unsigned slot, struct sim_restore what)
{
    sim_kill(machine);
    sim_restore(machine, slot, what);
    auditor_disk_changed(stage->auditor, machine);
}

void stage_restore(struct stage *stage, struct sim_machine *machine, unsigned slot)
{
    stage_set_back(stage, machine, slot, (struct sim_restore){.log = true, .records = true});
    sim_start(machine);
}

void stage_wipe(struct stage *stage, struct sim_machine *machine)
{
    sim_kill(machine);
    sim_reboot(machine);
    sim_wipe(machine);
    auditor_disk_changed(stage->auditor, machine);
    sim_start(machine);
}

void stage_revoke(struct stage *stage, struct sim_machine *hub, struct sim_machine *machine, bool by_root)
{
    STAGE_CHECK(stage, sim_revoke(hub, machine, by_root));
    auditor_revoked(stage->auditor, machine);
}

void stage_release(struct stage *stage, struct sim_machine *hub, struct sim_machine *machine)
{
    auditor_released(stage->auditor, machine);
    STAGE_CHECK(stage, sim_release(hub, machine));
}

/* ---- looking ---- */

Hallsync__Reply *stage_ask(struct stage *stage, struct sim_machine *machine, Hallsync__Request *request)
{
    struct hs_buf bytes = {0}, answer = {0};
    uint8_t id[16];
    for (size_t i = 0; i < sizeof id; i += 8)
        hs_be64(id + i, sim_draw(&stage->random));
    deed_look(id, request, &bytes);
    if (!sim_ask_now(machine, hs_buf_bytes(&bytes), &answer))
        sim_fail(stage->sim, "%s does not answer", machine->name);
    Hallsync__Reply *reply = hallsync__reply__unpack(NULL, answer.size, answer.data);
    hs_buf_fini(&bytes);
    hs_buf_fini(&answer);
    if (reply == NULL)
        sim_fail(stage->sim, "%s: a reply that nobody can read", machine->name);
    return reply;
}

static Hallsync__Reply *ask_well(struct stage *stage, struct sim_machine *machine, Hallsync__Request *request)
{
    Hallsync__Reply *reply = stage_ask(stage, machine, request);
    if (reply->error != NULL)
        sim_fail(stage->sim, "%s: %s: %s", machine->name, reply->error, reply->text);
    return reply;
}

Hallsync__Reply *stage_get(struct stage *stage, struct sim_machine *machine, uint16_t kind, const char *id)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    get.has_here = get.here = true;
    get.kind = kind;
    get.id = (char *)(uintptr_t)id;
    request.body_case = HALLSYNC__REQUEST__BODY_GET;
    request.get = &get;
    return stage_ask(stage, machine, &request);
}

static const Hallsync__Record *only_record(const Hallsync__Reply *reply)
{
    bool one = reply->error == NULL && reply->records != NULL && reply->records->n_records == 1;
    return one ? reply->records->records[0] : NULL;
}

bool stage_has(struct stage *stage, struct sim_machine *machine, uint16_t kind, const char *id)
{
    Hallsync__Reply *reply = stage_get(stage, machine, kind, id);
    bool has = only_record(reply) != NULL;
    hallsync__reply__free_unpacked(reply, NULL);
    return has;
}

void stage_shown(struct stage *stage, struct sim_machine *machine, const char *account, char name[static 64])
{
    Hallsync__Reply *reply = stage_get(stage, machine, HS_KIND_CUSTOMER, account);
    const Hallsync__Record *record = only_record(reply);
    Hallsync__Customer *customer = NULL;
    if (record != NULL)
        customer = hallsync__customer__unpack(NULL, record->record.len, record->record.data);
    snprintf(name, 64, "%s", customer != NULL && customer->name != NULL ? customer->name : "");
    if (customer != NULL)
        hallsync__customer__free_unpacked(customer, NULL);
    hallsync__reply__free_unpacked(reply, NULL);
}

void stage_state(struct stage *stage, struct sim_machine *machine, const char *ticket, char state[static 32])
{
    Hallsync__Reply *reply = stage_get(stage, machine, HS_KIND_TICKET, ticket);
    const Hallsync__Record *record = only_record(reply);
    snprintf(state, 32, "%s", record != NULL && record->ticket != NULL ? record->ticket->state : "");
    hallsync__reply__free_unpacked(reply, NULL);
}

unsigned stage_safe(struct stage *stage, struct sim_machine *machine, uint16_t kind, const char *id)
{
    Hallsync__Reply *reply = stage_get(stage, machine, kind, id);
    const Hallsync__Record *record = only_record(reply);
    unsigned safe = record != NULL && record->has_safe ? (unsigned)record->safe : 0;
    hallsync__reply__free_unpacked(reply, NULL);
    return safe;
}

struct stage_totals stage_totals(struct stage *stage, struct sim_machine *machine)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__TotalsRequest body = HALLSYNC__TOTALS_REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_TOTALS;
    request.totals = &body;
    Hallsync__Reply *reply = ask_well(stage, machine, &request);
    struct stage_totals totals = {reply->totals->count, reply->totals->reversed_count, reply->totals->sum_fen,
                                  reply->totals->reversed_fen};
    hallsync__reply__free_unpacked(reply, NULL);
    return totals;
}

static Hallsync__Reply *ask_conflicts(struct stage *stage, struct sim_machine *machine, const char *type)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    body.type = (char *)(uintptr_t)type;
    body.has_limit = true;
    body.limit = 1000;
    request.body_case = HALLSYNC__REQUEST__BODY_CONFLICTS;
    request.conflicts = &body;
    return ask_well(stage, machine, &request);
}

size_t stage_conflicts(struct stage *stage, struct sim_machine *machine, const char *type)
{
    Hallsync__Reply *reply = ask_conflicts(stage, machine, type);
    size_t count = reply->conflicts->n_conflicts;
    hallsync__reply__free_unpacked(reply, NULL);
    return count;
}

void stage_resolve(struct stage *stage, struct sim_machine *machine, const char *type)
{
    Hallsync__Reply *reply = ask_conflicts(stage, machine, type);
    if (reply->conflicts->n_conflicts == 0)
        sim_fail(stage->sim, "%s has no conflict of type %s", machine->name, type);
    done(stage, machine, deed_resolve(&stage->random, reply->conflicts->conflicts[0]));
    hallsync__reply__free_unpacked(reply, NULL);
}

void stage_decide(struct stage *stage, struct sim_machine *hub, const char *type, const char *verdict)
{
    Hallsync__Reply *listed = ask_conflicts(stage, hub, type);
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__DecideRequest body = HALLSYNC__DECIDE_REQUEST__INIT;
    if (listed->conflicts->n_conflicts == 0)
        sim_fail(stage->sim, "%s has no conflict of type %s", hub->name, type);
    body.id = listed->conflicts->conflicts[0]->id;
    body.verdict = (char *)(uintptr_t)verdict;
    body.name = (char *)(uintptr_t) "Wang Li";
    body.reason = (char *)(uintptr_t) "the slip was seen";
    request.body_case = HALLSYNC__REQUEST__BODY_DECIDE;
    request.decide = &body;
    hallsync__reply__free_unpacked(ask_well(stage, hub, &request), NULL);
    hallsync__reply__free_unpacked(listed, NULL);
}

Hallsync__Reply *stage_status(struct stage *stage, struct sim_machine *machine)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    return ask_well(stage, machine, &request);
}

uint64_t stage_withheld(struct stage *stage, struct sim_machine *hub)
{
    Hallsync__Reply *reply = stage_status(stage, hub);
    uint64_t payments = 0;
    for (size_t i = 0; i < reply->status->n_withheld; i++)
        payments += reply->status->withheld[i]->payments;
    hallsync__reply__free_unpacked(reply, NULL);
    return payments;
}

uint64_t stage_origins(struct stage *stage, struct sim_machine *machine, char origin[static 17])
{
    Hallsync__Reply *reply = stage_status(stage, machine);
    uint64_t opened = reply->status->origins_opened;
    snprintf(origin, 17, "%s", reply->status->origin != NULL ? reply->status->origin : "");
    hallsync__reply__free_unpacked(reply, NULL);
    return opened;
}

void stage_watch(struct stage *stage, const char *event)
{
    snprintf(stage->watched, sizeof stage->watched, "%s", event);
    stage->marks = 0;
}

unsigned stage_seen(const struct stage *stage)
{
    return stage->marks;
}

/* ---- time ---- */

void stage_run(struct stage *stage, uint64_t ms)
{
    sim_run(stage->sim, ms);
}

bool stage_settled(struct stage *stage, uint64_t within_ms)
{
    char why[200];
    uint64_t until_ms = stage->sim->now_ms + within_ms;
    while (stage->sim->now_ms < until_ms) {
        sim_run(stage->sim, 200);
        if (auditor_settled(stage->auditor, why))
            return true;
    }
    sim_say(stage->sim, "not settled: %s", why);
    return false;
}

void stage_settle(struct stage *stage)
{
    char why[200] = "";
    if (!stage_settled(stage, 5 * MINUTE_MS)) {
        auditor_settled(stage->auditor, why);
        sim_fail(stage->sim, "not equal after five minutes: %s", why);
    }
}
