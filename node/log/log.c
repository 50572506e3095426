#include "node/log/log.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048
#define FIELDS_MAX 16

static const char *const LEVELS[] = {"error", "warn", "info", "debug"};
static const int PRIORITIES[] = {3, 4, 6, 7}; /* sd-daemon(3) */
static const char *const FORMATS[] = {"auto", "text", "json", "journal"};

static const struct hs_log_row ROWS[] = {
#define X(name, module, event, level, fields, about) {module, event, HS_LOG_##level, fields, about},
    HS_LOG_EVENTS(X)
#undef X
};

static atomic_int threshold = HS_LOG_INFO;
static atomic_int written = HS_LOG_TEXT; /* as */
static atomic_bool prefixed;             /* text lines go to the journal */

const struct hs_log_row *hs_log_row(enum hs_log_event event)
{
    return &ROWS[event];
}

/* ---- how ---- */

/* Set is not enough: who has started us may have put another descriptor in its place. */
static bool is_journal(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    struct stat file;
    unsigned long long device, inode;
    char *end;
    if (text == NULL || fstat(STDERR_FILENO, &file) != 0)
        return false;
    device = strtoull(text, &end, 10);
    if (*end != ':')
        return false;
    inode = strtoull(end + 1, &end, 10);
    return *end == '\0' && device == file.st_dev && inode == file.st_ino;
}

void hs_log_init(enum hs_log_level level, enum hs_log_format format)
{
    bool is_ours = is_journal();
    bool can = access("/run/systemd/journal/socket", W_OK) == 0; /* else libsystemd says nothing, and nothing is said */
    if (format == HS_LOG_AUTO)
        format = is_ours ? HS_LOG_JOURNAL : HS_LOG_TEXT;
    if (format == HS_LOG_JOURNAL && !can)
        format = HS_LOG_TEXT;
    hs_log_set_level(level);
    atomic_store(&prefixed, is_ours);
    atomic_store(&written, (int)format);
}

void hs_log_set_level(enum hs_log_level level)
{
    atomic_store(&threshold, (int)level);
}

static bool parse(const char *text, const char *const *names, int count, int *number)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0) {
            *number = i;
            return true;
        }
    }
    return false;
}

bool hs_log_level_parse(const char *text, enum hs_log_level *level)
{
    int number = 0;
    bool is = parse(text, LEVELS, sizeof LEVELS / sizeof *LEVELS, &number);
    if (is)
        *level = (enum hs_log_level)number;
    return is;
}

bool hs_log_format_parse(const char *text, enum hs_log_format *format)
{
    int number = 0;
    bool is = parse(text, FORMATS, sizeof FORMATS / sizeof *FORMATS, &number);
    if (is)
        *format = (enum hs_log_format)number;
    return is;
}

const char *hs_log_level_text(enum hs_log_level level)
{
    return LEVELS[level];
}

/* ---- lines ---- */

static const char *put_time(char text[static 32])
{
    struct timespec now;
    struct tm utc;
    char when[24];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, 32, "%s.%03uZ", when, (unsigned)(now.tv_nsec / 1000000) % 1000);
    return text;
}

/* One write a line, so that lines of several threads do not mix; a log that cannot be written has nobody to tell. */
static void write_line(char *line, size_t size)
{
    line[size++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, size);
    (void)ignored;
}

static void write_text(const struct hs_detail *fields, size_t count)
{
    char line[LINE_BYTES], when[32];
    size_t size = atomic_load(&prefixed) ? (size_t)snprintf(line, sizeof line, "<%s>",
                                                            fields[0].of.text) /* the priority, before its name */
                                         : (size_t)snprintf(line, sizeof line, "%s ", put_time(when));
    size += hs_details_line(line + size, sizeof line - size, fields + 1, count - 1);
    write_line(line, size);
}

static void write_json(const struct hs_detail *fields, size_t count)
{
    char line[LINE_BYTES + 1], when[32];
    struct hs_detail all[FIELDS_MAX + 4];
    memcpy(all, fields, count * sizeof *fields);
    all[0] = HS_WORD("time", put_time(when));
    write_line(line, hs_details_json(line, LINE_BYTES, all, count));
}

/* ---- the journal ---- */

struct entry {
    struct iovec parts[FIELDS_MAX + 8];
    int count;
    char room[2 * LINE_BYTES];
    size_t used;
};

static void add_part(struct entry *entry, const char *prefix, const char *name, const char *value)
{
    char *at = entry->room + entry->used;
    size_t room = sizeof entry->room - entry->used;
    int size = snprintf(at, room, "%s%s=%s", prefix, name, value);
    if (size < 0 || (size_t)size >= room)
        return; /* it is in the message, as far as there is room for it */
    for (char *letter = at; *letter != '='; letter++)
        *letter = (char)toupper((unsigned char)*letter);
    entry->parts[entry->count++] = (struct iovec){.iov_base = at, .iov_len = (size_t)size};
    entry->used += (size_t)size + 1;
}

static bool write_journal(const struct hs_detail *fields, size_t count)
{
    struct entry entry = {.count = 0};
    char line[LINE_BYTES / 2], number[HS_DETAIL_TEXT_BYTES];
    hs_details_line(line, sizeof line, fields + 1, count - 1);
    add_part(&entry, "", "MESSAGE", line);
    add_part(&entry, "", "PRIORITY", fields[0].of.text);
    add_part(&entry, "", "SYSLOG_IDENTIFIER", program_invocation_short_name);
    for (size_t i = 1; i < count; i++) {
        if (hs_detail_is_there(&fields[i]))
            add_part(&entry, "HALLSYNC_", fields[i].name, hs_detail_text(&fields[i], number));
    }
    return sd_journal_sendv(entry.parts, entry.count) == 0;
}

/* ---- events ---- */

static bool is_declared(const struct hs_log_row *row, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = strstr(row->fields, name); at != NULL; at = strstr(at + 1, name)) {
        if ((at == row->fields || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    }
    return false;
}

void hs_log(enum hs_log_level level, enum hs_log_event event, const struct hs_detail *fields, size_t count)
{
    const struct hs_log_row *row = &ROWS[event];
    char priority[HS_DETAIL_TEXT_BYTES];
    struct hs_detail all[FIELDS_MAX + 4];
    if ((int)level > atomic_load(&threshold))
        return;
    assert(count <= FIELDS_MAX);
    snprintf(priority, sizeof priority, "%d", PRIORITIES[level]);
    all[0] = HS_WORD("priority", priority); /* JSON has the time in its place */
    all[1] = HS_WORD("level", LEVELS[level]);
    all[2] = HS_WORD("module", row->module);
    all[3] = HS_WORD("event", row->event);
    for (size_t i = 0; i < count; i++) {
        assert(is_declared(row, fields[i].name));
        all[i + 4] = fields[i];
    }
    int as = atomic_load(&written);
    if (as == HS_LOG_JSON)
        write_json(all, count + 4);
    else if (as != HS_LOG_JOURNAL || !write_journal(all, count + 4))
        write_text(all, count + 4);
}
