/* amount.h -- bytes and spans of time as people read them: in sentences, at the command line.  Pure. */
#ifndef HS_STATUS_AMOUNT_H
#define HS_STATUS_AMOUNT_H

#include <stdint.h>

enum hs_language { HS_ENGLISH, HS_CHINESE };

#define HS_AMOUNT_TEXT_BYTES 32
const char *hs_size_text(uint64_t bytes, char text[static HS_AMOUNT_TEXT_BYTES]); /* 81914863616 -> "81.9 GB" */
/* "12 s", "5 min", "3 h", "4 d"; "4天". */
const char *hs_span_text(uint64_t seconds, enum hs_language language, char text[static HS_AMOUNT_TEXT_BYTES]);

#endif
