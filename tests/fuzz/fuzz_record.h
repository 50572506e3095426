/* fuzz_record.h -- fields of records read from an input: mostly what the kind's rules ask for, so that there are
 * accounts with bills and payments of them; now and then anything. */
#ifndef HS_TESTS_FUZZ_RECORD_H
#define HS_TESTS_FUZZ_RECORD_H

#include "storage/model/kinds.h"
#include "storage/model/ticket.h"
#include "tests/fuzz/fuzz_op.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static inline const char *fuzz_pick(struct hs_cur *in, const char *const *texts, size_t count)
{
    return texts[fuzz_u8(in) % count];
}

static inline const char *fuzz_text_of(struct hs_cur *in, const struct hs_field_rule *rule)
{
    static const char *const TEXTS[] = {"a", "B-1", "B-2", "3201000017", "", "\xff"};
    static const char *const ACCOUNTS[] = {"3201000017", "3201000018", "3202000019", "320100001"};
    static const char *const NODES[] = {"nj-gulou", "nj-hub", "9"};
    static const char *const HOURS[] = {"08:30", "17:00", "24:00"};
    static const char *const DAYS[] = {"2026-11-21", "2026-11", "2026-02-30"};
    size_t choices = 0;
    while (rule->choices != NULL && rule->choices[choices].value != NULL)
        choices++;
    switch (rule->form) {
    case HS_FORM_ACCOUNT:
        return fuzz_pick(in, ACCOUNTS, COUNT_OF(ACCOUNTS));
    case HS_FORM_DATE:
    case HS_FORM_PERIOD:
        return fuzz_pick(in, DAYS, COUNT_OF(DAYS));
    case HS_FORM_CHOICE:
        FUZZ_CHECK(choices > 0);
        return rule->choices[fuzz_u8(in) % choices].value;
    case HS_FORM_NODE:
        return fuzz_pick(in, NODES, COUNT_OF(NODES));
    case HS_FORM_HOUR:
        return fuzz_pick(in, HOURS, COUNT_OF(HOURS));
    case HS_FORM_SERVICE:
        return HS_SERVICES[fuzz_u8(in) % HS_SERVICE_COUNT].code;
    case HS_FORM_STATE:
        return hs_ticket_state_text((enum hs_ticket_state)(fuzz_u8(in) % HS_TICKET_STATE_COUNT));
    default:
        return fuzz_pick(in, TEXTS, COUNT_OF(TEXTS));
    }
}

static inline struct hs_bytes fuzz_id_128(struct hs_cur *in, struct hs_arena *arena)
{
    uint8_t id[HS_ID_BYTES] = {0};
    id[0] = fuzz_u8(in) % 3;
    return hs_arena_copy(arena, HS_BYTES(id, sizeof id));
}

static inline struct hs_bytes fuzz_hash(struct hs_cur *in, struct hs_arena *arena)
{
    uint8_t hash[HS_HASH_BYTES] = {0};
    hash[0] = fuzz_u8(in) % 3;
    return hs_arena_copy(arena, HS_BYTES(hash, sizeof hash));
}

static inline void fuzz_put_lines(struct hs_cur *in, struct hs_arena *arena, const struct hs_field_rule *rule,
                                  struct hs_buf *to);

static inline void fuzz_put_field(struct hs_cur *in, struct hs_arena *arena, const struct hs_field_rule *rule,
                                  struct hs_buf *to)
{
    static const uint64_t NUMBERS[] = {100,  1, 0, HS_AMOUNT_FEN_MAX, HS_AMOUNT_FEN_MAX + 1, UINT64_MAX, INT64_MAX,
                                       3201, 3, 5};
    uint8_t how = fuzz_u8(in);
    if (how % 16 == 15)
        return;
    if (how % 16 == 14) {
        hs_buf_put_bytes(to, fuzz_value(in, arena, rule->number, true));
        return;
    }
    uint64_t number = how < 0xe0 ? NUMBERS[how / 16 % COUNT_OF(NUMBERS)] : fuzz_number(in);
    switch (rule->form) {
    case HS_FORM_ID:
        hs_tlv_put_bytes(to, rule->number, fuzz_id_128(in, arena));
        break;
    case HS_FORM_HASH:
        hs_tlv_put_bytes(to, rule->number, fuzz_hash(in, arena));
        break;
    case HS_FORM_CHANGE:
    case HS_FORM_BALANCE:
        hs_tlv_put_s64(to, rule->number, (int64_t)number);
        break;
    case HS_FORM_AMOUNT:
    case HS_FORM_SUM:
    case HS_FORM_NUMBER:
    case HS_FORM_COUNT:
    case HS_FORM_QUANTITY:
    case HS_FORM_TIME:
        hs_tlv_put_u64(to, rule->number, number);
        break;
    case HS_FORM_LINES:
        fuzz_put_lines(in, arena, rule, to);
        break;
    default:
        hs_tlv_put_text(to, rule->number, fuzz_text_of(in, rule));
    }
}

static inline void fuzz_put_lines(struct hs_cur *in, struct hs_arena *arena, const struct hs_field_rule *rule,
                                  struct hs_buf *to)
{
    for (unsigned lines = fuzz_u8(in) % 4; lines > 0; lines--) {
        struct hs_buf line = {0};
        for (size_t i = 0; i < rule->line_fields; i++)
            fuzz_put_field(in, arena, &rule->lines[i], &line);
        hs_tlv_put_bytes(to, rule->number, hs_buf_bytes(&line));
        hs_buf_fini(&line);
    }
}

#endif
