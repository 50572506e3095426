/* log.h -- one line an event on standard error: time, level, module, event, key=value...  Only the daemon's rooms log;
 * lower ones return errors.  Lines carry names, numbers and reasons, never a record's content or a secret.  Under
 * systemd the time is left out and the level is the journal's "<N>" prefix.  Any thread. */
#ifndef HS_LOG_H
#define HS_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum hs_log_level { HS_LOG_ERROR, HS_LOG_WARN, HS_LOG_INFO, HS_LOG_DEBUG };

void hs_log_init(enum hs_log_level level);
void hs_log_set_level(enum hs_log_level level);
bool hs_log_level_parse(const char *text, enum hs_log_level *level); /* "error", "warn", "info", "debug" */

/* hs_log(HS_LOG_WARN, "link", "refused", "peer=%s reason=%s", ...): values with spaces are quoted by the caller
 * ("text=\"%s\""). Control characters in the line are replaced. */
void hs_log(enum hs_log_level level, const char *module, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
