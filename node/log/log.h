/* log.h -- one line an event on standard error, or an entry with fields in systemd's journal.  Only the programs' rooms
 * log; lower ones return errors.  Events carry names, numbers and reasons, never a record's content or a secret.  Any
 * thread. */
#ifndef HS_LOG_H
#define HS_LOG_H

#include "node/log/events.h"
#include "node/log/details.h"

/* AUTO: JOURNAL where standard error is the journal's, by $JOURNAL_STREAM (systemd.exec(5)), TEXT elsewhere.
 * TEXT: time, level, module, event, key=value...; JSON: one object a line; JOURNAL: entries by sd_journal_send(3) with
 * the fields HALLSYNC_MODULE, HALLSYNC_EVENT and HALLSYNC_ before each name in capitals. */
enum hs_log_format { HS_LOG_AUTO, HS_LOG_TEXT, HS_LOG_JSON, HS_LOG_JOURNAL };

void hs_log_init(enum hs_log_level level, enum hs_log_format format);
void hs_log_set_level(enum hs_log_level level);
bool hs_log_level_parse(const char *text, enum hs_log_level *level);    /* "error", "warn", "info", "debug" */
bool hs_log_format_parse(const char *text, enum hs_log_format *format); /* "auto", "text", "json", "journal" */
const char *hs_log_level_text(enum hs_log_level level);

/* HS_LOG(FATAL, HS_WORD("reason", ...), HS_PROSE("text", ...)): the fields are those of the event's row. */
#define HS_LOG(event, ...) HS_LOG_AT(hs_log_row(HS_EV_##event)->level, HS_EV_##event, __VA_ARGS__)
#define HS_LOG_AT(level, event, ...)                                  \
    hs_log((level), (event), (const struct hs_detail[]){__VA_ARGS__}, \
           sizeof((const struct hs_detail[]){__VA_ARGS__}) / sizeof(struct hs_detail))
void hs_log(enum hs_log_level level, enum hs_log_event event, const struct hs_detail *fields, size_t count);

#endif
