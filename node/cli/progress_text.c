/* The pure part of progress: pace, time left, and how it reads. */
#include "node/cli/forms.h"
#include "node/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAR_WIDTH  20
#define BAR_ROOM   60       /* columns that a bar needs beside what it is about */
#define SAMPLE_MS  500      /* less tells nothing of the pace */
#define MEMORY_MS  8000     /* what was before counts little */
#define STOPPED_MS 2000     /* nothing else delays a look so long */
#define REST_S_MAX 31536000 /* nobody waits longer */

/* ---- pace ---- */

void cli_pace_note(struct cli_pace *pace, uint64_t done, uint64_t ms)
{
    if (!pace->begun || done < pace->done) {
        *pace = (struct cli_pace){.begun = true, .done = done, .ms = ms};
        return;
    }
    if (ms < pace->ms + SAMPLE_MS)
        return;
    double passed = (double)(ms - pace->ms);
    double now = (double)(done - pace->done) * 1000 / passed;
    pace->per_s = pace->known ? pace->per_s + (now - pace->per_s) * passed / (passed + MEMORY_MS) : now;
    pace->known = true;
    pace->done = done;
    pace->ms = ms;
}

void cli_pace_look(struct cli_pace *pace, uint64_t due_ms, uint64_t ms)
{
    if (ms > due_ms + STOPPED_MS)
        *pace = (struct cli_pace){0};
}

bool cli_pace_left(const struct cli_pace *pace, uint64_t done, uint64_t total, uint64_t *seconds)
{
    if (!pace->known || pace->per_s <= 0 || done >= total)
        return false;
    double rest = (double)(total - done) / pace->per_s;
    *seconds = rest < REST_S_MAX ? (uint64_t)rest + 1 : REST_S_MAX;
    return true;
}

uint64_t cli_progress_next_line(uint64_t ms)
{
    static const uint64_t AT_MS[] = {10000, 20000, 40000};
    for (size_t i = 0; i < sizeof AT_MS / sizeof *AT_MS; i++) {
        if (ms < AT_MS[i])
            return AT_MS[i];
    }
    return ms + 60000;
}

/* ---- text ---- */

static void put(char text[static CLI_PROGRESS_BYTES], const char *before, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, CLI_PROGRESS_BYTES - used, "%s%s", before, more);
}

static void put_counts(const struct cli_step *step, const struct cli_pace *pace, char text[static CLI_PROGRESS_BYTES])
{
    char one[64], number[CLI_BYTES_BYTES];
    bool bytes = step->unit != NULL && strcmp(step->unit, CLI_BYTES) == 0;
    if (bytes)
        snprintf(one, sizeof one, "%s", cli_bytes_text(step->done, number));
    else if (step->unit != NULL)
        snprintf(one, sizeof one, "%" PRIu64 " %s", step->done, step->unit);
    if (step->unit != NULL)
        put(text, ", ", one);
    if (step->unit != NULL && pace->known && pace->per_s >= 0.5) {
        if (bytes)
            snprintf(one, sizeof one, "%s/s", cli_bytes_text((uint64_t)pace->per_s, number));
        else
            snprintf(one, sizeof one, "%.0f/s", pace->per_s);
        put(text, ", ", one);
    }
    if (step->note != NULL)
        put(text, ", ", step->note);
}

/* How much longer; or, where nobody knows, how long it has been. */
static void put_time(const struct cli_step *step, const struct cli_pace *pace, uint64_t ms,
                     char text[static CLI_PROGRESS_BYTES])
{
    char age[CLI_AGE_BYTES], one[64];
    uint64_t seconds;
    if (step->total != 0 && cli_pace_left(pace, step->done, step->total, &seconds))
        snprintf(one, sizeof one, "%s left", cli_age_text(seconds, age));
    else
        snprintf(one, sizeof one, "for %s", cli_age_text(ms / 1000, age));
    put(text, ", ", one);
    if (step->limit_ms == 0)
        return;
    snprintf(one, sizeof one, " of at most %s", cli_age_text(step->limit_ms / 1000, age));
    put(text, "", one);
}

static unsigned percent_of(const struct cli_step *step)
{
    double part = (double)step->done / (double)step->total;
    return part < 1 ? (unsigned)(part * 100) : 100;
}

const char *cli_progress_text(const struct cli_step *step, const struct cli_pace *pace, uint64_t ms, size_t width,
                              char text[static CLI_PROGRESS_BYTES])
{
    static const char FULL[BAR_WIDTH + 1] = "####################";
    bool bar = step->total != 0 && width >= BAR_ROOM;
    size_t fit;
    text[0] = '\0';
    if (bar)
        snprintf(text, CLI_PROGRESS_BYTES, "[%-*.*s] %3u %%  %s", BAR_WIDTH, (int)(percent_of(step) * BAR_WIDTH / 100),
                 FULL, percent_of(step), step->what);
    else if (step->total != 0)
        snprintf(text, CLI_PROGRESS_BYTES, "%s: %u %%", step->what, percent_of(step));
    else
        snprintf(text, CLI_PROGRESS_BYTES, "%s", step->what);
    put_counts(step, pace, text);
    put_time(step, pace, ms, text);
    if (width != 0)
        text[cli_fit(text, width - 1, &fit)] = '\0'; /* the last column stays free: nothing is wrapped */
    return text;
}

const char *cli_rate_text(const struct cli_rate *rate, char text[static CLI_RATE_BYTES])
{
    char left[CLI_AGE_BYTES];
    double seconds = (double)rate->ms / 1000;
    double per_second = rate->ms > 0 ? (double)rate->rows / seconds : 0;
    size_t used = (size_t)snprintf(text, CLI_RATE_BYTES, "%" PRIu64 " rows, %.0f/s", rate->rows, per_second);
    if (rate->bytes == 0 || rate->bytes >= rate->bytes_all || rate->ms < 1000)
        return text;
    double rest = seconds * (double)(rate->bytes_all - rate->bytes) / (double)rate->bytes;
    snprintf(text + used, CLI_RATE_BYTES - used, ", %s left",
             cli_age_text(rest < REST_S_MAX ? (uint64_t)rest + 1 : REST_S_MAX, left));
    return text;
}
