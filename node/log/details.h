/* details.h -- named values as a line of text or as a JSON object.  Whatever bytes the values have, the object is valid
 * JSON (UTF-8), and neither has a character that steers a terminal or turns the direction of writing.  Nothing is
 * allocated. */
#ifndef HS_LOG_DETAILS_H
#define HS_LOG_DETAILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hs_detail_form {
    HS_DETAIL_WORD,  /* in a line quoted only where it has to be */
    HS_DETAIL_PROSE, /* a sentence, or what others say: always quoted */
    HS_DETAIL_NUMBER,
    HS_DETAIL_AMOUNT, /* signed */
    HS_DETAIL_HEX,    /* 16 digits, a text in JSON: numbers there have 53 bits */
    HS_DETAIL_YES,    /* true or false; yes or no */
};
struct hs_detail {
    const char *name; /* a-z and _ */
    enum hs_detail_form form;
    union {
        const char *text; /* NULL: the field is left out */
        uint64_t number;
        int64_t amount;
        bool yes;
    } of;
};
#define HS_WORD(field, value)   ((struct hs_detail){.name = (field), .form = HS_DETAIL_WORD, .of.text = (value)})
#define HS_PROSE(field, value)  ((struct hs_detail){.name = (field), .form = HS_DETAIL_PROSE, .of.text = (value)})
#define HS_NUMBER(field, value) ((struct hs_detail){.name = (field), .form = HS_DETAIL_NUMBER, .of.number = (value)})
#define HS_AMOUNT(field, value) ((struct hs_detail){.name = (field), .form = HS_DETAIL_AMOUNT, .of.amount = (value)})
#define HS_HEX(field, value)    ((struct hs_detail){.name = (field), .form = HS_DETAIL_HEX, .of.number = (value)})
#define HS_YES(field, value)    ((struct hs_detail){.name = (field), .form = HS_DETAIL_YES, .of.yes = (value)})

#define HS_DETAILS_ROOM_MIN  16
#define HS_DETAIL_TEXT_BYTES 24 /* of a number as text */

bool hs_detail_is_there(const struct hs_detail *field);
/* The value alone: the text itself, or a number written into @room. */
const char *hs_detail_text(const struct hs_detail *field, char room[static HS_DETAIL_TEXT_BYTES]);

/* Both write at most @room bytes (HS_DETAILS_ROOM_MIN or more), a NUL among them, and return how many before it.  What
 * does not fit is left out: of a text its end; then the last is cut=yes, or "cut":true. */
size_t hs_details_line(char *out, size_t room, const struct hs_detail *fields, size_t count);
size_t hs_details_json(char *out, size_t room, const struct hs_detail *fields, size_t count);

#endif
