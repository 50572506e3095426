#include "node/daemon/daemon.h"

#include "node/daemon/advertise.h"
#include "node/daemon/alarms.h"
#include "node/daemon/answerer.h"
#include "node/daemon/backups.h"
#include "node/daemon/check.h"
#include "node/daemon/checker.h"
#include "node/daemon/mend.h"
#include "node/daemon/peers.h"
#include "node/daemon/registry.h"
#include "node/daemon/surveyor.h"
#include "node/daemon/upkeep.h"
#include "node/log/log.h"
#include "node/service/service.h"
#include "node/service/tend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct hs_daemon {
    struct hs_daemon_options options;
    const struct hs_conf *conf;
    struct hs_keys keys;
    struct hs_store *store;
    uint64_t came_back; /* own operations, when that was last told; writer thread */
    struct hs_writer *writer;
    struct hs_upkeeper upkeeper;
    struct hs_answerer answerer;
    struct hs_tend *overdue, *cut_off;
    struct hs_peers *peers;
    struct hs_registry *registry;
    struct hs_backups *backups;
    struct hs_checker *checker;
    struct hs_alarmer *alarmer;
    struct hs_surveyor *surveyor;
    struct hs_advertised advertised;
    struct hs_problems problems;
    _Atomic(struct hs_service *) service; /* set while its thread may cause commits already */
};

/* ---- hooks between the rooms; @ctx is the daemon ---- */

static void flush_wanted(void *ctx)
{
    hs_writer_flush(((struct hs_daemon *)ctx)->writer);
}

/* At first, and whenever twice as much has come back: a day's work comes in many commits. */
static void tell_older(struct hs_daemon *daemon, const struct hs_older *older)
{
    if (older->operations != 0 && older->operations < 2 * daemon->came_back)
        return;
    daemon->came_back = older->operations;
    HS_LOG(OLDER_COPY, HS_PROSE("text", older->why), HS_NUMBER("operations", older->operations),
           HS_NUMBER("money", older->money), HS_WORD("from", older->from[0] != '\0' ? older->from : "-"));
}

static void start_anew(const struct hs_daemon *daemon)
{
    if (daemon->options.restart != NULL)
        daemon->options.restart(daemon->options.ctx);
}

static void committed(void *ctx, const struct hs_commit *commit)
{
    struct hs_daemon *daemon = ctx;
    if (commit->older != NULL)
        tell_older(daemon, commit->older);
    if (commit->renews) {
        HS_LOG(SET_BACK,
               HS_PROSE("text",
                        "this store is an older copy: it gets another id, and what is missing comes back from others"));
        start_anew(daemon);
    }
    hs_peers_committed(daemon->peers, commit);
    hs_registry_committed(daemon->registry, commit);
    hs_answerer_committed(&daemon->answerer, commit);
    hs_tend_committed(daemon->overdue, commit);
    hs_tend_committed(daemon->cut_off, commit);
    hs_service_committed(daemon->service);
}

static void fatal(void *ctx, enum hs_err err)
{
    const struct hs_daemon_options *options = &((struct hs_daemon *)ctx)->options;
    HS_LOG(FATAL, HS_WORD("reason", hs_err_name(err)), HS_PROSE("text", hs_err_text(err)));
    if (options->fatal == NULL)
        _exit(1);
    options->fatal(options->ctx, err);
}

static void certified(void *ctx)
{
    hs_registry_look(((struct hs_daemon *)ctx)->registry);
}

static void renewed(void *ctx)
{
    const struct hs_daemon *daemon = ctx;
    HS_LOG(CERTIFICATE_RENEWED, HS_PROSE("text", "this node has got other districts: its rooms start anew"));
    start_anew(daemon);
}

/* Comes once for each: what cannot be issued anew is given up by the store. */
static void reopen(void *ctx)
{
    const struct hs_daemon *daemon = ctx;
    if (daemon->options.restart == NULL)
        return;
    HS_LOG(OPERATIONS_ROTTED,
           HS_PROSE("text",
                    "operations that only this node had have rotted: the rooms start anew, and they are issued anew"));
    daemon->options.restart(daemon->options.ctx);
}

