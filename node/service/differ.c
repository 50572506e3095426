/* A record that two nodes have with other contents: both versions, and what of them differs. */
#include "node/service/handlers.h"
#include "node/service/show.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <string.h>

struct version {
    struct hs_stored stored;
    enum hs_err err; /* it is not there, or cannot be told */
    struct hs_record state;
    struct hs_buf message; /* as shown */
    Hallsync__Record *record;
};

struct differing {
    struct hs_call *call;
    const struct hs_kind *kind; /* NULL: not known here */
    struct version here, there;
    Hallsync__DifferReply reply;
    size_t room; /* of reply.fields */
};

/* ---- two versions ---- */

static enum hs_err read_version(struct differing *differing, struct hs_view *view, struct version *version)
{
    struct hs_arena *arena = &differing->call->scratch;
    struct hs_show show = {.look = {.desk = differing->call->desk, .view = view, .arena = arena}, .arena = arena};
    if (version->err == HS_OK)
        version->err = hs_record_decode(version->stored.state, arena, &version->state);
    if (version->err == HS_OK)
        version->err = hs_record_shown(&version->state, &version->message);
    if (version->err == HS_OK)
        version->err = hs_show(&show, &version->stored, &version->record);
    if (version->err == HS_EMALFORMED)
        version->err = HS_EDAMAGED;
    return version->err == HS_ENOMEM ? HS_ENOMEM : HS_OK;
}

/* Whether they still have the same operations: the one here may have changed since they were compared. */
static const char *how_they_are(const struct differing *differing)
{
    struct hs_hash here = hs_record_inputs(&differing->here.state), there = hs_record_inputs(&differing->there.state);
    if (hs_bytes_equal(differing->here.stored.state, differing->there.stored.state))
        return "equal";
    return hs_hash_equal(&here, &there) ? "damage" : "lag";
}

/* ---- what differs ---- */

static enum hs_err add_field(struct differing *differing, uint32_t number, const char *name, char *here, char *there)
{
    struct hs_arena *arena = &differing->call->scratch;
    Hallsync__DifferReply *reply = &differing->reply;
    Hallsync__DifferField *field = hs_arena_alloc(arena, sizeof *field);
    char *copy = hs_arena_text(arena, HS_BYTES(name, strlen(name)));
    if (reply->n_fields == differing->room) {
        size_t room = differing->room == 0 ? 8 : 2 * differing->room;
        Hallsync__DifferField **list = hs_arena_array(arena, room, sizeof *list);
        if (list == NULL)
            return HS_ENOMEM;
        if (reply->n_fields > 0)
            memcpy(list, reply->fields, reply->n_fields * sizeof *list);
        reply->fields = list;
        differing->room = room;
    }
    if (field == NULL || copy == NULL)
        return HS_ENOMEM;
    hallsync__differ_field__init(field);
    field->number = number;
    field->name = copy;
    field->here = here;
    field->there = there;
    reply->fields[reply->n_fields++] = field;
    return HS_OK;
}

static const char *name_of(const struct differing *differing, uint32_t number, struct hs_buf *room)
{
    const char *name = differing->kind != NULL ? hs_kind_field_name(differing->kind, number) : NULL;
    if (name != NULL)
        return name;
    hs_buf_reset(room);
    hs_buf_put_format(room, "field %" PRIu32, number);
    hs_buf_put_u8(room, 0);
    return room->err == HS_OK ? (const char *)room->data : "";
}

/* All values of a field, one of which is shown; with @written, who wrote each and when.  NULL: out of memory. */
static char *values_text(struct differing *differing, const struct hs_field_state *field, bool written)
{
    struct hs_arena *arena = &differing->call->scratch;
    struct hs_buf text = {0};
    for (size_t i = 0; i < field->live_count; i++) {
        const struct hs_live *live = &field->live[i];
        char *value = hs_show_value(arena, differing->kind, field->number, live->value);
        if (value == NULL) {
            text.err = HS_ENOMEM;
            break;
        }
        hs_buf_put_format(&text, "%s%s", i == 0 ? "" : " | ", live->value.size == 0 ? "(empty)" : value);
        if (written)
            hs_buf_put_format(&text, " (%016" PRIx64 " of operation %" PRIu64 " of %016" PRIx64 ")", live->stamp,
                              live->dot.n, live->dot.origin);
    }
    for (size_t i = 0; written && i < field->covered_count; i++)
        hs_buf_put_format(&text, "%sover operation %" PRIu64 " of %016" PRIx64, text.size == 0 ? "" : " ",
                          field->covered[i].n, field->covered[i].origin);
    char *copy = text.err == HS_OK ? hs_arena_text(arena, hs_buf_bytes(&text)) : NULL;
    hs_buf_fini(&text);
    return copy;
}

/* Either may be NULL: it has none.  Where the values are the same, something else of the field may be other. */
static enum hs_err compare_fields(struct differing *differing, const struct hs_field_state *here,
                                  const struct hs_field_state *there, struct hs_buf *room)
{
    uint32_t number = here != NULL ? here->number : there->number;
    for (int written = 0; written < 2; written++) {
        char *one = here != NULL ? values_text(differing, here, written != 0) : NULL;
        char *other = there != NULL ? values_text(differing, there, written != 0) : NULL;
        if ((here != NULL && one == NULL) || (there != NULL && other == NULL))
            return HS_ENOMEM;
        if (one == NULL || other == NULL || strcmp(one, other) != 0)
            return add_field(differing, number, name_of(differing, number, room), one, other);
    }
    return HS_OK;
}

