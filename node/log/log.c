#include "node/log/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1024

static const char *const NAMES[] = {"error", "warn", "info", "debug"};
static const int JOURNAL[] = {3, 4, 6, 7}; /* sd-daemon(3) */

static atomic_int threshold = HS_LOG_INFO;
static atomic_bool journal;

void hs_log_init(enum hs_log_level level)
{
    hs_log_set_level(level);
    atomic_store(&journal, getenv("JOURNAL_STREAM") != NULL);
}

void hs_log_set_level(enum hs_log_level level)
{
    atomic_store(&threshold, (int)level);
}

bool hs_log_level_parse(const char *text, enum hs_log_level *level)
{
    for (unsigned i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (strcmp(NAMES[i], text) == 0) {
            *level = (enum hs_log_level)i;
            return true;
        }
    }
    return false;
}

static size_t put_head(char *line, size_t room, enum hs_log_level level, const char *module, const char *event)
{
    int used;
    if (atomic_load(&journal)) {
        used = snprintf(line, room, "<%d>level=%s module=%s event=%s", JOURNAL[level], NAMES[level], module, event);
    } else {
        struct timespec now;
        struct tm utc;
        char when[32];
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &utc);
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
        used = snprintf(line, room, "%s.%03ldZ level=%s module=%s event=%s", when, now.tv_nsec / 1000000, NAMES[level],
                        module, event);
    }
    return used < 0 ? 0 : (size_t)used < room ? (size_t)used : room - 1;
}

void hs_log(enum hs_log_level level, const char *module, const char *event, const char *format, ...)
{
    if ((int)level > atomic_load(&threshold))
        return;
    char line[LINE_BYTES];
    size_t size = put_head(line, sizeof line - 1, level, module, event);
    if (format[0] != '\0') {
        va_list args;
        line[size++] = ' ';
        va_start(args, format);
        int more = vsnprintf(line + size, sizeof line - 1 - size, format, args);
        va_end(args);
        if (more > 0)
            size += (size_t)more < sizeof line - 1 - size ? (size_t)more : sizeof line - 2 - size;
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    }
    line[size++] = '\n';
    /* One write a line, so that lines of several threads do not mix; a log that cannot be written has nobody to tell.
     */
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written;
}