static void rotten(void *ctx, const struct hs_rotten *rotten)
{
    struct hs_daemon *daemon = ctx;
    if (rotten->sort == HS_ROT_OPS || rotten->sort == HS_ROT_CHECKPOINT || rotten->sort == HS_ROT_RECEIPT)
        hs_peers_rotten(daemon->peers, rotten); /* some are had from a peer */
    else if (rotten->sort == HS_ROT_BASE)
        hs_mend(daemon->writer, rotten);
}

static void checked(void *ctx, const struct hs_checked *checked)
{
    hs_mend_note_check(((struct hs_daemon *)ctx)->writer, checked);
}

static void probed(void *ctx, uint64_t token)
{
    hs_service_probed(((struct hs_daemon *)ctx)->service, token);
}

static void answered(void *ctx, uint64_t token, enum hs_err err, const struct hs_answer *answer)
{
    hs_service_answered(((struct hs_daemon *)ctx)->service, token, err, answer);
}

static void put_others(const struct hs_daemon *daemon, struct hs_buf *partial)
{
    hs_backups_status(daemon->backups, partial);
    hs_checker_status(daemon->checker, partial);
    hs_alarmer_status(daemon->alarmer, partial);
    hs_surveyor_status(daemon->surveyor, partial);
    for (size_t i = 0; i < daemon->problems.count; i++)
        hs_peers_put_problem(partial, daemon->problems.text[i]);
}

static void status(void *ctx, struct hs_buf *partial)
{
    const struct hs_daemon *daemon = ctx;
    hs_peers_status(daemon->peers, partial);
    put_others(daemon, partial);
}

static void region(void *ctx, struct hs_buf *partial)
{
    const struct hs_daemon *daemon = ctx;
    hs_peers_region(daemon->peers, partial);
    put_others(daemon, partial);
}

static void say(void *ctx, const struct hs_figures *figures)
{
    hs_peers_say(((struct hs_daemon *)ctx)->peers, figures);
}

static void probe(void *ctx, uint64_t token)
{
    hs_peers_probe(((struct hs_daemon *)ctx)->peers, token);
}

static void probe_end(void *ctx, uint64_t token)
{
    hs_peers_probe_end(((struct hs_daemon *)ctx)->peers, token);
}

static uint64_t seen(void *ctx, const struct hs_key *key, bool *live)
{
    return hs_peers_seen(((struct hs_daemon *)ctx)->peers, key, live);
}

static enum hs_err ask(void *ctx, uint64_t token, const struct hs_ask *question)
{
    return hs_peers_ask(((struct hs_daemon *)ctx)->peers, token, question);
}

static enum hs_err ask_node(void *ctx, uint64_t token, const char *node_id, struct hs_bytes record)
{
    return hs_peers_ask_node(((struct hs_daemon *)ctx)->peers, token, node_id, record);
}

static void ask_end(void *ctx, uint64_t token)
{
    hs_peers_ask_end(((struct hs_daemon *)ctx)->peers, token);
}

static enum hs_err backup(void *ctx, bool start, struct hs_buf *reply, struct hs_why *why)
{
    return hs_backups_ask(((struct hs_daemon *)ctx)->backups, start, reply, why);
}

static void verify(void *ctx, bool start, bool full, struct hs_buf *reply)
{
    hs_checker_ask(((struct hs_daemon *)ctx)->checker, start, full, reply);
}

static uint64_t compare(void *ctx)
{
    return hs_peers_compare(((struct hs_daemon *)ctx)->peers);
}

/* ---- making ---- */

