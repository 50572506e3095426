#include "node/cli/top_dying.h"

#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static struct {
    struct termios mode;
    char text[64];
} before;

/* Only what a signal handler may do; the signal's own effect follows, since it is set back to it. */
static void give_back(int number)
{
    ssize_t written = write(STDOUT_FILENO, before.text, strlen(before.text));
    (void)written;
    tcsetattr(STDIN_FILENO, TCSANOW, &before.mode);
    raise(number);
}

bool top_terminal_fits(void)
{
    int known = 0;
    if (setupterm(NULL, STDOUT_FILENO, &known) != OK)
        return false;
    const char *go = tigetstr("cup");
    bool fits = go != NULL && go != (char *)-1;
    del_curterm(cur_term);
    return fits;
}

static const char *text_of(const char *name)
{
    const char *text = tigetstr(name);
    return text != NULL && text != (char *)-1 ? text : "";
}

void top_dying_note(void)
{
    tcgetattr(STDIN_FILENO, &before.mode);
}

/* Where nobody else wants to hear of it. */
void top_dying_arm(void)
{
    static const int SIGNALS[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    snprintf(before.text, sizeof before.text, "%s%s%s%s", text_of("sgr0"), text_of("cnorm"), text_of("rmkx"),
             text_of("rmcup"));
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++) {
        struct sigaction now;
        struct sigaction ours = {.sa_handler = give_back, .sa_flags = (int)SA_RESETHAND};
        sigemptyset(&ours.sa_mask);
        if (sigaction(SIGNALS[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            sigaction(SIGNALS[i], &ours, NULL);
    }
}
