#include "node/cli/password.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* ---- signals: noted at the prompt, and acted on when the terminal is itself again ---- */

static const int SIGNALS[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT};
#define SIGNAL_COUNT (sizeof SIGNALS / sizeof *SIGNALS)

struct held {
    struct sigaction actions[SIGNAL_COUNT];
    sigset_t mask;
};

static volatile sig_atomic_t caught;

static void note(int number)
{
    caught = number;
}

/* They come while the prompt waits, and at no other moment; those that are ignored stay so. */
static void hold(struct held *held)
{
    struct sigaction ours = {.sa_handler = note};
    sigset_t signals;
    sigemptyset(&ours.sa_mask);
    sigemptyset(&signals);
    caught = 0;
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        sigaddset(&signals, SIGNALS[i]);
    sigprocmask(SIG_BLOCK, &signals, &held->mask);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (sigaction(SIGNALS[i], NULL, &held->actions[i]) == 0 && held->actions[i].sa_handler != SIG_IGN)
            sigaction(SIGNALS[i], &ours, NULL);
    }
}

/* What was noted has its effect here: it ends the program, or stops it until it is wanted again. */
static void let_go(const struct held *held)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &held->actions[i], NULL);
    if (caught != 0)
        raise(caught);
    sigprocmask(SIG_SETMASK, &held->mask, NULL);
}

/* ---- lines ---- */

/* @mask: of the signals that may come meanwhile; NULL: as they are.  False: no more comes. */
static bool read_byte(int fd, const sigset_t *mask, char *byte)
{
    struct pollfd key = {.fd = fd, .events = POLLIN};
    int ready = 0;
    while (caught == 0 && (ready = ppoll(&key, 1, NULL, mask)) < 0 && errno == EINTR)
        ;
    return caught == 0 && ready > 0 && read(fd, byte, 1) == 1;
}

/* By bytes, without a buffer of stdio's, which nobody wipes. */
static enum hs_err read_line(struct cli *cli, int fd, const sigset_t *mask, char password[static CLI_PASSWORD_ROOM])
{
    size_t size = 0;
    while (size + 1 < CLI_PASSWORD_ROOM && (size == 0 || password[size - 1] != '\n') &&
           read_byte(fd, mask, &password[size]))
        size++;
    password[size] = '\0';
    if (caught != 0)
        return HS_EIO; /* nothing is said of it: the signal has its effect, or the prompt begins anew */
    if (size == 0)
        return cli_usage(cli, "no password came");
    password[strcspn(password, "\r\n")] = '\0';
    return HS_OK;
}

static enum hs_err ask_once(struct cli *cli, int terminal, const sigset_t *mask, const char *what,
                            char password[static CLI_PASSWORD_ROOM])
{
    dprintf(terminal, "%s", what);
    enum hs_err err = read_line(cli, terminal, mask, password);
    dprintf(terminal, "\n");
    return err;
}

static enum hs_err ask_twice(struct cli *cli, int terminal, const sigset_t *mask,
                             char password[static CLI_PASSWORD_ROOM])
{
    char again[CLI_PASSWORD_ROOM];
    enum hs_err err = ask_once(cli, terminal, mask, "Password: ", password);
    if (err == HS_OK)
        err = ask_once(cli, terminal, mask, "The same again: ", again);
    if (err == HS_OK && strcmp(password, again) != 0)
        err = cli_usage(cli, "these were two passwords");
    sodium_memzero(again, sizeof again);
    return err;
}

/* ---- the terminal ---- */

/* tcsetattr() is content if any of what it was asked for has been done. */
static bool hides(int terminal, const struct termios *before)
{
    struct termios silent = *before, now;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    return tcsetattr(terminal, TCSAFLUSH, &silent) == 0 && tcgetattr(terminal, &now) == 0 &&
           (now.c_lflag & (tcflag_t)ECHO) == 0;
}

static enum hs_err ask_hidden(struct cli *cli, int terminal, char password[static CLI_PASSWORD_ROOM])
{
    struct termios before;
    struct held held;
    enum hs_err err = HS_EIO;
    if (tcgetattr(terminal, &before) != 0)
        return cli_bad(&cli->bad, HS_EIO, NULL, "the terminal: %s", strerror(errno));
    hold(&held);
    if (hides(terminal, &before))
        err = ask_twice(cli, terminal, &held.mask, password);
    else
        cli_bad(&cli->bad, err, NULL,
                "this terminal cannot be kept from showing the password: give it on standard input");
    tcsetattr(terminal, TCSAFLUSH, &before);
    let_go(&held);
    return err;
}

enum hs_err cli_password_read(struct cli *cli, char password[static CLI_PASSWORD_ROOM])
{
    if (isatty(STDIN_FILENO) == 0)
        return read_line(cli, STDIN_FILENO, NULL, password);
    int own = open("/dev/tty", O_RDWR | O_CLOEXEC); /* standard input may be there for reading only */
    enum hs_err err = HS_OK;
    do
        err = ask_hidden(cli, own >= 0 ? own : STDIN_FILENO, password);
    while (caught == SIGTSTP || caught == SIGCONT); /* it was stopped, and goes on: the shell has had the terminal */
    if (own >= 0)
        close(own);
    return err;
}
