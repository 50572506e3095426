#include "node/status/alarms.h"

#include "node/status/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AWAY_MS   3600000ULL                /* a hall may be switched off at night, but nobody is told of a minute */
#define SETTLE_MS 300000ULL                 /* after a start all others connect anew */
#define OLD_MS    (3 * 24 * 3600 * 1000ULL) /* a nightly backup has failed twice by then */
#define APART_MS  60000ULL                  /* beyond what the way there and back may hide */
#define AGREE_MS  45000ULL                  /* they agree again: no edge on which a clock could be told all day */
#define HOUR_MS   3600000ULL

static const struct hs_alarm_row ROWS[] = {
#define X(id, name, severity, en, zh, over_en, over_zh) {name, HS_SEVERITY_##severity, en, zh, over_en, over_zh},
    HS_ALARMS(X)
#undef X
};

const struct hs_alarm_row *hs_alarm_row(enum hs_alarm_id id)
{
    return &ROWS[id];
}

const char *hs_severity_text(enum hs_severity severity)
{
    return severity == HS_SEVERITY_ERROR ? "error" : "warning";
}

const char *hs_alarm_phase_text(enum hs_alarm_phase phase)
{
    static const char *const TEXTS[] = {"begins", "grows", "ends"};
    return TEXTS[phase];
}

/* ---- which are in force ---- */

struct look {
    const Hallsync__StatusReply *status;
    uint64_t now_ms;
    const struct hs_alarms *before;
    struct hs_alarms *to;
};

/* Its order; the books of another day are others. */
static int compare(const void *left, const void *right)
{
    const struct hs_alarm *a = left, *b = right;
    int order = (a->id > b->id) - (a->id < b->id);
    if (order == 0)
        order = strcmp(a->node, b->node);
    return order == 0 && a->id == HS_ALARM_BOOKS ? strcmp(a->detail, b->detail) : order;
}

static uint64_t ago_ms(const struct look *look, uint64_t then_ms)
{
    return look->now_ms > then_ms ? look->now_ms - then_ms : 0;
}

static void add(const struct look *look, const struct hs_alarm *alarm, const char *node, const char *detail)
{
    struct hs_alarms *to = look->to;
    if (to->count == to->room) {
        size_t room = to->room == 0 ? 16 : 2 * to->room;
        struct hs_alarm *list = realloc(to->list, room * sizeof *list);
        to->cut = to->cut || list == NULL;
        if (list == NULL)
            return;
        to->list = list;
        to->room = room;
    }
    struct hs_alarm *made = &to->list[to->count++];
    *made = *alarm;
    made->since_ms = look->now_ms;
    snprintf(made->node, sizeof made->node, "%s", node);
    snprintf(made->detail, sizeof made->detail, "%s", detail != NULL ? detail : "");
}

static void add_count(const struct look *look, enum hs_alarm_id id, uint64_t count)
{
    if (count != 0)
        add(look, &(struct hs_alarm){.id = id, .count = count}, look->status->node_id, NULL);
}

static void add_disk(const struct look *look, const char *node, const char *level)
{
    static const char *const LEVELS[] = {"low", "scarce", "full"};
    struct hs_alarm alarm = {.id = HS_ALARM_DISK, .count = 1};
    if (level == NULL || level[0] == '\0' || strcmp(level, "plenty") == 0)
        return;
    for (size_t i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++)
        alarm.count = strcmp(level, LEVELS[i]) == 0 ? i + 1 : alarm.count;
    add(look, &alarm, node, level);
}

static void add_backup(const struct look *look, const char *node, uint64_t last_ms)
{
    uint64_t age_ms = ago_ms(look, last_ms);
    if (last_ms != 0 && age_ms >= OLD_MS)
        add(look, &(struct hs_alarm){.id = HS_ALARM_BACKUP_OLD, .span_s = age_ms / 1000}, node, NULL);
}

static void add_books(const struct look *look)
{
    const Hallsync__BooksStatus *books = look->status->books;
    char date[16];
    if (books == NULL || books->differ == 0)
        return;
    snprintf(date, sizeof date, "%04u-%02u-%02u", (unsigned)books->date / 10000, (unsigned)books->date / 100 % 100,
             (unsigned)books->date % 100);
    add(look, &(struct hs_alarm){.id = HS_ALARM_BOOKS, .count = books->differ}, look->status->node_id, date);
}

