/* sealed_file.h -- a sealed file on a disk or stick: written beside its place and put there when it is whole. */
#ifndef HS_SEALED_FILE_H
#define HS_SEALED_FILE_H

#include "proto/sealed/sealed.h"

/* Writes @path with ".part" behind it, mode 0600.  HS_EEXISTS: the path is taken; HS_ELOCKED: another process is
 * writing the same; HS_EFULL, HS_EPERM, HS_EIO, HS_EINVAL.  What a killed process left behind is written over. */
struct hs_sealed_out;
enum hs_err hs_sealed_out_open(const char *path, struct hs_sealed_out **out, struct hs_why *why);
struct hs_sealed_sink hs_sealed_out_sink(struct hs_sealed_out *out); /* lives with @out */
/* Sync, put in place, sync the name.  The cache forgets the bytes: who reads them back asks the disk. */
enum hs_err hs_sealed_out_commit(struct hs_sealed_out *out, struct hs_why *why);
/* Why the last write failed, for who got its error from a sealer. */
const struct hs_why *hs_sealed_out_why(const struct hs_sealed_out *out);
/* Without a commit nothing stays.  NULL is fine. */
void hs_sealed_out_close(struct hs_sealed_out *out);

/* HS_ENOTFOUND, HS_EPERM, HS_EINVAL (not a regular file), HS_EIO. */
struct hs_sealed_in;
enum hs_err hs_sealed_in_open(const char *path, struct hs_sealed_in **in, struct hs_why *why);
struct hs_sealed_source hs_sealed_in_source(struct hs_sealed_in *in); /* from its beginning; lives with @in */
uint64_t hs_sealed_in_size(const struct hs_sealed_in *in);
uint64_t hs_sealed_in_done(const struct hs_sealed_in *in); /* bytes read since the source was asked for */
void hs_sealed_in_close(struct hs_sealed_in *in);          /* NULL is fine */

#endif
