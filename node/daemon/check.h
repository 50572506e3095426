/* check.h -- whether a configuration fits this node's keys and certificate. */
#ifndef HS_DAEMON_CHECK_H
#define HS_DAEMON_CHECK_H

#include "node/conf/conf.h"
#include "node/link/keys.h"

/* Of another node than the configuration's: HS_ECONFIG; or what hs_certificate_verify says. */
enum hs_err hs_check_certificate(const struct hs_conf *conf, const struct hs_keys *keys, struct hs_why *why);

/* What the node can live with, and people should mend: sentences. */
#define HS_PROBLEMS_MAX 8
struct hs_problems {
    char text[HS_PROBLEMS_MAX][HS_WHY_BYTES];
    size_t count; /* what does not fit any more is left out */
};
void hs_check_scope(const struct hs_conf *conf, const struct hs_certificate *certificate, struct hs_problems *problems);

/* All that can be known without starting the node; its keys are looked at if it has some.  HS_ECONFIG. */
enum hs_err hs_check_all(const struct hs_conf *conf, struct hs_why *why);

#endif
