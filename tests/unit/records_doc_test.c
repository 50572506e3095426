/* records_doc_test.c -- docs/records.md is what the tables of kinds, services and commands say, from its mark on;
 * HS_WRITE_DOCS=1 writes that part anew.  What stands before the mark is written by hand. */
#include "tests/lib/made_doc.h"

#include "node/cli/kind_commands.h"
#include "proto/base/limits.h"
#include "storage/model/appointment.h"
#include "storage/model/close.h"
#include "storage/model/kinds.h"
#include "storage/model/queue.h"
#include "storage/model/ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES   128
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define DOCS_PATH    HS_SOURCE_DIR "/docs/records.md"
#define MARK         "<!-- From here on made by tests/unit/records_doc_test.c; HS_WRITE_DOCS=1 writes it anew. -->\n"

/* ---- fields ---- */

static void put_form(struct hs_buf *doc, const struct hs_field_rule *rule)
{
    hs_buf_put_format(doc, "%s", hs_form_text(rule->form));
    for (const struct hs_choice *choice = rule->choices; choice != NULL && choice->value != NULL; choice++)
        hs_buf_put_format(doc, "%s `%s`", choice == rule->choices ? "" : ",", choice->value);
    if (rule->form == HS_FORM_LINES)
        hs_buf_put_format(doc, ", at most %u", (unsigned)rule->most);
    else if (rule->form == HS_FORM_TEXT || rule->form == HS_FORM_BYTES)
        hs_buf_put_format(doc, ", at most %u bytes", (unsigned)rule->most);
    else if (rule->most != 0)
        hs_buf_put_format(doc, " to %u", (unsigned)rule->most);
}

/* @shape: 0 of lines, which have no policies of their own. */
static void put_fields(struct hs_buf *doc, const struct hs_fields *fields, unsigned shape)
{
    bool policies = shape == HS_SHAPE_REGISTER;
    hs_buf_put_format(doc,
                      "| no. | field | form | unit | meaning | 含义 | %sneeded |\n|---|---|---|---|---|---|%s---|\n",
                      policies ? "policy | " : "", policies ? "---|" : "");
    for (size_t i = 0; i < fields->count; i++) {
        const struct hs_field_rule *rule = &fields->rules[i];
        const char *name = protobuf_c_message_descriptor_get_field(fields->message, rule->number)->name;
        hs_buf_put_format(doc, "| %u | `%s` | ", rule->number, name);
        put_form(doc, rule);
        hs_buf_put_format(doc, " | %s | %s | %s | ", rule->unit != NULL ? rule->unit : "", rule->en, rule->zh);
        if (policies)
            hs_buf_put_format(doc, "%s | ", hs_policy_text(rule->policy));
        hs_buf_put_format(doc, "%s |\n", rule->required ? "yes" : "");
    }
}

/* What the values of choices mean; of yes and no the field's own meaning says it. */
static void put_values(struct hs_buf *doc, const struct hs_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct hs_choice *choices = kind->fields[i].choices;
        if (choices == NULL || strcmp(choices->value, "yes") == 0)
            continue;
        hs_buf_put_format(doc, "\n| `%s` | meaning | 含义 |\n|---|---|---|\n",
                          hs_kind_field_name(kind, kind->fields[i].number));
        for (const struct hs_choice *choice = choices; choice->value != NULL; choice++)
            hs_buf_put_format(doc, "| `%s` | %s | %s |\n", choice->value, choice->en, choice->zh);
    }
}

static void put_lines(struct hs_buf *doc, const struct hs_kind *kind)
{
    struct hs_fields fields = hs_kind_fields(kind);
    for (size_t i = 0; i < kind->field_count; i++) {
        if (kind->fields[i].form != HS_FORM_LINES)
            continue;
        struct hs_fields line = hs_line_fields(&fields, &kind->fields[i]);
        hs_buf_put_format(doc, "\nEach line of `%s`:\n\n", hs_kind_field_name(kind, kind->fields[i].number));
        put_fields(doc, &line, 0);
    }
}

