/* top_dying.h -- what terminals can do, and a program that aborts while it has one gives it back first.  Apart from
 * the screen, since term.h takes words such as "lines" and "columns" for itself. */
#ifndef HS_CLI_TOP_DYING_H
#define HS_CLI_TOP_DYING_H

#include <stdbool.h>

bool top_terminal_fits(void); /* $TERM is known, and can go to a place */
void top_dying_note(void);    /* before the terminal is taken: how it is to be left */
void top_dying_arm(void);     /* it is taken */

#endif
