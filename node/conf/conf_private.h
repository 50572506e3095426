/* conf_private.h -- what the files of node/conf share. */
#ifndef HS_CONF_PRIVATE_H
#define HS_CONF_PRIVATE_H

#include "node/conf/conf.h"

/* The last line that begins with this key; 0: none, as far as one can see without reading YAML (a list in one line
 * hides it). */
unsigned hs_conf_key_line(const char *path, const char *key);

/* Before the defaults are filled in, which stand where a number is zero: nobody who wrote zero meant those. */
enum hs_err hs_conf_check_zeros(const struct hs_conf *conf, const char *path, struct hs_why *why);

/* What the schema cannot see: ranges, forms, and whether the keys fit each other.  Fills in what follows from them.
 * @path: where it was read from, for the lines. */
enum hs_err hs_conf_check(struct hs_conf *conf, const char *path, struct hs_why *why);

#endif
