/* Who has done it, and why: checked before anything is done, and written beside what was done. */
#include "node/service/audit.h"

#include "node/service/handlers.h"
#include "node/service/put.h"
#include "proto/base/text.h"
#include "proto/records.pb-c.h"
#include "storage/model/close.h"

#include <sodium.h>
#include <string.h>

#define ID_DOMAIN "hallsync audit 1"

static const char *const OUTSIDE[] = {"user_add", "user_role", "user_password", "user_remove"};

/* ---- who, and why ---- */

/* Some requests have had a field of their own for it before there was a trail. */
static const char *reason_of(const Hallsync__Request *request)
{
    const char *own = NULL;
    switch (request->body_case) {
    case HALLSYNC__REQUEST__BODY_RESOLVE:
        own = request->resolve->reason;
        break;
    case HALLSYNC__REQUEST__BODY_DECIDE:
        own = request->decide->reason;
        break;
    case HALLSYNC__REQUEST__BODY_REVOKE:
        own = request->revoke->reason;
        break;
    case HALLSYNC__REQUEST__BODY_RELEASE:
        own = request->release->reason;
        break;
    default:
        break;
    }
    own = own != NULL && own[0] != '\0' ? own : request->reason;
    return own != NULL && own[0] != '\0' ? own : NULL;
}

static void take_actor(const Hallsync__Request *request, Hallsync__Audit *audit)
{
    audit->name = request->actor->name;
    audit->role = request->actor->role;
    audit->way = request->actor->way;
    audit->reason = (char *)(uintptr_t)reason_of(request); /* only read */
}

enum hs_err hs_audit_check(struct hs_call *call)
{
    Hallsync__Audit form = HALLSYNC__AUDIT__INIT;
    uint32_t field;
    if (call->request->actor == NULL)
        return HS_OK;
    take_actor(call->request, &form);
    if (form.reason == NULL && strcmp(form.way, "console") == 0)
        return hs_fail(HS_EREQUIRED, &call->why, "reason: why is this done?  It is kept in the audit trail");
    struct hs_bytes message = hs_canonical(&form.base, &call->arena);
    if (message.data == NULL)
        return HS_ENOMEM;
    return hs_kind_check(hs_kind_by_number(HS_KIND_AUDIT), message, (struct hs_check){.strict = true}, &field,
                         &call->why);
}

/* ---- what ---- */

char *hs_audit_districts(struct hs_call *call, const hs_partition *districts, size_t count)
{
    struct hs_buf text = {0};
    char one[HS_PARTITION_TEXT_BYTES];
    for (size_t i = 0; i < count; i++)
        hs_buf_put_format(&text, "%s%s", i == 0 ? "" : ",", hs_partition_text(districts[i], one));
    char *kept = text.err == HS_OK ? hs_arena_text(&call->scratch, hs_buf_bytes(&text)) : NULL;
    hs_buf_fini(&text);
    return kept;
}

static struct hs_bytes make_fact(struct hs_call *call, const struct hs_audited *what, const char *day)
{
    Hallsync__Audit audit = HALLSYNC__AUDIT__INIT;
    char district[HS_PARTITION_TEXT_BYTES];
    take_actor(call->request, &audit);
    if (audit.reason == NULL)
        audit.reason = (char *)(uintptr_t)what->reason;
    audit.day = (char *)(uintptr_t)day; /* only read, as all of these */
    audit.action = (char *)(uintptr_t)what->action;
    audit.of_kind = (char *)(uintptr_t)(what->kind != NULL ? what->kind->name : NULL);
    audit.record_id = (char *)(uintptr_t)what->record_id;
    audit.node_id = (char *)(uintptr_t)what->node_id;
    audit.user = (char *)(uintptr_t)what->user;
    audit.detail = (char *)(uintptr_t)what->detail;
    if (what->partition != HS_PARTITION_REGION)
        audit.district = (char *)(uintptr_t)hs_partition_text(what->partition, district);
    return hs_canonical(&audit.base, &call->scratch);
}

