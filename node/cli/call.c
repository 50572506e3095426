/* Asking the node: reach it, ask, and turn what went wrong into an error for people. */
#include "node/cli/cli.h"
#include "node/cli/forms.h"
#include "proto/base/text.h"
#include "node/cli/progress.h"
#include "proto/base/thread.h"
#include "storage/model/kinds.h"

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define REACH_MS   3000 /* a node that fell is back within a second */
#define PAUSE_MS   100
#define IPC        "ipc://"

static void pause_ms(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

uint64_t cli_timeout_ms(const struct cli *cli)
{
    uint64_t ms = TIMEOUT_MS;
    if (cli->options[CLI_TIMEOUT] != NULL)
        cli_duration_parse(cli->options[CLI_TIMEOUT], &ms); /* checked when the options were read */
    return ms;
}

static uint64_t call_ms(const struct cli *cli)
{
    return cli->call_ms != 0 ? cli->call_ms : cli_timeout_ms(cli);
}

/* ZeroMQ tries for ever and says nothing; a socket of our own says why nobody is there. */
static int try_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int error = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    close(fd);
    return error;
}

static enum hs_err reach(struct cli *cli)
{
    if (cli->reached || strncmp(cli->endpoint, IPC, sizeof IPC - 1) != 0)
        return HS_OK;
    uint64_t timeout = cli_timeout_ms(cli);
    uint64_t end = hs_tick_ms() + (timeout < REACH_MS ? timeout : REACH_MS);
    int error = try_socket(cli->endpoint + sizeof IPC - 1);
    while ((error == ENOENT || error == ECONNREFUSED) && hs_tick_ms() < end) {
        pause_ms(PAUSE_MS);
        error = try_socket(cli->endpoint + sizeof IPC - 1);
    }
    cli->reached = error == 0;
    if (error == 0)
        return HS_OK;
    if (cli->denied.text[0] != '\0')
        return cli_bad(&cli->bad, HS_EPERM, NULL, "%s; and %s: %s; start the node, or run this as its user",
                       cli->denied.text, cli->endpoint, strerror(error));
    return cli_bad(&cli->bad, HS_EUNREACHABLE, NULL, "%s: %s%s", cli->endpoint, strerror(error),
                   error == EACCES
                       ? " (run this as the node's user, or set listen.clients to a socket that others reach)"
                       : " (is hallsyncd running?)");
}

static enum hs_err open_client(struct cli *cli)
{
    if (cli->client != NULL)
        return HS_OK;
    cli->client = hallsync_open(cli->endpoint);
    if (cli->client == NULL)
        return cli_bad(&cli->bad, HS_ENOMEM, NULL, "%s", strerror(errno));
    uint64_t timeout = call_ms(cli);
    hallsync_set_timeout(cli->client, timeout < UINT32_MAX ? (unsigned)timeout : UINT32_MAX);
    return HS_OK;
}

/* The node's word for an error; one that this version does not know is passed on as it is. */
static enum hs_err node_error(struct cli *cli, const char *name, const char *field, const char *text)
{
    enum hs_err err = hs_err_by_name(name);
    bool known = strcmp(hs_err_name(err), name) == 0;
    cli->error_name[0] = '\0';
    if (!known) {
        snprintf(cli->error_name, sizeof cli->error_name, "%s", name);
        err = HS_EREFUSED;
    }
    return cli_bad_text(&cli->bad, err, field, text != NULL ? text : hs_err_text(err));
}

enum hs_err cli_result_error(struct cli *cli, const Hallsync__PutResult *result)
{
    return result->error == NULL ? HS_OK : node_error(cli, result->error, result->field, result->text);
}

enum hs_err cli_call_one(struct cli *cli, Hallsync__Request *request, const Hallsync__PutResult **result)
{
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, request, HALLSYNC__REPLY__BODY_PUT, &reply);
    if (err == HS_OK && reply->put->n_results != 1)
        err = cli_bad(&cli->bad, HS_EMALFORMED, NULL, "the node gave %zu results for one write", reply->put->n_results);
    if (err == HS_OK)
        err = cli_result_error(cli, reply->put->results[0]);
    if (err == HS_OK)
        *result = reply->put->results[0];
    return err;
}

static bool writes(const Hallsync__Request *request)
{
    switch (request->body_case) {
    case HALLSYNC__REQUEST__BODY_PUT:
    case HALLSYNC__REQUEST__BODY_REVERSE:
    case HALLSYNC__REQUEST__BODY_RESOLVE:
    case HALLSYNC__REQUEST__BODY_DECIDE:
    case HALLSYNC__REQUEST__BODY_ENROLL:
    case HALLSYNC__REQUEST__BODY_SCOPE:
    case HALLSYNC__REQUEST__BODY_REVOKE:
    case HALLSYNC__REQUEST__BODY_RELEASE:
    case HALLSYNC__REQUEST__BODY_BUNDLE_IMPORT:
        return true;
    default:
        return false;
    }
}

static enum hs_err no_answer(struct cli *cli, const Hallsync__Request *request)
{
    return cli_bad(&cli->bad, HS_ETIMEDOUT, NULL, "%s%s", hallsync_error(cli->client),
                   writes(request) ? "; it may have been done" : "");
}

