/* An account gets another title holder: the change, the customer's new name, and the end of what was his predecessor's,
 * in one op. */
#include "node/service/put.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <stdio.h>
#include <string.h>

#define SUBSCRIPTIONS_MAX 16 /* that end with it; there are as many as channels */

enum { CHANGE_ACCOUNT = 2, CHANGE_FROM = 3 };
enum {
    CUSTOMER_NAME = 2,
    CUSTOMER_PHONE = 3,
    CUSTOMER_IDENTITY = 5,
    CUSTOMER_CONTACTS = 12,
    CUSTOMER_AUTHORISED = 13,
    CUSTOMER_BANK = 14,
    CUSTOMER_SINCE = 15,
    CUSTOMER_EMAIL = 16,
    CUSTOMER_FIELDS = 8 /* of these */
};
enum { SUBSCRIPTION_ACTIVE = 6, INDEX_SUBSCRIPTION_ACCOUNT = 1 };

static struct hs_bytes bytes_of(const char *text)
{
    return text != NULL ? HS_BYTES(text, strlen(text)) : HS_BYTES_NONE;
}

/* ---- the customer ---- */

struct holder {
    hs_partition partition;
    struct hs_bytes account;
    struct hs_record record;
    struct hs_bytes name;
};

/* What is not wholly here cannot be handed on: nobody here knows what ends with it. */
static enum hs_err find_holder(struct hs_work *work, const char *account, struct holder *holder)
{
    struct hs_stored stored;
    struct hs_record_name name = {.partition = hs_account_partition(account),
                                  .lane = HS_LANE_PEOPLE,
                                  .kind = HS_KIND_CUSTOMER,
                                  .id = bytes_of(account)};
    *holder = (struct holder){.partition = name.partition, .account = name.id};
    if (!hs_whole(work->desk, work->view, name.partition))
        return hs_refuse(&work->refusal, HS_ENOTHERE, CHANGE_ACCOUNT,
                         "account: %s is of a district that is not here, or not all of it; a ticket there asks for it",
                         account);
    enum hs_err err = hs_view_record(work->view, &name, &stored);
    if (err == HS_OK)
        err = hs_record_decode(stored.state, work->scratch, &holder->record);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    const struct hs_field_state *field = err == HS_OK ? hs_record_field(&holder->record, CUSTOMER_NAME) : NULL;
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    if (shown != NULL)
        holder->name = hs_tlv_bytes(shown->value, CUSTOMER_NAME);
    if (holder->name.size == 0)
        return hs_refuse(&work->refusal, HS_ENOACCOUNT, CHANGE_ACCOUNT, "account: no customer has the number %s",
                         account);
    return HS_OK;
}

/* ---- what is written ---- */

/* A field of the customer gets a value, or none; one that shows just that and nothing beside it is left alone. */
static enum hs_err plan_field(struct hs_work *work, const struct hs_record *record, uint32_t number,
                              struct hs_bytes text, struct hs_plan *plan)
{
    const struct hs_field_state *field = hs_record_field(record, number);
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    struct hs_buf buf = {0};
    if (text.size != 0)
        hs_tlv_put_bytes(&buf, number, text);
    struct hs_bytes value = hs_arena_copy(work->scratch, hs_buf_bytes(&buf));
    enum hs_err err = buf.err != HS_OK ? buf.err : value.size != buf.size ? HS_ENOMEM : HS_OK;
    hs_buf_fini(&buf);
    bool same = shown != NULL ? hs_bytes_equal(shown->value, value) : value.size == 0;
    if (err != HS_OK || (same && (field == NULL || hs_field_rivals(field) == 0)))
        return err;
    return hs_plan_add(plan, number, value, field, NULL, NULL);
}

/* Contacts, authorised persons, bank account and e-mail were the predecessor's. */
static enum hs_err plan_customer(struct hs_work *work, const Hallsync__TitleChange *change, const struct holder *holder,
                                 struct hs_plan *plan)
{
    char since[HS_TIME_TEXT_BYTES];
    hs_time_text(work->now_ms, work->desk->options.utc_offset_minutes, since);
    const struct {
        uint32_t number;
        struct hs_bytes text;
    } fields[CUSTOMER_FIELDS] = {
        {CUSTOMER_NAME, bytes_of(change->name)},
        {CUSTOMER_PHONE, bytes_of(change->phone)},
        {CUSTOMER_IDENTITY, bytes_of(change->identity_no)},
        {CUSTOMER_CONTACTS, HS_BYTES_NONE},
        {CUSTOMER_AUTHORISED, HS_BYTES_NONE},
        {CUSTOMER_BANK, HS_BYTES_NONE},
        {CUSTOMER_SINCE, HS_BYTES(since, strlen("2026-11-21"))},
        {CUSTOMER_EMAIL, HS_BYTES_NONE},
    };
    enum hs_err err = hs_plan_begin(work->scratch, CUSTOMER_FIELDS, plan);
    for (size_t i = 0; i < CUSTOMER_FIELDS && err == HS_OK; i++)
        err = plan_field(work, &holder->record, fields[i].number, fields[i].text, plan);
    return err;
}

