/* Money over the counter: the fact that the client makes, and the entry that this node makes in its cash book, which
 * carries the number on the customer's slip.  The entry is a fact of its own, because the number is the node's: a
 * payment sent again after the answer was lost is the same payment, whatever number it would get now. */
#include "node/service/put.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <assert.h>
#include <string.h>

enum { ENTRY_NUMBER = 1, ENTRY_TIME, ENTRY_AMOUNT, ENTRY_FACT_KIND, ENTRY_FACT_ID, ENTRY_FACT_PARTITION, ENTRY_METHOD };

static void put_entry(const struct hs_work *work, const struct hs_item *item, const struct hs_money *money,
                      struct hs_buf *to)
{
    hs_tlv_put_text(to, ENTRY_NUMBER, work->out.receipt);
    hs_tlv_put_u64(to, ENTRY_TIME, work->now_ms);
    hs_tlv_put_s64(to, ENTRY_AMOUNT, money->amount_fen);
    hs_tlv_put_u64(to, ENTRY_FACT_KIND, item->kind->number);
    hs_tlv_put_bytes(to, ENTRY_FACT_ID, item->id);
    hs_tlv_put_u64(to, ENTRY_FACT_PARTITION, money->partition);
    if (money->method.size != 0)
        hs_tlv_put_bytes(to, ENTRY_METHOD, money->method);
}

static enum hs_err write_ops(struct hs_store *store, struct hs_draft *drafts, size_t count)
{
    struct hs_dot dot;
    hs_stamp stamp;
    enum hs_err err = hs_store_write(store, &drafts[0], &dot, &stamp);
    for (size_t i = 1; i < count && err == HS_OK; i++) {
        err = hs_store_write(store, &drafts[i], &dot, &stamp);
        /* Half of it is written: a refusal now would leave a fact without its entry.  Both fit, or neither was begun.
         */
        assert(err != HS_ETOOBIG);
        assert(err != HS_EINVAL);
    }
    return err;
}

/* In the node's home district both are one op; else they are two of the same commit. */
static enum hs_err write_both(struct hs_work *work, const struct hs_item *item, const struct hs_money *money)
{
    hs_partition home = hs_store_certificate(work->store)->home;
    struct hs_bytes number = HS_BYTES(work->out.receipt, strlen(work->out.receipt));
    struct hs_write writes[] = {
        {.kind = item->kind->number, .id = item->id, .is_fact = true, .fact = money->fact},
        {.kind = HS_KIND_CASH_ENTRY, .id = number, .is_fact = true, .fact = hs_buf_bytes(work->bytes)},
    };
    struct hs_draft together[] = {{.partition = home, .lane = HS_LANE_MONEY, .writes = writes, .write_count = 2}};
    struct hs_draft apart[] = {
        {.partition = money->partition, .lane = HS_LANE_MONEY, .writes = &writes[0], .write_count = 1},
        {.partition = home, .lane = HS_LANE_MONEY, .writes = &writes[1], .write_count = 1},
    };
    return money->partition == home ? write_ops(work->store, together, 1) : write_ops(work->store, apart, 2);
}

/* Sent again after the district has left this node's scope: the fact went with it, its slip lies in the home district
 * and is here.  Whether the fact is elsewhere nobody knows for certain: it is written again, which counts once, under
 * the number that was printed. */
static enum hs_err write_again(struct hs_work *work, const struct hs_item *item, const struct hs_money *money)
{
    struct hs_write write = {.kind = item->kind->number, .id = item->id, .is_fact = true, .fact = money->fact};
    struct hs_draft draft = {.partition = money->partition, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1};
    work->out.result = HALLSYNC__RESULT__RESULT_EXISTS;
    work->out.safe = hs_safety_here(work->desk);
    return write_ops(work->store, &draft, 1);
}

static enum hs_err write_new(struct hs_work *work, const struct hs_item *item, const struct hs_money *money)
{
    uint32_t date = hs_date_of(work->now_ms, work->desk->options.utc_offset_minutes);
    enum hs_err err = hs_store_number(work->store, date, money->window, work->out.receipt);
    if (err != HS_OK)
        return err;
    if (strlen(work->out.receipt) > HS_RECORD_ID_BYTES_MAX)
        return hs_refuse(&work->refusal, HS_EOVERFLOW, 0, "window: %u makes a receipt number that is too long",
                         (unsigned)money->window);
    put_entry(work, item, money, work->bytes);
    if (work->bytes->err != HS_OK)
        return work->bytes->err;
    err = write_both(work, item, money);
    work->out.result = HALLSYNC__RESULT__RESULT_CREATED;
    work->out.safe = hs_safety_here(work->desk);
    return err;
}

enum hs_err hs_cash_write(struct hs_work *work, const struct hs_item *item, const struct hs_money *money)
{
    enum hs_err err = HS_ENOTFOUND;
    if (!hs_whole(work->desk, work->view, money->partition))
        err = hs_fact_slip(work, item, money->amount_fen);
    if (err == HS_OK)
        return write_again(work, item, money);
    return err == HS_ENOTFOUND ? write_new(work, item, money) : err;
}
