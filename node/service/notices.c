/* What a customer is to be told when he is looked up: notices of his district and of the region that are about his
 * account, those in force first.  Of a district that is not here only the region's are. */
#include "node/service/show.h"

#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/model/notice.h"

#include <string.h>

#define NOTICES_MAX    32 /* of one customer */
#define PLANNED_MONTHS 3  /* this one and so many less one behind it */

enum { NOTICE_TYPE = 3, NOTICE_TEXT = 4, NOTICE_STARTS = 5, NOTICE_ENDS = 6, NOTICE_AREAS = 7 };

struct notices {
    struct hs_show *show;
    const char *account;
    uint64_t now_ms;
    enum hs_notice_state take; /* what is wanted in this round */
    Hallsync__Record *record;
};

static char *text_of(struct hs_arena *arena, struct hs_bytes message, uint32_t field)
{
    struct hs_bytes text = hs_tlv_bytes(message, field);
    return text.size != 0 ? hs_arena_text(arena, text) : NULL;
}

static enum hs_err add(struct notices *notices, struct hs_bytes id, struct hs_bytes message)
{
    struct hs_arena *arena = notices->show->arena;
    Hallsync__Record *record = notices->record;
    struct hs_tlv time;
    if (record->notices == NULL)
        record->notices = hs_arena_array(arena, NOTICES_MAX, sizeof(Hallsync__NoticeShown *));
    Hallsync__NoticeShown *shown = hs_arena_alloc(arena, sizeof *shown);
    if (record->notices == NULL || shown == NULL)
        return HS_ENOMEM;
    hallsync__notice_shown__init(shown);
    shown->notice_id = hs_arena_text(arena, id);
    shown->state = (char *)(uintptr_t)hs_notice_state_text(notices->take); /* only read */
    shown->type = text_of(arena, message, NOTICE_TYPE);
    shown->text = text_of(arena, message, NOTICE_TEXT);
    shown->areas = text_of(arena, message, NOTICE_AREAS);
    shown->has_starts_ms = hs_tlv_find(message, NOTICE_STARTS, &time);
    shown->starts_ms = hs_tlv_u64(message, NOTICE_STARTS, 0);
    shown->has_ends_ms = hs_tlv_find(message, NOTICE_ENDS, &time);
    shown->ends_ms = hs_tlv_u64(message, NOTICE_ENDS, 0);
    record->notices[record->n_notices++] = shown;
    return shown->notice_id != NULL ? HS_OK : HS_ENOMEM;
}

static enum hs_err look_at(struct notices *notices, const struct hs_stored *stored)
{
    struct hs_record record;
    struct hs_buf shown = {0};
    enum hs_err err = hs_record_decode(stored->state, notices->show->arena, &record);
    if (err == HS_OK)
        err = hs_record_shown(&record, &shown);
    struct hs_bytes message = hs_buf_bytes(&shown);
    if (err == HS_OK && hs_notice_at(message, notices->now_ms) == notices->take &&
        hs_notice_concerns(message, notices->account))
        err = add(notices, stored->name.id, message);
    hs_buf_fini(&shown);
    return err == HS_EMALFORMED ? HS_EDAMAGED : err;
}

/* HS_EEXISTS: enough.  One of several months is met in each of them. */
static enum hs_err take_notice(void *ctx, const struct hs_stored *stored)
{
    struct notices *notices = ctx;
    const Hallsync__Record *record = notices->record;
    if (record->n_notices == NOTICES_MAX)
        return HS_EEXISTS;
    for (size_t i = 0; i < record->n_notices; i++) {
        const char *id = record->notices[i]->notice_id;
        if (hs_bytes_equal(stored->name.id, HS_BYTES(id, strlen(id))))
            return HS_OK;
    }
    return look_at(notices, stored);
}

static enum hs_err look_through(struct notices *notices, hs_partition partition, uint32_t month)
{
    const struct hs_index *index = hs_kind_index(hs_kind_by_number(HS_KIND_NOTICE), "month");
    char key[HS_NOTICE_KEY_BYTES];
    hs_notice_key(partition, month, key);
    return hs_view_index(notices->show->look.view, HS_KIND_NOTICE, index->number, HS_BYTES(key, strlen(key)),
                         HS_BYTES_NONE, take_notice, notices);
}

/* Those in force stand under this month. */
static enum hs_err take_all(struct notices *notices, enum hs_notice_state take, size_t months)
{
    const hs_partition partitions[] = {hs_account_partition(notices->account), HS_PARTITION_REGION};
    uint32_t month = hs_date_of(notices->now_ms, 0) / 100;
    enum hs_err err = HS_OK;
    notices->take = take;
    for (size_t i = 0; i < 2 && err == HS_OK; i++)
        err = look_through(notices, partitions[i], HS_NOTICE_ALWAYS);
    for (size_t i = 0; i < 2 * months && err == HS_OK; i++) {
        err = look_through(notices, partitions[i % 2], month);
        if (i % 2 == 1)
            month = hs_notice_month_after(month);
    }
    return err;
}

enum hs_err hs_notices_show(struct hs_show *show, const char *account, Hallsync__Record *record)
{
    struct notices notices = {.show = show, .account = account, .now_ms = hs_now_ms(), .record = record};
    enum hs_err err = take_all(&notices, HS_NOTICE_ACTIVE, 1);
    if (err == HS_OK)
        err = take_all(&notices, HS_NOTICE_PLANNED, PLANNED_MONTHS);
    return err == HS_EEXISTS ? HS_OK : err;
}
