/* Who wants to be reminded, and of what he was: rules of writing both. */
#include "node/service/put.h"

#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <stdio.h>
#include <string.h>

enum { SUBSCRIPTION_ID = 1, SUBSCRIPTION_HALL = 7 };
enum { REMINDER_BILL = 3 };
enum { BILL_ACCOUNT = 2 };

/* ---- subscriptions ---- */

static enum hs_err check_id(struct hs_work *work, const Hallsync__Subscription *given)
{
    char id[HS_RECORD_ID_BYTES_MAX + 1];
    snprintf(id, sizeof id, "%s-%s", given->account, given->channel);
    if (strcmp(given->subscription_id, id) == 0)
        return HS_OK;
    return hs_refuse(&work->refusal, HS_EVALUE, SUBSCRIPTION_ID,
                     "subscription_id: of this account and channel it is %s", id);
}

/* A hall that has not the bills of a district cannot tell what is due. */
static enum hs_err check_duty(struct hs_work *work, const Hallsync__Subscription *given)
{
    if (hs_whole(work->desk, work->view, hs_account_partition(given->account)))
        return HS_OK;
    return hs_refuse(&work->refusal, HS_EREQUIRED, SUBSCRIPTION_HALL,
                     "hall: is missing; the district of %s is not here: name a hall that has it", given->account);
}

/* The same item with this node as the hall that has the duty. */
static enum hs_err add_hall(struct hs_work *work, const struct hs_item *item, struct hs_item *with)
{
    const struct hs_certificate *own = hs_store_certificate(work->store);
    struct hs_given *given = hs_arena_array(work->scratch, item->given_count + 1, sizeof *given);
    struct hs_buf buf = {0};
    hs_tlv_put_text(&buf, SUBSCRIPTION_HALL, own->node_id);
    struct hs_bytes value = hs_arena_copy(work->scratch, hs_buf_bytes(&buf));
    bool copied = given != NULL && buf.err == HS_OK && value.size == buf.size;
    hs_buf_fini(&buf);
    if (!copied)
        return HS_ENOMEM;
    size_t at = 0;
    while (at < item->given_count && item->given[at].number < SUBSCRIPTION_HALL)
        at++;
    if (at < item->given_count && item->given[at].number == SUBSCRIPTION_HALL)
        return HS_OK; /* it is to be cleared in what is not there yet */
    memcpy(given, item->given, at * sizeof *given);
    memcpy(given + at + 1, item->given + at, (item->given_count - at) * sizeof *given);
    given[at] = (struct hs_given){
        .number = SUBSCRIPTION_HALL, .value = value, .rule = hs_kind_rule(item->kind, SUBSCRIPTION_HALL)};
    with->given = given;
    with->given_count = item->given_count + 1;
    return HS_OK;
}

enum hs_err hs_subscription_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Subscription *given = (const Hallsync__Subscription *)item->parsed;
    struct hs_item with = *item;
    struct hs_target target;
    if (hs_register_repeated(work, item))
        return HS_OK;
    enum hs_err err = hs_register_find(work, item, &target);
    if (err == HS_OK && target.is_new)
        err = check_id(work, given);
    if (err == HS_OK && target.is_new && given->hall == NULL)
        err = check_duty(work, given);
    if (err == HS_OK && target.is_new && given->hall == NULL)
        err = add_hall(work, item, &with);
    return err == HS_OK ? hs_register_write(work, &with) : err;
}

/* ---- reminders ---- */

/* A bill that is not here yet is taken on trust. */
static enum hs_err check_bill(struct hs_work *work, const Hallsync__Reminder *reminder)
{
    struct hs_stored stored;
    struct hs_record bill;
    struct hs_bytes account = HS_BYTES(reminder->account, strlen(reminder->account));
    enum hs_err err = hs_look_find(&work->look, HS_KIND_BILL, HS_BYTES(reminder->bill_id, strlen(reminder->bill_id)),
                                   &stored);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    err = hs_record_decode(stored.state, work->scratch, &bill);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    const struct hs_field_state *field = hs_record_field(&bill, BILL_ACCOUNT);
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    if (shown == NULL || hs_bytes_equal(hs_tlv_bytes(shown->value, BILL_ACCOUNT), account))
        return HS_OK;
    return hs_refuse(&work->refusal, HS_EBILLACCOUNT, REMINDER_BILL, "bill_id: the bill %s is not of account %s",
                     reminder->bill_id, reminder->account);
}

enum hs_err hs_reminder_write(struct hs_work *work, const struct hs_item *item)
{
    enum hs_err err = check_bill(work, (const Hallsync__Reminder *)item->parsed);
    return err == HS_OK ? hs_fact_write(work, item) : err;
}
