/* Who may log in at the node's console: the file that hallsync-admin reads. */
#include "node/cli/table.h"
#include "node/conf/conf.h"
#include "node/users/users.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_ROOM (HS_USER_PASSWORD_BYTES_MAX + 3) /* with its line end, and one byte that says it is too long */

struct place {
    char path[PATH_MAX];
    int dir; /* open and locked: one changes the file at a time */
    struct hs_users users;
};

static const struct cli_column COLUMNS[] = {
    {"name", "NAME", CLI_FORM_TEXT},
    {"role", "ROLE", CLI_FORM_TEXT},
};

/* ---- the file, for one who changes it at a time ---- */

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
    if (place->dir < 0 || flock(place->dir, LOCK_EX) != 0)
        err = cli_bad(&cli->bad, hs_err_from_errno(errno), NULL, "%s: %s", conf.admin.dir, strerror(errno));
    hs_conf_free(&conf);
    return err;
}

static enum hs_err open_place(struct cli *cli, struct place *place)
{
    struct hs_why why = {0};
    place->dir = -1;
    enum hs_err err = find(cli, place);
    if (err != HS_OK)
        return err;
    err = hs_users_load(place->path, &place->users, &why);
    return err == HS_OK ? HS_OK : cli_fail(cli, err, &why);
}

/* First the node writes down who does it: what cannot be told is not done. */
static enum hs_err save(struct cli *cli, const struct place *place, const char *action, enum hs_user_role role)
{
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
}

/* ---- passwords: from a terminal, twice and without echo, or from standard input, once ---- */

static enum hs_err read_line(struct cli *cli, FILE *from, char password[static PASSWORD_ROOM])
{
    if (fgets(password, PASSWORD_ROOM, from) == NULL)
        return cli_usage(cli, "no password came");
    password[strcspn(password, "\r\n")] = '\0';
    return HS_OK;
}

static enum hs_err ask_once(struct cli *cli, FILE *terminal, const char *what, char password[static PASSWORD_ROOM])
{
    fputs(what, terminal);
    fflush(terminal);
    enum hs_err err = read_line(cli, terminal, password);
    fputc('\n', terminal);
    return err;
}

static enum hs_err ask(struct cli *cli, FILE *terminal, char password[static PASSWORD_ROOM])
{
    struct termios before, silent;
    char again[PASSWORD_ROOM];
    if (tcgetattr(fileno(terminal), &before) != 0)
        return cli_bad(&cli->bad, HS_EIO, NULL, "the terminal: %s", strerror(errno));
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
    enum hs_err err = ask_once(cli, terminal, "Password: ", password);
    if (err == HS_OK)
        err = ask_once(cli, terminal, "The same again: ", again);
    tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    if (err == HS_OK && strcmp(password, again) != 0)
        err = cli_usage(cli, "these were two passwords");
    sodium_memzero(again, sizeof again);
    return err;
}

static enum hs_err read_password(struct cli *cli, char hash[static HS_USER_HASH_BYTES])
{
    char password[PASSWORD_ROOM] = "";
    struct hs_why why = {0};
    FILE *terminal = isatty(STDIN_FILENO) != 0 ? fopen("/dev/tty", "r+e") : NULL;
    enum hs_err err = terminal != NULL ? ask(cli, terminal, password) : read_line(cli, stdin, password);
    if (terminal != NULL)
        fclose(terminal);
    if (err == HS_OK) {
        err = hs_user_hash(password, hash, &why);
        if (err != HS_OK)
            err = cli_fail(cli, err, &why);
    }
    sodium_memzero(password, sizeof password);
    return err;
}

/* ---- the commands ---- */

static enum hs_err no_user(struct cli *cli)
{
    return cli_bad(&cli->bad, HS_ENOTFOUND, NULL, "there is no user %s: 'hallsync user list' names them", cli->args[0]);
}

static enum hs_err read_role(struct cli *cli, enum hs_user_role *role)
{
    const char *text = cli->options[CLI_ROLE];
    if (text == NULL || hs_user_role_parse(text, role) != HS_OK)
        return cli_usage(cli, "--role: viewer, operator or administrator");
    return HS_OK;
}

static enum hs_err add(struct cli *cli, struct place *place)
{
    const char *name = cli->args[0];
    struct hs_user user = {0};
    enum hs_err err = read_role(cli, &user.role);
    if (err != HS_OK)
        return err;
    if (!hs_user_name_valid(name))
        return cli_usage(cli, "'%s' is no name: a-z, 0-9, and . _ -, beginning with a letter, at most %d", name,
                         HS_USER_NAME_BYTES - 1);
    if (hs_users_find(&place->users, name) != NULL)
        return cli_bad(&cli->bad, HS_EEXISTS, NULL, "there is a user %s already", name);
    if (place->users.count == HS_USERS_MAX)
        return cli_bad(&cli->bad, HS_ETOOBIG, NULL, "there are %d users, and no more can be", HS_USERS_MAX);
    snprintf(user.name, sizeof user.name, "%s", name);
    err = read_password(cli, user.hash);
    if (err == HS_OK)
        place->users.list[place->users.count++] = user;
    return err == HS_OK ? save(cli, place, "user_add", user.role) : err;
}

static enum hs_err drop(struct cli *cli, struct place *place)
{
    struct hs_user *user = hs_users_find(&place->users, cli->args[0]);
    if (user == NULL)
        return no_user(cli);
    *user = place->users.list[--place->users.count];
    return save(cli, place, "user_remove", HS_USER_NOBODY);
}

static enum hs_err set_password(struct cli *cli, struct place *place)
{
    struct hs_user *user = hs_users_find(&place->users, cli->args[0]);
    enum hs_err err = user == NULL ? no_user(cli) : read_password(cli, user->hash);
    return err == HS_OK ? save(cli, place, "user_password", HS_USER_NOBODY) : err;
}

static enum hs_err set_role(struct cli *cli, struct place *place)
{
    struct hs_user *user = hs_users_find(&place->users, cli->args[0]);
    enum hs_err err = user == NULL ? no_user(cli) : read_role(cli, &user->role);
    return err == HS_OK ? save(cli, place, "user_role", user->role) : err;
}

static enum hs_err change(struct cli *cli, enum hs_err (*how)(struct cli *cli, struct place *place))
{
    static struct place place; /* too big for a small stack */
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK) {
        err = open_place(cli, &place);
        if (err == HS_OK)
            err = how(cli, &place);
        close_place(&place);
    }
    if (err == HS_OK && cli->json)
        err = cli_json_line(json_pack("{s:s}", "name", cli->args[0]));
    return err;
}

enum hs_err cli_run_user_add(struct cli *cli)
{
    return change(cli, add);
}

enum hs_err cli_run_user_remove(struct cli *cli)
{
    return change(cli, drop);
}

enum hs_err cli_run_user_password(struct cli *cli)
{
    return change(cli, set_password);
}

enum hs_err cli_run_user_role(struct cli *cli)
{
    return change(cli, set_role);
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
