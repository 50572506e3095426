/* gate.c -- a hub whose store may be an old copy may have forgotten a revocation: until it has heard those of another
 * hub, or those of halls for some time, nobody else gets more than a greeting.  PROTOCOL.md, "Revocations". */
#include "node/replica/core.h"

#define ADMIT_AFTER_MS 60000

void hs_rep_gate_init(struct hs_replica *r)
{
    r->gate.is_closed = r->options.in_doubt && r->certificate.role == HS_ROLE_HUB;
    r->gate.opens_ms = UINT64_MAX;
    if (r->options.admit_after_ms == 0)
        r->options.admit_after_ms = ADMIT_AFTER_MS;
}

static void open_gate(struct hs_replica *r, const char *why)
{
    r->gate.is_closed = false;
    r->gate.opens_ms = UINT64_MAX;
    hs_rep_notice(r, HS_NOTICE_ADMITTING, 0, HS_OK, why);
}

static void turn_away(struct rep_session *s)
{
    hs_rep_session_refuse(s, HS_EBUSY,
                          "this hub may be an old copy: it hears of revoked keys before it admits anybody");
}

/* What it knows is told.  The time runs from the first one on: the others are to come within it. */
void hs_rep_gate_told(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    if (!r->gate.is_closed)
        return;
    if (s->certificate.role == HS_ROLE_HUB) {
        open_gate(r, hs_rep_text(r, "%s has told what keys are revoked", s->certificate.node_id));
        return;
    }
    if (r->gate.opens_ms == UINT64_MAX)
        r->gate.opens_ms = r->now_ms + r->options.admit_after_ms;
    hs_rep_wake(r, r->gate.opens_ms);
    turn_away(s);
}

bool hs_rep_gate_holds(struct rep_session *s, const Hallsync__PeerHello *hello)
{
    if (!s->r->gate.is_closed || s->certificate.role == HS_ROLE_HUB)
        return false;
    s->is_held = true;
    s->revocations_due = hello->has_revocations ? hello->revocations : 0;
    if (!hello->has_revocations)
        turn_away(s); /* of an older version: it knows none */
    else if (hello->revocations == 0)
        hs_rep_gate_told(s);
    return true;
}

uint64_t hs_rep_gate_tick(struct hs_replica *r)
{
    if (r->gate.is_closed && r->now_ms >= r->gate.opens_ms)
        open_gate(r, "halls have told what keys are revoked for long enough");
    return r->gate.opens_ms;
}

bool hs_replica_admits(const struct hs_replica *r, uint64_t *opens_ms)
{
    *opens_ms = r->gate.opens_ms;
    return !r->gate.is_closed;
}
