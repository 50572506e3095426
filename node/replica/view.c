/* Who may see what: the one place that decides what a session sends, takes, tells and compares.  PROTOCOL.md, "Scope":
 *
 * The *lower* node of a session is the one that has dialled.  The common view is
 * the lower node's scope in full, and elsewhere what comes from below: a hall's own streams; between hubs those of
 * nodes that are at home in the lower hub's scope.  A witness has no view: a hall gives it its own streams, it gives
 * a hub those of nodes of its districts. */
#include "node/replica/core.h"

#include "proto/msg/tlv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_DISTRICTS_MAX 6 /* named in a sentence */

enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ROLE = 2, NODE_HOME = 5 }; /* of Certificate, Signed, NodeBody */

/* ---- scopes ---- */

static int compare_partitions(const void *a, const void *b)
{
    return (int)*(const hs_partition *)a - (int)*(const hs_partition *)b;
}

/* The region is nobody's district, and in everybody's view. */
bool hs_rep_scope_has(const struct rep_scope *scope, hs_partition district)
{
    if (district == HS_PARTITION_REGION)
        return false;
    return scope->everything || (scope->count > 0 && bsearch(&district, scope->districts, scope->count, sizeof district,
                                                             compare_partitions) != NULL);
}

static bool scope_add(struct rep_scope *scope, uint32_t district)
{
    bool fits = scope->count < HS_SCOPE_MAX && hs_partition_valid(district) && district != HS_PARTITION_REGION &&
                (scope->count == 0 || scope->districts[scope->count - 1] < district);
    if (fits)
        scope->districts[scope->count++] = (hs_partition)district;
    return fits;
}

/* A district of @part that @whole has not; false: there is none. */
static bool scope_lacks(const struct rep_scope *whole, const struct rep_scope *part, hs_partition *district)
{
    if (whole->everything)
        return false;
    *district = HS_PARTITION_REGION;
    if (part->everything)
        return true;
    for (size_t i = 0; i < part->count; i++) {
        *district = part->districts[i];
        if (!hs_rep_scope_has(whole, *district))
            return true;
    }
    return false;
}

static bool scope_equal(const struct rep_scope *a, const struct rep_scope *b)
{
    hs_partition district = HS_PARTITION_REGION;
    return !scope_lacks(a, b, &district) && !scope_lacks(b, a, &district);
}

/* A district that both have; false: there is none. */
static bool scope_shares(const struct rep_scope *a, const struct rep_scope *b, hs_partition *district)
{
    const struct rep_scope *named = a->everything ? b : a, *other = a->everything ? a : b;
    for (size_t i = 0; i < named->count; i++) {
        *district = named->districts[i];
        if (hs_rep_scope_has(other, *district))
            return true;
    }
    return named->everything;
}

/* "3201, 3202 and 5 more"; valid until the next step. */
static const char *scope_text(struct hs_replica *r, const struct rep_scope *scope)
{
    char text[TEXT_DISTRICTS_MAX * HS_PARTITION_TEXT_BYTES * 2 + 32] = "";
    char one[HS_PARTITION_TEXT_BYTES];
    size_t size = 0;
    if (scope->everything)
        return "everything";
    for (size_t i = 0; i < scope->count && i < TEXT_DISTRICTS_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", i == 0 ? "" : ", ",
                                 hs_partition_text(scope->districts[i], one));
    if (scope->count > TEXT_DISTRICTS_MAX)
        snprintf(text + size, sizeof text - size, " and %zu more", scope->count - TEXT_DISTRICTS_MAX);
    return hs_rep_text(r, "%s", text);
}

/* The certificate is the limit of a hall and a witness; @named (@count, 0: all of it) may narrow it.  A hub's
 * certificate has no limit. */
