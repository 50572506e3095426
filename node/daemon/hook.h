/* hook.h -- how alarms leave the node: a program that is run with a document on its standard input, and a file of
 * documents.  Nothing here waits for anybody but a local disk.  One thread at a time. */
#ifndef HS_DAEMON_HOOK_H
#define HS_DAEMON_HOOK_H

#include "proto/base/buf.h"
#include "proto/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* ---- the program ---- */

struct hs_hook_run {
    pid_t pid;        /* 0: none is running */
    int fd;           /* readable when it has ended; valid while it runs */
    bool killed;      /* it took too long */
    uint64_t ends_ms; /* then it has; tick */
};

/* Run @command, in a process group of its own, with a plain environment and nothing open but @document as its standard
 * input; what it writes goes nowhere.  HS_EIO: why says what is wrong with it. */
enum hs_err hs_hook_start(struct hs_hook_run *run, const char *command, struct hs_bytes document, uint64_t ends_ms,
                          struct hs_why *why);
/* Whether it has ended by now; one that is late is killed, with all of its group.  HS_EIO: it has ended, badly. */
enum hs_err hs_hook_look(struct hs_hook_run *run, uint64_t tick_ms, bool *ended, struct hs_why *why);
void hs_hook_kill(struct hs_hook_run *run); /* and wait for its end, a second at most */

/* ---- the file ---- */

#define HS_HOOK_FILE_BYTES_MAX (1 << 20)
/* Append a line, whole or not at all; a file that would get too large becomes @path.1 first.  HS_EIO with why. */
enum hs_err hs_hook_append(const char *path, struct hs_bytes line, struct hs_why *why);

#endif
