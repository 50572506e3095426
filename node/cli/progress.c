#include "node/cli/progress.h"

#include "node/cli/forms.h"
#include "proto/base/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define AFTER_MS 2000 /* nothing is said of what is over by then */
#define DRAW_MS  250
#define WIDTH    80 /* of a terminal that does not say */

/* A step, kept. */
struct kept {
    char what[64], unit[24], note[96];
    struct cli_step step;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool open, terminal, threaded, ending;
    const char *command;
    uint64_t after_ms;
    uint64_t opened_ms, began_ms; /* the command; what is told of now */
    uint64_t due_ms;              /* when it is next drawn or written */
    uint64_t told_ms;             /* when it last was */
    unsigned calls;               /* under way */
    bool stepping;                /* a step is told of, else a call */
    struct kept now;
    struct cli_pace pace;
    bool drawn;  /* a bar stands on the terminal */
    bool midway; /* the terminal's last line was not ended by who wrote it */
} progress = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- on the terminal; all of these under the lock ---- */

static void write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written <= 0)
            return; /* nobody reads how far it is */
        text += written;
        size -= (size_t)written;
    }
}

/* Stopped and gone on with in the background the terminal is somebody else's, and what stands there, too. */
static bool has_terminal(void)
{
    pid_t front = tcgetpgrp(STDERR_FILENO);
    return front < 0 || front == getpgrp();
}

static void erase(void)
{
    static const char ERASE[] = "\r\033[K";
    if (progress.drawn && has_terminal())
        write_all(STDERR_FILENO, ERASE, sizeof ERASE - 1);
    progress.drawn = false;
}

static void draw(uint64_t now)
{
    struct winsize size;
    char text[CLI_PROGRESS_BYTES], line[CLI_PROGRESS_BYTES + 128];
    size_t width = WIDTH;
    if (progress.terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
    uint64_t ms = now - progress.began_ms;
    cli_progress_text(&progress.now.step, &progress.pace, ms, progress.terminal ? width : 0, text);
    if (progress.terminal && (progress.midway || !has_terminal()))
        return;
    if (progress.terminal)
        snprintf(line, sizeof line, "\r%s\033[K", text);
    else
        snprintf(line, sizeof line, "hallsync: %s: %s\n", progress.command, text);
    write_all(STDERR_FILENO, line, strlen(line));
    progress.drawn = progress.terminal;
}

static bool is_told(void)
{
    return progress.open && (progress.stepping || progress.calls > 0);
}

static void draw_if_due(uint64_t now)
{
    if (!is_told() || now < progress.due_ms)
        return;
    draw(now);
    progress.told_ms = now;
    progress.due_ms = progress.terminal ? now + DRAW_MS
                                        : progress.opened_ms + cli_progress_next_line(now - progress.opened_ms);
}

/* Something else is told of from now on: said at once if the command has lasted so long that anything is. */
static void begin(uint64_t now, uint64_t since_ms)
{
    uint64_t first = since_ms + progress.after_ms;
    if (!progress.terminal && first < progress.told_ms + progress.after_ms)
        first = progress.told_ms + progress.after_ms; /* no line for each of many short steps */
    progress.began_ms = now;
    progress.pace = (struct cli_pace){0};
    progress.due_ms = first > now ? first : now;
    if (progress.threaded)
        pthread_cond_signal(&progress.changed);
}

/* ---- the thread that draws while the command works or waits ---- */

static void *run(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&progress.lock);
    while (!progress.ending) {
        uint64_t now = hs_tick_ms();
        cli_pace_look(&progress.pace, progress.due_ms, now);
        draw_if_due(now);
        if (is_told()) {
            struct timespec until = hs_tick_in_ns((progress.due_ms > now ? progress.due_ms - now : 1) * 1000000);
            pthread_cond_timedwait(&progress.changed, &progress.lock, &until);
        } else {
            pthread_cond_wait(&progress.changed, &progress.lock);
        }
    }
    pthread_mutex_unlock(&progress.lock);
    return NULL;
}

