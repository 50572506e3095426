/* cli.h -- hallsync, the command line: one table of options, one of commands, and what all commands share. */
#ifndef HS_CLI_H
#define HS_CLI_H

#include "node/cli/bad.h"
#include "node/client/hallsync.h"

#include <jansson.h>
#include <stdbool.h>

/* X(ID, name, key, argument, help).  key: a letter for the short form, else 0; argument NULL: a flag. */
#define CLI_OPTIONS(X)                                                                                               \
    X(CONFIG, "config", 'c', "FILE", "configuration of the node (default: $HALLSYNC_CONFIG, ./hallsync.yaml)")       \
    X(ENDPOINT, "endpoint", 'e', "ADDRESS", "socket of the node, ipc://PATH (default: $HALLSYNC_ENDPOINT)")          \
    X(JSON, "json", 0, NULL, "one JSON object, or one per line for lists")                                           \
    X(CSV, "csv", 0, NULL, "a table as CSV, for programs")                                                           \
    X(TIMEOUT, "timeout", 0, "TIME", "wait so long for an answer, such as 30s (default: 10s)")                       \
    X(ROLE, "role", 0, "ROLE", "role of the node, or of a user")                                                     \
    X(ID, "id", 0, "ID", "id of the node: a-z, 0-9 and -")                                                           \
    X(DATA, "data", 0, "DIR", "data directory of the node")                                                          \
    X(LISTEN, "listen", 0, "ADDRESS", "where a hub or witness listens for nodes (default: tcp://0.0.0.0:7400)")      \
    X(REGION, "region", 0, "NAME", "name of the region (default: the hub's id)")                                     \
    X(DISTRICT, "district", 0, "D[,D...]", "districts, four digits each, the home district first")                   \
    X(TTL, "ttl", 0, "TIME", "how long a join token holds (default: 24h)")                                           \
    X(TOKEN_FILE, "token-file", 0, "FILE", "read the join token from FILE")                                          \
    X(HERE, "here", 0, NULL, "only what is here: no hub is asked about other districts")                             \
    X(WATCH, "watch", 0, NULL, "show it again every two seconds")                                                    \
    X(PROMETHEUS, "prometheus", 0, NULL, "the figures as metrics: Prometheus text")                                  \
    X(INTERVAL, "interval", 0, "TIME", "ask anew so often (default: 2s)")                                            \
    X(SYNCED, "synced", 0, NULL, "wait until hub and node hold the same")                                            \
    X(ACCOUNT, "account", 0, "ACCOUNT", "only of this account")                                                      \
    X(BILL, "bill", 0, "BILL", "only of this bill")                                                                  \
    X(STATE, "state", 0, "STATE", "only in this state")                                                              \
    X(DEPARTMENT, "department", 0, "NAME", "only what this department has to do")                                    \
    X(OVERDUE, "overdue", 0, NULL, "only what is late and not resolved")                                             \
    X(ASSIGNEE, "assignee", 0, "NAME", "only assigned to NAME")                                                      \
    X(LIMIT, "limit", 0, "N", "at most so many")                                                                     \
    X(HALL, "hall", 0, "ID|all", "of that hall, or of all")                                                          \
    X(DATE, "date", 0, "DATE", "only of this business date, 2026-11-21")                                             \
    X(WINDOW, "window", 0, "N", "only of this window")                                                               \
    X(ORIGIN, "origin", 0, "NODE", "only written by this node")                                                      \
    X(PARTITION, "partition", 0, "D", "only this district, or region")                                               \
    X(TYPE, "type", 0, "TYPE", "only of this type, such as overpaid")                                                \
    X(REASON, "reason", 0, "TEXT", "why")                                                                            \
    X(REBUILD, "rebuild", 0, NULL, "for a node that has joined before and lost its disk")                            \
    X(NO_WAIT, "no-wait", 0, NULL, "do not wait until everything is here")                                           \
    X(KEY, "key", 0, "DIGITS", "how the key begins, of a node that has several")                                     \
    X(NAME, "name", 0, "NAME", "who has decided it")                                                                 \
    X(ROOT, "root", 0, "FILE", "sign with the region's root key in FILE")                                            \
    X(FROM, "from", 0, "POSITION", "go on behind this position; of a bundle: from this number on")                   \
    X(WHERE, "where", 0, "FIELD=VALUE", "only what shows this now; of a field again: or this, of another: and this") \
    X(CURSOR, "cursor", 0, "FILE", "how far it has come is kept there (default: cursor in the directory)")           \
    X(SOURCE, "source", 0, "NAME", "whose values an import brings (default: import)")                                \
    X(REJECTS, "rejects", 0, "FILE", "where rows that were refused go (default: FILE.rejects.csv)")                  \
    X(OUT, "out", 0, "FILE|DIR", "where the files go; a copy of the backup")                                         \
    X(FOR, "for", 0, "NODE", "who gets the bundle: a hub, or at a hub a hall")                                       \
    X(SIZE, "size", 0, "MIB", "of a bundle's file at most (default: 64)")                                            \
    X(ANSWER, "answer", 0, "DIR", "write there what the senders get back")                                           \
    X(SECRET, "secret", 0, "FILE", "the recovery key that a backup is sealed to")                                    \
    X(FORCE, "force", 0, NULL, "move what is in the directory aside")                                                \
    X(FULL, "full", 0, NULL, "every operation, not a sample")                                                        \
    X(DRY_RUN, "dry-run", 0, NULL, "say what would be done, and change nothing")                                     \
    X(REMOTE, "remote", 0, NULL, "compare with the nodes that it is connected with")                                 \
    X(PEER, "peer", 0, "ID", "only with this one")                                                                   \
    X(DAYS, "days", 0, "N", "at least so many days late (default: 1)")                                               \
    X(AMOUNT, "amount", 0, "FEN", "at least so much")                                                                \
    X(BY, "by", 0, "NAME", "only what this person has done")

