/* audit_decide.c -- payments that break a rule, and what was decided about them: which of them count at a machine. */
#include "tests/sim/audit_inside.h"

#include <string.h>

enum { PAYMENT = 3, PAYMENT_METHOD = 5 };
enum { VERDICT = 5, CONTENTS = 6, FOLLOWS = 8 };

static bool is_text(struct hs_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

/* Of the rules only this one is broken in our worlds: a way of paying that nobody knows. */
bool audit_breaks_rule(const struct audit_record *record, uint32_t bit)
{
    static const char *const METHODS[] = {"cash", "cheque", "card", "transfer"};
    const struct audit_write *variant = record->kind == PAYMENT ? audit_variant(record, bit) : NULL;
    struct hs_bytes method = variant != NULL ? audit_tlv_find(variant->fact, PAYMENT_METHOD).data : HS_BYTES_NONE;
    bool known = method.size == 0;
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        known = known || is_text(method, METHODS[i]);
    return !known;
}

/* Of a decision, if it is about what the record shows there. */
static const struct audit_write *about(const struct audit_record *decision, const struct audit_record *record,
                                       uint32_t bit)
{
    const struct audit_write *said = audit_variant(decision, bit), *shown = audit_variant(record, bit);
    if (said == NULL || shown == NULL)
        return NULL;
    struct hs_hash contents = hs_hash_domain("hallsync contents 1", shown->fact);
    struct hs_bytes named = audit_tlv_find(said->fact, CONTENTS).data;
    return hs_bytes_equal(named, HS_BYTES(contents.bytes, sizeof contents.bytes)) ? said : NULL;
}

static bool is_later(const struct audit_write *a, const struct audit_write *b)
{
    if (a->op->stamp != b->op->stamp)
        return a->op->stamp > b->op->stamp;
    return hs_bytes_compare(a->record->id, b->record->id) > 0;
}

static bool is_followed(const struct audit_record *record, const struct audit_write *decision, uint32_t bit)
{
    for (const struct audit_list *at = record->decisions; at != NULL; at = at->next) {
        const struct audit_write *other = audit_variant(at->record, bit);
        struct hs_bytes follows = other != NULL ? audit_tlv_find(other->fact, FOLLOWS).data : HS_BYTES_NONE;
        for (size_t i = 0; i + HS_ID_BYTES <= follows.size; i += HS_ID_BYTES) {
            if (hs_bytes_equal(HS_BYTES(follows.data + i, HS_ID_BYTES), decision->record->id))
                return true;
        }
    }
    return false;
}

struct audit_verdict audit_verdict(const struct audit_record *record, uint32_t bit)
{
    struct audit_verdict verdict = {.counts = !audit_breaks_rule(record, bit)};
    const struct audit_write *latest = NULL;
    for (const struct audit_list *at = record->decisions; at != NULL; at = at->next) {
        const struct audit_write *said = about(at->record, record, bit);
        if (said != NULL && (latest == NULL || is_later(said, latest)))
            latest = said;
    }
    verdict.is_open = latest == NULL && !verdict.counts;
    if (latest == NULL)
        return verdict;
    struct hs_bytes said = audit_tlv_find(latest->fact, VERDICT).data;
    verdict.counts = is_text(said, "release");
    for (const struct audit_list *at = record->decisions; at != NULL; at = at->next) {
        const struct audit_write *other = about(at->record, record, bit);
        if (other != NULL && !hs_bytes_equal(audit_tlv_find(other->fact, VERDICT).data, said) &&
            !is_followed(record, other, bit))
            verdict.is_open = true;
    }
    return verdict;
}