struct writes {
    struct hs_work *work;
    struct hs_write list[2 + SUBSCRIPTIONS_MAX];
    size_t count;
    hs_partition partition;
    hs_stamp above;
};

static void add_plan(struct writes *writes, uint16_t kind, struct hs_bytes id, const struct hs_plan *plan)
{
    if (plan->count == 0)
        return;
    writes->list[writes->count++] = (struct hs_write){
        .kind = kind, .id = id, .fields = plan->writes, .field_count = plan->count};
    writes->above = plan->above > writes->above ? plan->above : writes->above;
}

/* Nobody has asked to be told but the predecessor. */
static enum hs_err end_subscription(void *ctx, const struct hs_stored *stored)
{
    struct writes *writes = ctx;
    struct hs_arena *arena = writes->work->scratch;
    struct hs_record record;
    struct hs_plan plan;
    if (stored->name.partition != writes->partition)
        return HS_OK;
    if (writes->count == sizeof writes->list / sizeof *writes->list)
        return HS_EEXISTS;
    enum hs_err err = hs_record_decode(stored->state, arena, &record);
    if (err == HS_OK)
        err = hs_plan_begin(arena, 1, &plan);
    if (err == HS_OK)
        err = plan_field(writes->work, &record, SUBSCRIPTION_ACTIVE, bytes_of("no"), &plan);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    struct hs_bytes id = hs_arena_copy(arena, stored->name.id); /* the scan's key goes on */
    if (id.data == NULL)
        return HS_ENOMEM;
    add_plan(writes, HS_KIND_SUBSCRIPTION, id, &plan);
    return HS_OK;
}

static enum hs_err write_all(struct hs_work *work, const struct writes *writes)
{
    struct hs_draft draft = {.partition = writes->partition,
                             .lane = HS_LANE_PEOPLE,
                             .above = writes->above,
                             .writes = writes->list,
                             .write_count = writes->count};
    struct hs_dot dot;
    hs_stamp stamp;
    work->out.result = HALLSYNC__RESULT__RESULT_CREATED;
    work->out.safe = hs_safety_here(work->desk);
    return hs_store_write(work->store, &draft, &dot, &stamp);
}

static enum hs_err transfer(struct hs_work *work, const struct hs_item *item, const struct holder *holder,
                            struct hs_bytes message)
{
    struct hs_plan plan;
    struct writes writes = {.work = work, .partition = holder->partition};
    struct hs_ask of_account = {
        .kind = HS_KIND_SUBSCRIPTION, .index = INDEX_SUBSCRIPTION_ACCOUNT, .key = holder->account};
    writes.list[writes.count++] = (struct hs_write){
        .kind = HS_KIND_TITLE_CHANGE, .id = item->id, .is_fact = true, .fact = message};
    enum hs_err err = plan_customer(work, (const Hallsync__TitleChange *)item->parsed, holder, &plan);
    if (err == HS_OK) {
        add_plan(&writes, HS_KIND_CUSTOMER, holder->account, &plan);
        err = hs_look_index(&work->look, &of_account, end_subscription, &writes);
    }
    return err == HS_OK || err == HS_EEXISTS ? write_all(work, &writes) : err;
}

/* ---- the change ---- */

/* It names the title holder before, so that the history can be read from it alone: filled in, or the same. */
static enum hs_err complete(struct hs_work *work, const struct hs_item *item, struct hs_bytes from,
                            struct hs_bytes *message)
{
    Hallsync__TitleChange change = *(const Hallsync__TitleChange *)item->parsed;
    if (change.from_name != NULL && !hs_bytes_equal(bytes_of(change.from_name), from))
        return hs_refuse(&work->refusal, HS_EVALUE, CHANGE_FROM, "from_name: the title holder is %.*s", (int)from.size,
                         (const char *)from.data);
    change.from_name = hs_arena_text(work->scratch, from);
    if (change.from_name == NULL)
        return HS_ENOMEM;
    *message = hs_canonical(&change.base, work->scratch);
    return message->data != NULL ? HS_OK : HS_ENOMEM;
}

/* Sent again after it was done: the title holder is another by now.  HS_ENOTFOUND: it was not done. */
static enum hs_err done_before(struct hs_work *work, const struct hs_item *item)
{
    struct hs_stored stored;
    const struct hs_variant *variant;
    struct hs_bytes message = item->message;
    enum hs_err err = hs_look_find(&work->look, HS_KIND_TITLE_CHANGE, item->id, &stored);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, work->scratch, &variant);
    if (err == HS_OK)
        err = complete(work, item, hs_tlv_bytes(variant->bytes, CHANGE_FROM), &message);
    return err == HS_OK || err == HS_EVALUE ? hs_fact_known(work, item, message) : err;
}

enum hs_err hs_transfer_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__TitleChange *change = (const Hallsync__TitleChange *)item->parsed;
    struct holder holder;
    struct hs_bytes message;
    enum hs_err err = done_before(work, item);
    if (err != HS_ENOTFOUND)
        return err;
    err = find_holder(work, change->account, &holder);
    if (err == HS_OK)
        err = complete(work, item, holder.name, &message);
    return err == HS_OK ? transfer(work, item, &holder, message) : err;
}