enum cli_option {
#define X(id, ...) CLI_##id,
    CLI_OPTIONS(X)
#undef X
        CLI_OPTION_COUNT
};
_Static_assert(CLI_OPTION_COUNT <= 64, "options fit a mask");
#define CLI_BIT(id) ((uint64_t)1 << CLI_##id)

#define CLI_WHERE_MAX 128

enum cli_needs { CLI_NEEDS_NODE, CLI_NEEDS_EITHER, CLI_NEEDS_STOPPED, CLI_NEEDS_NOTHING };

struct cli;

struct cli_command {
    const char *words; /* "customer get" */
    enum hs_err (*run)(struct cli *cli);
    const char *usage; /* what stands behind the words */
    const char *help;  /* one line */
    enum cli_needs needs;
    uint32_t kind;    /* of commands that several kinds share; else 0 */
    uint64_t options; /* bits of those that it takes, besides config, endpoint, json and timeout */
};
extern const struct cli_command CLI_COMMANDS[];
extern const size_t CLI_COMMAND_COUNT;

struct cli {
    const struct cli_command *command;
    const char *options[CLI_OPTION_COUNT]; /* NULL: not given; a flag: "" */
    char **args;                           /* behind the command's words */
    size_t arg_count;
    char *where[CLI_WHERE_MAX]; /* all that --where was given with */
    size_t where_count;
    bool json;
    bool csv; /* lists as CSV; never together with json */
    int utc_offset_minutes;
    char *endpoint;          /* owned, set by cli_config_find */
    const char *config;      /* of the node whose that is; NULL: only its socket is known */
    struct hallsync *client; /* made when first needed */
    bool reached;            /* the node has been there once */
    struct hs_why denied;    /* why this user may not look whether the node runs: said if nobody answers; else "" */
    uint64_t call_ms;        /* how long a call may take, all tries; 0: cli_timeout_ms() */
    struct cli_bad bad;      /* of the error that a command returns */
    char error_name[64];     /* an error of the node's that this program does not know; else "" */
    int status;              /* exit status, if it is not that of the error */
};

/* Set the sentence of a mistake in the command itself: exit status 2. */
enum hs_err cli_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum hs_err cli_take_args(struct cli *cli, size_t least, size_t most); /* HS_OK, or usage */

/* What another room said of its failure, as the sentence of the error; its general text where it said nothing. */
enum hs_err cli_fail(struct cli *cli, enum hs_err err, const struct hs_why *why);

/* An error as a sentence on standard error, and as {"error","text","field"}, owned by the caller. */
void cli_complain(const struct cli *cli, enum hs_err err);
json_t *cli_error_json(const struct cli *cli, enum hs_err err);

/* Exit status of an error.  0 done, 1 the answer is no, 2 usage, 3 cannot reach the node, 4 refused, 5 damaged data. */
int cli_exit_status(enum hs_err err);

/* Find the configuration and from it the endpoint and the time zone. */
enum hs_err cli_config_find(struct cli *cli);

/* Ask the node.  @body: the reply that is expected (Hallsync__Reply__BodyCase), -1: any.  The reply is valid until the
 * next call. Too busy is tried again until the time is over. */
enum hs_err cli_call(struct cli *cli, Hallsync__Request *request, int body, const Hallsync__Reply **reply);
uint64_t cli_timeout_ms(const struct cli *cli); /* the option --timeout, or 10 s */
/* Ask for the nodes that have joined or may join. */
enum hs_err cli_call_nodes(struct cli *cli, const Hallsync__NodesReply **nodes);
/* Ask for one write: its result, or the error of that. */
enum hs_err cli_call_one(struct cli *cli, Hallsync__Request *request, const Hallsync__PutResult **result);
/* The error of one record of a put, in cli->bad; HS_OK if it has none. */
enum hs_err cli_result_error(struct cli *cli, const Hallsync__PutResult *result);

