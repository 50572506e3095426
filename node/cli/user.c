/* Who may log in at the node's console: the file that hallsync-admin reads. */
#include "node/cli/password.h"
#include "node/cli/progress.h"
#include "node/cli/table.h"
#include "node/conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char path[PATH_MAX];
    int dir; /* locked by who changes the file: one at a time */
    struct hs_users users;
    struct hs_user draft; /* what somebody shall be */
};

static const struct cli_column COLUMNS[] = {
    {"name", "name", CLI_FORM_TEXT},
    {"role", "role", CLI_FORM_TEXT},
};

/* ---- the file ---- */

static enum hs_err find(struct cli *cli, struct place *place)
{
    struct hs_conf conf;
    struct hs_why why = {0};
    if (cli->config == NULL)
        return cli_usage(cli, "the users are the node's: name its configuration with -c");
    enum hs_err err = hs_conf_load(cli->config, &conf, &why);
    if (err != HS_OK)
        return cli_fail(cli, err, &why);
    snprintf(place->path, sizeof place->path, "%s/users", conf.admin.dir);
    if (mkdir(conf.admin.dir, 0700) == 0 || errno == EEXIST)
        place->dir = open(conf.admin.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place->dir < 0)
        err = cli_bad(&cli->bad, hs_err_from_errno(errno), NULL, "%s: %s", conf.admin.dir, strerror(errno));
    hs_conf_free(&conf);
    return err;
}

static enum hs_err load(struct cli *cli, struct place *place)
{
    struct hs_why why = {0};
    enum hs_err err = hs_users_load(place->path, &place->users, &why);
    return err == HS_OK ? HS_OK : cli_fail(cli, err, &why);
}

static enum hs_err open_place(struct cli *cli, struct place *place)
{
    place->dir = -1;
    enum hs_err err = find(cli, place);
    return err == HS_OK ? load(cli, place) : err;
}

/* From here on it is this one that changes the file; what others have changed meanwhile is seen. */
static enum hs_err lock(struct cli *cli, struct place *place)
{
    cli_progress_step(&(struct cli_step){.what = "waiting for another hallsync user"});
    int failed = flock(place->dir, LOCK_EX);
    cli_progress_end();
    if (failed != 0)
        return cli_bad(&cli->bad, hs_err_from_errno(errno), NULL, "%s: %s", place->path, strerror(errno));
    return load(cli, place);
}

/* First the node writes down who does it: what cannot be told is not done. */
static enum hs_err save(struct cli *cli, const struct place *place, const char *action)
{
    enum hs_user_role role = place->draft.role;
    struct hs_why why = {0};
    Hallsync__AuditRequest audit = HALLSYNC__AUDIT_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    audit.action = (char *)(uintptr_t)action; /* protobuf-c's types know no const; these are only read */
    audit.user = cli->args[0];
    audit.detail = role != HS_USER_NOBODY ? (char *)(uintptr_t)hs_user_role_text(role) : NULL;
    request.body_case = HALLSYNC__REQUEST__BODY_AUDIT;
    request.audit = &audit;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_PUT, &reply);
    if (err != HS_OK)
        return err;
    err = hs_users_save(place->path, &place->users, &why);
    return err == HS_OK ? HS_OK : cli_fail(cli, err, &why);
}

static void close_place(struct place *place)
{
    if (place->dir >= 0)
        close(place->dir);
    sodium_memzero(&place->users, sizeof place->users);
    sodium_memzero(&place->draft, sizeof place->draft);
}

/* ---- passwords ---- */

static enum hs_err read_password(struct cli *cli, char hash[static HS_USER_HASH_BYTES])
{
    char password[CLI_PASSWORD_ROOM] = "";
    struct hs_why why = {0};
    enum hs_err err = cli_password_read(cli, password);
    if (err == HS_OK) {
        err = hs_user_hash(password, hash, &why);
        if (err != HS_OK)
            err = cli_fail(cli, err, &why);
    }
    sodium_memzero(password, sizeof password);
    return err;
}

/* ---- the commands ---- */

struct deed {
    const char *action;
    enum hs_err (*check)(struct cli *cli, struct place *place); /* makes the draft, too */
    bool asks;                                                  /* for a password */
    bool (*apply)(struct place *place, struct hs_user *user);   /* false: it was so before.  @user NULL: a new one */
};

static enum hs_err no_user(struct cli *cli)
{
    return cli_bad(&cli->bad, HS_ENOTFOUND, NULL, "there is no user %s: 'hallsync user list' names them", cli->args[0]);
}

