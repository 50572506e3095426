/* hallsync: the command line of a node.  Options may stand anywhere; the words choose a row of CLI_COMMANDS. */
#include "node/cli/cli.h"
#include "node/cli/forms.h"
#include "node/cli/kind_commands.h"
#include "node/cli/progress.h"
#include "node/cli/table.h"
#include "proto/base/buf.h"

#include <argp.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BASE 256 /* above the letters */
#define ARGS_MAX 1024

struct words {
    char *list[ARGS_MAX];
    size_t count;
    struct cli *cli;
};

static const struct argp_option OPTIONS[] = {
#define X(id, name, key, argument, help) {name, (key) != 0 ? (key) : KEY_BASE + CLI_##id, argument, 0, help, 0},
    CLI_OPTIONS(X)
#undef X
        {0},
};

static int option_of_key(int key)
{
    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if (OPTIONS[i].key == key)
            return i;
    }
    return -1;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct words *words = state->input;
    int option = option_of_key(key);
    if (option == CLI_WHERE) {
        if (words->cli->where_count == CLI_WHERE_MAX)
            argp_error(state, "more than %d times --where", CLI_WHERE_MAX);
        words->cli->where[words->cli->where_count++] = argument;
    }
    if (option >= 0) {
        words->cli->options[option] = argument != NULL ? argument : "";
        return 0;
    }
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (words->count == ARGS_MAX)
        argp_error(state, "more than %d arguments", ARGS_MAX);
    words->list[words->count++] = argument;
    return 0;
}

static char *filter_help(int key, const char *text, void *input)
{
    (void)input;
    char *commands = key == ARGP_KEY_HELP_POST_DOC ? cli_help_text("") : NULL;
    return commands != NULL ? commands : (char *)text; /* argp's interface knows no const */
}

/* "backup show --help" asks for that command, and not for all that argp would say. */
static void take_help(int argc, char **argv, struct words *words)
{
    char two[64];
    int end = 1, at = 1;
    while (end < argc && argv[end][0] != '-')
        end++;
    for (at = end; at < argc && strcmp(argv[at], "--help") != 0 && strcmp(argv[at], "-?") != 0; at++)
        ;
    if (end == 1 || at == argc)
        return;
    static char help[] = "help";
    words->list[words->count++] = help;
    words->list[words->count++] = argv[1];
    snprintf(two, sizeof two, "%s %s", argv[1], end > 2 ? argv[2] : "");
    char *text = end > 2 ? cli_help_text(two) : NULL;
    if (text != NULL)
        words->list[words->count++] = argv[2];
    free(text);
}

static bool matches(const struct cli_command *command, const struct words *words, size_t *taken)
{
    const char *space = strchr(command->words, ' ');
    size_t first = space != NULL ? (size_t)(space - command->words) : strlen(command->words);
    *taken = space != NULL ? 2 : 1;
    if (words->count < *taken || strlen(words->list[0]) != first || strncmp(command->words, words->list[0], first) != 0)
        return false;
    return space == NULL || strcmp(space + 1, words->list[1]) == 0;
}

static bool has_group(const struct cli_command *commands, size_t count, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(commands[i].words, word, size) == 0 && commands[i].words[size] == ' ')
            return true;
    }
    return false;
}

static bool is_group(const char *word)
{
    const struct cli_command *more;
    size_t count = cli_kind_commands(&more);
    return has_group(CLI_COMMANDS, CLI_COMMAND_COUNT, word) || has_group(more, count, word);
}

/* The one with the most words: "backup show" is not "backup" with an argument. */
static void choose_among(struct cli *cli, const struct words *words, const struct cli_command *commands, size_t count,
                         size_t *most)
{
    for (size_t i = 0; i < count; i++) {
        size_t one = 0;
        if (matches(&commands[i], words, &one) && one > *most) {
            cli->command = &commands[i];
            *most = one;
        }
    }
}