static enum hs_err open_store(struct hs_daemon *daemon, struct hs_why *why)
{
    struct hs_store_options options = {
        .dir = daemon->conf->node.data,
        .certificate = hs_buf_bytes(&daemon->keys.certificate),
        .signer = hs_signer_of(daemon->keys.node),
        .districts = daemon->conf->districts,
        .district_count = daemon->conf->district_count,
        .utc_offset_minutes = daemon->conf->utc_offset_minutes,
        .note_dir = daemon->options.note_dir,
        .flush_wanted = flush_wanted,
        .ctx = daemon,
    };
    enum hs_err err = hs_store_open(&options, &daemon->store, why);
    if (err == HS_OK && hs_store_migrated(daemon->store) != 0)
        HS_LOG(MIGRATED, HS_NUMBER("from_format", hs_store_migrated(daemon->store)),
               HS_PROSE("kept_in", daemon->conf->node.data), HS_PROSE("text", "what that changed is in its before-*"));
    if (err == HS_OK && hs_store_renewed(daemon->store) != NULL)
        HS_LOG(RENEWED, HS_PROSE("reason", hs_store_renewed(daemon->store)));
    if (err == HS_OK && hs_store_break(daemon->store) != NULL)
        HS_LOG(FRESH_ORIGIN, HS_PROSE("reason", hs_store_break(daemon->store)));
    if (err == HS_OK)
        hs_check_scope(daemon->conf, hs_store_certificate(daemon->store), &daemon->problems);
    for (size_t i = 0; i < daemon->problems.count; i++)
        HS_LOG(CONFIGURATION, HS_PROSE("text", daemon->problems.text[i]));
    return err;
}

static void tended(const char *task, const char *record, enum hs_err err)
{
    if (err == HS_OK)
        HS_LOG(TEND_DONE, HS_WORD("task", task), HS_WORD("record", record));
    else if (record[0] != '\0') /* by a rule, as often as it is tried */
        HS_LOG(TEND_REFUSED, HS_WORD("task", task), HS_WORD("record", record), HS_WORD("reason", hs_err_name(err)));
    else
        HS_LOG(TEND_FAILED, HS_WORD("task", task), HS_WORD("reason", hs_err_name(err)));
}

static enum hs_err make_tending(struct hs_daemon *daemon)
{
    const struct hs_conf *conf = daemon->conf;
    struct hs_tend_options options = {.what = HS_TEND_OVERDUE,
                                      .wanted = strcmp(conf->rules.escalate_overdue, "yes") == 0,
                                      .alone = conf->upstreams_count == 0,
                                      .store = daemon->store,
                                      .utc_offset_minutes = conf->utc_offset_minutes,
                                      .tell = tended};
    enum hs_err err = hs_tend_new(&options, &daemon->overdue);
    options.what = HS_TEND_CUT_OFF;
    options.wanted = strcmp(conf->rules.reconnect_on_payment, "yes") == 0;
    return err == HS_OK ? hs_tend_new(&options, &daemon->cut_off) : err;
}

static enum hs_err make_writer(struct hs_daemon *daemon)
{
    enum hs_err err = make_tending(daemon);
    if (err != HS_OK)
        return err;
    hs_upkeeper_init(&daemon->upkeeper, daemon->conf->retention.days);
    hs_answerer_init(&daemon->answerer, daemon->store);
    daemon->upkeeper.chore.next = &daemon->answerer.chore;
    daemon->answerer.chore.next = hs_tend_chore(daemon->overdue);
    hs_tend_chore(daemon->overdue)->next = hs_tend_chore(daemon->cut_off);
    struct hs_writer_options options = {
        .store = daemon->store,
        .chore = &daemon->upkeeper.chore,
        .flush_ms = daemon->conf->limits.flush_ms,
        .committed = committed,
        .fatal = fatal,
        .ctx = daemon,
    };
    return hs_writer_new(&options, &daemon->writer);
}

static enum hs_err make_peers(struct hs_daemon *daemon, struct hs_why *why)
{
    struct hs_peers_options options = {
        .conf = daemon->conf,
        .keys = &daemon->keys,
        .store = daemon->store,
        .writer = daemon->writer,
        .surveyor = daemon->surveyor,
        .probed = probed,
        .answered = answered,
        .reopen = reopen,
        .certified = certified,
        .fatal = fatal,
        .ctx = daemon,
    };
    enum hs_err err = hs_peers_new(&options, &daemon->peers, why);
    for (size_t i = 0; err == HS_OK && hs_peers_address(daemon->peers, i) != NULL; i++)
        HS_LOG(LISTENING, HS_WORD("address", hs_peers_address(daemon->peers, i)));
    return err;
}