/* ---- kinds ---- */

static void put_id(struct hs_buf *doc, const struct hs_kind *kind)
{
    const char *field = hs_kind_field_name(kind, kind->id_field);
    if (kind->id_form == HS_ID_FIELD)
        hs_buf_put_format(doc, "Id: the field `%s`. ", field);
    else if (kind->id_form == HS_ID_128)
        hs_buf_put_format(doc, "Id: 128 bits, or a text given in the field `%s`. ", field);
    for (size_t i = 0; kind->id_form == HS_ID_HASH && kind->id_of[i] != 0; i++)
        hs_buf_put_format(doc, "%s`%s`", i == 0 ? "Id: 128 bits of a hash of " : ", ",
                          hs_kind_field_name(kind, kind->id_of[i]));
    if (kind->id_form == HS_ID_HASH)
        hs_buf_put_format(doc, ". ");
}

static void put_home(struct hs_buf *doc, const struct hs_kind *kind)
{
    const char *field = kind->home_field != 0 ? hs_kind_field_name(kind, kind->home_field) : NULL;
    if (kind->home_form == HS_HOME_NODE)
        hs_buf_put_format(doc, "Partition: the writing node's home district. ");
    else if (kind->home_form == HS_HOME_REGION)
        hs_buf_put_format(doc, "Partition: the region. ");
    else if (kind->home_form == HS_HOME_DISTRICT)
        hs_buf_put_format(doc, "Partition: `%s`; without one the region. ", field);
    else if (field != NULL)
        hs_buf_put_format(doc, "Partition: that of `%s`; without one that of what it belongs to, or the node's home. ",
                          field);
    else
        hs_buf_put_format(doc, "Partition: that of what it belongs to. ");
}

static void put_indexes(struct hs_buf *doc, const struct hs_kind *kind)
{
    hs_buf_put_format(doc, "\nFound by:%s", kind->index_count == 0 ? " its id only" : "");
    for (size_t i = 0; i < kind->index_count; i++) {
        const struct hs_index *index = &kind->indexes[i];
        struct hs_fields fields = hs_kind_fields(kind);
        hs_buf_put_format(doc, "%s %u `%s`%s", i == 0 ? "" : ",", (unsigned)index->number, index->name,
                          index->field == 0 ? " (computed)" : "");
        if (index->line != 0) {
            struct hs_fields line = hs_line_fields(&fields, hs_kind_rule(kind, index->field));
            hs_buf_put_format(doc, " (each line's `%s`)",
                              protobuf_c_message_descriptor_get_field(line.message, index->line)->name);
        }
        const char *field = index->line == 0 ? hs_kind_field_name(kind, index->field) : NULL;
        if (field != NULL && strcmp(field, index->name) != 0)
            hs_buf_put_format(doc, " (`%s`)", field);
        if (index->then != 0)
            hs_buf_put_format(doc, " with `%s`", hs_kind_field_name(kind, index->then));
    }
    hs_buf_put_format(doc, ".\n");
}

/* What a counter may look for. */
static void put_open(struct hs_buf *doc, const struct hs_kind *kind)
{
    if (hs_kind_open(kind, NULL))
        return;
    hs_buf_put_format(doc, "\nAt a counters' socket it is found by its id");
    for (size_t i = 0; i < kind->index_count; i++) {
        bool again = i != 0 && kind->indexes[i].number == kind->indexes[i - 1].number;
        if (!again && hs_kind_open(kind, &kind->indexes[i]))
            hs_buf_put_format(doc, ", `%s`", kind->indexes[i].name);
    }
    hs_buf_put_format(doc, ", and by nothing else.\n");
}