/* What the node says of itself. */
static void look_at_node(const struct look *look)
{
    const Hallsync__StatusReply *status = look->status;
    const Hallsync__BackupStatus *backup = status->backup;
    if (status->revoked != NULL) /* why is for who asks the node: people wrote it */
        add(look, &(struct hs_alarm){.id = HS_ALARM_REVOKED}, status->node_id, NULL);
    add_count(look, HS_ALARM_FORK, status->forks);
    add_count(look, HS_ALARM_WITHHELD, status->n_withheld);
    add_count(look, HS_ALARM_STOPPED, status->stopped_streams);
    add_count(look, HS_ALARM_DAMAGE, status->checked != NULL ? status->checked->found : 0);
    add_count(look, HS_ALARM_ROTTEN, status->has_rotten ? status->rotten : 0);
    if (status->older_copy != NULL)
        add(look, &(struct hs_alarm){.id = HS_ALARM_OLDER_COPY}, status->node_id, NULL);
    add_disk(look, status->node_id, status->disk_level);
    if (backup != NULL && backup->has_failed_ms)
        add(look, &(struct hs_alarm){.id = HS_ALARM_BACKUP_FAILED}, status->node_id, backup->failed);
    if (backup != NULL)
        add_backup(look, status->node_id, backup->has_last_ms ? backup->last_ms : 0);
    add_books(look);
    add_count(look, HS_ALARM_PARKED, status->parked);
    add_count(look, HS_ALARM_CONFLICT, status->conflicts);
}

static bool is_reached(const Hallsync__PeerStatus *peer)
{
    return strcmp(peer->state, "live") == 0 || strcmp(peer->state, "twin") == 0 || strcmp(peer->state, "standby") == 0;
}

static bool is_expected(const Hallsync__PeerStatus *peer)
{
    return peer->node_id[0] != '\0' && strcmp(peer->state, "enrolled") != 0 && strcmp(peer->state, "expired") != 0 &&
           (peer->reason == NULL || strcmp(peer->reason, "revoked") != 0);
}

/* How long there was no session; 0: there is one, or it is not known yet. */
static uint64_t gone_ms(const struct look *look, const Hallsync__PeerStatus *peer)
{
    uint64_t started_ms = look->status->has_started_ms ? look->status->started_ms : 0;
    bool it_dials = strcmp(peer->state, "hello") == 0 && peer->group == NULL; /* when it was here says another row */
    uint64_t never_ms = it_dials ? 0 : started_ms;
    uint64_t seen_ms = peer->has_seen_ms ? peer->seen_ms : peer->has_since_ms ? peer->since_ms : never_ms;
    return is_reached(peer) || seen_ms == 0 || ago_ms(look, started_ms) < SETTLE_MS ? 0 : ago_ms(look, seen_ms);
}

static bool was_in_force(const struct look *look, enum hs_alarm_id id, const char *node)
{
    bool was = false;
    for (size_t i = 0; look->before != NULL && i < look->before->count && !was; i++)
        was = look->before->list[i].id == id && strcmp(look->before->list[i].node, node) == 0;
    return was;
}

static bool knows_clock(const Hallsync__PeerStatus *peer)
{
    return strcmp(peer->state, "live") == 0 && peer->has_clock_offset_ms;
}

static void look_at_clock(const struct look *look, const Hallsync__PeerStatus *peer)
{
    uint64_t apart_ms = peer->clock_offset_ms < 0 ? (uint64_t)0 - (uint64_t)peer->clock_offset_ms
                                                  : (uint64_t)peer->clock_offset_ms;
    uint64_t round_trip_ms = peer->has_round_trip_ms ? peer->round_trip_ms : 0;
    uint64_t most_ms = was_in_force(look, HS_ALARM_CLOCK, peer->node_id) ? AGREE_MS : APART_MS + round_trip_ms;
    if (knows_clock(peer) && apart_ms > most_ms)
        add(look, &(struct hs_alarm){.id = HS_ALARM_CLOCK, .span_s = apart_ms / 1000}, peer->node_id, NULL);
}

/* It may have several rows: of another key, or another address. */
static bool is_reached_somehow(const Hallsync__StatusReply *status, const char *node_id)
{
    bool is = false;
    for (size_t i = 0; i < status->n_peers && !is; i++)
        is = is_reached(status->peers[i]) && strcmp(status->peers[i]->node_id, node_id) == 0;
    return is;
}

