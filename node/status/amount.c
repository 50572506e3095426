#include "node/status/amount.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

const char *hs_size_text(uint64_t bytes, char text[static HS_AMOUNT_TEXT_BYTES])
{
    static const char *const UNITS[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    uint64_t unit = 1000;
    size_t i = 0;
    if (bytes < unit) {
        snprintf(text, HS_AMOUNT_TEXT_BYTES, "%" PRIu64 " B", bytes);
        return text;
    }
    for (; i + 1 < sizeof UNITS / sizeof *UNITS && bytes / unit >= 1000; i++)
        unit *= 1000;
    unsigned tenths = (unsigned)(bytes / (unit / 10)); /* at most 9999, of exabytes 184 */
    snprintf(text, HS_AMOUNT_TEXT_BYTES, "%u.%u %s", tenths / 10, tenths % 10, UNITS[i]);
    return text;
}

const char *hs_span_text(uint64_t seconds, enum hs_language language, char text[static HS_AMOUNT_TEXT_BYTES])
{
    static const struct {
        uint64_t below, unit; /* seconds */
        const char *en, *zh;
    } UNITS[] = {{90, 1, " s", "秒"},
                 {(uint64_t)90 * 60, 60, " min", "分钟"},
                 {(uint64_t)48 * 3600, 3600, " h", "小时"},
                 {UINT64_MAX, 86400, " d", "天"}};
    size_t i = 0;
    while (seconds >= UNITS[i].below && i + 1 < sizeof UNITS / sizeof *UNITS)
        i++;
    snprintf(text, HS_AMOUNT_TEXT_BYTES, "%" PRIu64 "%s", seconds / UNITS[i].unit,
             language == HS_CHINESE ? UNITS[i].zh : UNITS[i].en);
    return text;
}