static size_t put_commands(struct hs_buf *doc, const struct hs_kind *kind, const struct cli_command *commands,
                           size_t count, size_t before)
{
    for (size_t i = 0; i < count; i++) {
        if (commands[i].kind == kind->number)
            hs_buf_put_format(doc, "%s `%s`", before++ == 0 ? "\nCommands:" : ",", commands[i].words);
    }
    return before;
}

static void put_kind(struct hs_buf *doc, const struct hs_kind *kind)
{
    struct hs_fields fields = hs_kind_fields(kind);
    const struct cli_command *more;
    size_t count = cli_kind_commands(&more);
    hs_buf_put_format(doc, "\n## %u `%s`: %s, %s\n\n%s %s\n\n", (unsigned)kind->number, kind->name, kind->en, kind->zh,
                      kind->about, kind->about_zh);
    hs_buf_put_format(doc, "%s, lane %s. ", kind->shape == HS_SHAPE_FACT ? "Fact" : "Register record",
                      hs_lane_text(kind->lane));
    put_id(doc, kind);
    put_home(doc, kind);
    hs_buf_put_format(doc, "Written by %s.\n\n", hs_by_text(kind->by));
    put_fields(doc, &fields, kind->shape);
    put_values(doc, kind);
    put_lines(doc, kind);
    put_indexes(doc, kind);
    put_open(doc, kind);
    if (put_commands(doc, kind, more, count, put_commands(doc, kind, CLI_COMMANDS, CLI_COMMAND_COUNT, 0)) > 0)
        hs_buf_put_format(doc, ".\n");
    for (size_t i = 0; i < kind->error_count; i++)
        hs_buf_put_format(doc, "%s- `%s`: %s\n", i == 0 ? "\nRefused, besides what the forms ask for:\n\n" : "",
                          hs_err_name(kind->errors[i].err), kind->errors[i].when);
}

/* ---- what holds of all kinds ---- */

static void put_overview(struct hs_buf *doc)
{
    hs_buf_put_format(doc, "\n## All kinds\n\n| no. | kind | | | shape | lane | written by |\n"
                           "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        const struct hs_kind *kind = &HS_KINDS[i];
        hs_buf_put_format(doc, "| %u | `%s` | %s | %s | %s | %s | %s |\n", (unsigned)kind->number, kind->name, kind->en,
                          kind->zh, kind->shape == HS_SHAPE_FACT ? "fact" : "register", hs_lane_text(kind->lane),
                          hs_by_text(kind->by));
    }
}

static void put_errors(struct hs_buf *doc)
{
    static const struct {
        enum hs_err err;
        const char *when;
    } ERRORS[] = {
        {HS_EREQUIRED, "a field that a new record needs is missing, or is to be cleared"},
        {HS_EFIELD, "the kind has no such field"},
        {HS_EVALUE, "a value has not its field's form"},
        {HS_EACCOUNT, "an account number has not 10 digits"},
        {HS_EAMOUNT, "an amount is not above zero, or is no whole number"},
        {HS_EOVERFLOW, "a number is above what its field can hold"},
        {HS_EUTF8, "a text is not valid UTF-8 or has control characters"},
        {HS_ETOOBIG, "a text, a list of lines or the record is longer than it may be"},
        {HS_ESERVICE, "the service is not in the catalogue"},
        {HS_ESTATE, "there is no such state, or no way to it"},
        {HS_EFIXED, "a field that is fixed would be changed, or the record would move to another district"},
        {HS_EDIFFERS, "a fact of the same id has other content"},
        {HS_ENOTHUB, "only hubs write this kind"},
        {HS_EKIND, "there is no such kind"},
        {HS_EINVAL, "a kind that nodes make; clear, seen or source of a fact; a field that is given and cleared at "
                    "once; too many records"},
        {HS_EOPERATOR, "a counter asks for what is an operator's"},
    };
    hs_buf_put_format(doc, "\n## Errors of every write\n\n| error | when |\n|---|---|\n");
    for (size_t i = 0; i < COUNT(ERRORS); i++)
        hs_buf_put_format(doc, "| `%s` | %s |\n", hs_err_name(ERRORS[i].err), ERRORS[i].when);
}

