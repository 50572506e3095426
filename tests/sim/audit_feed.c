/* audit_feed.c -- one consumer of each machine's change feed: it keeps a copy of the records, goes on from its last
 * position whatever happens to the node, lists anew when it is told to, and must end with exactly the node's records.
 */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_A_TIME 4

static void clear(struct audit_map *copy)
{
    for (size_t i = 0; i < copy->count; i++) {
        hs_buf_fini(copy->entries[i].value);
        free(copy->entries[i].value);
    }
    audit_map_fini(copy);
}

/* What changes only by writes of the record itself: its message and its live dots. */
static void encode(const Hallsync__Record *record, struct hs_buf *to)
{
    hs_buf_reset(to);
    hs_buf_put_sized(to, HS_BYTES(record->record.data, record->record.len));
    for (size_t i = 0; i < record->n_dots; i++) {
        hs_buf_put_varint(to, record->dots[i]->field);
        for (size_t j = 0; j < record->dots[i]->n_dots; j++) {
            hs_buf_put_u64(to, record->dots[i]->dots[j]->origin);
            hs_buf_put_u64(to, record->dots[i]->dots[j]->n);
        }
    }
}

static struct hs_buf *place_of(struct audit_map *copy, const Hallsync__Record *record)
{
    struct hs_buf key = {0};
    hs_buf_put_u16(&key, (uint16_t)record->kind);
    hs_buf_put_u16(&key, (uint16_t)record->partition);
    hs_buf_put_bytes(&key, audit_text(record->id));
    struct hs_buf **place = (struct hs_buf **)audit_map_at(copy, hs_buf_bytes(&key));
    hs_buf_fini(&key);
    if (*place == NULL)
        *place = calloc(1, sizeof **place);
    if (*place == NULL)
        abort();
    return *place;
}

/* A parked record is no record to most readers; unknown kinds cannot be listed. */
static void take(struct audit_map *copy, const Hallsync__Record *record)
{
    if (!audit_is_looked_at((uint16_t)record->kind))
        return;
    struct hs_buf *place = place_of(copy, record);
    encode(record, place);
    if (record->n_parked > 0)
        hs_buf_reset(place);
}

/* ---- a full listing ---- */

static bool list_kind(struct auditor *auditor, struct audit_machine *machine, uint32_t kind, struct audit_map *copy)
{
    struct hs_buf after = {0};
    bool more = true, good = true;
    while (more && good) {
        Hallsync__Reply *reply = audit_page(auditor, machine, kind, hs_buf_bytes(&after));
        good = reply != NULL;
        for (size_t i = 0; good && i < reply->records->n_records; i++)
            take(copy, reply->records->records[i]);
        more = good && reply->records->has_next;
        hs_buf_reset(&after);
        if (more)
            hs_buf_put(&after, reply->records->next.data, reply->records->next.len);
        if (reply != NULL)
            hallsync__reply__free_unpacked(reply, NULL);
    }
    hs_buf_fini(&after);
    return good;
}

static bool list_all(struct auditor *auditor, struct audit_machine *machine, struct audit_map *copy)
{
    bool good = true;
    for (const uint16_t *kind = AUDIT_KINDS; *kind != 0 && good; kind++)
        good = list_kind(auditor, machine, *kind, copy);
    return good;
}

/* ---- the feed ---- */

static Hallsync__Reply *ask(struct auditor *auditor, struct audit_machine *machine, const struct audit_place *place)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__WatchRequest watch = HALLSYNC__WATCH_REQUEST__INIT;
    Hallsync__Position from = HALLSYNC__POSITION__INIT;
    if (place != NULL) {
        from.commit = place->commit;
        from.tag = place->tag;
        from.ops = place->ops;
        from.has_ops = place->has_ops;
        from.shown_commit = place->shown_commit;
        from.has_shown_commit = place->has_shown_commit;
        from.shown_tag = place->shown_tag;
        from.has_shown_tag = place->has_shown_tag;
        watch.from = &from;
    }
    watch.has_limit = true;
    watch.limit = 1 + auditor->turn++ % 20;
    request.body_case = HALLSYNC__REQUEST__BODY_WATCH;
    request.watch = &watch;
    return audit_ask(auditor, machine, &request);
}

