/* What a person sees of a record: one value where several live on. */
#include "storage/model/record.h"

const struct hs_field_state *hs_record_field(const struct hs_record *record, uint32_t number)
{
    size_t low = 0;
    size_t high = record->field_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (record->fields[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < record->field_count && record->fields[low].number == number ? &record->fields[low] : NULL;
}

/* The later write in its writer's time; where two clocks agree, by content, which all replicas share. */
static bool shows_before(const struct hs_live *a, const struct hs_live *b)
{
    if (a->stamp != b->stamp)
        return a->stamp > b->stamp;
    int order = hs_bytes_compare(a->value, b->value);
    return order != 0 ? order > 0 : hs_dot_compare(&a->dot, &b->dot) > 0;
}

const struct hs_live *hs_field_shown(const struct hs_field_state *field)
{
    const struct hs_live *shown = NULL;
    for (size_t i = 0; i < field->live_count; i++) {
        if (shown == NULL || shows_before(&field->live[i], shown))
            shown = &field->live[i];
    }
    return shown;
}

size_t hs_field_rivals(const struct hs_field_state *field)
{
    const struct hs_live *shown = hs_field_shown(field);
    size_t rivals = 0;
    for (size_t i = 0; i < field->live_count; i++)
        rivals += !hs_bytes_equal(field->live[i].value, shown->value);
    return rivals;
}

enum hs_err hs_record_shown(const struct hs_record *record, struct hs_buf *buf)
{
    if (record->variant_count != 0) {
        hs_buf_put_bytes(buf, record->variants[0].bytes);
        return buf->err;
    }
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hs_live *shown = hs_field_shown(&record->fields[i]);
        if (shown != NULL)
            hs_buf_put_bytes(buf, shown->value);
    }
    return buf->err;
}

hs_stamp hs_record_stamp(const struct hs_record *record)
{
    hs_stamp highest = 0;
    for (size_t i = 0; i < record->variant_count; i++)
        highest = record->variants[i].stamp > highest ? record->variants[i].stamp : highest;
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hs_field_state *field = &record->fields[i];
        for (size_t j = 0; j < field->live_count; j++)
            highest = field->live[j].stamp > highest ? field->live[j].stamp : highest;
    }
    return highest;
}
