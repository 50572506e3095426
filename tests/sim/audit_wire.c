/* audit_wire.c -- what nodes send each other, by its size: frames, and segments within the credit given.
 *
 * Frames are known by sender and receiver only; the sequence number tells to which session of the two one belongs.
 * Where that is not certain, the largest credit of all their sessions counts: nothing is called a violation that is
 * none. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>

#define SESSIONS_MAX     4 /* of two machines, one way, the newest */
#define COST_BYTES       256
#define HEAD_COST_BYTES  1024              /* of a head of a fill */
#define QUEUED_BYTES_MAX ((size_t)2 << 20) /* on one way of a line: the largest credit, and as much again for lists */

enum {
    HELLO_CREDIT = 10,
    SEGMENT_RAW = 5,
    LOOSE_BODY = 6,
    STATES_RAW = 3,
    FILL_HEADS_HEADS = 3,
    FETCH_SEGMENT = 3,
    ACK_CREDIT = 1
};
enum { FRAME_HEAD_BYTES = 6 };

struct session {
    uint32_t next;        /* sequence number */
    uint64_t first_bytes; /* credit that the sender gave in its Hello */
    uint64_t given_bytes; /* ... and in all, so far */
    uint64_t spent_bytes; /* by the sender of what the other one gave */
    bool unsure;          /* a frame may have been another session's */
    struct audit_tale tale;
};

struct way {
    struct session sessions[SESSIONS_MAX]; /* the newest first */
    unsigned count;
    uint64_t clock_ms; /* the highest that a heartbeat has shown */
};

struct audit_wire {
    struct way ways[SIM_MACHINES_MAX][SIM_MACHINES_MAX];
};

static void begin(struct way *way, struct hs_bytes hello)
{
    uint64_t credit = audit_tlv_find(hello, HELLO_CREDIT).value;
    for (unsigned i = SESSIONS_MAX - 1; i > 0; i--)
        way->sessions[i] = way->sessions[i - 1];
    way->sessions[0] = (struct session){.next = 2, .first_bytes = credit, .given_bytes = credit};
    way->count += way->count < SESSIONS_MAX;
}

static struct session *session_of(struct way *way, uint32_t sequence)
{
    struct session *found = NULL;
    for (unsigned i = 0; i < way->count; i++) {
        if (way->sessions[i].next != sequence)
            continue;
        if (found != NULL)
            found->unsure = way->sessions[i].unsure = true;
        else
            found = &way->sessions[i];
    }
    if (found != NULL)
        found->next++;
    return found;
}

static void spend(struct auditor *auditor, const struct sim_machine *from, const struct sim_machine *to,
                  struct session *session, uint64_t bytes)
{
    const struct way *back = &auditor->wire->ways[to->index][from->index];
    uint64_t most = 0;
    session->spent_bytes += bytes;
    for (unsigned i = 0; i < back->count; i++)
        most = back->sessions[i].given_bytes > most ? back->sessions[i].given_bytes : most;
    if (session->spent_bytes > most && !session->unsure)
        audit_fail(auditor, AUDIT_BOUNDS,
                   "%s has sent %s segments of %" PRIu64 " bytes; it was given credit for %" PRIu64, from->name,
                   to->name, session->spent_bytes, most);
}

static void give(struct auditor *auditor, const struct sim_machine *from, const struct sim_machine *to,
                 struct session *session, uint64_t total)
{
    const struct way *back = &auditor->wire->ways[to->index][from->index];
    uint64_t most = 0;
    bool unsure = session->unsure;
    for (unsigned i = 0; i < back->count; i++) {
        most = back->sessions[i].spent_bytes > most ? back->sessions[i].spent_bytes : most;
        unsure = unsure || back->sessions[i].unsure;
    }
    if (total > session->first_bytes + most && !unsure)
        audit_fail(auditor, AUDIT_BOUNDS,
                   "%s gives %s credit for %" PRIu64 " bytes in all: %" PRIu64 " at first, and %" PRIu64 " were sent",
                   from->name, to->name, total, session->first_bytes, most);
    session->given_bytes = total > session->given_bytes ? total : session->given_bytes;
}