static struct audit_place place_at(const Hallsync__Position *position)
{
    return (struct audit_place){.commit = position->commit,
                                .tag = position->tag,
                                .ops = position->ops,
                                .shown_commit = position->shown_commit,
                                .shown_tag = position->shown_tag,
                                .has_ops = position->has_ops,
                                .has_shown_commit = position->has_shown_commit,
                                .has_shown_tag = position->has_shown_tag};
}

static bool is_reset(const Hallsync__Reply *reply)
{
    return reply->error != NULL && strcmp(reply->error, "reset") == 0;
}

/* First the position, then the listing: what changes in between is told again. */
static bool begin_anew(struct auditor *auditor, struct audit_machine *machine)
{
    Hallsync__Reply *reply = ask(auditor, machine, NULL);
    bool good = reply != NULL && reply->body_case == HALLSYNC__REPLY__BODY_WATCH;
    clear(&machine->feed.copy);
    if (good)
        machine->feed.from = place_at(reply->watch->position);
    if (reply != NULL)
        hallsync__reply__free_unpacked(reply, NULL);
    return good && list_all(auditor, machine, &machine->feed.copy);
}

/* False: nothing more is told now. */
static bool next_page(struct auditor *auditor, struct audit_machine *machine)
{
    if (machine->feed.lost) {
        machine->feed.lost = !begin_anew(auditor, machine);
        return !machine->feed.lost;
    }
    Hallsync__Reply *reply = ask(auditor, machine, &machine->feed.from);
    bool more = false;
    if (reply != NULL && reply->body_case == HALLSYNC__REPLY__BODY_WATCH) {
        struct audit_place next = place_at(reply->watch->position);
        more = next.commit != machine->feed.from.commit || next.ops != machine->feed.from.ops;
        for (size_t i = 0; i < reply->watch->n_records; i++)
            take(&machine->feed.copy, reply->watch->records[i]);
        machine->feed.from = next;
    } else if (reply != NULL && is_reset(reply)) {
        machine->feed.lost = more = true;
    }
    if (reply != NULL)
        hallsync__reply__free_unpacked(reply, NULL);
    return more;
}

void audit_feed_turn(struct auditor *auditor, struct audit_machine *machine)
{
    for (unsigned i = 0; i < PAGES_A_TIME && audit_watched(machine) && next_page(auditor, machine); i++)
        continue;
}

/* ---- at the end ---- */

static void compare(struct auditor *auditor, const struct audit_machine *machine, const struct audit_map *one,
                    const struct audit_map *other, const char *what)
{
    for (size_t i = 0; i < one->count; i++) {
        const struct audit_entry *entry = &one->entries[i];
        const struct hs_buf *own = entry->value, *theirs = audit_map_get(other, entry->key);
        struct hs_bytes bytes = theirs != NULL ? hs_buf_bytes(theirs) : HS_BYTES_NONE;
        if (!hs_bytes_equal(hs_buf_bytes(own), bytes))
            audit_fail(auditor, AUDIT_FEED, "%s: who follows its change feed has another record of kind %u, %.*s: %s",
                       machine->sim->name, (unsigned)hs_from_be16(entry->key.data), (int)entry->key.size - 4,
                       (const char *)entry->key.data + 4, what);
    }
}

void audit_feed_check_end(struct auditor *auditor, struct audit_machine *machine)
{
    struct audit_map listed = {0};
    while (audit_watched(machine) && next_page(auditor, machine))
        continue;
    uint64_t gained = machine->gained;
    if (audit_watched(machine) && list_all(auditor, machine, &listed) && machine->gained == gained) {
        compare(auditor, machine, &machine->feed.copy, &listed, "listed otherwise or not at all");
        compare(auditor, machine, &listed, &machine->feed.copy, "told otherwise or not at all");
    }
    clear(&listed);
}

void audit_feed_free(struct audit_feed *feed)
{
    clear(&feed->copy);
}