static enum hs_err write_fact(struct hs_call *call, struct hs_store *store, const struct hs_audited *what,
                              const struct hs_id *id)
{
    char day[HS_DAY_TEXT_BYTES];
    struct hs_dot dot;
    hs_stamp stamp;
    uint32_t field;
    hs_day_text(hs_date_of(hs_now_ms(), call->desk->options.utc_offset_minutes), day);
    struct hs_bytes fact = make_fact(call, what, day);
    if (fact.data == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_kind_check(hs_kind_by_number(HS_KIND_AUDIT), fact,
                                    (struct hs_check){.complete = true, .strict = true}, &field, &call->why);
    if (err != HS_OK)
        return err;
    struct hs_write write = {
        .kind = HS_KIND_AUDIT, .id = HS_BYTES(id->bytes, sizeof id->bytes), .is_fact = true, .fact = fact};
    struct hs_draft draft = {.partition = what->partition, .lane = HS_LANE_WORK, .writes = &write, .write_count = 1};
    return hs_store_write(store, &draft, &dot, &stamp);
}

/* An id of its own each time: whoever uses a request's id again hides nothing. */
enum hs_err hs_audit_write(struct hs_call *call, struct hs_store *store, const struct hs_audited *what)
{
    if (call == NULL || call->request->actor == NULL)
        return HS_OK;
    struct hs_id id;
    randombytes_buf(id.bytes, sizeof id.bytes);
    enum hs_err err = write_fact(call, store, what, &id);
    call->job.torn = err != HS_OK;
    return err;
}

/* ---- what was done outside of the store ---- */

enum hs_err hs_audit_prepare(struct hs_call *call)
{
    const Hallsync__AuditRequest *request = call->request->audit;
    const struct hs_kind *kind = hs_kind_by_number(HS_KIND_AUDIT);
    Hallsync__Audit form = HALLSYNC__AUDIT__INIT;
    bool known = false;
    uint32_t field;
    if (call->request->actor == NULL)
        return hs_fail(HS_EREQUIRED, &call->why, "actor: who has done it?");
    for (size_t i = 0; i < sizeof OUTSIDE / sizeof *OUTSIDE; i++)
        known = known || strcmp(request->action, OUTSIDE[i]) == 0;
    if (!known)
        return hs_fail(HS_EVALUE, &call->why, "action: '%s' is told of by the node itself, or is none",
                       request->action);
    form.user = request->user;
    form.detail = request->detail;
    struct hs_bytes message = hs_canonical(&form.base, &call->arena);
    if (message.data == NULL)
        return HS_ENOMEM;
    struct hs_item item = {.kind = kind, .write = hs_outside_write, .parsed = &request->base, .id_text = request->user};
    enum hs_err err = hs_kind_check(kind, message, (struct hs_check){.strict = true}, &field, &call->why);
    return err == HS_OK ? hs_batch_one(call, &item) : err;
}

/* Nobody here knows whether it had been told of already: the same of the same request is one entry. */
static enum hs_err make_id(struct hs_call *call, const struct hs_audited *what, struct hs_id *id)
{
    struct hs_buf from = {0};
    struct hs_bytes told = make_fact(call, what, NULL);
    hs_buf_put(&from, call->id, sizeof call->id);
    hs_buf_put_bytes(&from, told);
    enum hs_err err = told.data != NULL ? from.err : HS_ENOMEM;
    if (err == HS_OK)
        hs_id_made(ID_DOMAIN, hs_buf_bytes(&from), id);
    hs_buf_fini(&from);
    return err;
}

enum hs_err hs_outside_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__AuditRequest *request = (const Hallsync__AuditRequest *)item->parsed;
    struct hs_audited what = {.action = request->action,
                              .partition = hs_store_certificate(work->store)->home,
                              .user = request->user,
                              .detail = request->detail};
    struct hs_id id;
    struct hs_stored stored;
    work->out.safe = hs_safety_here(work->desk);
    work->out.result = HALLSYNC__RESULT__RESULT_EXISTS;
    enum hs_err err = make_id(work->call, &what, &id);
    if (err == HS_OK)
        err = hs_view_find(work->view, HS_KIND_AUDIT, HS_BYTES(id.bytes, sizeof id.bytes), &stored);
    if (err != HS_ENOTFOUND)
        return err;
    work->out.result = HALLSYNC__RESULT__RESULT_CREATED;
    return write_fact(work->call, work->store, &what, &id);
}