static void put_limits(struct hs_buf *doc)
{
    hs_buf_put_format(
        doc,
        "\n## Limits of every write\n\n| what | limit | else |\n|---|---|---|\n"
        "| an id | 1 to %d bytes of text, or 32 hexadecimal digits | `bad-value`, `too-big` |\n"
        "| a text | valid UTF-8 without control characters, as long as its field says | `bad-utf8`, `too-big` |\n"
        "| an amount | whole fen up to %lld | `bad-amount`, `overflow` |\n"
        "| a whole number | up to 4294967295, or as its field says; a quantity up to %lld | `overflow` |\n"
        "| a date, a month, a time of day | there is such a one | `bad-value` |\n"
        "| lines | as many as their field says | `too-big` |\n"
        "| a record | %d bytes | `too-big` |\n"
        "| a request | %d records | `invalid` |\n"
        "| | %d bytes | the connection is closed |\n"
        "| a page of a reply | %d records | `next` has the rest |\n",
        HS_RECORD_ID_BYTES_MAX, (long long)HS_AMOUNT_FEN_MAX, HS_QUANTITY_MAX, HS_RECORD_BYTES_MAX,
        HS_REQUEST_RECORDS_MAX, HS_REQUEST_BYTES_MAX, HS_PAGE_RECORDS_MAX);
}

/* ---- states ---- */

struct words {
    const char *en, *zh;
};

static void put_state(struct hs_buf *doc, const char *state, const struct words *words)
{
    assert_non_null(words->en);
    hs_buf_put_format(doc, "| `%s` | %s | %s |\n", state, words->en, words->zh);
}

static void put_states_head(struct hs_buf *doc)
{
    hs_buf_put_format(doc, "\n| state | meaning | 含义 |\n|---|---|---|\n");
}

static void put_ticket_states(struct hs_buf *doc)
{
    static const struct words WORDS[HS_TICKET_STATE_COUNT] = {
        [HS_TICKET_OPEN] = {"opened, and nobody has seen it", "已登记"},
        [HS_TICKET_ACCEPTED] = {"somebody will do it", "已受理"},
        [HS_TICKET_ASSIGNED] = {"given to somebody, or to a department", "已派单"},
        [HS_TICKET_WORKING] = {"is being done", "处理中"},
        [HS_TICKET_WAITING] = {"for the customer; the deadline moves on", "待客户补充"},
        [HS_TICKET_RESOLVED] = {"done", "已办结"},
        [HS_TICKET_CALLED_BACK] = {"done, and the customer was told", "已回访"},
        [HS_TICKET_ARCHIVED] = {"put away", "已归档"},
    };
    put_states_head(doc);
    for (int state = HS_TICKET_OPEN; state < HS_TICKET_STATE_COUNT; state++)
        put_state(doc, hs_ticket_state_text((enum hs_ticket_state)state), &WORDS[state]);
}

static void put_moves(struct hs_buf *doc, const struct hs_ticket_service *of)
{
    hs_buf_put_format(doc, "\n### Machine `%s`\n\n```\n", hs_machine_name(of->machine));
    for (int from = HS_TICKET_NONE; from < HS_TICKET_STATE_COUNT; from++) {
        const char *between = " -> ";
        hs_buf_put_format(doc, "%-11s", hs_ticket_state_text((enum hs_ticket_state)from));
        for (int to = HS_TICKET_NONE; to < HS_TICKET_STATE_COUNT; to++) {
            if (!hs_ticket_move(of->machine, (enum hs_ticket_state)from, (enum hs_ticket_state)to))
                continue;
            hs_buf_put_format(doc, "%s%s", between, hs_ticket_state_text((enum hs_ticket_state)to));
            between = ", ";
        }
        hs_buf_put_format(doc, "%s\n", between[0] == ',' ? "" : " (the end)");
    }
    hs_buf_put_format(doc, "```\n");
}

