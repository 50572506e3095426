#include "node/cli/top_screen.h"

#include "node/cli/top_dying.h"
#include "node/cli/top_view.h"

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ESCAPE_MS 50 /* after an escape the rest of a key's sequence comes at once */

static struct {
    SCREEN *screen;
    bool utf8, coloured;
} terminal;

/* ---- opening ---- */

static void open_colours(void)
{
    const char *none = getenv("NO_COLOR");
    terminal.coloured = (none == NULL || none[0] == '\0') && has_colors() && start_color() == OK &&
                        use_default_colors() == OK;
    if (!terminal.coloured)
        return;
    init_pair(TOP_BAD, COLOR_RED, -1);
    init_pair(TOP_LATE, COLOR_YELLOW, -1);
    init_pair(TOP_TITLE, COLOR_CYAN, -1);
}

enum hs_err top_screen_open(void)
{
    setlocale(LC_CTYPE, "");
    terminal.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!top_terminal_fits())
        return HS_EVALUE;
    top_dying_note();
    terminal.screen = newterm(NULL, stdout, stdin);
    if (terminal.screen == NULL)
        return HS_EVALUE;
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    curs_set(0);
    open_colours();
    top_dying_arm();
    return HS_OK;
}

void top_screen_close(void)
{
    if (terminal.screen == NULL)
        return;
    endwin();
    delscreen(terminal.screen);
    terminal.screen = NULL;
}

bool top_screen_utf8(void)
{
    return terminal.utf8;
}

/* ---- drawing ---- */

void top_screen_size(size_t *width, size_t *height)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0 &&
        (size.ws_col != COLS || size.ws_row != LINES))
        resizeterm(size.ws_row, size.ws_col);
    *width = (size_t)COLS;
    *height = (size_t)LINES;
}

static attr_t attribute_of(enum top_style style)
{
    switch (style) {
    case TOP_STRONG:
        return A_BOLD;
    case TOP_TITLE:
        return A_BOLD | A_UNDERLINE | (terminal.coloured ? (attr_t)COLOR_PAIR(TOP_TITLE) : 0);
    case TOP_CHOSEN:
        return A_REVERSE;
    case TOP_BAD:
        return A_BOLD | (terminal.coloured ? (attr_t)COLOR_PAIR(TOP_BAD) : 0);
    case TOP_LATE:
        return terminal.coloured ? (attr_t)COLOR_PAIR(TOP_LATE) : A_BOLD;
    case TOP_QUIET:
        return A_DIM;
    case TOP_PLAIN:
    default:
        return A_NORMAL;
    }
}

static void show_line(int row, const struct top_line *line)
{
    const char *at = line->text;
    move(row, 0);
    for (size_t i = 0; i < line->span_count; i++) {
        attrset(attribute_of(line->spans[i].style));
        addnstr(at, (int)line->spans[i].bytes);
        at += line->spans[i].bytes;
    }
    attrset(A_NORMAL);
}

void top_screen_show(const struct top_frame *frame, bool whole)
{
    erase();
    for (size_t i = 0; i < frame->count; i++)
        show_line((int)i, &frame->lines[i]);
    if (whole)
        clearok(stdscr, TRUE);
    refresh();
}

/* ---- keys ---- */

static uint32_t key_of(wint_t code)
{
    static const struct {
        wint_t code;
        uint32_t key;
    } KEYS[] = {
        {KEY_UP, TOP_KEY_UP},           {KEY_DOWN, TOP_KEY_DOWN},           {KEY_PPAGE, TOP_KEY_PAGE_UP},
        {KEY_NPAGE, TOP_KEY_PAGE_DOWN}, {KEY_HOME, TOP_KEY_HOME},           {KEY_END, TOP_KEY_END},
        {KEY_ENTER, TOP_KEY_ENTER},     {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
    };
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        if (KEYS[i].code == code)
            return KEYS[i].key;
    }
    return 0;
}

static uint32_t key_of_character(wint_t code)
{
    switch (code) {
    case '\r':
    case '\n':
        return TOP_KEY_ENTER;
    case 0x1b:
        return TOP_KEY_ESCAPE;
    case 0x08:
    case 0x7f:
        return TOP_KEY_BACKSPACE;
    case 0x0c:
        return TOP_KEY_REDRAW;
    default:
        return (uint32_t)code;
    }
}

bool top_screen_key(uint32_t *key)
{
    wint_t code;
    int got = get_wch(&code);
    if (got == ERR)
        return false;
    *key = got == KEY_CODE_YES ? key_of(code) : key_of_character(code);
    return true;
}
