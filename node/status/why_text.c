/* Evidence as a sentence: the places of a row filled in. */
#include "node/status/why.h"

#include "proto/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_time(int64_t ms, int utc_offset_minutes, struct hs_buf *to)
{
    char text[HS_TIME_TEXT_BYTES];
    hs_time_text(ms < 0 ? 0 : (uint64_t)ms, utc_offset_minutes, text);
    hs_buf_put_format(to, "%.10s %.5s", text, text + 11);
}

static void put_place(const char *place, const struct hs_evidence *evidence, enum hs_language language,
                      int utc_offset_minutes, struct hs_buf *to)
{
    if (place[0] == 's') {
        hs_buf_put_format(to, "%s", evidence->text != NULL ? evidence->text : "");
        return;
    }
    char text[HS_AMOUNT_TEXT_BYTES];
    int64_t number = evidence->numbers[place[0] - '0'];
    if (strncmp(place + 1, ":time", 5) == 0)
        put_time(number, utc_offset_minutes, to);
    else if (strncmp(place + 1, ":span", 5) == 0)
        hs_buf_put_format(to, "%s", hs_span_text(number < 0 ? 0 : (uint64_t)number, language, text));
    else if (strncmp(place + 1, ":bytes", 6) == 0)
        hs_buf_put_format(to, "%s", hs_size_text(number < 0 ? 0 : (uint64_t)number, text));
    else
        hs_buf_put_format(to, "%" PRId64, number);
}

void hs_evidence_put(const struct hs_evidence *evidence, enum hs_language language, int utc_offset_minutes,
                     struct hs_buf *to)
{
    const struct hs_evidence_row *row = hs_evidence_row(evidence->id);
    const char *at = language == HS_CHINESE ? row->zh : row->en, *place;
    while ((place = strchr(at, '{')) != NULL) {
        hs_buf_put(to, at, (size_t)(place - at));
        put_place(place + 1, evidence, language, utc_offset_minutes, to);
        at = strchr(place, '}') + 1;
    }
    hs_buf_put_format(to, "%s", at);
}
