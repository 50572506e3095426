#include "storage/model/reminder.h"

#include "proto/base/text.h"

#include <string.h>

static const char *const RESULTS[] = {"told", "absent", "wrong_number"};

bool hs_reminded_parse(struct hs_bytes text, enum hs_reminded *result)
{
    for (size_t i = 0; i < sizeof RESULTS / sizeof *RESULTS; i++) {
        if (hs_bytes_equal(text, HS_BYTES(RESULTS[i], strlen(RESULTS[i])))) {
            *result = (enum hs_reminded)i;
            return true;
        }
    }
    return false;
}

const char *hs_reminder_text(enum hs_reminder reminder)
{
    static const char *const TEXTS[] = {"not", "due", "again", "wrong_number"};
    return TEXTS[reminder];
}

/* ---- days ---- */

uint32_t hs_date_parse(struct hs_bytes text)
{
    uint32_t date = 0;
    if (text.size != 10)
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool dash = i == 4 || i == 7;
        if (dash ? c != '-' : c < '0' || c > '9')
            return 0;
        date = dash ? date : date * 10 + (uint32_t)(c - '0');
    }
    return hs_date_valid(date) ? date : 0;
}

static uint32_t day_before(uint32_t date)
{
    if (date % 100 > 1)
        return date - 1;
    uint32_t month = date / 100;
    uint32_t before = month % 100 > 1 ? month - 1 : month - 100 + 11;
    uint32_t last = before * 100 + 31;
    while (!hs_date_valid(last) && last % 100 > 28)
        last--;
    return last;
}

uint32_t hs_date_before(uint32_t date, uint32_t days)
{
    while (days-- > 0)
        date = day_before(date);
    return date;
}

/* ---- who is to be told ---- */

struct history {
    bool told, wrong, today, ever;
};

static void look_at(const struct hs_reminding *done, const struct hs_subscribed *subscribed, uint32_t today,
                    struct history *history)
{
    history->ever = true;
    history->told = history->told || done->result == HS_REMINDED_TOLD;
    if (done->result == HS_REMINDED_WRONG_NUMBER && done->stamp >= subscribed->contact_stamp)
        history->wrong = true;
    if (done->result == HS_REMINDED_ABSENT && done->date >= today)
        history->today = true;
}

enum hs_reminder hs_reminder_of(const struct hs_subscribed *subscribed, const struct hs_owed *owed,
                                const struct hs_reminding *done, size_t count, uint32_t today)
{
    struct history history = {0};
    if (!subscribed->active || owed->due_fen <= 0 || owed->due_date == 0 ||
        today < hs_date_before(owed->due_date, subscribed->days_before))
        return HS_REMINDER_NOT;
    for (size_t i = 0; i < count; i++) {
        if (hs_bytes_equal(done[i].bill_id, owed->bill_id) && hs_bytes_equal(done[i].channel, subscribed->channel))
            look_at(&done[i], subscribed, today, &history);
    }
    if (history.told || (history.today && !history.wrong))
        return HS_REMINDER_NOT;
    if (history.wrong)
        return HS_REMINDER_WRONG;
    return history.ever ? HS_REMINDER_AGAIN : HS_REMINDER_DUE;
}
