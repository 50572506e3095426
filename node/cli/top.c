/* top: who is behind, and why, on a terminal, live. */
#include "node/cli/forms.h"
#include "node/cli/top_fetch.h"
#include "node/cli/top_screen.h"
#include "node/cli/top_view.h"
#include "proto/base/thread.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define INTERVAL_MS     2000
#define INTERVAL_MS_MIN 500
#define TURN_MS         1000 /* ages grow */
#define SIGNALLED       128  /* exit status of who was ended by a signal: this and its number */

struct top {
    struct cli *cli;
    struct top_model model;
    struct top_view view;
    struct top_frame frame;
    struct top_look look;
    struct top_fetch *fetch;
    int signals; /* signalfd */
    sigset_t before;
    int signal; /* that ended it; 0 */
    bool whole; /* the terminal may show something else than was drawn */
};

/* ---- what comes ---- */

static void take_answer(struct top *top)
{
    Hallsync__Reply *reply = NULL;
    char text[TOP_FETCH_TEXT_BYTES];
    if (!top_fetch_take(top->fetch, &reply, text))
        return;
    if (reply == NULL)
        top_model_miss(&top->model, text);
    else if (top_model_take(&top->model, reply, hs_now_ms(), hs_tick_ms()) != HS_OK)
        top_model_miss(&top->model, hs_err_text(HS_ENOMEM));
    top_view_follow(&top->view, &top->model);
}

static void take_keys(struct top *top)
{
    uint32_t key;
    while (top_screen_key(&key)) {
        top->whole = top->whole || key == TOP_KEY_REDRAW;
        top_view_key(&top->view, &top->model, key);
    }
}

/* A changed size is seen when the next frame is drawn. */
static void take_signals(struct top *top)
{
    struct signalfd_siginfo info;
    while (read(top->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCONT)
            top->whole = true;
        else if (info.ssi_signo != SIGWINCH)
            top->signal = (int)info.ssi_signo;
    }
}

static void draw(struct top *top)
{
    size_t width, height;
    top_screen_size(&width, &height);
    top->look.now_ms = hs_now_ms();
    if (!top_frame_begin(&top->frame, width, height, top_screen_utf8()))
        return;
    top_draw(&top->view, &top->model, &top->look, &top->frame);
    top_screen_show(&top->frame, top->whole);
    top->whole = false;
}

/* Until somebody ends it, or the terminal is gone. */
static enum hs_err watch(struct top *top)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = top_fetch_fd(top->fetch), .events = POLLIN},
                           {.fd = top->signals, .events = POLLIN}};
    while (!top->view.done && top->signal == 0) {
        draw(top);
        if (poll(fds, sizeof fds / sizeof *fds, TURN_MS) < 0 && errno != EINTR)
            return cli_bad(&top->cli->bad, HS_EIO, NULL, "poll: %s", strerror(errno));
        take_signals(top);
        take_answer(top);
        take_keys(top);
        if ((fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            top->signal = SIGHUP;
    }
    return HS_OK;
}

/* ---- beginning and end ---- */

/* They come through a file; the thread that asks inherits that they are blocked. */
static bool open_signals(struct top *top)
{
    static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
        sigaddset(&set, SIGNALS[i]);
    pthread_sigmask(SIG_BLOCK, &set, &top->before);
    top->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return top->signals >= 0;
}

static enum hs_err run(struct top *top)
{
    struct cli *cli = top->cli;
    if (!open_signals(top))
        return cli_bad(&cli->bad, HS_EIO, NULL, "signals: %s", strerror(errno));
    top->fetch = top_fetch_start(cli, top->look.interval_ms);
    if (top->fetch == NULL)
        return HS_ENOMEM;
    if (top_screen_open() != HS_OK)
        return cli_usage(cli, "this terminal cannot do what top needs (TERM=%s)",
                         getenv("TERM") != NULL ? getenv("TERM") : "");
    top->model.asked_ms = hs_now_ms();
    enum hs_err err = watch(top);
    top_screen_close();
    return err;
}

static enum hs_err take_interval(struct cli *cli, uint64_t *ms)
{
    const char *text = cli->options[CLI_INTERVAL];
    *ms = INTERVAL_MS;
    if (text == NULL)
        return HS_OK;
    if (cli_duration_parse(text, ms) != HS_OK || *ms < INTERVAL_MS_MIN)
        return cli_usage(cli, "--interval: '%s' is not a time such as 2s, of at least %dms", text, INTERVAL_MS_MIN);
    return HS_OK;
}

enum hs_err cli_run_top(struct cli *cli)
{
    struct top top = {.cli = cli, .signals = -1, .look.utc_offset_minutes = cli->utc_offset_minutes};
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = take_interval(cli, &top.look.interval_ms);
    if (err == HS_OK && (cli->json || isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1))
        err = cli_usage(cli, "top needs a terminal; for programs there is: hallsync status --json");
    if (err != HS_OK)
        return err;
    err = run(&top);
    top_fetch_end(top.fetch);
    if (top.signals >= 0) {
        close(top.signals);
        pthread_sigmask(SIG_SETMASK, &top.before, NULL);
    }
    if (top.signal != 0 && top.signal != SIGINT)
        cli->status = SIGNALLED + top.signal;
    top_model_fini(&top.model);
    top_frame_fini(&top.frame);
    return err;
}
