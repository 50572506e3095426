#include "storage/model/notice.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

enum { NOTICE_DISTRICT = 2, NOTICE_STARTS = 5, NOTICE_ENDS = 6, NOTICE_ACCOUNTS = 8 };

const char *hs_notice_state_text(enum hs_notice_state state)
{
    static const char *const TEXTS[] = {"over", "active", "planned"};
    return TEXTS[state];
}

enum hs_notice_state hs_notice_at(struct hs_bytes message, uint64_t now_ms)
{
    if (hs_tlv_u64(message, NOTICE_ENDS, UINT64_MAX) <= now_ms)
        return HS_NOTICE_OVER;
    return hs_tlv_u64(message, NOTICE_STARTS, 0) <= now_ms ? HS_NOTICE_ACTIVE : HS_NOTICE_PLANNED;
}

/* ---- months ---- */

uint32_t hs_notice_month_after(uint32_t month)
{
    return month % 100 < 12 ? month + 1 : month + 100 - 11;
}

size_t hs_notice_months(struct hs_bytes message, uint32_t months[static HS_NOTICE_MONTHS_MAX])
{
    uint64_t starts_ms = hs_tlv_u64(message, NOTICE_STARTS, 0);
    uint64_t ends_ms = hs_tlv_u64(message, NOTICE_ENDS, UINT64_MAX);
    size_t count = 0;
    if (ends_ms <= starts_ms)
        return 0;
    uint32_t last = hs_date_of(ends_ms - 1, 0) / 100;
    for (uint32_t month = hs_date_of(starts_ms, 0) / 100; month <= last; month = hs_notice_month_after(month)) {
        if (count == HS_NOTICE_MONTHS_MAX || ends_ms == UINT64_MAX) {
            months[0] = HS_NOTICE_ALWAYS;
            return 1;
        }
        months[count++] = month;
    }
    return count;
}

void hs_notice_key(hs_partition partition, uint32_t month, char key[static HS_NOTICE_KEY_BYTES])
{
    char text[HS_PARTITION_TEXT_BYTES];
    hs_partition_text(partition, text);
    if (month == HS_NOTICE_ALWAYS)
        snprintf(key, HS_NOTICE_KEY_BYTES, "%s-always", text);
    else
        snprintf(key, HS_NOTICE_KEY_BYTES, "%s-%04u-%02u", text, (unsigned)(month / 100) % 10000,
                 (unsigned)(month % 100));
}

/* ---- whom it concerns ---- */

static bool begins_with(const char *account, struct hs_bytes beginning)
{
    return beginning.size > 0 && beginning.size <= HS_ACCOUNT_DIGITS &&
           memcmp(account, beginning.data, beginning.size) == 0;
}

/* What people write between the numbers: commas, the Chinese ones too, blanks and new lines. */
static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool names(struct hs_bytes accounts, const char *account)
{
    size_t at = 0;
    bool found = false;
    while (at < accounts.size && !found) {
        size_t from = at;
        while (at < accounts.size && is_digit(accounts.data[at]))
            at++;
        found = begins_with(account, HS_BYTES(accounts.data + from, at - from));
        at += at == from || at < accounts.size;
    }
    return found;
}

bool hs_notice_concerns(struct hs_bytes message, const char *account)
{
    struct hs_bytes district = hs_tlv_bytes(message, NOTICE_DISTRICT);
    struct hs_bytes accounts = hs_tlv_bytes(message, NOTICE_ACCOUNTS);
    if (district.size != 0 && (district.size != HS_DISTRICT_DIGITS || !begins_with(account, district)))
        return false;
    return accounts.size == 0 || names(accounts, account);
}
