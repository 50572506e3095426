/* A mark of the rules that derived rows follow from: where it changes, an environment is emptied and the log
 * replayed.  What is a rule in code and not in a table counts with the version in records.c. */
#include "storage/model/ticket.h"
#include "storage/records/env.h"

#include <string.h>

static void put_text(struct hs_buf *buf, const char *text)
{
    hs_buf_put_sized(buf, HS_BYTES(text, strlen(text)));
}

static void put_field(struct hs_buf *buf, const struct hs_field_rule *rule)
{
    hs_buf_put_u32(buf, rule->number);
    hs_buf_put_u8(buf, (uint8_t)rule->form);
    hs_buf_put_u8(buf, (uint8_t)rule->policy);
    hs_buf_put_u8(buf, rule->required);
    hs_buf_put_u16(buf, rule->most);
    for (const struct hs_choice *choice = rule->choices; choice != NULL && choice->value != NULL; choice++)
        put_text(buf, choice->value);
    hs_buf_put_u16(buf, rule->line_fields);
}

static void put_fields(struct hs_buf *buf, const struct hs_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        put_field(buf, &kind->fields[i]);
        for (size_t j = 0; j < kind->fields[i].line_fields; j++)
            put_field(buf, &kind->fields[i].lines[j]);
    }
}

static void put_indexes(struct hs_buf *buf, const struct hs_kind *kind)
{
    for (size_t i = 0; i < kind->index_count; i++) {
        hs_buf_put_u8(buf, kind->indexes[i].number);
        hs_buf_put_u32(buf, kind->indexes[i].field);
        hs_buf_put_u32(buf, kind->indexes[i].line);
        hs_buf_put_u32(buf, kind->indexes[i].then);
    }
}

static void put_kind(struct hs_buf *buf, const struct hs_kind *kind)
{
    hs_buf_put_u16(buf, kind->number);
    hs_buf_put_u8(buf, (uint8_t)kind->shape);
    hs_buf_put_u8(buf, (uint8_t)kind->lane);
    hs_buf_put_u8(buf, (uint8_t)kind->id_form);
    hs_buf_put_u32(buf, kind->id_field);
    hs_buf_put_u8(buf, (uint8_t)kind->home_form);
    hs_buf_put_u32(buf, kind->home_field);
    for (const uint32_t *of = kind->id_of; of != NULL && *of != 0; of++)
        hs_buf_put_u32(buf, *of);
    hs_buf_put_u8(buf, (uint8_t)kind->by);
    put_fields(buf, kind);
    put_indexes(buf, kind);
}

static void put_service(struct hs_buf *buf, const struct hs_ticket_service *service)
{
    put_text(buf, service->code);
    put_text(buf, hs_machine_name(service->machine));
    for (unsigned from = 0; from < HS_TICKET_STATE_COUNT; from++) {
        for (unsigned to = 0; to < HS_TICKET_STATE_COUNT; to++)
            hs_buf_put_u8(buf, hs_ticket_move(service->machine, (enum hs_ticket_state)from, (enum hs_ticket_state)to));
    }
}

enum hs_err hs_rules_mark(uint64_t *mark)
{
    struct hs_buf buf = {0};
    for (size_t i = 0; i < HS_KIND_COUNT; i++)
        put_kind(&buf, &HS_KINDS[i]);
    for (size_t i = 0; i < HS_SERVICE_COUNT; i++)
        put_service(&buf, &HS_SERVICES[i]);
    struct hs_hash hash = hs_hash_domain("hallsync rules 1", hs_buf_bytes(&buf));
    enum hs_err err = buf.err;
    *mark = hs_from_be64(hash.bytes);
    hs_buf_fini(&buf);
    return err;
}