static enum hs_err check_role(struct cli *cli, struct place *place)
{
    const char *text = cli->options[CLI_ROLE];
    if (text == NULL)
        return cli_usage(cli, "which role?  --role viewer, operator or administrator");
    if (hs_user_role_parse(text, &place->draft.role) != HS_OK)
        return cli_usage(cli, "--role: '%s' is not viewer, operator or administrator", text);
    return HS_OK;
}

static enum hs_err check_new(struct cli *cli, struct place *place)
{
    const char *name = cli->args[0];
    enum hs_err err = check_role(cli, place);
    if (err != HS_OK)
        return err;
    if (!hs_user_name_valid(name))
        return cli_usage(cli, "'%s' is no name: a-z, 0-9, and . _ -, beginning with a letter, at most %d", name,
                         HS_USER_NAME_BYTES - 1);
    if (hs_users_find(&place->users, name) != NULL)
        return cli_bad(&cli->bad, HS_EEXISTS, NULL, "there is a user %s already", name);
    if (place->users.count == HS_USERS_MAX)
        return cli_bad(&cli->bad, HS_ETOOBIG, NULL, "there are %d users, and no more can be", HS_USERS_MAX);
    snprintf(place->draft.name, sizeof place->draft.name, "%s", name);
    return HS_OK;
}

static enum hs_err check_known(struct cli *cli, struct place *place)
{
    return hs_users_find(&place->users, cli->args[0]) != NULL ? HS_OK : no_user(cli);
}

static enum hs_err check_known_role(struct cli *cli, struct place *place)
{
    enum hs_err err = check_known(cli, place);
    return err == HS_OK ? check_role(cli, place) : err;
}

static bool add(struct place *place, struct hs_user *user)
{
    (void)user;
    place->users.list[place->users.count++] = place->draft;
    return true;
}

static bool drop(struct place *place, struct hs_user *user)
{
    *user = place->users.list[--place->users.count];
    return true;
}

static bool set_password(struct place *place, struct hs_user *user)
{
    memcpy(user->hash, place->draft.hash, sizeof user->hash);
    return true;
}

static bool set_role(struct place *place, struct hs_user *user)
{
    bool other = user->role != place->draft.role;
    user->role = place->draft.role;
    return other;
}

/* Nobody is kept waiting by one who is asked for a password: what was checked before is checked again behind it. */
static enum hs_err do_deed(struct cli *cli, struct place *place, const struct deed *deed)
{
    enum hs_err err = deed->check(cli, place);
    if (err == HS_OK && deed->asks)
        err = read_password(cli, place->draft.hash);
    if (err == HS_OK)
        err = lock(cli, place);
    if (err == HS_OK)
        err = deed->check(cli, place);
    if (err == HS_OK && deed->apply(place, hs_users_find(&place->users, cli->args[0])))
        err = save(cli, place, deed->action);
    return err;
}

static enum hs_err change(struct cli *cli, const struct deed *deed)
{
    static struct place place; /* too big for a small stack */
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK) {
        err = open_place(cli, &place);
        if (err == HS_OK)
            err = do_deed(cli, &place, deed);
        close_place(&place);
    }
    if (err == HS_OK && cli->json)
        err = cli_json_line(json_pack("{s:s}", "name", cli->args[0]));
    return err;
}

enum hs_err cli_run_user_add(struct cli *cli)
{
    return change(cli, &(struct deed){"user_add", check_new, true, add});
}

enum hs_err cli_run_user_remove(struct cli *cli)
{
    return change(cli, &(struct deed){"user_remove", check_known, false, drop});
}

enum hs_err cli_run_user_password(struct cli *cli)
{
    return change(cli, &(struct deed){"user_password", check_known, true, set_password});
}

enum hs_err cli_run_user_role(struct cli *cli)
{
    return change(cli, &(struct deed){"user_role", check_known_role, false, set_role});
}

static enum hs_err list(const struct cli *cli, const struct hs_users *users)
{
    struct cli_list rows;
    cli_list_begin(&rows, cli, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    for (size_t i = 0; i < users->count; i++)
        cli_list_add(&rows, json_pack("{s:s, s:s}", "name", users->list[i].name, "role",
                                      hs_user_role_text(users->list[i].role)));
    return cli_list_end(&rows);
}

enum hs_err cli_run_user_list(struct cli *cli)
{
    static struct place place; /* too big for a small stack */
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err != HS_OK)
        return err;
    err = open_place(cli, &place);
    if (err == HS_OK)
        err = list(cli, &place.users);
    close_place(&place);
    return err;
}
