/* hallsyncd -- a node of a region: hallsyncd -c hallsync.yaml */
#include "node/daemon/check.h"
#include "node/daemon/daemon.h"
#include "node/log/option.h"

#include <argp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

struct arguments {
    const char *conf;
    bool check;
    struct hs_log_option log;
};

static const struct argp_option OPTIONS[] = {
    {"config", 'c', "FILE", 0, "configuration (hallsync.yaml)", 0},
    {"check", 'n', NULL, 0, "check the configuration and end", 0},
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
    case 'n':
        arguments->check = true;
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
static const struct argp ARGP = {OPTIONS, parse, NULL, "Run a hallsync node.", CHILDREN, NULL, NULL};

static int complain(enum hs_err err, const struct hs_why *why)
{
    fprintf(stderr, "hallsyncd: %s: %s\n", hs_err_name(err), why->text[0] != '\0' ? why->text : hs_err_text(err));
    return err == HS_ECONFIG || err == HS_ENOSTORE ? 2 : 1;
}

static void set_level(const struct hs_conf *conf)
{
    enum hs_log_level level = HS_LOG_INFO;
    if (hs_log_level_parse(conf->log.level, &level))
        hs_log_set_level(level);
}

/* What can be taken over while running is the log's level; a file that does not load changes nothing. */
static void reload(const char *path)
{
    struct hs_conf conf;
    struct hs_why why = {0};
    enum hs_err err = hs_conf_load(path, &conf, &why);
    if (err != HS_OK) {
        HS_LOG(RELOAD_FAILED, HS_PROSE("text", why.text));
        return;
    }
    set_level(&conf);
    HS_LOG(RELOADED, HS_WORD("log_level", conf.log.level));
    hs_conf_free(&conf);
}

/* The rooms are to start anew: a signal, for who waits for the others waits for it as well. */
#define SIGNAL_RESTART SIGUSR1

static void restart(void *ctx)
{
    (void)ctx;
    kill(getpid(), SIGNAL_RESTART);
}

/* True: go on with rooms made anew. */
static bool wait_for_end(const sigset_t *signals, const char *path)
{
    for (;;) {
        int got = sigwaitinfo(signals, NULL);
        if (got == SIGHUP) {
            sd_notify(0, "RELOADING=1");
            reload(path);
            sd_notify(0, "READY=1");
        } else if (got == SIGTERM || got == SIGINT || got == SIGNAL_RESTART) {
            HS_LOG_AT(HS_LOG_INFO, got == SIGNAL_RESTART ? HS_EV_RESTARTING : HS_EV_STOPPING,
                      HS_NUMBER("signal", (uint64_t)got));
            return got == SIGNAL_RESTART;
        }
    }
}

/* libzmq takes a descriptor for each local client and aborts when there are none: the soft limit is only a default. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* else we go on with what we have */
    }
}

static void take_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, SIGNAL_RESTART);
    sigprocmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What was asked for meanwhile comes with the start that follows. */
static void forget_restarts(void)
{
    const struct timespec at_once = {0};
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGNAL_RESTART);
    while (sigtimedwait(&only, NULL, &at_once) > 0)
        ;
}

static int run(const struct hs_conf *conf, const char *path)
{
    struct hs_daemon_options options = {.conf = conf, .restart = restart};
    sigset_t signals; /* blocked before any thread is made: only the main thread takes them */
    bool again = true;
    take_signals(&signals);
    raise_descriptors();
    while (again) {
        struct hs_daemon *daemon = NULL;
        struct hs_why why = {0};
        enum hs_err err = hs_daemon_new(&options, &daemon, &why);
        if (err == HS_OK)
            err = hs_daemon_start(daemon);
        if (err != HS_OK) {
            hs_daemon_stop(daemon);
            return complain(err, &why);
        }
        sd_notify(0, "READY=1");
        again = wait_for_end(&signals, path);
        sd_notify(0, again ? "RELOADING=1" : "STOPPING=1");
        hs_daemon_stop(daemon);
        forget_restarts();
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    argp_program_version = "hallsyncd " HS_VERSION;
    argp_parse(&ARGP, argc, argv, 0, NULL, &arguments);
    umask(0077);
    if (sodium_init() < 0) {
        fprintf(stderr, "hallsyncd: libsodium could not be initialised\n");
        return 1;
    }
    struct hs_conf conf;
    struct hs_why why = {0};
    enum hs_err err = hs_conf_load(arguments.conf, &conf, &why);
    if (err != HS_OK)
        return complain(err, &why);
    if (!arguments.log.is_given)
        hs_log_format_parse(conf.log.format, &arguments.log.format);
    hs_log_init(HS_LOG_INFO, arguments.log.format);
    set_level(&conf);
    if (arguments.check)
        err = hs_check_all(&conf, &why);
    int status = err != HS_OK ? complain(err, &why) : arguments.check ? 0 : run(&conf, arguments.conf);
    hs_conf_free(&conf);
    return status;
}
