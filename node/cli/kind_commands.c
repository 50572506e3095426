/* Commands that every kind of record has, from the table of kinds: get, list, export, and put or add, where
 * CLI_COMMANDS has no row of these words.  And what a kind's fields mean, for help. */
#include "node/cli/kind_commands.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERBS_MAX 4

struct made {
    char words[48];
    char usage[320];
    char help[96];
};

static struct {
    struct cli_command *commands;
    struct made *made;
    size_t count;
} all;

void cli_kind_word(const struct hs_kind *kind, char word[static CLI_KIND_WORD_BYTES])
{
    snprintf(word, CLI_KIND_WORD_BYTES, "%s", kind->name);
    for (char *at = word; *at != '\0'; at++)
        *at = *at == '_' ? '-' : *at;
}

const struct hs_kind *cli_kind_of_word(const char *word)
{
    char known[CLI_KIND_WORD_BYTES];
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        cli_kind_word(&HS_KINDS[i], known);
        if (strcmp(known, word) == 0)
            return &HS_KINDS[i];
    }
    return hs_kind_by_name(word);
}

static bool has_row(const char *words)
{
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        if (strcmp(CLI_COMMANDS[i].words, words) == 0)
            return true;
    }
    return false;
}

static bool kind_has_row(const struct hs_kind *kind, const char *verb)
{
    char word[CLI_KIND_WORD_BYTES];
    char words[48];
    cli_kind_word(kind, word);
    snprintf(words, sizeof words, "%s %s", word, verb);
    return has_row(words);
}

/* "[of_id=VALUE | window=VALUE]" */
static void list_usage(const struct hs_kind *kind, char *usage, size_t room)
{
    size_t used = 0;
    usage[0] = '\0';
    for (size_t i = 0; i < kind->index_count && used < room; i++) {
        const struct hs_index *index = &kind->indexes[i];
        if (i > 0 && index->number == index[-1].number)
            continue; /* another row of the same one */
        const char *then = index->then != 0 ? hs_kind_field_name(kind, index->then) : NULL;
        used += (size_t)snprintf(usage + used, room - used, "%s%s=VALUE%s%s%s", i == 0 ? "[" : " | ", index->name,
                                 then != NULL ? " " : "", then != NULL ? then : "", then != NULL ? "=VALUE" : "");
    }
    if (used > 0 && used < room)
        snprintf(usage + used, room - used, "]");
}

static void add(const struct hs_kind *kind, const char *verb, const struct cli_command *like, const char *usage,
                const char *what)
{
    char word[CLI_KIND_WORD_BYTES];
    struct made *made = &all.made[all.count];
    cli_kind_word(kind, word);
    snprintf(made->words, sizeof made->words, "%s %s", word, verb);
    if (has_row(made->words))
        return;
    snprintf(made->usage, sizeof made->usage, "%s", usage);
    snprintf(made->help, sizeof made->help, "%c%s: %s", tolower((unsigned char)kind->en[0]), kind->en + 1, what);
    struct cli_command *command = &all.commands[all.count++];
    *command = *like;
    command->words = made->words;
    command->usage = made->usage;
    command->help = made->help;
    command->needs = CLI_NEEDS_NODE;
    command->kind = kind->number;
}

static void add_kind(const struct hs_kind *kind)
{
    static const struct cli_command GET = {.run = cli_run_get, .options = CLI_BIT(HERE)};
    static const struct cli_command LIST = {.run = cli_run_list, .options = CLI_BIT(LIMIT) | CLI_BIT(HERE)};
    struct cli_command put = {.run = cli_run_put, .options = CLI_BIT(DISTRICT)};
    static const struct cli_command EXPORT = {.run = cli_run_export};
    char usage[sizeof all.made->usage];
    list_usage(kind, usage, sizeof usage);
    put.options |= kind->by == HS_BY_HUBS ? CLI_BIT(REASON) : 0; /* for the audit trail */
    add(kind, "get", &GET, "ID", "one of them");
    if (!kind_has_row(kind, "find")) /* who is only to be found by a number of his is not listed */
        add(kind, "list", &LIST, usage, kind->index_count > 0 ? "those with a value, or all" : "all of them");
    if (kind->by != HS_BY_NODE && kind->shape == HS_SHAPE_REGISTER)
        add(kind, "put", &put, "FIELD=VALUE... | -", "write fields of one");
    if (kind->by != HS_BY_NODE && kind->shape == HS_SHAPE_FACT)
        add(kind, "add", &put, "FIELD=VALUE... | -", "write a new one");
    add(kind, "export", &EXPORT, "", "all of them as CSV, or as JSON lines");
}

