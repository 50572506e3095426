/* top_screen.h -- the terminal of `top`: ncurses, and nothing but drawing frames and reading keys.  One at a time, on
 * the thread that opened it. */
#ifndef HS_CLI_TOP_SCREEN_H
#define HS_CLI_TOP_SCREEN_H

#include "node/cli/top_frame.h"
#include "proto/base/err.h"

/* Take the terminal.  HS_EVALUE: it cannot do what is needed, or $TERM names none that is known. */
enum hs_err top_screen_open(void);
void top_screen_close(void); /* it is as it was before; not open is fine */

bool top_screen_utf8(void);
/* As the terminal says it is now. */
void top_screen_size(size_t *width, size_t *height);
/* @whole: over whatever else has written there. */
void top_screen_show(const struct top_frame *frame, bool whole);
/* The next key that was pressed (top_view.h); false: none. */
bool top_screen_key(uint32_t *key);

#endif
