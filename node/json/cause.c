#include "node/json/cause.h"

#include "node/json/json.h"

#include <string.h>

static const char *sort_text(enum hs_cause_sort sort)
{
    static const char *const TEXTS[] = {
        [HS_CAUSE_WELL] = "well", [HS_CAUSE_MOVING] = "moving", [HS_CAUSE_TROUBLE] = "trouble"};
    return TEXTS[sort];
}

static json_t *sentence(const struct hs_evidence *evidence, enum hs_language language, int utc_offset_minutes)
{
    struct hs_buf text = {0};
    hs_evidence_put(evidence, language, utc_offset_minutes, &text);
    json_t *made = text.err == HS_OK ? hs_json_text(hs_buf_bytes(&text)) : NULL;
    hs_buf_fini(&text);
    return made;
}

static json_t *evidence_json(const struct hs_evidence *evidence, int utc_offset_minutes)
{
    json_t *numbers = json_array();
    for (size_t i = 0; i < HS_EVIDENCE_NUMBERS; i++)
        json_array_append_new(numbers, json_integer((json_int_t)evidence->numbers[i]));
    const char *text = evidence->text != NULL ? evidence->text : "";
    json_t *made = json_pack("{ss so so so}", "name", hs_evidence_row(evidence->id)->name, "en",
                             sentence(evidence, HS_ENGLISH, utc_offset_minutes), "zh",
                             sentence(evidence, HS_CHINESE, utc_offset_minutes), "numbers", numbers);
    if (made != NULL && text[0] != '\0')
        json_object_set_new(made, "text", hs_json_text(HS_BYTES(text, strlen(text))));
    return made;
}

json_t *hs_json_cause(const char *node_id, const struct hs_cause *cause, int utc_offset_minutes)
{
    const struct hs_cause_row *row = hs_cause_row(cause->id);
    json_t *evidence = json_array();
    for (size_t i = 0; i < cause->evidence_count; i++)
        json_array_append_new(evidence, evidence_json(&cause->evidence[i], utc_offset_minutes));
    json_t *next = json_pack("{ss ss ss}", "en", row->next_en, "zh", row->next_zh, "command", cause->command);
    return json_pack("{ss ss ss sb ss ss so so}", "node_id", node_id, "code", row->name, "sort", sort_text(row->sort),
                     "behind", hs_cause_is_behind(cause), "en", row->en, "zh", row->zh, "evidence", evidence, "next",
                     next);
}

json_t *hs_json_causes(void)
{
    json_t *causes = json_object();
    for (size_t i = 0; i < HS_CAUSE_COUNT; i++) {
        const struct hs_cause_row *row = hs_cause_row((enum hs_cause_id)i);
        json_object_set_new(causes, row->name,
                            json_pack("{ss ss ss ss ss ss}", "sort", sort_text(row->sort), "en", row->en, "zh", row->zh,
                                      "next_en", row->next_en, "next_zh", row->next_zh, "command", row->command));
    }
    return causes;
}
