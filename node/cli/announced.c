/* What nodes have announced and nobody who is here has: named, and never glossed over. */
#include "node/cli/announced.h"

#include "node/cli/forms.h"
#include "node/cli/table.h"
#include "proto/base/names.h"

#include <inttypes.h>

#define INDENT 12

static void put_streams(const Hallsync__AnnouncedStatus *row, struct hs_buf *text, size_t most)
{
    char district[HS_PARTITION_TEXT_BYTES];
    for (size_t i = 0; i < row->n_streams && i < most; i++) {
        const Hallsync__AnnouncedStream *stream = row->streams[i];
        hs_buf_put_format(text, "%s%s %s ", i == 0 ? "" : ", ",
                          hs_partition_text((hs_partition)stream->partition, district), stream->lane);
        if (stream->last > stream->behind + 1)
            hs_buf_put_format(text, "%" PRIu64 "-", stream->behind + 1);
        hs_buf_put_format(text, "%" PRIu64 " of %s", stream->last, stream->origin);
    }
    if (row->n_streams > most)
        hs_buf_put_format(text, " and of %zu more", row->n_streams - most);
}

void cli_put_announced(const Hallsync__AnnouncedStatus *row, struct hs_buf *text, size_t most)
{
    char sum[CLI_MONEY_BYTES];
    hs_buf_put_format(text, "%s announced %" PRIu64 " operation%s", row->node_id, row->operations,
                      row->operations == 1 ? "" : "s");
    if (row->has_payments && row->has_fen)
        hs_buf_put_format(text, " (%" PRIu64 " payment%s, %s)", row->payments, row->payments == 1 ? "" : "s",
                          cli_money_text(row->fen, sum));
    else if (row->money != 0)
        hs_buf_put_format(text, " (%" PRIu64 " of money)", row->money);
    hs_buf_put_format(text, "%s: ", row->has_live && row->live ? " that are still to come" : " that nobody here has");
    put_streams(row, text, most);
}

void cli_show_announced(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    for (size_t i = 0; i < status->n_announced; i++) {
        const Hallsync__AnnouncedStatus *row = status->announced[i];
        cli_put_announced(row, text, 3);
        hs_buf_put_u8(text, 0);
        cli_line(row->has_live && row->live ? "to come" : "NOT HERE",
                 text->err == HS_OK ? (const char *)text->data : "?", INDENT);
        hs_buf_reset(text);
    }
    if (status->rebuild == NULL)
        return;
    hs_buf_put_format(text,
                      "region rebuilt %" PRIu32 " %%: %" PRIu64 " of %" PRIu64
                      " operations and records that those who are connected have",
                      status->rebuild->percent, status->rebuild->held, status->rebuild->named);
    hs_buf_put_u8(text, 0);
    cli_line("rebuilt", text->err == HS_OK ? (const char *)text->data : "?", INDENT);
    hs_buf_reset(text);
}
