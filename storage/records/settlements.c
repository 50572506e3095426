/* Settlements: what was paid too much, or ahead, is given back (refund) or counted elsewhere (credit).  Only the owner
 * of the district decides that, by a grant that the settlement names; it counts if its writer is the node of that
 * grant, whoever has become the owner since.
 *
 * The settlements of one bill, or of what an account has paid ahead, are one group, and a chain in it: each names the
 * one that its writer knew last.  Of two that follow the same one, written apart from each other, one counts: that of
 * the later grant, or else the one with the lower id; the other, and what follows it, is listed.  So no two decisions
 * about the same money both count, in whatever order they come. */
#include "proto/base/names.h"
#include "storage/records/env.h"

#include <string.h>

enum {
    SETTLEMENT_ACCOUNT = 2,
    SETTLEMENT_BILL = 3,
    SETTLEMENT_AMOUNT = 5,
    SETTLEMENT_TYPE = 6,
    SETTLEMENT_AFTER = 12,
    SETTLEMENT_GRANT = 13,
    SETTLEMENT_TO_BILL = 14
};
enum { GRANT_DISTRICT = 2, GRANT_NUMBER = 3, GRANT_OWNER = 4 };

/* One group: its settlements, the grants of its district, and which of the settlements count, in their order. */
struct group {
    const struct hs_facet *members, *grants;
    const struct hs_facet **chain;
    size_t count;
};

/* ---- which ones count ---- */

static const struct hs_facet *grant_of(const struct group *group, const struct hs_facet *settlement)
{
    uint64_t number = hs_facet_number(settlement, SETTLEMENT_GRANT);
    const struct hs_facet *grant = group->grants;
    while (grant != NULL && hs_facet_number(grant, GRANT_NUMBER) != number)
        grant = grant->next;
    return grant;
}

static bool is_by_owner(struct hs_derive *derive, const struct group *group, const struct hs_facet *settlement)
{
    const struct hs_facet *grant = grant_of(group, settlement);
    struct hs_bytes node = hs_writer_node(derive, settlement->record.variants[0].dot.origin);
    return grant != NULL && node.size != 0 && hs_bytes_equal(node, hs_facet_bytes(grant, GRANT_OWNER));
}

static bool goes_before(const struct hs_facet *a, const struct hs_facet *b)
{
    uint64_t left = hs_facet_number(a, SETTLEMENT_GRANT), right = hs_facet_number(b, SETTLEMENT_GRANT);
    return left != right ? left > right : hs_bytes_compare(a->name.id, b->name.id) < 0;
}

/* Of those that follow @last (none: no bytes) the one that counts; NULL: none. */
static const struct hs_facet *next_of(struct hs_derive *derive, const struct group *group, struct hs_bytes last)
{
    const struct hs_facet *best = NULL;
    for (const struct hs_facet *one = group->members; one != NULL; one = one->next) {
        if (hs_bytes_equal(hs_facet_bytes(one, SETTLEMENT_AFTER), last) && (best == NULL || goes_before(one, best)) &&
            is_by_owner(derive, group, one))
            best = one;
    }
    return best;
}

static bool is_in_chain(const struct group *group, const struct hs_facet *settlement)
{
    size_t i = 0;
    while (i < group->count && !hs_bytes_equal(group->chain[i]->name.id, settlement->name.id))
        i++;
    return i < group->count;
}

static void make_chain(struct hs_derive *derive, struct group *group)
{
    struct hs_bytes last = HS_BYTES_NONE;
    const struct hs_facet *next;
    size_t members = 0;
    for (const struct hs_facet *one = group->members; one != NULL; one = one->next)
        members++;
    group->count = 0;
    group->chain = members != 0 ? hs_arena_array(derive->arena, members, sizeof *group->chain) : NULL;
    if (members != 0 && group->chain == NULL) {
        hs_derive_fail(derive, HS_ENOMEM);
        return;
    }
    while ((next = next_of(derive, group, last)) != NULL && !is_in_chain(group, next)) {
        group->chain[group->count++] = next;
        last = next->name.id;
    }
}

/* ---- what they give ---- */

