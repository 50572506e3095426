/* password.h -- a password as a person types it, twice and unseen, or as a program gives it on standard input. */
#ifndef HS_CLI_PASSWORD_H
#define HS_CLI_PASSWORD_H

#include "node/cli/cli.h"
#include "node/users/users.h"

/* With its line end, and one byte that says it is too long. */
#define CLI_PASSWORD_ROOM (HS_USER_PASSWORD_BYTES_MAX + 3)

/* From the terminal if standard input is one; it shows nothing of it, and is as it was afterwards, whatever ends the
 * prompt.  The caller wipes @password. */
enum hs_err cli_password_read(struct cli *cli, char password[static CLI_PASSWORD_ROOM]);

#endif