bool hs_rep_scope_of(const struct hs_certificate *certificate, const uint32_t *named, size_t count,
                     struct rep_scope *scope)
{
    struct rep_scope asked = {0};
    *scope = (struct rep_scope){0};
    for (size_t i = 0; i < count; i++) {
        if (!scope_add(&asked, named[i]))
            return false;
    }
    if (certificate->role == HS_ROLE_HUB) {
        *scope = asked;
        scope->everything = count == 0;
        return true;
    }
    for (size_t i = 0; i < certificate->district_count; i++) {
        if (count == 0 || hs_rep_scope_has(&asked, certificate->districts[i]))
            scope->districts[scope->count++] = certificate->districts[i];
    }
    return true;
}

/* ---- nodes ---- */

/* What the certificate in the store says of a node: its home is the same in all that it ever gets.  The store has
 * verified it. */
void hs_rep_node_learn(struct rep_node *node, struct hs_bytes certificate)
{
    struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(certificate, CERTIFICATE_NODE), SIGNED_BODY);
    node->role = (enum hs_role)hs_tlv_u64(body, NODE_ROLE, 0);
    node->home = (hs_partition)hs_tlv_u64(body, NODE_HOME, HS_PARTITION_REGION);
}

static bool is_known(struct hs_replica *r, struct rep_node *node)
{
    if (node->role != 0)
        return true;
    struct hs_buf bytes = {0};
    enum hs_err err = hs_rep_read(r, r->source.certificate(r->source.ctx, &node->key, &bytes));
    if (err == HS_OK)
        hs_rep_node_learn(node, hs_buf_bytes(&bytes));
    hs_buf_fini(&bytes);
    return node->role != 0;
}

static bool at_home_in(struct hs_replica *r, const struct rep_scope *scope, struct rep_node *node)
{
    return is_known(r, node) && hs_rep_scope_has(scope, node->home);
}

bool hs_rep_node_is_hub(struct hs_replica *r, const struct hs_key *key)
{
    struct rep_node *node = hs_rep_node_get(r, key);
    return node != NULL && is_known(r, node) && node->role == HS_ROLE_HUB;
}

bool hs_rep_node_vouches(struct hs_replica *r, const struct hs_key *key)
{
    return hs_rep_node_is_hub(r, key) && !hs_rep_node_get(r, key)->is_revoked;
}

/* ---- the view ---- */

static const struct rep_scope *lower_scope(const struct rep_session *s)
{
    return s->outbound ? &s->r->scope : &s->scope;
}

static struct rep_node *lower_node(const struct rep_session *s)
{
    return s->outbound ? s->r->node : s->node;
}

static bool is_compared(const struct rep_session *s)
{
    return s->relation == REP_HALL_HUB || s->relation == REP_HUB_HUB;
}

static bool is_inside(const struct rep_session *s, hs_partition partition)
{
    return partition == HS_PARTITION_REGION || hs_rep_scope_has(lower_scope(s), partition);
}

bool hs_rep_has_view(const struct rep_session *s)
{
    return is_compared(s);
}

bool hs_rep_in_view(const struct rep_session *s, hs_partition partition)
{
    return is_compared(s) && is_inside(s, partition);
}

bool hs_rep_visible(const struct rep_session *s, hs_partition partition, struct rep_node *node)
{
    if (!is_compared(s))
        return false;
    if (is_inside(s, partition) || node == lower_node(s))
        return true;
    return s->relation == REP_HUB_HUB &&
           ((s->is_equal && (node == s->node || node == s->r->node)) || at_home_in(s->r, lower_scope(s), node));
}

/* ---- what may pass ---- */

bool hs_rep_may_send(const struct rep_session *s, const struct rep_stream *stream)
{
    hs_partition partition = stream->name.partition;
    struct rep_node *node = stream->member->node;
    switch (s->relation) {
    case REP_HALL_HUB: /* a hall's own streams of other districts do not come back to it */
        return s->outbound ? hs_rep_visible(s, partition, node) : is_inside(s, partition);
    case REP_HUB_HUB:
        return hs_rep_visible(s, partition, node);
    case REP_HALL_WITNESS:
        return s->outbound ? node == s->r->node : is_inside(s, partition);
    case REP_WITNESS_HUB:
        return s->outbound && at_home_in(s->r, &s->r->scope, node);
    }
    return false;
}

