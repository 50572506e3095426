/* A message comes in: decode, find its row, check who may, and let it be read, written or waited for. */
#include "node/service/audit.h"
#include "node/service/handlers.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <string.h>

#define PROTOCOL_VERSION 1
enum { REQUEST_ID = 2 };

#define BODY(name)  HALLSYNC__REQUEST__BODY_##name
#define REPLY(name) HALLSYNC__REPLY__BODY_##name

static const struct hs_request_row ROWS[] = {
    {.body = BODY(PUT),
     .name = "put",
     .reply = REPLY(PUT),
     .counter = true,
     .each = true,
     .prepare = hs_put_prepare,
     .run = hs_put_run},
    {.body = BODY(REVERSE),
     .name = "reverse",
     .reply = REPLY(PUT),
     .counter = true,
     .prepare = hs_reverse_prepare,
     .run = hs_put_run},
    {.body = BODY(RESOLVE), .name = "resolve", .reply = REPLY(PUT), .prepare = hs_resolve_prepare, .run = hs_put_run},
    {.body = BODY(DECIDE), .name = "decide", .reply = REPLY(PUT), .prepare = hs_decide_prepare, .run = hs_put_run},
    {.body = BODY(AUDIT), .name = "audit", .reply = REPLY(PUT), .prepare = hs_audit_prepare, .run = hs_put_run},
    {.body = BODY(TRAIL), .name = "trail", .reply = REPLY(TRAIL), .read = hs_trail_read},
    {.body = BODY(ENROLL),
     .name = "enroll",
     .reply = REPLY(ENROLL),
     .hub_only = true,
     .prepare = hs_enroll_prepare,
     .run = hs_enroll_run},
    {.body = BODY(SCOPE),
     .name = "scope",
     .reply = REPLY(NODES),
     .hub_only = true,
     .prepare = hs_scope_prepare,
     .run = hs_scope_run},
    {.body = BODY(REVOKE),
     .name = "revoke",
     .reply = REPLY(NODES),
     .hub_only = true,
     .prepare = hs_revoke_prepare,
     .run = hs_revoke_run},
    {.body = BODY(RELEASE),
     .name = "release",
     .reply = REPLY(RELEASE),
     .hub_only = true,
     .prepare = hs_release_prepare,
     .run = hs_release_run},
    {.body = BODY(BUNDLE_EXPORT),
     .name = "bundle-export",
     .reply = REPLY(BUNDLE_EXPORT),
     .read = hs_bundle_export_read},
    {.body = BODY(BUNDLE_IMPORT),
     .name = "bundle-import",
     .reply = REPLY(BUNDLE_IMPORT),
     .prepare = hs_bundle_import_prepare,
     .run = hs_bundle_import_run},
    {.body = BODY(GET), .name = "get", .counter = true, .reply = REPLY(RECORDS), .read = hs_get_read},
    {.body = BODY(FIND), .name = "find", .counter = true, .reply = REPLY(RECORDS), .read = hs_find_read},
    {.body = BODY(TOTALS), .name = "totals", .counter = true, .reply = REPLY(TOTALS), .read = hs_totals_read},
    {.body = BODY(QUEUE_FIGURES),
     .name = "queue-figures",
     .counter = true,
     .reply = REPLY(QUEUE_FIGURES),
     .read = hs_queue_figures_read},
    {.body = BODY(REMINDERS), .name = "reminders", .reply = REPLY(REMINDERS), .read = hs_reminders_read},
    {.body = BODY(BOOKS), .name = "books", .reply = REPLY(BOOKS), .read = hs_books_read},
    {.body = BODY(DAY_REPORT), .name = "day-report", .reply = REPLY(DAY_REPORT), .read = hs_day_report_read},
    {.body = BODY(ARREARS), .name = "arrears", .reply = REPLY(ARREARS), .read = hs_arrears_read},
    {.body = BODY(CONFLICTS), .name = "conflicts", .reply = REPLY(CONFLICTS), .read = hs_conflicts_read},
    {.body = BODY(DIGEST), .name = "digest", .reply = REPLY(DIGEST), .read = hs_digest_read},
    {.body = BODY(STATUS), .name = "status", .counter = true, .reply = REPLY(STATUS), .read = hs_status_read},
    {.body = BODY(BACKUP), .name = "backup", .reply = REPLY(BACKUP), .read = hs_backup_read},
    {.body = BODY(COMPARE), .name = "compare", .reply = REPLY(COMPARE), .read = hs_compare_read},
    {.body = BODY(DIFFER), .name = "differ", .reply = REPLY(DIFFER), .read = hs_differ_read},
    {.body = BODY(VERIFY), .name = "verify", .reply = REPLY(VERIFY), .read = hs_verify_read},
    {.body = BODY(NODES), .name = "nodes", .reply = REPLY(NODES), .read = hs_nodes_read},
    {.body = BODY(LIVES), .name = "lives", .reply = REPLY(LIVES), .read = hs_lives_read},
    {.body = BODY(WATCH),
     .name = "watch",
     .counter = true,
     .reply = REPLY(WATCH),
     .read = hs_watch_read,
     .late = hs_watch_late},
    {.body = BODY(WAIT),
     .name = "wait",
     .counter = true,
     .reply = REPLY(WAIT),
     .park = hs_wait_park,
     .late = hs_wait_late},
};

