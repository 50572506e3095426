/* mend.h -- what the checker has found or has to say, as jobs of the writer.  Any thread; what is not taken is found
 * again by the next check. */
#ifndef HS_MEND_H
#define HS_MEND_H

#include "node/writer/writer.h"

void hs_mend(struct hs_writer *writer, const struct hs_rotten *rotten); /* as hs_store_mend */
void hs_mend_note_check(struct hs_writer *writer, const struct hs_checked *checked);

#endif