/* @node: NULL: nobody knows yet; then the peer's word that there is something of it is taken. */
static bool may_take(const struct rep_session *s, hs_partition partition, struct rep_node *node)
{
    switch (s->relation) {
    case REP_HALL_HUB:
        return s->outbound ? is_inside(s, partition) : node == NULL || hs_rep_visible(s, partition, node);
    case REP_HUB_HUB:
        return node == NULL || hs_rep_visible(s, partition, node);
    case REP_HALL_WITNESS:
        return s->outbound ? is_inside(s, partition) : node == NULL || node == s->node;
    case REP_WITNESS_HUB:
        return !s->outbound && (node == NULL || at_home_in(s->r, &s->scope, node));
    }
    return false;
}

bool hs_rep_may_take(const struct rep_session *s, const struct hs_stream *name)
{
    const struct rep_origin *origin = hs_rep_origin_find(&s->r->frontier, name->origin);
    return may_take(s, name->partition, origin == NULL ? NULL : origin->node);
}

/* That its own streams have forked a node must hear, whatever they are about; and a witness hears what hubs have signed
 * for. */
bool hs_rep_may_tell(const struct rep_session *s, const struct rep_stream *stream)
{
    struct rep_node *node = stream->member->node;
    return hs_rep_may_send(s, stream) || node == s->node ||
           (s->relation == REP_WITNESS_HUB && !s->outbound && at_home_in(s->r, &s->scope, node));
}

/* The same, as the other side sees it: what it may tell us of. */
bool hs_rep_may_hear(const struct rep_session *s, const struct hs_stream *name)
{
    const struct rep_origin *origin = hs_rep_origin_find(&s->r->frontier, name->origin);
    if (origin == NULL)
        return false;
    return may_take(s, name->partition, origin->node) || origin->node == s->r->node ||
           (s->relation == REP_WITNESS_HUB && s->outbound && at_home_in(s->r, &s->r->scope, origin->node));
}

/* ---- who hears of what ---- */

bool hs_rep_watch(struct rep_session *s, struct rep_partition *partition)
{
    return !hs_rep_in_view(s, partition->id) || hs_rep_partition_watch(partition, s);
}

/* Besides what its view shows in full a session hears of streams by their nodes, which are looked at one by one; a hall
 * is found at its own node. */
static bool is_by_node(const struct rep_session *s)
{
    bool is_hall = s->relation == REP_HALL_HUB && !s->outbound;
    return !is_hall && (!is_compared(s) || !lower_scope(s)->everything);
}

void hs_rep_view_begin(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    for (size_t i = 0; i < r->frontier.count; i++) {
        if (!hs_rep_watch(s, r->frontier.partitions[i]))
            hs_rep_fail(r, HS_ENOMEM);
    }
    if (is_by_node(s))
        TAILQ_INSERT_TAIL(&r->by_node, s, by_node);
}

void hs_rep_view_end(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    for (size_t i = 0; i < r->frontier.count; i++)
        hs_rep_partition_unwatch(r->frontier.partitions[i], s);
    if (is_by_node(s))
        TAILQ_REMOVE(&r->by_node, s, by_node);
}

void hs_rep_session_each(struct hs_replica *r, const struct rep_stream *stream, hs_rep_visit_session visit, void *ctx)
{
    const struct rep_partition *partition = stream->member->partition;
    struct rep_session *s;
    for (size_t i = 0; i < partition->session_count; i++)
        visit(partition->sessions[i], stream, ctx);
    TAILQ_FOREACH(s, &r->by_node, by_node)
    {
        if (!hs_rep_in_view(s, partition->id) && (hs_rep_may_tell(s, stream) || hs_rep_may_take(s, &stream->name)))
            visit(s, stream, ctx);
    }
    for (s = stream->member->node->sessions; s != NULL && r->err == HS_OK; s = s->of_node) {
        if (!hs_rep_in_view(s, partition->id) && !is_by_node(s))
            visit(s, stream, ctx);
    }
}

/* ---- may the two be peers at all? ---- */