static uint64_t cost_of_heads(struct hs_bytes body)
{
    struct hs_cur cur = hs_cur_of(body);
    struct audit_tlv tlv;
    uint64_t cost = COST_BYTES;
    while (audit_tlv_next(&cur, &tlv))
        cost += tlv.number == FILL_HEADS_HEADS ? HEAD_COST_BYTES : 0;
    return cost;
}

/* Of an answer that brings something. */
static uint64_t cost_of_fetch(struct hs_bytes body)
{
    struct audit_tlv segment = audit_tlv_find(body, FETCH_SEGMENT);
    return segment.raw.size == 0 ? 0 : audit_tlv_find(segment.data, SEGMENT_RAW).value + COST_BYTES;
}

/* NULL: it is not known which one. */
static struct session *look_into(struct auditor *auditor, const struct sim_machine *from, const struct sim_machine *to,
                                 uint8_t type, uint32_t sequence, struct hs_bytes body)
{
    struct way *way = &auditor->wire->ways[from->index][to->index];
    struct audit_tlv credit = audit_tlv_find(body, ACK_CREDIT);
    if (sequence == 1)
        begin(way, type == AUDIT_FRAME_HELLO ? body : HS_BYTES_NONE);
    struct session *session = sequence == 1 ? &way->sessions[0] : session_of(way, sequence);
    if (session == NULL)
        return NULL;
    if (type == AUDIT_FRAME_SEGMENT)
        spend(auditor, from, to, session, audit_tlv_find(body, SEGMENT_RAW).value + COST_BYTES);
    else if (type == AUDIT_FRAME_LOOSE)
        spend(auditor, from, to, session, audit_tlv_find(body, LOOSE_BODY).data.size + COST_BYTES);
    else if (type == AUDIT_FRAME_FILL_HEADS)
        spend(auditor, from, to, session, cost_of_heads(body));
    else if (type == AUDIT_FRAME_STATES)
        spend(auditor, from, to, session, audit_tlv_find(body, STATES_RAW).value + COST_BYTES);
    else if (type == AUDIT_FRAME_FETCH)
        spend(auditor, from, to, session, cost_of_fetch(body));
    else if (type == AUDIT_FRAME_ACK && credit.raw.size != 0)
        give(auditor, from, to, session, credit.value);
    return session->unsure ? NULL : session;
}

static void talk(struct auditor *auditor, const struct sim_machine *from, const struct sim_machine *to, uint8_t type,
                 struct session *session, struct hs_bytes body)
{
    struct way *way = &auditor->wire->ways[from->index][to->index];
    struct session *other = &auditor->wire->ways[to->index][from->index].sessions[0];
    struct audit_talk talk = {.from = audit_machine_of(auditor, from),
                              .to = audit_machine_of(auditor, to),
                              .tale = session != NULL ? &session->tale : NULL,
                              .heard = other->unsure ? NULL : &other->tale,
                              .clock_ms = &way->clock_ms};
    struct sim_machine *current = auditor->sim->current;
    auditor->sim->current = NULL;
    audit_peers_sent(auditor, &talk, type, body);
    auditor->sim->current = current;
}

void auditor_sent(struct auditor *auditor, struct sim_machine *from, struct sim_machine *to, struct hs_bytes frame)
{
    if (auditor->wire == NULL)
        auditor->wire = audit_new(auditor, sizeof *auditor->wire);
    if (frame.size > HS_MESSAGE_BYTES_MAX || frame.size < FRAME_HEAD_BYTES)
        audit_fail(auditor, AUDIT_BOUNDS, "%s sends %s a frame of %zu bytes", from->name, to->name, frame.size);
    struct hs_cur cur = hs_cur_of(frame);
    hs_cur_u8(&cur);
    uint8_t type = hs_cur_u8(&cur);
    uint32_t sequence = hs_cur_u32(&cur);
    struct hs_bytes body = hs_cur_take(&cur, cur.left);
    struct session *session = look_into(auditor, from, to, type, sequence, body);
    talk(auditor, from, to, type, session, body);
}

void audit_wire_check(struct auditor *auditor)
{
    for (const struct sim_connection *at = auditor->sim->connections; at != NULL; at = at->next) {
        for (int side = 0; side < 2; side++) {
            if (at->queued_bytes[side] > QUEUED_BYTES_MAX)
                audit_fail(auditor, AUDIT_BOUNDS, "%zu bytes wait on one way of a line", at->queued_bytes[side]);
        }
    }
}