static const struct hs_request_row *row_of(uint32_t body)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (ROWS[i].body == body)
            return &ROWS[i];
    }
    return NULL;
}

/* ---- decoding ---- */

/* The id even of a message that is broken behind it: so the client knows which of its requests was wrong. */
static void take_id(struct hs_call *call, struct hs_bytes message)
{
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    while (!call->has_id && hs_tlv_next(&cur, &tlv)) {
        call->has_id = tlv.number == REQUEST_ID && tlv.wire == HS_WIRE_BYTES && tlv.bytes.size == sizeof call->id;
        if (call->has_id)
            memcpy(call->id, tlv.bytes.data, sizeof call->id);
    }
}

static enum hs_err unpack(struct hs_call *call, struct hs_bytes message)
{
    ProtobufCMessage *unpacked;
    enum hs_err err = hs_msg_unpack(&hallsync__request__descriptor, message, &call->arena, &unpacked);
    if (err == HS_ENOMEM && call->arena.over)
        return hs_fail(HS_ETOOBIG, &call->why, "the request has too many parts");
    if (err == HS_EMALFORMED)
        return hs_fail(err, &call->why, "the %zu bytes are not a request of this protocol", message.size);
    if (err == HS_OK)
        call->request = (const Hallsync__Request *)unpacked;
    return err;
}

static enum hs_err decode(struct hs_call *call, struct hs_bytes message)
{
    take_id(call, message);
    enum hs_err err = unpack(call, message);
    if (err != HS_OK)
        return err;
    if (call->request->version != PROTOCOL_VERSION)
        return hs_fail(HS_EVERSION, &call->why, "the request is of version %u; this node speaks version %d",
                       (unsigned)call->request->version, PROTOCOL_VERSION);
    if (call->request->id.len != HS_REQUEST_ID_BYTES)
        return hs_fail(HS_EINVAL, &call->why, "a request's id has %d bytes, not %zu", HS_REQUEST_ID_BYTES,
                       call->request->id.len);
    memcpy(call->id, call->request->id.data, sizeof call->id);
    call->row = row_of(call->request->body_case);
    return call->row != NULL ? HS_OK
                             : hs_fail(HS_EINVAL, &call->why, "the request asks for nothing that this node knows");
}

/* ---- doing ---- */

static enum hs_err read_view(struct hs_call *call, struct hs_view *view)
{
    call->position = hs_view_position(view);
    enum hs_err err = call->row->read(call, view);
    hs_view_close(view);
    return err;
}

/* It must see everything committed before this moment.  Where the records are not so far, the writer has the call until
 * they are: a hall's counters are all served by this one thread, which never waits. */
static enum hs_err read_soon(struct hs_call *call, bool *taken)
{
    struct hs_store *store = call->desk->options.store;
    struct hs_view *view = NULL;
    uint64_t commit = hs_store_position(store).commit;
    enum hs_err err = hs_view_open(store, 0, 0, &view); /* to ask for the position would flush once more */
    if (err == HS_OK && hs_view_position(view).commit >= commit)
        return read_view(call, view);
    hs_view_close(view);
    if (err != HS_OK)
        return err;
    err = hs_desk_submit(call);
    *taken = err == HS_OK;
    return err;
}