/* The commands, by file. */
enum hs_err cli_run_help(struct cli *cli); /* commands.c */
enum hs_err cli_run_version(struct cli *cli);
enum hs_err cli_run_init(struct cli *cli);      /* init.c */
enum hs_err cli_run_join(struct cli *cli);      /* join.c */
enum hs_err cli_run_rebuild(struct cli *cli);   /* rebuild.c */
enum hs_err cli_run_subscribe(struct cli *cli); /* reminders.c */
enum hs_err cli_run_reminders(struct cli *cli);
enum hs_err cli_run_put(struct cli *cli);   /* write.c */
enum hs_err cli_put_lines(struct cli *cli); /* lines.c: cli_run_put() of - */
enum hs_err cli_run_reverse(struct cli *cli);
enum hs_err cli_run_settle(struct cli *cli); /* refund.c */
enum hs_err cli_run_receipt(struct cli *cli);
enum hs_err cli_run_import(struct cli *cli); /* import.c */
enum hs_err cli_run_get(struct cli *cli);    /* read.c */
enum hs_err cli_run_list(struct cli *cli);
enum hs_err cli_run_missing(struct cli *cli);
enum hs_err cli_run_ticket_event(struct cli *cli);
enum hs_err cli_run_escalate(struct cli *cli);
enum hs_err cli_run_load(struct cli *cli);
enum hs_err cli_run_find(struct cli *cli);
enum hs_err cli_run_export(struct cli *cli);
enum hs_err cli_run_totals(struct cli *cli);
enum hs_err cli_run_conflict_list(struct cli *cli); /* conflict.c */
enum hs_err cli_run_conflict_show(struct cli *cli);
enum hs_err cli_run_conflict_resolve(struct cli *cli);
enum hs_err cli_run_conflict_release(struct cli *cli);
enum hs_err cli_run_conflict_reject(struct cli *cli);
enum hs_err cli_run_audit(struct cli *cli);  /* audit.c */
enum hs_err cli_run_status(struct cli *cli); /* status.c */
enum hs_err cli_run_why(struct cli *cli);    /* why.c */
enum hs_err cli_run_top(struct cli *cli);    /* top.c */
enum hs_err cli_run_wait(struct cli *cli);   /* wait.c */
enum hs_err cli_run_digest(struct cli *cli);
enum hs_err cli_run_enroll(struct cli *cli); /* nodes.c */
enum hs_err cli_run_nodes(struct cli *cli);
enum hs_err cli_run_node_show(struct cli *cli);
enum hs_err cli_run_node_scope(struct cli *cli);
enum hs_err cli_run_watch(struct cli *cli);         /* watch.c */
enum hs_err cli_run_changes(struct cli *cli);       /* export.c */
enum hs_err cli_run_bundle_export(struct cli *cli); /* bundle.c */
enum hs_err cli_run_bundle_import(struct cli *cli);
enum hs_err cli_run_bundle_show(struct cli *cli); /* bundle_show.c */
enum hs_err cli_run_backup(struct cli *cli);      /* backup.c */
enum hs_err cli_run_backup_show(struct cli *cli);
enum hs_err cli_run_backup_key(struct cli *cli);
enum hs_err cli_run_restore(struct cli *cli); /* restore.c */
enum hs_err cli_run_revoke(struct cli *cli);  /* revoke.c */
enum hs_err cli_run_release(struct cli *cli);
enum hs_err cli_show_withheld(const struct cli *cli, Hallsync__WithheldStatus *const *rows, size_t count);
enum hs_err cli_run_verify(struct cli *cli);      /* verify.c */
enum hs_err cli_run_repair(struct cli *cli);      /* repair.c */
enum hs_err cli_run_queue_event(struct cli *cli); /* queue.c */
enum hs_err cli_run_queue_list(struct cli *cli);
enum hs_err cli_run_queue_figures(struct cli *cli);
enum hs_err cli_run_window(struct cli *cli); /* books.c */
enum hs_err cli_run_books(struct cli *cli);
enum hs_err cli_run_books_show(struct cli *cli);
enum hs_err cli_run_appointment_event(struct cli *cli);
enum hs_err cli_run_user_add(struct cli *cli); /* user.c */
enum hs_err cli_run_user_list(struct cli *cli);
enum hs_err cli_run_user_password(struct cli *cli);
enum hs_err cli_run_user_role(struct cli *cli);
enum hs_err cli_run_user_remove(struct cli *cli);
enum hs_err cli_run_report_day(struct cli *cli);     /* report_day.c */
enum hs_err cli_run_report_queue(struct cli *cli);   /* queue.c */
enum hs_err cli_run_report_overdue(struct cli *cli); /* read.c */
enum hs_err cli_run_report_arrears(struct cli *cli); /* report_arrears.c */

/* Text of all commands, or, with their options, of those whose words begin with @words; owned by the caller, NULL: out
 * of memory or none. */
char *cli_help_text(const char *words);

#endif
