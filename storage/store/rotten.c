/* rotten.c -- damage in words. */
#include "storage/store/inside.h"

#include "storage/model/kinds.h"

#include <inttypes.h>
#include <string.h>

#define FROM_LOG "made anew from the log, the whole of the records with it"
#define INSTEAD                                                                                                      \
    "not mended in its place: restore the node's last backup, or make it anew (hallsync node enroll --rebuild at a " \
    "hub); until then it goes on as far as it can"

static const struct {
    const char *name, *says, *remedy;
    bool by_hand;
} SORTS[HS_ROT_COUNT] = {
    [HS_ROT_OPS] =
        {"operations", "what is there is not what was signed",
         "had again from a node that holds them; a node's own that no other store has are issued anew from the records",
         false},
    [HS_ROT_CHECKPOINT] = {"signature", "the signature does not hold",
                           "signed anew by its writer, made good from the operations, or had again with them", false},
    [HS_ROT_ORIGIN] = {"origin", "a certificate or an opening does not hold", INSTEAD, true},
    [HS_ROT_RECEIPT] = {"receipt", "it does not hold",
                        "dropped, and had again from a node that has it; this node's own is signed anew", false},
    [HS_ROT_LOOSE] = {"loose-operations", "what is there is not what was signed", INSTEAD, true},
    [HS_ROT_BASE] = {"base-state", "it does not match its checksum",
                     "made anew from the record that it became, or where that is lost too, filled anew from a hub",
                     false},
    [HS_ROT_COMMITS] = {"commits", "what the commits list is not what is there", INSTEAD, true},
    [HS_ROT_TABLE] = {"pages", "pages cannot be read", INSTEAD, true},
    [HS_ROT_RECORD] = {"record", "it does not match its checksum", FROM_LOG, false},
    [HS_ROT_EFFECT] = {"lacks", "the log says more than the record", FROM_LOG, false},
    [HS_ROT_DERIVED] = {"derived", "what follows from the records does not fit them", FROM_LOG, false},
};

const char *hs_rot_text(enum hs_rot rot)
{
    return rot > 0 && rot < HS_ROT_COUNT ? SORTS[rot].name : "?";
}

/* Pages of the records are no more than the records. */
static bool is_of_records(const struct hs_rotten *rotten)
{
    return rotten->sort == HS_ROT_TABLE && rotten->text != NULL && strcmp(rotten->text, "records") == 0;
}

bool hs_rot_mends(const struct hs_rotten *rotten)
{
    return rotten->sort > 0 && rotten->sort < HS_ROT_COUNT && (is_of_records(rotten) || !SORTS[rotten->sort].by_hand);
}

const char *hs_rot_remedy(const struct hs_rotten *rotten)
{
    if (is_of_records(rotten))
        return FROM_LOG;
    return rotten->sort > 0 && rotten->sort < HS_ROT_COUNT ? SORTS[rotten->sort].remedy : INSTEAD;
}

static void put_receipt(const struct hs_rotten *rotten, struct hs_buf *text)
{
    char district[HS_PARTITION_TEXT_BYTES];
    const struct hs_stream *stream = &rotten->stream;
    hs_buf_put_format(text, "receipt of store %016" PRIx64 " for origin %016" PRIx64 ", district %s, lane %s",
                      rotten->store_id, stream->origin, hs_partition_text(stream->partition, district),
                      hs_lane_valid(stream->lane) ? hs_lane_text((enum hs_lane)stream->lane) : "?");
}

static void put_stream(const struct hs_rotten *rotten, struct hs_buf *text)
{
    char district[HS_PARTITION_TEXT_BYTES];
    const struct hs_stream *stream = &rotten->stream;
    bool many = rotten->last > rotten->first;
    hs_buf_put_format(text, "operation%s %" PRIu64, many ? "s" : "", rotten->first);
    if (many)
        hs_buf_put_format(text, " to %" PRIu64, rotten->last);
    hs_buf_put_format(text, " of %s, district %s, lane %s, origin %016" PRIx64,
                      rotten->node != NULL ? rotten->node : "an unknown node",
                      hs_partition_text(stream->partition, district),
                      hs_lane_valid(stream->lane) ? hs_lane_text((enum hs_lane)stream->lane) : "?", stream->origin);
}

/* Ids are text, or 16 bytes. */
static void put_id(struct hs_bytes id, struct hs_buf *text)
{
    bool printable = id.size > 0 && id.size != HS_ID_BYTES;
    for (size_t i = 0; i < id.size && printable; i++)
        printable = id.data[i] > ' ' && id.data[i] < 0x7f;
    for (size_t i = 0; i < id.size; i++)
        hs_buf_put_format(text, printable ? "%c" : "%02x", id.data[i]);
}

static void put_record(const struct hs_rotten *rotten, struct hs_buf *text)
{
    char district[HS_PARTITION_TEXT_BYTES];
    const struct hs_kind *kind = hs_kind_by_number(rotten->name.kind);
    if (kind != NULL)
        hs_buf_put_format(text, "%s ", kind->name);
    else
        hs_buf_put_format(text, "record of kind %u ", (unsigned)rotten->name.kind);
    put_id(rotten->name.id, text);
    hs_buf_put_format(text, " of district %s", hs_partition_text(rotten->name.partition, district));
}

void hs_rotten_text(const struct hs_rotten *rotten, struct hs_buf *text)
{
    switch (rotten->sort) {
    case HS_ROT_OPS:
    case HS_ROT_CHECKPOINT:
    case HS_ROT_LOOSE:
        put_stream(rotten, text);
        break;
    case HS_ROT_RECEIPT:
        put_receipt(rotten, text);
        break;
    case HS_ROT_BASE:
    case HS_ROT_RECORD:
    case HS_ROT_EFFECT:
        put_record(rotten, text);
        break;
    case HS_ROT_ORIGIN:
        hs_buf_put_format(text, "origin %016" PRIx64, rotten->stream.origin);
        break;
    default:
        hs_buf_put_format(text, "%s", hs_rot_text(rotten->sort));
    }
    if (rotten->sort == HS_ROT_EFFECT && rotten->first != 0) {
        hs_buf_put_format(text, " lacks what ");
        put_stream(rotten, text);
        hs_buf_put_format(text, " wrote");
        return;
    }
    hs_buf_put_format(text, ": %s", rotten->text != NULL ? rotten->text : SORTS[rotten->sort].says);
}
