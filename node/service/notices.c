/* What a customer is to be told when he is looked up: notices of his district and of the region that are about his
 * account, those in force first.  Of a district that is not here only the region's are. */
#include "node/service/show.h"

#include "proto/base/thread.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/model/notice.h"

#define NOTICES_MAX 32 /* of one customer */

enum { NOTICE_TYPE = 3, NOTICE_TEXT = 4, NOTICE_STARTS = 5, NOTICE_ENDS = 6, NOTICE_AREAS = 7 };

struct notices {
    struct hs_show *show;
    const char *account;
    uint64_t now_ms;
    hs_partition partition;    /* that is being looked through */
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

/* HS_EEXISTS: enough. */
static enum hs_err take_notice(void *ctx, const struct hs_stored *stored)
{
    struct notices *notices = ctx;
    struct hs_view *view = notices->show->look.view;
    if (stored->name.partition != notices->partition || notices->record->n_notices == NOTICES_MAX)
        return HS_EEXISTS;
    if (hs_view_listed(view, HS_LIST_PARKED, &stored->name))
        return HS_OK;
    return look_at(notices, stored);
}

static enum hs_err look_through(struct notices *notices, hs_partition partition, enum hs_notice_state take)
{
    static const uint8_t FIRST[1] = {0}; /* before every id that is a text */
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_record_name before = {
        .partition = partition, .lane = HS_LANE_WORK, .kind = HS_KIND_NOTICE, .id = HS_BYTES(FIRST, sizeof FIRST)};
    notices->partition = partition;
    notices->take = take;
    size_t size = hs_record_key(&before, key);
    enum hs_err err = hs_view_all(notices->show->look.view, HS_KIND_NOTICE, HS_BYTES(key, size), take_notice, notices);
    return err == HS_EEXISTS ? HS_OK : err;
}

enum hs_err hs_notices_show(struct hs_show *show, const char *account, Hallsync__Record *record)
{
    struct notices notices = {.show = show, .account = account, .now_ms = hs_now_ms(), .record = record};
    const hs_partition partitions[] = {hs_account_partition(account), HS_PARTITION_REGION};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < 2 && err == HS_OK; i++)
        err = look_through(&notices, partitions[i], HS_NOTICE_ACTIVE);
    for (size_t i = 0; i < 2 && err == HS_OK; i++)
        err = look_through(&notices, partitions[i], HS_NOTICE_PLANNED);
    return err;
}
