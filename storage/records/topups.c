/* Top-ups of one electricity card under one counter: the card takes such a purchase once, so money for a second one
 * has to go back.  A node that knows of the first refuses the second; where two halls took one each without knowing of
 * the other, both stand in a list until one of them is taken back.  The group are the payments that name card and
 * counter, in whatever districts. */
#include "storage/records/env.h"

#include <string.h>

enum { PAYMENT_CARD = 14, PAYMENT_COUNTER = 15 };

#define KEY_BYTES_MAX (2 + 8 + UINT8_MAX)

/* The group's payments; false: this one is of no group. */
static bool group_of(const struct hs_facet *payment, uint8_t room[static KEY_BYTES_MAX], struct hs_wanted *wanted)
{
    if (!hs_facet_counts(payment))
        return false;
    struct hs_bytes card = hs_facet_bytes(payment, PAYMENT_CARD);
    if (card.size == 0 || card.size > UINT8_MAX || payment->fields[PAYMENT_COUNTER].number == 0)
        return false;
    hs_be16(room, 8); /* as hs_index_keys() makes them */
    hs_be64(room + 2, hs_facet_number(payment, PAYMENT_COUNTER));
    memcpy(room + 2 + 8, card.data, card.size);
    *wanted = (struct hs_wanted){
        .kind = HS_KIND_PAYMENT, .index = "card_counter", .value = HS_BYTES(room, 2 + 8 + card.size), .anywhere = true};
    return true;
}

static void list(struct hs_derive *derive, const struct hs_facet *payment, bool listed)
{
    struct hs_row_key key;
    struct hs_listing listing = {.fen = listed ? hs_payment_amount(payment) : 0,
                                 .detail = listed ? hs_facet_bytes(payment, PAYMENT_CARD) : HS_BYTES_NONE};
    hs_list_key(&key, HS_LIST_TOPUP_TWICE, &payment->name, HS_BYTES_NONE);
    derive->sink->list(derive, &key, listed ? &listing : NULL);
}

static size_t stand(struct hs_derive *derive, const struct hs_facet *payments)
{
    size_t count = 0;
    for (const struct hs_facet *payment = payments; payment != NULL; payment = payment->next)
        count += !hs_payment_is_reversed(derive, &payment->name);
    return count;
}

/* @always: also where it has one payment, that stood beside others before. */
static void list_group(struct hs_derive *derive, const struct hs_facet *payment, bool always)
{
    uint8_t room[KEY_BYTES_MAX];
    struct hs_wanted wanted;
    if (!group_of(payment, room, &wanted) || (!always && hs_index_count(derive, &wanted, 2) < 2))
        return; /* the only one, as nearly all are */
    const struct hs_facet *payments = hs_index_facets(derive, &wanted);
    bool twice = stand(derive, payments) > 1;
    for (const struct hs_facet *one = payments; one != NULL; one = one->next)
        list(derive, one, twice && !hs_payment_is_reversed(derive, &one->name));
}

void hs_topup_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    uint8_t room[KEY_BYTES_MAX];
    struct hs_wanted wanted;
    if (old->there)
        list(derive, new, false); /* it may be in a group no more, or in another */
    list_group(derive, old, true);
    if (group_of(new, room, &wanted))
        list_group(derive, new, false);
}

void hs_topup_reversed(struct hs_derive *derive, const struct hs_facet *payment)
{
    list_group(derive, payment, false);
}

void hs_topup_whole(struct hs_derive *derive, const struct hs_facet *payment)
{
    uint8_t room[KEY_BYTES_MAX];
    struct hs_wanted wanted;
    if (!group_of(payment, room, &wanted) || hs_payment_is_reversed(derive, &payment->name))
        return;
    if (stand(derive, hs_index_facets(derive, &wanted)) > 1)
        list(derive, payment, true);
}
