/* hallsync-admin -- the console of a node for browsers: hallsync-admin -c hallsync.yaml */
#include "node/admin/inside.h"
#include "node/admin/run.h"
#include "node/log/option.h"

#include <argp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

struct arguments {
    const char *conf;
    struct hs_log_option log;
};

static const struct argp_option OPTIONS[] = {
    {"config", 'c', "FILE", 0, "configuration of the node (hallsync.yaml)", 0},
    {0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->log;
        return 0;
    case 'c':
        arguments->conf = value;
        return 0;
    case ARGP_KEY_END:
        if (arguments->conf == NULL)
            argp_error(state, "say which configuration: -c FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child CHILDREN[] = {{&hs_log_argp, 0, NULL, 0}, {0}};
static const struct argp ARGP = {OPTIONS,  parse, NULL, "Serve the console of a hallsync node to browsers.",
                                 CHILDREN, NULL,  NULL};

static int complain(enum hs_err err, const struct hs_why *why)
{
    fprintf(stderr, "hallsync-admin: %s: %s\n", hs_err_name(err), why->text[0] != '\0' ? why->text : hs_err_text(err));
    return err == HS_ECONFIG || err == HS_ENOSTORE ? 2 : 1;
}

static void set_level(const struct hs_conf *conf)
{
    enum hs_log_level level = HS_LOG_INFO;
    if (hs_log_level_parse(conf->log.level, &level))
        hs_log_set_level(level);
}

/* As hallsyncd: the log's level, and besides the certificate's files. */
static enum hs_err reload(struct admin_run *run, const char *path, struct hs_why *why)
{
    struct hs_conf conf;
    const char *certificate;
    enum hs_err err = hs_conf_load(path, &conf, why);
    if (err != HS_OK) {
        HS_LOG(ADMIN_RELOAD_FAILED, HS_PROSE("text", why->text));
        return HS_OK;
    }
    set_level(&conf);
    err = admin_run_reload(run, &certificate, why);
    if (err == HS_OK)
        HS_LOG(ADMIN_RELOADED, HS_WORD("log_level", conf.log.level), HS_WORD("certificate", certificate));
    hs_conf_free(&conf);
    return err;
}

static void take_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    sigprocmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* HS_OK: it was asked to end. */
static enum hs_err wait_for_end(struct admin_run *run, const sigset_t *signals, const char *path, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    const struct timespec second = {.tv_sec = 1};
    while (err == HS_OK) {
        int got = sigtimedwait(signals, NULL, &second);
        if (got == SIGHUP) {
            sd_notify(0, "RELOADING=1");
            err = reload(run, path, why);
            sd_notify(0, "READY=1");
        } else if (got == SIGTERM || got == SIGINT) {
            HS_LOG(ADMIN_STOPPING, HS_NUMBER("signal", (uint64_t)got));
            return HS_OK;
        }
        admin_run_tick(run);
    }
    return err;
}

static int run(const struct hs_conf *conf, const char *path)
{
    struct admin_run *running = NULL;
    struct hs_why why = {0};
    sigset_t signals; /* blocked before any thread is made: only the main thread takes them */
    take_signals(&signals);
    enum hs_err err = admin_run_new(conf, &running, &why);
    if (err != HS_OK)
        return complain(err, &why);
    sd_notify(0, "READY=1");
    err = wait_for_end(running, &signals, path, &why);
    sd_notify(0, "STOPPING=1");
    admin_run_free(running);
    return err == HS_OK ? 0 : complain(err, &why);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct hs_conf conf;
    struct hs_why why = {0};
    argp_program_version = "hallsync-admin " HS_VERSION;
    argp_parse(&ARGP, argc, argv, 0, NULL, &arguments);
    umask(0077);
    if (sodium_init() < 0) {
        fprintf(stderr, "hallsync-admin: libsodium could not be initialised\n");
        return 1;
    }
    admin_json_memory();
    enum hs_err err = hs_conf_load(arguments.conf, &conf, &why);
    if (err != HS_OK)
        return complain(err, &why);
    if (!arguments.log.is_given)
        hs_log_format_parse(conf.log.format, &arguments.log.format);
    hs_log_init(HS_LOG_INFO, arguments.log.format);
    set_level(&conf);
    int status = 0;
    if (strcmp(conf.admin.listen, "off") != 0) {
        status = run(&conf, arguments.conf);
    } else {
        HS_LOG(ADMIN_OFF, HS_PROSE("text", "admin.listen is off: nothing to do"));
        sd_notify(0, "READY=1");
    }
    hs_conf_free(&conf);
    return status;
}