size_t cli_kind_commands(const struct cli_command **commands)
{
    size_t most = HS_KIND_COUNT * VERBS_MAX;
    if (all.commands == NULL) {
        all.commands = calloc(most, sizeof *all.commands);
        all.made = calloc(most, sizeof *all.made);
        for (size_t i = 0; i < HS_KIND_COUNT && all.commands != NULL && all.made != NULL; i++)
            add_kind(&HS_KINDS[i]);
        assert(all.count <= most);
    }
    *commands = all.commands;
    return all.count;
}

/* ---- help ---- */

static void put_form(struct hs_buf *buf, const struct hs_field_rule *rule)
{
    hs_buf_put_format(buf, "%s", hs_form_text(rule->form));
    for (const struct hs_choice *choice = rule->choices; choice != NULL && choice->value != NULL; choice++)
        hs_buf_put_format(buf, "%s %s", choice == rule->choices ? "" : ",", choice->value);
    if (rule->form == HS_FORM_LINES)
        hs_buf_put_format(buf, ", at most %u", (unsigned)rule->most);
    else if (rule->form == HS_FORM_TEXT || rule->form == HS_FORM_BYTES)
        hs_buf_put_format(buf, ", at most %u bytes", (unsigned)rule->most);
    else if (rule->most != 0)
        hs_buf_put_format(buf, " to %u", (unsigned)rule->most);
}

static void put_fields(struct hs_buf *buf, const struct hs_fields *fields, int indent)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct hs_field_rule *rule = &fields->rules[i];
        const char *name = protobuf_c_message_descriptor_get_field(fields->message, rule->number)->name;
        hs_buf_put_format(buf, "%*s%c %s: %s %s\n%*s", indent, "", rule->required ? '*' : ' ', name, rule->en, rule->zh,
                          indent + 6, "");
        put_form(buf, rule);
        if (rule->unit != NULL && strcmp(rule->unit, "fen") != 0 && strcmp(rule->unit, "ms") != 0)
            hs_buf_put_format(buf, ", in %s", rule->unit);
        hs_buf_put_format(buf, "\n");
        if (rule->form == HS_FORM_LINES) {
            struct hs_fields line = hs_line_fields(fields, rule);
            put_fields(buf, &line, indent + 6);
        }
    }
}

void cli_kind_help(struct hs_buf *buf, const char *word)
{
    const struct hs_kind *kind = cli_kind_of_word(word);
    if (kind == NULL)
        return;
    struct hs_fields fields = hs_kind_fields(kind);
    hs_buf_put_format(buf, "\n%s %s.  %s\nFields (* a new one needs it):\n", kind->en, kind->zh, kind->about);
    put_fields(buf, &fields, 2);
}

void cli_kind_summary(struct hs_buf *buf)
{
    hs_buf_put_format(buf, "\nOf every kind of record, besides (hallsync help KIND says more):\n"
                           "  KIND get ID | KIND list [INDEX=VALUE] | KIND put|add FIELD=VALUE... | KIND export\n"
                           "        kinds:");
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        char word[CLI_KIND_WORD_BYTES];
        cli_kind_word(&HS_KINDS[i], word);
        hs_buf_put_format(buf, "%s%s%s", i % 8 == 0 && i > 0 ? "\n          " : " ", word,
                          i + 1 < HS_KIND_COUNT ? "," : "\n");
    }
}