static enum hs_err write_later(struct hs_call *call, bool *taken)
{
    enum hs_err err = hs_audit_check(call);
    if (err == HS_OK)
        err = call->row->prepare(call);
    hs_disk_look(&call->desk->disk, hs_tick_ms());
    if (err == HS_OK)
        err = hs_disk_check(&call->desk->disk, call->lane, &call->why);
    if (err == HS_OK)
        err = hs_desk_submit(call);
    *taken = err == HS_OK;
    if (err == HS_EBUSY)
        hs_fail(err, &call->why, "the writer has too much waiting; ask again");
    return err;
}

static bool is_hub(const struct hs_desk *desk)
{
    return hs_store_certificate(desk->options.store)->role == HS_ROLE_HUB;
}

/* A read has its answer, or nothing to say yet. */
static void finish_read(struct hs_call *call, enum hs_err err)
{
    if (err == HS_OK && call->parked) {
        err = hs_park(call);
        if (err == HS_OK)
            return;
        if (call->asking == HS_ASKING_NOW)
            hs_ask_late(call);
        else
            call->row->late(call); /* whatever it has begun ends here */
    }
    hs_call_answer(call, err);
}

void hs_request_flushed(struct hs_call *call)
{
    struct hs_view *view = NULL;
    enum hs_err err = call->err;
    if (err != HS_OK)
        hs_fail(err, &call->why, "the records cannot be brought up to date: %s", hs_err_text(err));
    else
        err = hs_view_open(call->desk->options.store, 0, 0, &view);
    if (err == HS_OK)
        err = read_view(call, view);
    finish_read(call, err);
}

/* run() needs a record that is not here: it is asked for, once, and run() is run again with the answer. */
void hs_request_ran(struct hs_call *call)
{
    enum hs_err err = call->err;
    if (err == HS_ENOTHERE && call->ask.kind != 0 && call->asking == HS_ASKING_NOT) {
        call->answered = false;
        call->position = (struct hs_position){0};
        err = hs_ask_put(call) ? HS_OK : hs_ask_fail(call, "what it needs");
        if (err == HS_OK)
            err = hs_park(call);
        if (err == HS_OK)
            return;
        if (call->asking == HS_ASKING_NOW)
            hs_ask_late(call);
    }
    hs_call_answer(call, err);
}

void hs_request_again(struct hs_call *call)
{
    bool taken = false;
    enum hs_err err;
    call->parked = false;
    hs_buf_reset(&call->body);
    if (call->row->run == NULL)
        err = read_soon(call, &taken);
    else if (call->foreign == NULL)
        err = hs_ask_fail(call, "what it needs");
    else
        err = hs_desk_submit(call);
    taken = taken || (call->row->run != NULL && err == HS_OK);
    if (!taken)
        finish_read(call, err);
}

/* Answered at once but when the writer or the waiting room took it. */
static void dispatch(struct hs_call *call)
{
    const struct hs_request_row *row = call->row;
    bool taken = false;
    enum hs_err err;
    if (call->route.counter && hs_counter_check(call) != HS_OK)
        err = HS_EOPERATOR;
    else if (row->hub_only && !is_hub(call->desk))
        err = hs_fail(HS_ENOTHUB, &call->why, "%s: only a hub can do this", row->name);
    else if (row->run != NULL)
        err = write_later(call, &taken);
    else
        err = row->park != NULL ? row->park(call) : read_soon(call, &taken);
    if (!taken)
        finish_read(call, err);
}

void hs_request_take(struct hs_desk *desk, const struct hs_route *route, struct hs_bytes message, enum hs_err received)
{
    struct hs_call *call = hs_call_take(desk);
    if (call == NULL)
        return; /* without memory even to say so: the client asks again */
    desk->requests++;
    call->begun_us = hs_tick_us();
    call->waited = false;
    call->route = *route;
    enum hs_err err = received == HS_OK ? decode(call, message) : received;
    if (err == HS_OK && desk->under_way > HS_CALLS_MAX)
        err = hs_fail(HS_EBUSY, &call->why, "%d requests are under way already", HS_CALLS_MAX);
    if (err == HS_OK && call->request->seen != NULL)
        hs_told_check(desk, call->request->seen);
    if (err == HS_OK)
        dispatch(call);
    else
        hs_call_answer(call, err);
}
