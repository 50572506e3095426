/* What went wrong, for people and for scripts. */
#include "node/cli/cli.h"
#include "node/json/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum hs_err cli_usage(struct cli *cli, const char *format, ...)
{
    char text[HS_WHY_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cli->status = 2;
    return cli_bad(&cli->bad, HS_EINVAL, NULL, "%s", text);
}

enum hs_err cli_take_args(struct cli *cli, size_t least, size_t most)
{
    if (cli->arg_count >= least && cli->arg_count <= most)
        return HS_OK;
    return cli_usage(cli, "usage: hallsync %s %s", cli->command->words, cli->command->usage);
}

enum hs_err cli_fail(struct cli *cli, enum hs_err err, const struct hs_why *why)
{
    return cli_bad(&cli->bad, err, NULL, "%s", why->text[0] != '\0' ? why->text : hs_err_text(err));
}

int cli_exit_status(enum hs_err err)
{
    static const struct {
        enum hs_err err;
        int status;
    } SPECIAL[] = {{HS_ENOTFOUND, 1}, {HS_ERESET, 1}, {HS_ECONFIG, 2}};
    static const int OF_CLASS[] = {
        [HS_CLASS_OK] = 0,       [HS_CLASS_INPUT] = 4,  [HS_CLASS_RETRY] = 3, [HS_CLASS_PEER] = 4,
        [HS_CLASS_OPERATOR] = 4, [HS_CLASS_DAMAGE] = 5, [HS_CLASS_BUG] = 5,
    };
    for (size_t i = 0; i < sizeof SPECIAL / sizeof *SPECIAL; i++) {
        if (SPECIAL[i].err == err)
            return SPECIAL[i].status;
    }
    return OF_CLASS[hs_err_class(err)];
}

static const char *error_name(const struct cli *cli, enum hs_err err)
{
    return cli->error_name[0] != '\0' ? cli->error_name : hs_err_name(err);
}

static const char *error_text(const struct cli *cli, enum hs_err err)
{
    return cli->bad.why.text[0] != '\0' ? cli->bad.why.text : hs_err_text(err);
}

json_t *cli_error_json(const struct cli *cli, enum hs_err err)
{
    const char *text = error_text(cli, err);
    json_t *object = json_object();
    json_object_set_new(object, "error", json_string(error_name(cli, err)));
    json_object_set_new(object, "text", hs_json_text(HS_BYTES(text, strlen(text))));
    if (cli->bad.field[0] != '\0')
        json_object_set_new(object, "field", hs_json_text(HS_BYTES(cli->bad.field, strlen(cli->bad.field))));
    return object;
}

void cli_complain(const struct cli *cli, enum hs_err err)
{
    fflush(stdout);
    fprintf(stderr, "hallsync: %s%s%s: %s\n", cli->command != NULL ? cli->command->words : "",
            cli->command != NULL ? ": " : "", error_name(cli, err), error_text(cli, err));
}