static enum hs_err choose(struct cli *cli, struct words *words)
{
    size_t most = 0;
    const struct cli_command *more;
    size_t count = cli_kind_commands(&more);
    choose_among(cli, words, CLI_COMMANDS, CLI_COMMAND_COUNT, &most);
    choose_among(cli, words, more, count, &most);
    if (words->count == 0)
        return cli_usage(cli, "which command?  'hallsync help' lists them");
    if (cli->command == NULL && words->count == 1 && is_group(words->list[0]))
        return cli_usage(cli, "%s what?  'hallsync help %s' lists what there is", words->list[0], words->list[0]);
    if (cli->command == NULL)
        return cli_usage(cli, "no such command: '%s%s%s'; 'hallsync help' lists them", words->list[0],
                         words->count > 1 ? " " : "", words->count > 1 ? words->list[1] : "");
    cli->args = words->list + most;
    cli->arg_count = words->count - most;
    return HS_OK;
}

static enum hs_err check_options(struct cli *cli)
{
    uint64_t allowed = CLI_BIT(CONFIG) | CLI_BIT(ENDPOINT) | CLI_BIT(JSON) | CLI_BIT(TIMEOUT) | cli->command->options;
    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if (cli->options[i] != NULL && (allowed >> i & 1) == 0)
            return cli_usage(cli, "%s takes no --%s", cli->command->words, OPTIONS[i].name);
    }
    if (cli->json && cli->csv)
        return cli_usage(cli, "--json or --csv, not both");
    uint64_t ms;
    if (cli->options[CLI_TIMEOUT] != NULL && cli_duration_parse(cli->options[CLI_TIMEOUT], &ms) != HS_OK)
        return cli_usage(cli, "--timeout: '%s' is not a time such as 30s or 5m", cli->options[CLI_TIMEOUT]);
    return HS_OK;
}

static enum hs_err run(struct cli *cli, struct words *words)
{
    enum hs_err err = choose(cli, words);
    if (err == HS_OK)
        err = check_options(cli);
    if (err == HS_OK && cli->command->needs == CLI_NEEDS_NODE)
        err = cli_config_find(cli);
    if (err == HS_OK && cli->command->run != cli_run_top && cli->command->run != cli_run_watch)
        cli_progress_open(cli->command->words); /* those two show all the time what there is */
    return err == HS_OK ? cli->command->run(cli) : err;
}

static int finish(struct cli *cli, enum hs_err err)
{
    cli_progress_close();
    if (err != HS_OK && cli->json)
        cli_json_line(cli_error_json(cli, err));
    if (err != HS_OK)
        cli_complain(cli, err);
    int status = cli->status != 0 ? cli->status : cli_exit_status(err);
    hallsync_close(cli->client);
    free(cli->endpoint);
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    fprintf(stderr, "hallsync: standard output: %s\n", strerror(errno));
    return status != 0 ? status : cli_exit_status(HS_EIO);
}

int main(int argc, char **argv)
{
    static const struct argp ARGP = {
        .options = OPTIONS,
        .parser = parse_option,
        .args_doc = "COMMAND [ARGUMENT...]",
        .doc = "Talk to the hallsync node of this hall.\vcommands", /* filter_help puts them here */
        .help_filter = filter_help,
    };
    static struct words words; /* too big for a small stack */
    static struct cli cli;     /* which it points to */
    words.cli = &cli;
    argp_err_exit_status = 2;
    argp_program_version = "hallsync " HS_VERSION; /* set, not defined: libc would not see a hidden symbol */
    take_help(argc, argv, &words);
    if ((words.count == 0 && argp_parse(&ARGP, argc, argv, ARGP_IN_ORDER, NULL, &words) != 0) || sodium_init() < 0)
        return 2;
    cli.json = cli.options[CLI_JSON] != NULL;
    cli.csv = cli.options[CLI_CSV] != NULL;
    return finish(&cli, run(&cli, &words));
}