/* What is known of another one; at hubs what halls say of themselves, too. */
static void look_at_peer(const struct look *look, const Hallsync__PeerStatus *peer)
{
    uint64_t away_ms = gone_ms(look, peer);
    if (!is_expected(peer))
        return;
    if (strcmp(look->status->role, "hub") == 0 && away_ms >= AWAY_MS &&
        !is_reached_somehow(look->status, peer->node_id))
        add(look, &(struct hs_alarm){.id = HS_ALARM_AWAY, .span_s = away_ms / 1000}, peer->node_id, NULL);
    if (peer->comparison != NULL && strcmp(peer->comparison, "damage") == 0)
        add(look, &(struct hs_alarm){.id = HS_ALARM_DIFFERS}, peer->node_id, NULL);
    look_at_clock(look, peer);
    add_disk(look, peer->node_id, peer->disk_level);
    add_backup(look, peer->node_id, peer->has_backup_ms ? peer->backup_ms : 0);
}

/* No hub at all: of those that are dialled the one that was seen last. */
static void look_at_hubs(const struct look *look)
{
    const Hallsync__StatusReply *status = look->status;
    uint64_t least_ms = UINT64_MAX;
    for (size_t i = 0; i < status->n_peers; i++) {
        const Hallsync__PeerStatus *peer = status->peers[i];
        if (peer->group == NULL || strcmp(peer->role, "witness") == 0)
            continue;
        uint64_t away_ms = gone_ms(look, peer);
        least_ms = away_ms < least_ms ? away_ms : least_ms;
    }
    if (strcmp(status->role, "hall") == 0 && least_ms != UINT64_MAX && least_ms >= AWAY_MS)
        add(look, &(struct hs_alarm){.id = HS_ALARM_CUT_OFF, .span_s = least_ms / 1000}, status->node_id, NULL);
}

/* The worst of several rows of a node comes first. */
static int compare_rows(const void *left, const void *right)
{
    const struct hs_alarm *a = left, *b = right;
    int order = compare(a, b);
    return order != 0 ? order : (a->count < b->count) - (a->count > b->count);
}

/* Of several rows of a node one counts. */
static void sort(struct hs_alarms *alarms)
{
    size_t kept = 0;
    if (alarms->count > 1)
        qsort(alarms->list, alarms->count, sizeof *alarms->list, compare_rows);
    for (size_t i = 0; i < alarms->count; i++) {
        if (kept == 0 || compare(&alarms->list[kept - 1], &alarms->list[i]) != 0)
            alarms->list[kept++] = alarms->list[i];
    }
    alarms->count = kept;
}

/* ---- what is not known now goes on as it was ---- */

static bool peer_says(const Hallsync__PeerStatus *peer, enum hs_alarm_id id)
{
    const char *comparison = peer->comparison != NULL ? peer->comparison : "";
    switch (id) {
    case HS_ALARM_DIFFERS: /* that it lags proves neither */
        return strcmp(comparison, "equal") == 0 || strcmp(comparison, "damage") == 0;
    case HS_ALARM_DISK:
        return peer->disk_level != NULL && peer->disk_level[0] != '\0';
    case HS_ALARM_CLOCK:
        return knows_clock(peer);
    case HS_ALARM_BACKUP_OLD:
        return peer->has_backup_ms;
    default:
        return true;
    }
}

/* Of one that is not there any more, or for which nobody waits, there is nothing to know. */
static bool is_known_of_peer(const struct look *look, const struct hs_alarm *alarm)
{
    bool is_there = false, says = false;
    for (size_t i = 0; i < look->status->n_peers; i++) {
        const Hallsync__PeerStatus *peer = look->status->peers[i];
        if (strcmp(peer->node_id, alarm->node) != 0 || !is_expected(peer))
            continue;
        is_there = true;
        says = says || peer_says(peer, alarm->id);
    }
    return says || !is_there;
}

static bool is_known(const struct look *look, const struct hs_alarm *alarm)
{
    const Hallsync__StatusReply *status = look->status;
    if (strcmp(alarm->node, status->node_id) != 0)
        return is_known_of_peer(look, alarm);
    switch (alarm->id) {
    case HS_ALARM_DAMAGE:
        return status->checked != NULL;
    case HS_ALARM_ROTTEN:
        return status->has_rotten;
    case HS_ALARM_BACKUP_FAILED:
        return status->backup != NULL;
    case HS_ALARM_BACKUP_OLD: /* that the file is gone makes it no newer */
        return status->backup != NULL && status->backup->has_last_ms;
    case HS_ALARM_BOOKS:
        return status->books != NULL;
    default:
        return true;
    }
}

static void keep_unknown(const struct look *look)
{
    for (size_t i = 0; look->before != NULL && i < look->before->count; i++) {
        const struct hs_alarm *alarm = &look->before->list[i];
        if (!is_known(look, alarm))
            add(look, alarm, alarm->node, alarm->detail);
    }
}

