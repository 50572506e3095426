/* number.c -- numbers of receipts and vouchers: unique without a link, after any fault; gap-free within a series. */
#include "storage/books.h"
#include "storage/store/inside.h"

#include "proto/base/text.h"
#include "storage/model/kinds.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SERIES_CHARS  6
#define SERIES_DOMAIN "hallsync series 1"

/* RFC 4648 base32 of the first 30 bits. */
static void base32(const struct hs_hash *hash, char text[static SERIES_CHARS + 1])
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = hs_from_be32(hash->bytes);
    for (int i = 0; i < SERIES_CHARS; i++)
        text[i] = DIGITS[bits >> (27 - 5 * i) & 31];
    text[SERIES_CHARS] = '\0';
}

/* The series in front of a number: node, date, window and six characters that follow from the origin. */
struct series {
    uint64_t origin;
    uint32_t date;
    uint32_t window;
    uint32_t attempt;
    char text[HS_NUMBER_BYTES_MAX];
};

static void draw(struct series *series, const char *node_id)
{
    uint8_t raw[8 + 4 + 4 + 4];
    char letters[SERIES_CHARS + 1];
    hs_be64(raw, series->origin);
    hs_be32(raw + 8, series->date);
    hs_be32(raw + 12, series->window);
    hs_be32(raw + 16, series->attempt);
    struct hs_hash hash = hs_hash_domain(SERIES_DOMAIN, HS_BYTES(raw, sizeof raw));
    base32(&hash, letters);
    snprintf(series->text, sizeof series->text, "%s-%08u-%02u-%s", node_id, series->date, series->window, letters);
}

/* Is it this origin's?  A series of another life of this node, known by its row or by its numbers, is left alone; and
 * so is one of which numbers may have rotted. */
static enum hs_err claim(struct hs_store *store, const struct series *series, uint64_t *counter, bool *ours)
{
    struct hs_log_reader reader = hs_log_reader_of(store->log);
    uint64_t owner = 0;
    enum hs_err err = hs_log_find_series(reader.txn, series->text, &owner);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    struct hs_txn *records = hs_records_txn(store->records);
    *counter = hs_records_counter(records, series->text);
    if (records->err != HS_OK)
        return records->err;
    *ours = err == HS_OK ? owner == series->origin : *counter == 0;
    return err == HS_ENOTFOUND && *ours ? hs_log_put_series(store->log, series->text, series->origin) : HS_OK;
}

/* The next number of the series.  One under which a stranger has put an entry would have two contents, of which only
 * one counts: @ours is then false as well. */
static enum hs_err next(struct hs_store *store, const struct series *series, uint64_t counter,
                        char number[static HS_NUMBER_BYTES_MAX], bool *ours)
{
    struct hs_stored taken;
    int size = snprintf(number, HS_NUMBER_BYTES_MAX, "%s-%06llu", series->text, (unsigned long long)counter + 1);
    if (size > HS_RECORD_ID_BYTES_MAX)
        return HS_EOVERFLOW;
    struct hs_record_name name = {hs_log_certificate(store->log)->home, HS_LANE_MONEY, HS_KIND_CASH_ENTRY,
                                  HS_BYTES(number, (size_t)size)};
    enum hs_err err = hs_records_get(hs_records_txn(store->records), &name, &taken);
    *ours = err == HS_ENOTFOUND;
    return err == HS_ENOTFOUND ? HS_OK : err;
}

enum hs_err hs_store_number(struct hs_store *store, uint32_t date, uint32_t window,
                            char number[static HS_NUMBER_BYTES_MAX])
{
    assert(store->in_group);
    const struct hs_certificate *own = hs_log_certificate(store->log);
    struct hs_hall_day today = {.home = own->home, .node = own->node_id, .date = date};
    struct series series = {.window = window};
    uint64_t counter = 0;
    bool ours = false;
    if (!hs_date_valid(date))
        return HS_EINVAL;
    bool found = store->found_count > 0 && !store->group_notes;
    enum hs_err err = found ? store_note_found(store) : HS_OK; /* which may close series */
    if (err == HS_OK)
        err = hs_books_day(hs_store_view(store), &today, window, &series.date);
    if (err == HS_OK)
        err = hs_log_origin(store->log, &series.origin);
    for (; err == HS_OK && !ours; series.attempt++) {
        draw(&series, own->node_id);
        err = claim(store, &series, &counter, &ours);
        if (err == HS_OK && ours)
            err = next(store, &series, counter, number, &ours);
    }
    return err;
}