static enum hs_err make_service(struct hs_daemon *daemon, struct hs_why *why)
{
    const struct hs_conf *conf = daemon->conf;
    const char *bound[HS_ADDRESSES_MAX];
    size_t bound_count = 0;
    while (bound_count < HS_ADDRESSES_MAX && hs_peers_address(daemon->peers, bound_count) != NULL) {
        bound[bound_count] = hs_peers_address(daemon->peers, bound_count);
        bound_count++;
    }
    if (conf->listen.advertise_count != 0)
        hs_advertise((const char *const *)conf->listen.advertise, conf->listen.advertise_count, &daemon->advertised);
    else
        hs_advertise(bound, bound_count, &daemon->advertised);
    struct hs_service_options options = {
        .endpoint = conf->listen.clients,
        .counters = conf->listen.counters[0] != '\0' ? conf->listen.counters : NULL,
        .dir = conf->node.data,
        .store = daemon->store,
        .writer = daemon->writer,
        .hooks = {.ctx = daemon,
                  .status = status,
                  .region = region,
                  .probe = probe,
                  .probe_end = probe_end,
                  .seen = seen,
                  .ask = conf->upstreams_count != 0 ? ask : NULL,
                  .ask_node = ask_node,
                  .ask_end = ask_end,
                  .backup = backup,
                  .compare = compare,
                  .verify = verify},
        .signer = hs_signer_of(daemon->keys.node),
        .curve_secret = daemon->keys.curve_secret,
        .issuer = daemon->keys.issuer,
        .issuer_signed = hs_buf_bytes(&daemon->keys.issuer_signed),
        .peer_addresses = daemon->advertised.list,
        .peer_address_count = daemon->advertised.count,
        .utc_offset_minutes = conf->utc_offset_minutes,
        .accept_unknown_accounts = strcmp(conf->rules.unknown_accounts, "accept") == 0,
        .reconnect_on_payment = strcmp(conf->rules.reconnect_on_payment, "yes") == 0,
        .scope = conf->districts,
        .scope_count = conf->district_count,
        .retention_days = conf->retention.days,
        .disk_reserve_bytes = (uint64_t)conf->limits.disk_reserve_mib << 20,
    };
    struct hs_service *service = NULL;
    enum hs_err err = hs_service_new(&options, &service, why);
    daemon->service = service;
    return err;
}

static enum hs_err make_registry(struct hs_daemon *daemon)
{
    struct hs_registry_options options = {
        .store = daemon->store, .writer = daemon->writer, .renewed = renewed, .ctx = daemon};
    return hs_registry_new(&options, &daemon->registry);
}

static enum hs_err make_backups(struct hs_daemon *daemon)
{
    struct hs_backups_options options = {.conf = daemon->conf,
                                         .store = daemon->store,
                                         .writer = daemon->writer,
                                         .signer = hs_signer_of(daemon->keys.node)};
    return hs_backups_new(&options, &daemon->backups);
}

static enum hs_err make_checker(struct hs_daemon *daemon)
{
    struct hs_checker_options options = {.store = daemon->store, .rotten = rotten, .ended = checked, .ctx = daemon};
    struct hs_view *view = NULL;
    enum hs_err err = hs_view_open(daemon->store, 0, 0, &view);
    if (err != HS_OK)
        return err;
    hs_view_checked(view, &options.last);
    hs_view_close(view);
    return hs_checker_new(&options, &daemon->checker);
}

static enum hs_err make_surveyor(struct hs_daemon *daemon)
{
    struct hs_surveyor_options options = {
        .conf = daemon->conf, .store = daemon->store, .status = status, .say = say, .ctx = daemon};
    return hs_surveyor_new(&options, &daemon->surveyor);
}