static bool machine_was_before(size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (HS_SERVICES[i].machine == HS_SERVICES[index].machine)
            return true;
    }
    return false;
}

static void put_services(struct hs_buf *doc)
{
    hs_buf_put_format(
        doc,
        "\n## Services, and the states of tickets\n\nThe default catalogue: in force for what the region's own does "
        "not say. Hours are of working time by the calendar, of urgent services around the clock. A ticket's "
        "opening names its machine; one of an older version goes by its service, and `general` is the machine of "
        "what a node does not know. What is archived comes back by an event of type `reopen` only; where the "
        "customer does not want to be called back, `resolved -> archived` is possible in every machine.\n\n"
        "| code | name | 名称 | section | department | hours | machine | urgent | documents (?: not always) | results "
        "|\n"
        "|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < HS_SERVICE_COUNT; i++) {
        const struct hs_ticket_service *row = &HS_SERVICES[i];
        hs_buf_put_format(doc, "| `%s` | %s | %s | %s | %s | %u | %s | %s | %s | %s |\n", row->code, row->name_en,
                          row->name_zh, row->section, row->department, (unsigned)row->deadline_hours,
                          hs_machine_name(row->machine), row->urgent ? "yes" : "", row->documents, row->results);
    }
    put_ticket_states(doc);
    for (size_t i = 0; i < HS_SERVICE_COUNT; i++) {
        if (!machine_was_before(i))
            put_moves(doc, &HS_SERVICES[i]);
    }
}

static void put_queue_states(struct hs_buf *doc)
{
    static const struct words WORDS[HS_QUEUE_STATE_COUNT] = {
        [HS_QUEUE_WAITING] = {"until it is called", "等候"},
        [HS_QUEUE_CALLED] = {"to a window", "已叫号"},
        [HS_QUEUE_SERVING] = {"at the window", "办理中"},
        [HS_QUEUE_SERVED] = {"done", "已办结"},
        [HS_QUEUE_SKIPPED] = {"did not come; may be called again", "已过号"},
        [HS_QUEUE_LEFT] = {"has gone", "已弃号"},
    };
    hs_buf_put_format(doc,
                      "\n## States of queue tickets\n\nThe events that each state allows, and where they lead. What "
                      "has been called is moved on by the window that called it; one who was passed on to a window "
                      "is called by that one only. A ticket with more than %d events has left.\n",
                      HS_QUEUE_EVENTS_MAX);
    put_states_head(doc);
    for (int state = 0; state < HS_QUEUE_STATE_COUNT; state++)
        put_state(doc, hs_queue_state_text((enum hs_queue_state)state), &WORDS[state]);
    hs_buf_put_format(doc, "\n```\n");
    for (int from = 0; from < HS_QUEUE_STATE_COUNT; from++) {
        struct hs_queue_fold fold = {.state = (enum hs_queue_state)from};
        const char *between = " ";
        hs_buf_put_format(doc, "%-8s", hs_queue_state_text(fold.state));
        for (int move = 0; move < HS_QUEUE_MOVE_COUNT; move++) {
            if (!hs_queue_fits(&fold, (enum hs_queue_move)move, 0))
                continue;
            hs_buf_put_format(doc, "%s%s -> %s", between, HS_QUEUE_EVENTS[move],
                              hs_queue_state_text(hs_queue_leads_to((enum hs_queue_move)move)));
            between = ", ";
        }
        hs_buf_put_format(doc, "%s\n", between[0] == ',' ? "" : " (the end)");
    }
    hs_buf_put_format(doc, "```\n");
}

