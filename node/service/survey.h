/* survey.h -- what status tells of records and takes a while to find out: for a thread that nobody waits for, with a
 * view of its own.  Each stops early, with HS_ESTOPPING, once @stop is set. */
#ifndef HS_SERVICE_SURVEY_H
#define HS_SERVICE_SURVEY_H

#include "proto/base/arena.h"
#include "storage/store.h"

#include <stdatomic.h>

#define HS_SURVEY_HALLS_MAX   4096
#define HS_SURVEY_TICKETS_MAX 200000 /* open ones that are looked at */

struct hs_survey {
    struct hs_store *store;
    struct hs_view *view;
    int utc_offset_minutes;
    const atomic_bool *stop; /* NULL: it does not */
};

/* The books of a day: one for each hall that took money or has closed. */
struct hs_books_count {
    uint32_t days, agree, differ, open, waiting;
    bool more; /* there are more halls than are looked at */
};
enum hs_err hs_survey_books(const struct hs_survey *survey, uint32_t date, struct hs_books_count *count);
/* Tickets that are late at @now_ms and not resolved. */
enum hs_err hs_survey_overdue(const struct hs_survey *survey, uint64_t now_ms, uint64_t *count);
/* The registry: a row for each certificate, ascending by node key. */
struct hs_enrolled {
    struct hs_key key;
    const char *node_id;
    enum hs_role role;
    const hs_partition *districts;
    size_t district_count;
    uint64_t issued_ms;
    uint64_t key_ms;     /* the first that is known of the key: of its certificate, or of an origin that it opened */
    const char *revoked; /* why; NULL: it is not */
    size_t newest;       /* the row of the newest certificate of the same node */
};
struct hs_roll {
    struct hs_arena arena; /* all of it */
    struct hs_enrolled *rows;
    size_t count;
};
/* @roll: zeroed; to be ended by hs_roll_fini, whatever the answer.  At most HS_SURVEY_HALLS_MAX rows. */
enum hs_err hs_survey_roll(const struct hs_survey *survey, struct hs_roll *roll);
void hs_roll_fini(struct hs_roll *roll);
const struct hs_enrolled *hs_roll_find(const struct hs_roll *roll, const struct hs_key *key); /* NULL: none */
/* Of these a person has to decide something; the rest have figures of their own or end by themselves.  Cheap. */
uint64_t hs_conflict_count(struct hs_view *view);

#endif