static enum hs_err make_rooms(struct hs_daemon *daemon, struct hs_why *why)
{
    enum hs_err err = hs_keys_load(daemon->conf->node.data, &daemon->keys, why);
    if (err == HS_OK)
        err = hs_check_certificate(daemon->conf, &daemon->keys, why);
    if (err == HS_OK)
        err = open_store(daemon, why);
    if (err == HS_OK)
        err = make_writer(daemon);
    if (err == HS_OK)
        err = make_registry(daemon);
    if (err == HS_OK)
        err = make_backups(daemon);
    if (err == HS_OK)
        err = make_checker(daemon);
    if (err == HS_OK)
        err = hs_alarmer_new(daemon->conf, &daemon->alarmer);
    if (err == HS_OK)
        err = make_surveyor(daemon);
    if (err == HS_OK)
        err = make_peers(daemon, why);
    if (err == HS_OK)
        err = make_service(daemon, why);
    return err;
}

enum hs_err hs_daemon_new(const struct hs_daemon_options *options, struct hs_daemon **out, struct hs_why *why)
{
    struct hs_daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL)
        return HS_ENOMEM;
    const struct hs_conf *conf = options->conf;
    daemon->options = *options;
    daemon->conf = conf;
    enum hs_err err = make_rooms(daemon, why);
    if (err != HS_OK) {
        hs_daemon_stop(daemon);
        return err;
    }
    HS_LOG(STARTED, HS_WORD("node", conf->node.id), HS_WORD("role", conf->node.role),
           HS_WORD("endpoint", conf->listen.clients), HS_HEX("store", hs_store_id(daemon->store)),
           HS_NUMBER("commit", hs_store_position(daemon->store).commit));
    hs_registry_start(daemon->registry);
    *out = daemon;
    return HS_OK;
}

/* All rooms are made: no hook meets a half-made daemon. */
enum hs_err hs_daemon_start(struct hs_daemon *daemon)
{
    enum hs_err err = hs_writer_start(daemon->writer);
    if (err == HS_OK)
        err = hs_service_start(daemon->service);
    if (err == HS_OK)
        err = hs_peers_start(daemon->peers);
    if (err == HS_OK)
        err = hs_backups_start(daemon->backups);
    if (err == HS_OK)
        err = hs_checker_start(daemon->checker);
    if (err == HS_OK)
        hs_alarmer_start(daemon->alarmer);
    if (err == HS_OK)
        err = hs_surveyor_start(daemon->surveyor);
    return err;
}

uint64_t hs_daemon_turn(struct hs_daemon *daemon, enum hs_daemon_room room)
{
    switch (room) {
    case HS_DAEMON_WRITER:
        return hs_writer_turn(daemon->writer);
    case HS_DAEMON_PEERS:
        return hs_peers_turn(daemon->peers);
    case HS_DAEMON_SERVICE:
        return hs_service_turn(daemon->service);
    case HS_DAEMON_CHECKER:
        return hs_checker_turn(daemon->checker);
    }
    return UINT64_MAX;
}

struct hs_store *hs_daemon_store(struct hs_daemon *daemon)
{
    return daemon->store;
}

struct hs_writer *hs_daemon_writer(struct hs_daemon *daemon)
{
    return daemon->writer;
}

/* The writer finishes what it has and takes no more, so that the others can still be told; then they go. */
void hs_daemon_stop(struct hs_daemon *daemon)
{
    if (daemon == NULL)
        return;
    hs_surveyor_stop(daemon->surveyor);
    hs_alarmer_stop(daemon->alarmer);
    hs_backups_stop(daemon->backups);
    hs_checker_stop(daemon->checker);
    if (daemon->writer != NULL)
        hs_writer_stop(daemon->writer);
    hs_peers_stop(daemon->peers);
    hs_service_stop(daemon->service);
    hs_peers_free(daemon->peers);
    hs_registry_free(daemon->registry);
    hs_backups_free(daemon->backups);
    hs_checker_free(daemon->checker);
    hs_alarmer_free(daemon->alarmer);
    hs_surveyor_free(daemon->surveyor);
    hs_writer_free(daemon->writer);
    hs_answerer_fini(&daemon->answerer);
    hs_tend_free(daemon->overdue);
    hs_tend_free(daemon->cut_off);
    hs_store_close(daemon->store);
    hs_keys_free(&daemon->keys);
    free(daemon);
}