static void put_booking_states(struct hs_buf *doc)
{
    static const struct words WORDS[HS_BOOKING_STATE_COUNT] = {
        [HS_BOOKING_BOOKED] = {"has a seat", "已约"},
        [HS_BOOKING_FULL] = {"there was no seat left in his turn", "已满未约上"},
        [HS_BOOKING_CANCELLED] = {"given back", "已取消"},
        [HS_BOOKING_KEPT] = {"has come", "已赴约"},
        [HS_BOOKING_MISSED] = {"has not come", "已失约"},
    };
    hs_buf_put_format(
        doc,
        "\n## States of appointments\n\nAn appointment is `booked` or `full` from the beginning; which of "
        "the two follows from all that was asked of its slot before it. `asked`: the slot is not here. "
        "Of one slot %d appointments are looked at, of one appointment %d events.\n",
        HS_SLOT_BOOKINGS_MAX, HS_BOOKING_EVENTS_MAX);
    put_states_head(doc);
    for (int state = 0; state < HS_BOOKING_STATE_COUNT; state++)
        put_state(doc, hs_booking_state_text((enum hs_booking_state)state), &WORDS[state]);
    hs_buf_put_format(doc, "\n```\n");
    for (int from = 0; from < HS_BOOKING_STATE_COUNT; from++) {
        const char *between = " -> ";
        hs_buf_put_format(doc, "%-9s", hs_booking_state_text((enum hs_booking_state)from));
        for (int move = 0; move < HS_BOOKING_MOVE_COUNT; move++) {
            if (!hs_booking_fits((enum hs_booking_state)from, (enum hs_booking_move)move))
                continue;
            hs_buf_put_format(doc, "%s%s", between, HS_BOOKING_EVENTS[move]);
            between = ", ";
        }
        hs_buf_put_format(doc, "%s\n", between[0] == ',' ? "" : " (the end)");
    }
    hs_buf_put_format(doc, "```\n");
}

static void put_window_states(struct hs_buf *doc)
{
    static const struct words WORDS[] = {
        [HS_WINDOW_CLOSED] = {"not opened, or its cash was counted", "未开窗或已结账"},
        [HS_WINDOW_OPEN] = {"serves", "营业中"},
        [HS_WINDOW_PAUSED] = {"serves nobody for a while", "暂停服务"},
    };
    static const char *const MOVES[] = {[HS_WINDOW_DO_OPEN] = "open",
                                        [HS_WINDOW_DO_CLOSE] = "close",
                                        [HS_WINDOW_DO_PAUSE] = "pause",
                                        [HS_WINDOW_DO_RESUME] = "resume"};
    hs_buf_put_format(doc, "\n## States of windows\n\nEach business day anew. A window that was not opened may have "
                           "taken money all the same, and can be closed.\n");
    put_states_head(doc);
    for (size_t state = 0; state < COUNT(WORDS); state++)
        put_state(doc, hs_window_state_text((enum hs_window_state)state), &WORDS[state]);
    hs_buf_put_format(doc, "\n```\n");
    for (size_t from = 0; from < COUNT(WORDS); from++) {
        const char *between = " ";
        hs_buf_put_format(doc, "%-7s", hs_window_state_text((enum hs_window_state)from));
        for (size_t move = 0; move < COUNT(MOVES); move++) {
            enum hs_window_state to;
            if (!hs_window_moves((enum hs_window_state)from, (enum hs_window_move)move, &to))
                continue;
            hs_buf_put_format(doc, "%s%s -> %s", between, MOVES[move], hs_window_state_text(to));
            between = ", ";
        }
        hs_buf_put_format(doc, "\n");
    }
    hs_buf_put_format(doc, "```\n");
}

static void put_docs(struct hs_buf *doc)
{
    put_overview(doc);
    for (size_t i = 0; i < HS_KIND_COUNT; i++)
        put_kind(doc, &HS_KINDS[i]);
    put_errors(doc);
    put_limits(doc);
    put_services(doc);
    put_queue_states(doc);
    put_booking_states(doc);
    put_window_states(doc);
}