static enum hs_err compare_registers(struct differing *differing, struct hs_buf *room)
{
    const struct hs_record *here = &differing->here.state, *there = &differing->there.state;
    enum hs_err err = HS_OK;
    for (size_t i = 0, j = 0; (i < here->field_count || j < there->field_count) && err == HS_OK;) {
        uint64_t one = i < here->field_count ? here->fields[i].number : UINT64_MAX;
        uint64_t other = j < there->field_count ? there->fields[j].number : UINT64_MAX;
        const struct hs_field_state *first = one <= other ? &here->fields[i++] : NULL;
        const struct hs_field_state *second = other <= one ? &there->fields[j++] : NULL;
        err = compare_fields(differing, first, second, room);
    }
    return err;
}

/* Of a fact the content that counts. */
static enum hs_err compare_facts(struct differing *differing, struct hs_buf *room)
{
    struct hs_bytes here = hs_buf_bytes(&differing->here.message), there = hs_buf_bytes(&differing->there.message);
    struct hs_arena *arena = &differing->call->scratch;
    enum hs_err err = HS_OK;
    for (size_t i = 0; differing->kind != NULL && i < differing->kind->field_count && err == HS_OK; i++) {
        uint32_t number = differing->kind->fields[i].number;
        struct hs_bytes one = hs_tlv_run(here, number), other = hs_tlv_run(there, number);
        if (hs_bytes_equal(one, other))
            continue;
        char *text = one.size != 0 ? hs_show_value(arena, differing->kind, number, one) : NULL;
        char *other_text = other.size != 0 ? hs_show_value(arena, differing->kind, number, other) : NULL;
        if ((one.size != 0 && text == NULL) || (other.size != 0 && other_text == NULL))
            return HS_ENOMEM;
        err = add_field(differing, number, name_of(differing, number, room), text, other_text);
    }
    return err;
}

static char *count_text(struct differing *differing, const struct hs_record *state)
{
    struct hs_buf text = {0};
    hs_buf_put_format(&text, "%zu contents, %zu fields, operations of %zu origins", state->variant_count,
                      state->field_count, state->applied_count);
    char *copy = text.err == HS_OK ? hs_arena_text(&differing->call->scratch, hs_buf_bytes(&text)) : NULL;
    hs_buf_fini(&text);
    return copy;
}

/* Nothing that people read is other: what it was made from may be. */
static enum hs_err compare(struct differing *differing)
{
    struct hs_buf room = {0};
    bool facts = differing->here.state.variant_count > 0 && differing->there.state.variant_count > 0;
    enum hs_err err = facts ? compare_facts(differing, &room) : HS_OK;
    if (err == HS_OK)
        err = compare_registers(differing, &room);
    if (err == HS_OK && differing->reply.n_fields == 0 && strcmp(differing->reply.now, "equal") != 0) {
        char *one = count_text(differing, &differing->here.state);
        char *other = count_text(differing, &differing->there.state);
        err = one != NULL && other != NULL ? add_field(differing, 0, "record", one, other) : HS_ENOMEM;
    }
    if (err == HS_OK)
        err = room.err;
    hs_buf_fini(&room);
    return err;
}

/* ---- the answer ---- */

static enum hs_err answer(struct differing *differing, struct hs_view *view)
{
    Hallsync__DifferReply *reply = &differing->reply;
    enum hs_err err = read_version(differing, view, &differing->here);
    if (err == HS_OK)
        err = read_version(differing, view, &differing->there);
    if (err != HS_OK)
        return err;
    reply->here = differing->here.record;
    reply->there = differing->there.record;
    if (differing->here.err != HS_OK)
        reply->here_error = (char *)(uintptr_t)hs_err_name(differing->here.err);
    if (differing->there.err != HS_OK)
        reply->there_error = (char *)(uintptr_t)hs_err_name(differing->there.err);
    if (reply->here_error == NULL && reply->there_error == NULL) {
        reply->now = (char *)(uintptr_t)how_they_are(differing);
        err = compare(differing);
    }
    hs_msg_pack(&reply->base, &differing->call->body);
    return err == HS_OK ? differing->call->body.err : err;
}

enum hs_err hs_differ_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__DifferRequest *request = call->request->differ;
    struct hs_bytes key = HS_BYTES(request->key.data, request->key.len);
    struct differing differing = {.call = call, .reply = HALLSYNC__DIFFER_REPLY__INIT};
    struct hs_record_name name;
    if (hs_record_from_key(key, &name) != HS_OK || !hs_node_id_valid(request->node_id))
        return hs_fail(HS_EINVAL, &call->why, "node_id and key: a node's id, and the key of a record");
    if (call->asking == HS_ASKING_NOT && hs_ask_node(call, request->node_id, key))
        return HS_OK;
    differing.kind = hs_kind_by_number(name.kind);
    differing.here.err = hs_view_record(view, &name, &differing.here.stored);
    differing.there.err = call->foreign != NULL ? HS_OK : call->foreign_err;
    if (call->foreign != NULL)
        differing.there.stored = call->foreign->records[0].stored;
    enum hs_err err = answer(&differing, view);
    hs_buf_fini(&differing.here.message);
    hs_buf_fini(&differing.there.message);
    hs_foreign_free(call->foreign); /* another node's version is nothing to be shown to somebody else */
    call->foreign = NULL;
    return err;
}
