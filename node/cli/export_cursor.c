#include "node/cli/export.h"
#include "node/link/keys.h"

#include <stdlib.h>
#include <string.h>

#define CURSOR_BYTES_MAX 65536
#define CURSOR_MODE      0640

static enum hs_err bad_cursor(struct cli *cli, const char *path, const char *what)
{
    return cli_bad(&cli->bad, HS_EVALUE, NULL, "%s: %s; if it is lost for good, remove it: then everything is exported",
                   path, what);
}

static enum hs_err take(struct cli *cli, const char *path, const json_t *object, struct cli_cursor *cursor)
{
    const json_t *run = json_object_get(object, "run");
    const char *place = json_string_value(json_object_get(object, "position"));
    const char *asked = json_string_value(json_object_get(object, "asked"));
    if (!json_is_integer(run) || json_integer_value(run) < 0 || place == NULL || asked == NULL ||
        strlen(place) >= sizeof cursor->place)
        return bad_cursor(cli, path, "is no cursor of an export");
    cursor->run = (uint64_t)json_integer_value(run);
    memcpy(cursor->place, place, strlen(place) + 1);
    cursor->asked = strdup(asked);
    return cursor->asked != NULL ? HS_OK : HS_ENOMEM;
}

enum hs_err cli_cursor_read(struct cli *cli, const char *path, struct cli_cursor *cursor)
{
    struct hs_buf content = {0};
    struct hs_why why = {""};
    *cursor = (struct cli_cursor){0};
    enum hs_err err = hs_file_read(path, CURSOR_BYTES_MAX, &content, &why);
    if (err != HS_OK && err != HS_ENOTFOUND)
        err = cli_fail(cli, err, &why);
    if (err == HS_OK) {
        json_t *object = json_loadb(content.size != 0 ? (const char *)content.data : "", content.size, 0, NULL);
        err = take(cli, path, object, cursor);
        json_decref(object);
    }
    hs_buf_fini(&content);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

enum hs_err cli_cursor_write(struct cli *cli, const char *path, const struct cli_cursor *cursor)
{
    struct hs_why why = {""};
    json_t *object = json_pack("{sI ss ss}", "run", (json_int_t)cursor->run, "position", cursor->place, "asked",
                               cursor->asked);
    char *text = object != NULL ? json_dumps(object, JSON_INDENT(1)) : NULL;
    enum hs_err err = text != NULL ? hs_file_write(path, HS_BYTES(text, strlen(text)), CURSOR_MODE, &why) : HS_ENOMEM;
    if (err != HS_OK && err != HS_ENOMEM)
        err = cli_fail(cli, err, &why);
    free(text);
    json_decref(object);
    return err;
}