/* ---- the file ---- */

static void docs_are_what_the_tables_say(void **state)
{
    (void)state;
    struct hs_buf doc = {0};
    put_docs(&doc);
    made_doc_check(DOCS_PATH, MARK, &doc);
}

/* ---- what is written by hand ---- */

static bool is_command(const char *words)
{
    const struct cli_command *more;
    size_t count = cli_kind_commands(&more);
    bool found = false;
    for (size_t i = 0; i < CLI_COMMAND_COUNT && !found; i++)
        found = strcmp(CLI_COMMANDS[i].words, words) == 0;
    for (size_t i = 0; i < count && !found; i++)
        found = strcmp(more[i].words, words) == 0;
    return found;
}

/* Each of the words stands there as a string of its own, as in json("ticket", "urge", ...). */
static bool test_has(const char *path, const char *command)
{
    struct hs_buf text = {0};
    char words[NAME_BYTES], quoted[NAME_BYTES + 2];
    char *rest = words;
    bool has = true;
    made_doc_read(path, &text);
    snprintf(words, sizeof words, "%s", command);
    for (char *word = strtok_r(rest, " ", &rest); word != NULL && has; word = strtok_r(rest, " ", &rest)) {
        snprintf(quoted, sizeof quoted, "\"%s\"", word);
        has = strstr((const char *)text.data, quoted) != NULL;
    }
    hs_buf_fini(&text);
    return has;
}

/* The next name between backquotes, before @stop; NULL: there is none. */
static const char *next_name(const char *at, const char *stop, char name[static NAME_BYTES])
{
    const char *open = strchr(at, '`');
    if (open == NULL || open >= stop)
        return NULL;
    const char *close = strchr(open + 1, '`');
    assert_true(close != NULL && close < stop && close - open < NAME_BYTES);
    snprintf(name, NAME_BYTES, "%.*s", (int)(close - open - 1), open + 1);
    return close + 1;
}

static bool is_test(const char *name)
{
    return strncmp(name, "tests/", 6) == 0;
}

static bool shown_in(const char *row, const char *stop, const char *command)
{
    char name[NAME_BYTES], path[NAME_BYTES + 512];
    bool shown = false;
    for (const char *at = next_name(row, stop, name); at != NULL; at = next_name(at, stop, name)) {
        snprintf(path, sizeof path, HS_SOURCE_DIR "/%s", name);
        shown = (is_test(name) && test_has(path, command)) || shown; /* and all of them are there */
    }
    return shown;
}

/* What a row of a system names is a command that one of the row's tests has, or a test. */
static void check_row(const char *row, const char *stop)
{
    char name[NAME_BYTES];
    for (const char *at = next_name(row, stop, name); at != NULL; at = next_name(at, stop, name)) {
        if (is_test(name))
            continue;
        if (!is_command(name))
            fail_msg("%s names '%s', which is no command", DOCS_PATH, name);
        if (!shown_in(row, stop, name))
            fail_msg("%s names '%s', which is in none of the tests beside it", DOCS_PATH, name);
    }
}

static void systems_name_commands_and_tests_that_show_them(void **state)
{
    (void)state;
    struct hs_buf text = {0};
    size_t rows = 0;
    made_doc_read(DOCS_PATH, &text);
    const char *end = made_doc_part(DOCS_PATH, MARK, &text);
    const char *line = strstr((const char *)text.data, "\n| system |");
    assert_non_null(line);
    for (; line != NULL && line < end && line[1] == '|'; line = strchr(line + 1, '\n')) {
        check_row(line + 1, strchr(line + 1, '\n'));
        rows++;
    }
    assert_int_equal(rows, 15 + 2); /* so many systems; head and rule stand before them */
    hs_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(docs_are_what_the_tables_say),
        cmocka_unit_test(systems_name_commands_and_tests_that_show_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
