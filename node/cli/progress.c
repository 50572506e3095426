#include "node/cli/progress.h"

#include "node/cli/forms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH  30
#define PROGRESS_S 10
#define REST_S_MAX 31536000 /* nobody waits longer */

void cli_progress_begin(struct cli_progress *progress)
{
    *progress = (struct cli_progress){.terminal = isatty(STDERR_FILENO) == 1, .told = time(NULL)};
}

static void draw(const struct cli_progress *progress, const char *what, uint64_t done, uint64_t total)
{
    static const char FULL[BAR_WIDTH + 1] = "##############################";
    double part = total == 0 ? 0 : done < total ? (double)done / (double)total : 1;
    fprintf(stderr, "\r[%-*.*s] %-10s %3d %% ", BAR_WIDTH, (int)(part * BAR_WIDTH), FULL, what, (int)(part * 100));
    (void)progress;
}

void cli_progress_tell(struct cli_progress *progress, const char *what, uint64_t done, uint64_t total)
{
    time_t now = time(NULL);
    bool other = strcmp(progress->what, what) != 0;
    snprintf(progress->what, sizeof progress->what, "%s", what);
    if (!other && now - progress->told < (progress->terminal ? 1 : PROGRESS_S))
        return;
    progress->told = now;
    if (progress->terminal) {
        draw(progress, what, done, total);
        progress->shown = true;
    } else if (!other && total != 0) {
        fprintf(stderr, "%s: %d %%\n", what, (int)((double)done * 100 / (double)total));
    } else {
        fprintf(stderr, "%s\n", what);
    }
}

void cli_progress_end(struct cli_progress *progress)
{
    if (progress->shown)
        fputs("\n", stderr);
    progress->shown = false;
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
