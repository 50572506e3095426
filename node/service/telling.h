/* telling.h -- one conflict being put into words.  Inside node/service/ only. */
#ifndef HS_SERVICE_TELLING_H
#define HS_SERVICE_TELLING_H

#include "node/service/call.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"

/* A sentence in both languages.  What does not fit is cut behind a whole character, and says so by three dots. */
#define HS_TELLING_BYTES 1200
struct hs_sentence {
    struct hs_said {
        char text[HS_TELLING_BYTES];
        bool is_cut;
    } en, zh;
};
/* One more piece of it: the two formats take the same values in the same order. */
void hs_tell(struct hs_sentence *sentence, const char *en, const char *zh, ...)
    __attribute__((format(printf, 2, 4), format(printf, 3, 4)));
/* A word that each language has for itself: of a table, or a name where there is none. */
void hs_tell_words(struct hs_sentence *sentence, const char *en, const char *zh);

/* Into the arena; HS_ENOMEM. */
enum hs_err hs_tell_keep(struct hs_arena *arena, const struct hs_sentence *sentence, char **en, char **zh);

/* What is said as it stands. */
struct hs_words {
    const char *en, *zh;
};
void hs_advise(Hallsync__Conflict *conflict, const struct hs_words *advice); /* borrows the words */

struct hs_telling {
    struct hs_call *call;
    struct hs_view *view;
    struct hs_arena *arena;
    const struct hs_listed *listed;
    const struct hs_kind *kind; /* NULL: of an op, or not known here */
    bool there;                 /* the record is; else the next three are empty */
    struct hs_stored stored;
    struct hs_record state;
    struct hs_bytes message;
    Hallsync__Conflict *conflict;
    struct hs_sentence *said;
};

#define HS_FEN_TEXT_BYTES 32
const char *hs_yuan_text(int64_t fen, char text[static HS_FEN_TEXT_BYTES]);
/* A text in the telling's arena; NULL: out of memory, or too long. */
char *hs_tell_text(struct hs_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* parked.c: whose account, which window, who wrote it and when, as fields of the conflict. */
enum hs_err hs_tell_business(struct hs_telling *telling);
enum hs_err hs_tell_parked(struct hs_telling *telling);
enum hs_err hs_tell_decided(struct hs_telling *telling);
/* What people should do who may not release it. */
const struct hs_words *hs_mend_advice(const struct hs_kind *kind);

/* stopped.c: streams, in words: "payments and cash entries"; and those that do not go on. */
void hs_tell_lane(struct hs_sentence *sentence, uint8_t lane);
struct hs_stop_cause;
struct hs_stop {
    const struct hs_stop_cause *cause;
    struct hs_stream stream;
    const char *node_id;
    const char *other; /* who sent it, or has it; NULL: nobody */
    uint64_t behind;   /* the last operation before */
    uint64_t operations;
    uint64_t since_ms;
    uint64_t payments; /* among them, where that is known */
    int64_t fen;
};
struct hs_stops {
    struct hs_stop *list; /* in the call's arena */
    size_t count;
};
/* @partial: fields of a StatusReply: what the service and the daemon know of sessions, revoked keys and announced
 * heads. */
enum hs_err hs_stops_take(struct hs_call *call, struct hs_view *view, struct hs_bytes partial, struct hs_stops *stops);
/* The same, asked anew. */
enum hs_err hs_stops_find(struct hs_call *call, struct hs_view *view, struct hs_stops *stops);
/* Into a conflict, whose text and id live in @arena. */
enum hs_err hs_stop_tell(const struct hs_stop *stop, struct hs_arena *arena, Hallsync__Conflict *conflict);

#endif
