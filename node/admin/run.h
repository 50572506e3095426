/* run.h -- the program put together: what lives as long as it, and what is made anew for a new certificate. */
#ifndef HS_ADMIN_RUN_H
#define HS_ADMIN_RUN_H

#include "node/conf/conf.h"

struct admin_run;
/* Listening, when it returns.  @conf: borrowed.  HS_ECONFIG, HS_EPERM, HS_EINUSE: why says what to do. */
enum hs_err admin_run_new(const struct hs_conf *conf, struct admin_run **run, struct hs_why *why);
/* About once a second. */
void admin_run_tick(struct admin_run *run);
/* The files of the certificate again; what does not fit is told in the log, and the one before stays.  @certificate
 * out, a constant: "taken", "kept" or "none".  An error: nothing is served any more, and the program ends. */
enum hs_err admin_run_reload(struct admin_run *run, const char **certificate, struct hs_why *why);
void admin_run_free(struct admin_run *run); /* NULL is fine */

#endif