void hs_alarms_look(const Hallsync__StatusReply *status, uint64_t now_ms, const struct hs_alarms *before,
                    struct hs_alarms *to)
{
    struct look look = {status, now_ms, before, to};
    to->count = 0;
    to->cut = false;
    look_at_node(&look);
    for (size_t i = 0; i < status->n_peers; i++)
        look_at_peer(&look, status->peers[i]);
    look_at_hubs(&look);
    keep_unknown(&look);
    sort(to);
}

void hs_alarms_fini(struct hs_alarms *alarms)
{
    free(alarms->list);
    *alarms = (struct hs_alarms){.list = NULL};
}

/* ---- what has changed ---- */

void hs_alarms_compare(struct hs_alarms *before, struct hs_alarms *after, hs_visit_alarm visit, void *ctx)
{
    size_t b = 0, a = 0;
    while (b < before->count || a < after->count) {
        struct hs_alarm *old = b < before->count ? &before->list[b] : NULL;
        struct hs_alarm *new = a < after->count ? &after->list[a] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : compare(old, new);
        b += order <= 0;
        a += order >= 0;
        if (order == 0) {
            new->since_ms = old->since_ms;
            new->told = old->told;
        }
        if (order < 0)
            visit(ctx, old, HS_ALARM_ENDS);
        else if (order > 0)
            visit(ctx, new, HS_ALARM_BEGINS);
        else if (new->count > old->count)
            visit(ctx, new, HS_ALARM_GROWS);
    }
}

/* ---- sentences ---- */

struct sentence {
    char *text;
    size_t size, room;
};

/* What does not fit ends the sentence before a character, not in one. */
static void put(struct sentence *sentence, const char *bytes, size_t size)
{
    size_t fits = sentence->room - 1 - sentence->size;
    if (size > fits) {
        while (fits > 0 && ((unsigned char)bytes[fits] & 0xc0) == 0x80)
            fits--;
        size = fits;
        sentence->room = sentence->size + size + 1;
    }
    memcpy(sentence->text + sentence->size, bytes, size);
    sentence->size += size;
    sentence->text[sentence->size] = '\0';
}

const char *hs_alarm_text(const struct hs_alarm *alarm, enum hs_alarm_phase phase, bool chinese,
                          char text[static HS_ALARM_TEXT_BYTES])
{
    const struct hs_alarm_row *row = &ROWS[alarm->id];
    const char *at = phase == HS_ALARM_ENDS ? (chinese ? row->over_zh : row->over_en) : (chinese ? row->zh : row->en);
    struct sentence sentence = {.text = text, .room = HS_ALARM_TEXT_BYTES};
    char number[24], span[HS_AMOUNT_TEXT_BYTES];
    const struct {
        const char *name, *value;
    } PARTS[] = {{"{node}", alarm->node}, {"{n}", number}, {"{s}", alarm->detail}, {"{span}", span}};
    snprintf(number, sizeof number, "%" PRIu64, alarm->count);
    hs_span_text(alarm->span_s, chinese ? HS_CHINESE : HS_ENGLISH, span);
    while (*at != '\0') {
        size_t size = strcspn(at, "{");
        put(&sentence, at, size);
        at += size;
        for (size_t i = 0; *at == '{' && i < sizeof PARTS / sizeof *PARTS; i++) {
            if (strncmp(at, PARTS[i].name, strlen(PARTS[i].name)) != 0)
                continue;
            put(&sentence, PARTS[i].value, strlen(PARTS[i].value));
            at += strlen(PARTS[i].name);
        }
        if (*at == '{')
            put(&sentence, at++, 1);
    }
    return text;
}

/* ---- so many an hour ---- */

bool hs_alarm_quota_take(struct hs_alarm_quota *quota, struct hs_alarm *alarm, enum hs_alarm_phase phase,
                         uint64_t tick_ms)
{
    enum hs_alarm_id id = alarm->id;
    if (phase == HS_ALARM_ENDS)
        return alarm->told;
    if (quota->told[id] == 0 || tick_ms - quota->begun_ms[id] >= HOUR_MS) {
        quota->begun_ms[id] = tick_ms;
        quota->told[id] = 0;
    }
    if (quota->told[id] >= quota->per_hour) {
        if (quota->left_out[id]++ == 0)
            quota->due_ms[id] = quota->begun_ms[id] + HOUR_MS;
        return false;
    }
    quota->told[id]++;
    alarm->told = true;
    return true;
}

uint64_t hs_alarm_quota_ended(struct hs_alarm_quota *quota, enum hs_alarm_id id, uint64_t tick_ms)
{
    uint64_t left_out = quota->left_out[id];
    if (left_out == 0 || tick_ms < quota->due_ms[id])
        return 0;
    quota->left_out[id] = 0;
    return left_out;
}