static enum hs_err of_status(struct cli *cli, const Hallsync__Request *request, enum hallsync_status status,
                             const Hallsync__Reply *reply)
{
    switch (status) {
    case HALLSYNC_OK:
        return HS_OK;
    case HALLSYNC_REFUSED:
        return node_error(cli, reply->error, NULL, reply->text);
    case HALLSYNC_TIMEOUT:
        return no_answer(cli, request);
    case HALLSYNC_MEMORY:
        return cli_bad(&cli->bad, HS_ENOMEM, NULL, "%s", hallsync_error(cli->client));
    case HALLSYNC_PROTOCOL:
        return cli_bad(&cli->bad, HS_EMALFORMED, NULL, "%s", hallsync_error(cli->client));
    default:
        return cli_bad(&cli->bad, HS_EUNREACHABLE, NULL, "%s", hallsync_error(cli->client));
    }
}

static enum hs_err call(struct cli *cli, Hallsync__Request *request, int body, const Hallsync__Reply **reply)
{
    enum hs_err err = reach(cli);
    if (err == HS_OK)
        err = open_client(cli);
    if (err != HS_OK)
        return err;
    uint8_t id[16];
    uint64_t end = hs_tick_ms() + call_ms(cli);
    enum hallsync_status status = hallsync_call(cli->client, request, id, reply);
    err = of_status(cli, request, status, *reply);
    while ((err == HS_EBUSY || err == HS_ESTOPPING) && hs_tick_ms() < end) {
        pause_ms(PAUSE_MS);
        request->id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
        status = hallsync_call(cli->client, request, id, reply);
        err = of_status(cli, request, status, *reply);
    }
    request->id = (ProtobufCBinaryData){0};
    if (err == HS_OK && body >= 0 && (int)(*reply)->body_case != body)
        err = cli_bad(&cli->bad, HS_EMALFORMED, NULL, "the node answered something else than was asked");
    return err;
}

/* Shown, if it lasts. */
static enum hs_err ask(struct cli *cli, Hallsync__Request *request, int body, const Hallsync__Reply **reply)
{
    cli_progress_call(true);
    enum hs_err err = call(cli, request, body, reply);
    cli_progress_call(false);
    return err;
}

/* ---- who asks ---- */

#define PERSON_BYTES 65
#define PASSWD_BYTES 4096

/* What people decide, and the node's audit trail tells of. */
static bool is_told(const Hallsync__Request *request)
{
    switch (request->body_case) {
    case HALLSYNC__REQUEST__BODY_PUT:
        return hs_kind_by_number(request->put->kind)->by == HS_BY_HUBS;
    case HALLSYNC__REQUEST__BODY_RESOLVE:
    case HALLSYNC__REQUEST__BODY_DECIDE:
    case HALLSYNC__REQUEST__BODY_ENROLL:
    case HALLSYNC__REQUEST__BODY_SCOPE:
    case HALLSYNC__REQUEST__BODY_REVOKE:
    case HALLSYNC__REQUEST__BODY_RELEASE:
    case HALLSYNC__REQUEST__BODY_AUDIT:
        return true;
    default:
        return false;
    }
}

/* Root, and the node's own user: who works as one of these has a name of his own. */
static bool stands_for_others(const struct cli *cli)
{
    struct stat socket;
    return getuid() == 0 || (strncmp(cli->endpoint, IPC, sizeof IPC - 1) == 0 &&
                             stat(cli->endpoint + sizeof IPC - 1, &socket) == 0 && socket.st_uid == getuid());
}

/* Who is logged in; behind sudo, whoever has asked for it. */
static void person_of(const struct cli *cli, char name[static PERSON_BYTES])
{
    char room[PASSWD_BYTES];
    struct passwd entry, *found = NULL;
    const char *person = stands_for_others(cli) ? getenv("SUDO_USER") : NULL;
    if (person == NULL && getpwuid_r(getuid(), &entry, room, sizeof room, &found) == 0 && found != NULL)
        person = found->pw_name;
    struct hs_bytes text = person != NULL ? HS_BYTES(person, strlen(person)) : HS_BYTES_NONE;
    if (text.size > 0 && text.size < PERSON_BYTES && hs_text_valid(text))
        snprintf(name, PERSON_BYTES, "%s", person);
    else
        snprintf(name, PERSON_BYTES, "uid %lu", (unsigned long)getuid());
}

enum hs_err cli_call(struct cli *cli, Hallsync__Request *request, int body, const Hallsync__Reply **reply)
{
    Hallsync__Actor actor = HALLSYNC__ACTOR__INIT;
    char name[PERSON_BYTES];
    if (!is_told(request))
        return ask(cli, request, body, reply);
    person_of(cli, name);
    actor.name = name;
    actor.way = (char *)(uintptr_t) "command_line"; /* only read, as the next */
    request->actor = &actor;
    request->reason = (char *)(uintptr_t)cli->options[CLI_REASON];
    enum hs_err err = ask(cli, request, body, reply);
    request->actor = NULL;
    request->reason = NULL;
    return err;
}