static void count_bill(struct hs_derive *derive, const struct hs_facet *settlement, struct hs_bytes bill, int sign,
                       int64_t fen)
{
    struct hs_row_key key;
    struct hs_addition addition = {
        .table = HS_TABLE_INDEX, .key = &key, .pair = HS_PAIR_SETTLED, .sign = sign, .fen = fen};
    if (bill.size == 0 || bill.size > HS_RECORD_ID_BYTES_MAX)
        return;
    hs_bill_key(&key, hs_facet_bytes(settlement, SETTLEMENT_ACCOUNT), bill, settlement->name.partition);
    derive->sink->add(derive, &addition);
}

static bool is_refund(const struct hs_facet *settlement)
{
    return hs_bytes_equal(hs_facet_bytes(settlement, SETTLEMENT_TYPE), HS_BYTES("refund", 6));
}

static int64_t amount_of(const struct hs_facet *settlement)
{
    return (int64_t)hs_facet_number(settlement, SETTLEMENT_AMOUNT);
}

/* Money that leaves the drawer leaves the account's sums, and those of the day. */
static void count_refund(struct hs_derive *derive, const struct hs_facet *settlement, int sign)
{
    struct hs_row_key key;
    struct hs_addition addition = {
        .table = HS_TABLE_INDEX, .key = &key, .pair = HS_PAIR_SETTLED, .sign = sign, .fen = amount_of(settlement)};
    struct hs_day day = hs_day_of(settlement, derive->utc_offset_minutes);
    hs_account_key(&key, hs_facet_bytes(settlement, SETTLEMENT_ACCOUNT), settlement->name.partition);
    derive->sink->add(derive, &addition);
    addition.table = HS_TABLE_DAY;
    hs_day_key(&key, &day);
    derive->sink->add(derive, &addition);
    hs_day_key(&key, &HS_DAY_TOTAL);
    derive->sink->add(derive, &addition);
}

static void count(struct hs_derive *derive, const struct hs_facet *settlement, int sign)
{
    int64_t fen = amount_of(settlement);
    if (is_refund(settlement))
        count_refund(derive, settlement, sign);
    else
        count_bill(derive, settlement, hs_facet_bytes(settlement, SETTLEMENT_TO_BILL), sign, -fen);
    count_bill(derive, settlement, hs_facet_bytes(settlement, SETTLEMENT_BILL), sign, fen);
}

static void list(struct hs_derive *derive, enum hs_list which, const struct hs_facet *settlement, bool listed,
                 struct hs_bytes detail)
{
    struct hs_row_key key;
    struct hs_listing listing = {.fen = amount_of(settlement), .detail = detail};
    hs_list_key(&key, which, &settlement->name, HS_BYTES_NONE);
    derive->sink->list(derive, &key, listed ? &listing : NULL);
}

static void list_one(struct hs_derive *derive, const struct group *group, const struct hs_facet *settlement)
{
    bool by_owner = is_by_owner(derive, group, settlement);
    struct hs_bytes node = hs_writer_node(derive, settlement->record.variants[0].dot.origin);
    list(derive, HS_LIST_NOT_OWNER, settlement, !by_owner, node);
    list(derive, HS_LIST_SETTLED_TWICE, settlement, by_owner && !is_in_chain(group, settlement),
         hs_facet_bytes(settlement, SETTLEMENT_ACCOUNT));
}

/* Take away what the group gave, lists and all; or add what it gives now. */
static void give(struct hs_derive *derive, struct group *group, int sign)
{
    make_chain(derive, group);
    for (size_t i = 0; i < group->count && *derive->err == HS_OK; i++)
        count(derive, group->chain[i], sign);
    for (const struct hs_facet *one = group->members; one != NULL && *derive->err == HS_OK; one = one->next) {
        if (sign > 0) {
            list_one(derive, group, one);
            continue;
        }
        list(derive, HS_LIST_NOT_OWNER, one, false, HS_BYTES_NONE);
        list(derive, HS_LIST_SETTLED_TWICE, one, false, HS_BYTES_NONE);
    }
}

/* ---- groups as they are in the store, and as they were ---- */

static bool same_group(const struct hs_facet *a, const struct hs_facet *b)
{
    return a->name.partition == b->name.partition &&
           hs_bytes_equal(hs_facet_bytes(a, SETTLEMENT_ACCOUNT), hs_facet_bytes(b, SETTLEMENT_ACCOUNT)) &&
           hs_bytes_equal(hs_facet_bytes(a, SETTLEMENT_BILL), hs_facet_bytes(b, SETTLEMENT_BILL));
}