/* Signals are the command's. */
static void start(void)
{
    sigset_t all, before;
    if (progress.threaded)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    progress.threaded = hs_thread_start(&progress.thread, "progress", run, NULL) == HS_OK;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- others who write on the terminal ---- */

static ssize_t write_through(void *cookie, const char *bytes, size_t size)
{
    int fd = cookie != NULL ? STDERR_FILENO : STDOUT_FILENO;
    pthread_mutex_lock(&progress.lock);
    erase();
    ssize_t written = size > 0 ? write(fd, bytes, size) : 0;
    if (written > 0)
        progress.midway = bytes[written - 1] != '\n';
    pthread_mutex_unlock(&progress.lock);
    return written > 0 ? written : 0; /* of a stream's writer; errno says why */
}

static void hook(FILE **stream, void *cookie, int buffering)
{
    FILE *through = fopencookie(cookie, "w", (cookie_io_functions_t){.write = write_through});
    if (through == NULL)
        return; /* the bar will stand in the way: no harm is done */
    setvbuf(through, NULL, buffering, 0);
    fflush(*stream);
    *stream = through;
}

static bool takes_bars(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) == 1 && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

/* ---- for commands ---- */

void cli_progress_open(const char *command)
{
    static char mark; /* a cookie that is not NULL */
    const char *wish = getenv("HALLSYNC_PROGRESS");
    uint64_t after_ms = AFTER_MS;
    if ((wish != NULL && strcmp(wish, "no") == 0) || hs_cond_init(&progress.changed) != HS_OK)
        return;
    if (wish != NULL && cli_duration_parse(wish, &after_ms) != HS_OK)
        after_ms = AFTER_MS;
    progress.command = command;
    progress.after_ms = after_ms;
    progress.terminal = takes_bars();
    progress.opened_ms = hs_tick_ms();
    progress.open = true;
    if (progress.terminal && isatty(STDOUT_FILENO) == 1)
        hook(&stdout, NULL, _IOLBF);
    if (progress.terminal)
        hook(&stderr, &mark, _IONBF);
}

void cli_progress_close(void)
{
    pthread_mutex_lock(&progress.lock);
    bool threaded = progress.threaded, open = progress.open;
    erase();
    progress.ending = true;
    progress.open = progress.stepping = false;
    if (threaded)
        pthread_cond_signal(&progress.changed);
    pthread_mutex_unlock(&progress.lock);
    if (threaded)
        pthread_join(progress.thread, NULL);
    if (open)
        pthread_cond_destroy(&progress.changed);
}

static void keep(const struct cli_step *step)
{
    struct kept *now = &progress.now;
    snprintf(now->what, sizeof now->what, "%s", step->what);
    snprintf(now->unit, sizeof now->unit, "%s", step->unit != NULL ? step->unit : "");
    snprintf(now->note, sizeof now->note, "%s", step->note != NULL ? step->note : "");
    now->step = *step;
    now->step.what = now->what;
    now->step.unit = step->unit != NULL ? now->unit : NULL;
    now->step.note = step->note != NULL ? now->note : NULL;
}

void cli_progress_step(const struct cli_step *step)
{
    pthread_mutex_lock(&progress.lock);
    if (progress.open) {
        uint64_t now = hs_tick_ms();
        bool other = !progress.stepping || strcmp(progress.now.what, step->what) != 0;
        keep(step);
        progress.stepping = true;
        start();
        if (other)
            begin(now, progress.opened_ms);
        cli_pace_look(&progress.pace, progress.due_ms, now);
        cli_pace_note(&progress.pace, step->done, now);
        if (progress.after_ms == 0) /* somebody wants to see each */
            progress.due_ms = now;
        draw_if_due(now);
    }
    pthread_mutex_unlock(&progress.lock);
}

void cli_progress_end(void)
{
    pthread_mutex_lock(&progress.lock);
    progress.stepping = false;
    erase();
    pthread_mutex_unlock(&progress.lock);
}

void cli_progress_call(bool begins)
{
    static const struct cli_step WAITING = {.what = "waiting for the node"};
    pthread_mutex_lock(&progress.lock);
    progress.calls += begins ? 1 : 0;
    progress.calls -= begins ? 0 : 1;
    if (progress.open && !progress.stepping && begins && progress.calls == 1) {
        uint64_t now = hs_tick_ms();
        keep(&WAITING);
        start();
        begin(now, now);
    } else if (progress.open && !progress.stepping && progress.calls == 0) {
        erase();
    }
    pthread_mutex_unlock(&progress.lock);
}
