/* conf_private.h -- what the files of node/conf share. */
#ifndef HS_CONF_PRIVATE_H
#define HS_CONF_PRIVATE_H

#include "node/conf/conf.h"

/* What the schema cannot see: ranges, forms, and whether the keys fit each other.  Fills in what follows from them.
 * @path: where it was read from, for the lines. */
enum hs_err hs_conf_check(struct hs_conf *conf, const char *path, struct hs_why *why);

#endif