/* The settlements of the group that @of is of; the record @without is left out (NULL: none is). */
static struct hs_facet *members_of(struct hs_derive *derive, const struct hs_facet *of,
                                   const struct hs_record_name *without)
{
    struct hs_wanted wanted = {.kind = HS_KIND_SETTLEMENT,
                               .index = "account",
                               .value = hs_facet_bytes(of, SETTLEMENT_ACCOUNT),
                               .partition = of->name.partition};
    struct hs_facet *first = NULL;
    struct hs_facet **end = &first;
    struct hs_facet *next;
    for (struct hs_facet *one = hs_index_facets(derive, &wanted); one != NULL; one = next) {
        next = one->next;
        if (!same_group(one, of) || (without != NULL && hs_bytes_equal(one->name.id, without->id)))
            continue;
        *end = one;
        end = &one->next;
    }
    *end = NULL;
    return first;
}

/* The grants of a district, of which @without is left out (NULL: none is). */
static struct hs_facet *grants_of(struct hs_derive *derive, hs_partition partition,
                                  const struct hs_record_name *without)
{
    char district[HS_PARTITION_TEXT_BYTES];
    hs_partition_text(partition, district);
    struct hs_wanted wanted = {.kind = HS_KIND_GRANT,
                               .index = "district",
                               .value = HS_BYTES(district, strlen(district)),
                               .partition = HS_PARTITION_REGION};
    struct hs_facet *first = hs_index_facets(derive, &wanted);
    for (struct hs_facet **at = &first; *at != NULL;) {
        if (without != NULL && hs_bytes_equal((*at)->name.id, without->id))
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    return first;
}

/* @one before the others. */
static struct hs_facet *with(struct hs_derive *derive, const struct hs_facet *one, struct hs_facet *others)
{
    struct hs_facet *copy = hs_arena_alloc(derive->arena, sizeof *copy);
    if (copy == NULL) {
        hs_derive_fail(derive, HS_ENOMEM);
        return NULL;
    }
    *copy = *one;
    copy->next = others;
    return copy;
}

/* ---- a settlement changes ---- */

static void change_group(struct hs_derive *derive, const struct hs_facet *of, const struct hs_facet *old,
                         const struct hs_facet *new)
{
    struct hs_facet *others = members_of(derive, of, &of->name);
    struct group group = {.grants = grants_of(derive, of->name.partition, NULL)};
    group.members = old != NULL ? with(derive, old, others) : others;
    if (*derive->err == HS_OK)
        give(derive, &group, -1);
    group.members = new != NULL ? with(derive, new, others) : others;
    if (*derive->err == HS_OK)
        give(derive, &group, 1);
}

void hs_settlement_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    bool had = hs_facet_counts(old), has = hs_facet_counts(new);
    bool same = had && has && same_group(old, new);
    if (had)
        change_group(derive, old, old, same ? new : NULL);
    if (has && !same)
        change_group(derive, new, NULL, new);
    hs_bill_named(derive, old, new);
}

static void load_group(struct hs_derive *derive, const struct hs_facet *settlement, struct group *group)
{
    *group = (struct group){.members = members_of(derive, settlement, NULL),
                            .grants = grants_of(derive, settlement->name.partition, NULL)};
    make_chain(derive, group);
}

void hs_settlement_whole(struct hs_derive *derive, const struct hs_facet *settlement)
{
    struct group group;
    if (!hs_facet_counts(settlement))
        return;
    load_group(derive, settlement, &group);
    if (*derive->err == HS_OK && is_in_chain(&group, settlement))
        count(derive, settlement, 1);
    else if (*derive->err == HS_OK && is_by_owner(derive, &group, settlement))
        list(derive, HS_LIST_SETTLED_TWICE, settlement, true, hs_facet_bytes(settlement, SETTLEMENT_ACCOUNT));
    else if (*derive->err == HS_OK)
        list(derive, HS_LIST_NOT_OWNER, settlement, true,
             hs_writer_node(derive, settlement->record.variants[0].dot.origin));
}

