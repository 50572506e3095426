/* kind_commands.h -- what the command line has of every kind of record. */
#ifndef HS_CLI_KIND_COMMANDS_H
#define HS_CLI_KIND_COMMANDS_H

#include "node/cli/cli.h"
#include "proto/base/buf.h"
#include "storage/model/kinds.h"

#define CLI_KIND_WORD_BYTES 24
void cli_kind_word(const struct hs_kind *kind, char word[static CLI_KIND_WORD_BYTES]); /* "ticket-event" */

const struct hs_kind *cli_kind_of_word(const char *word); /* of that or its name, "ticket_event"; NULL: none */

/* Commands made from the table of kinds, none of which CLI_COMMANDS has; the program's own. */
size_t cli_kind_commands(const struct cli_command **commands);

/* Fields of the kind that the command line calls @word, appended; nothing if it is none. */
void cli_kind_help(struct hs_buf *buf, const char *word);
/* All of these commands in a few lines. */
void cli_kind_summary(struct hs_buf *buf);

#endif