static const struct {
    enum hs_role dials, listens;
    enum rep_relation relation;
} RELATIONS[] = {
    {HS_ROLE_HALL, HS_ROLE_HUB, REP_HALL_HUB},
    {HS_ROLE_HUB, HS_ROLE_HUB, REP_HUB_HUB},
    {HS_ROLE_HALL, HS_ROLE_WITNESS, REP_HALL_WITNESS},
    {HS_ROLE_WITNESS, HS_ROLE_HUB, REP_WITNESS_HUB},
};

static enum hs_err find_relation(struct rep_session *s, const char **why)
{
    enum hs_role dials = s->outbound ? s->r->certificate.role : s->certificate.role;
    enum hs_role listens = s->outbound ? s->certificate.role : s->r->certificate.role;
    for (size_t i = 0; i < sizeof RELATIONS / sizeof *RELATIONS; i++) {
        if (RELATIONS[i].dials != dials || RELATIONS[i].listens != listens)
            continue;
        s->relation = RELATIONS[i].relation;
        return HS_OK;
    }
    *why = hs_rep_text(s->r, "%s, a %s, is not for a %s to dial", s->outbound ? s->certificate.node_id : "this node",
                       hs_role_text(listens), hs_role_text(dials));
    return HS_ENOTHUB;
}

static enum hs_err outside(struct rep_session *s, const char *upper, const char *lower, hs_partition district,
                           const struct rep_scope *has, const char **why)
{
    char text[HS_PARTITION_TEXT_BYTES];
    const char *what = district == HS_PARTITION_REGION
                           ? "every district"
                           : hs_rep_text(s->r, "district %s", hs_partition_text(district, text));
    *why = hs_rep_text(s->r, "%s does not hold %s of %s; it holds %s", upper, what, lower, scope_text(s->r, has));
    return HS_ESCOPE;
}

/* Whatever the lower node hands in must find its place above: its scope and its home. */
static enum hs_err check_above(struct rep_session *s, const char **why)
{
    const struct hs_certificate *own = &s->r->certificate, *theirs = &s->certificate;
    const struct hs_certificate *lower = s->outbound ? own : theirs, *upper = s->outbound ? theirs : own;
    const struct rep_scope *below = lower_scope(s), *above = s->outbound ? &s->scope : &s->r->scope;
    hs_partition district = lower->home;
    bool lacks = lower->role != HS_ROLE_HUB && !hs_rep_scope_has(above, district);
    if (!lacks && s->relation != REP_HALL_WITNESS)
        lacks = scope_lacks(above, below, &district);
    s->is_equal = s->relation == REP_HUB_HUB && scope_equal(above, below);
    return lacks ? outside(s, upper->node_id, lower->node_id, district, above, why) : HS_OK;
}

/* Two hubs below this one share all of their districts or none: else what one of them passes on would reach the other
 * in parts. */
static enum hs_err check_beside(struct rep_session *s, const char **why)
{
    struct hs_replica *r = s->r;
    hs_partition district = HS_PARTITION_REGION;
    bool below = s->relation == REP_HUB_HUB && !s->outbound && !s->is_equal;
    for (size_t i = 0; below && i < r->session_count; i++) {
        const struct rep_session *other = r->sessions[i];
        if (other == s || other->state != REP_LIVE || other->relation != REP_HUB_HUB || other->outbound ||
            other->is_equal || hs_key_equal(&other->certificate.node_key, &s->certificate.node_key) ||
            scope_equal(&other->scope, &s->scope) || !scope_shares(&other->scope, &s->scope, &district))
            continue;
        char text[HS_PARTITION_TEXT_BYTES];
        *why = hs_rep_text(r, "%s holds %s and %s holds %s: both district %s, and not the same", s->certificate.node_id,
                           scope_text(r, &s->scope), other->certificate.node_id, scope_text(r, &other->scope),
                           hs_partition_text(district, text));
        return HS_ESCOPE;
    }
    return HS_OK;
}

enum hs_err hs_rep_view_check(struct rep_session *s, const char **why)
{
    enum hs_err err = find_relation(s, why);
    if (err == HS_OK)
        err = check_above(s, why);
    return err == HS_OK ? check_beside(s, why) : err;
}