int64_t hs_settlement_pays(const struct hs_facet *settlement, struct hs_bytes bill_id)
{
    int64_t fen = amount_of(settlement);
    bool from = hs_bytes_equal(hs_facet_bytes(settlement, SETTLEMENT_BILL), bill_id);
    bool to = !is_refund(settlement) && hs_bytes_equal(hs_facet_bytes(settlement, SETTLEMENT_TO_BILL), bill_id);
    return (to ? fen : 0) - (from ? fen : 0);
}

bool hs_settlement_stands(struct hs_derive *derive, const struct hs_facet *settlement)
{
    struct group group;
    load_group(derive, settlement, &group);
    return is_in_chain(&group, settlement);
}

int64_t hs_settlement_refunds(const struct hs_facet *settlement)
{
    return is_refund(settlement) ? amount_of(settlement) : 0;
}

/* ---- a grant changes ---- */

struct walk {
    struct hs_buf ids; /* of the district's settlements */
};

static enum hs_err take_id(void *ctx, const struct hs_stored *stored)
{
    struct walk *walk = ctx;
    if (stored->name.lane == HS_LANE_MONEY)
        hs_buf_put_sized(&walk->ids, stored->name.id);
    return walk->ids.err;
}

/* Each group once: through the first of its settlements.  @old, @new: the grant, or NULL. */
static void regrant(struct hs_derive *derive, const struct hs_facet *settlement, const struct hs_facet *old,
                    const struct hs_facet *new)
{
    struct group group = {.members = members_of(derive, settlement, NULL)};
    for (const struct hs_facet *one = group.members; one != NULL; one = one->next) {
        if (hs_bytes_compare(one->name.id, settlement->name.id) < 0)
            return;
    }
    const struct hs_record_name *name = new != NULL ? &new->name : &old->name;
    struct hs_facet *others = grants_of(derive, settlement->name.partition, name);
    group.grants = old != NULL ? with(derive, old, others) : others;
    if (*derive->err == HS_OK)
        give(derive, &group, -1);
    group.grants = new != NULL ? with(derive, new, others) : others;
    if (*derive->err == HS_OK)
        give(derive, &group, 1);
}

static enum hs_err regrant_each(const struct hs_derive *derive, const struct walk *walk, hs_partition partition,
                                const struct hs_facet *old, const struct hs_facet *new)
{
    struct hs_arena arena; /* of the group at hand: a district may have many */
    struct hs_derive mine = *derive;
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(&walk->ids));
    hs_arena_init(&arena, 0);
    mine.arena = &arena;
    while (cur.left > 0 && *mine.err == HS_OK) {
        struct hs_facet settlement;
        struct hs_record_name name = {partition, HS_LANE_MONEY, HS_KIND_SETTLEMENT, hs_cur_sized(&cur)};
        hs_arena_reset(&arena);
        hs_facet_load(&mine, &name, &settlement);
        if (*mine.err == HS_OK && hs_facet_counts(&settlement))
            regrant(&mine, &settlement, old, new);
    }
    hs_arena_fini(&arena);
    return cur.err;
}

/* @old gives way to @new in the district that @of names; either may be NULL: it is of another district. */
static void change_grant(struct hs_derive *derive, const struct hs_facet *of, const struct hs_facet *old,
                         const struct hs_facet *new)
{
    hs_partition partition;
    struct hs_bytes district = hs_facet_bytes(of, GRANT_DISTRICT);
    char text[HS_PARTITION_TEXT_BYTES] = "";
    struct walk walk = {0};
    if (district.size >= sizeof text)
        return; /* let count as it is: there can be no such district */
    memcpy(text, district.data, district.size);
    if (hs_partition_parse(text, &partition) != HS_OK)
        return;
    enum hs_err err = hs_records_walk(derive->txn, partition, HS_KIND_SETTLEMENT, take_id, &walk);
    if (err == HS_OK)
        err = regrant_each(derive, &walk, partition, old, new);
    hs_derive_fail(derive, err);
    hs_buf_fini(&walk.ids);
}

void hs_grant_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    bool had = hs_facet_counts(old), has = hs_facet_counts(new);
    bool same = had && has && hs_bytes_equal(hs_facet_bytes(old, GRANT_DISTRICT), hs_facet_bytes(new, GRANT_DISTRICT));
    if (had)
        change_grant(derive, old, old, same ? new : NULL);
    if (has && !same)
        change_grant(derive, new, NULL, new);
}
