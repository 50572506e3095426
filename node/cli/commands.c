/* Every command is one row. */
#include "node/cli/kind_commands.h"
#include "proto/base/buf.h"
#include "storage/model/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS "FIELD=VALUE... | -"

const struct cli_command CLI_COMMANDS[] = {
    {"init", cli_run_init, "--role hub|hall --id ID --data DIR [--listen ADDRESS] [--region NAME]",
     "keys, empty store and hallsync.yaml of a new node", CLI_NEEDS_STOPPED, 0,
     CLI_BIT(ROLE) | CLI_BIT(ID) | CLI_BIT(DATA) | CLI_BIT(LISTEN) | CLI_BIT(REGION) | CLI_BIT(DISTRICT)},
    {"join", cli_run_join, "TOKEN|- --data DIR [--listen ADDRESS]",
     "enrol this node with the token that its hub gave out", CLI_NEEDS_STOPPED, 0,
     CLI_BIT(ID) | CLI_BIT(DATA) | CLI_BIT(LISTEN) | CLI_BIT(TOKEN_FILE)},
    {"rebuild", cli_run_rebuild, "TOKEN|- --data DIR [--no-wait] [--timeout TIME]",
     "make a node anew that has lost its disk, and wait until everything is here", CLI_NEEDS_STOPPED, 0,
     CLI_BIT(ID) | CLI_BIT(DATA) | CLI_BIT(LISTEN) | CLI_BIT(TOKEN_FILE) | CLI_BIT(NO_WAIT)},
    {"node enroll", cli_run_enroll, "ID --district D[,D...] [--role hub|witness] | ID --rebuild",
     "a single-use join token for a new hall, hub or witness, or for one that has lost its disk (at a hub)",
     CLI_NEEDS_NODE, 0, CLI_BIT(DISTRICT) | CLI_BIT(TTL) | CLI_BIT(ROLE) | CLI_BIT(REBUILD) | CLI_BIT(REASON)},
    {"node list", cli_run_nodes, "", "nodes that joined or may join", CLI_NEEDS_NODE, 0, 0},
    {"node show", cli_run_node_show, "ID", "one of them: role, districts, keys", CLI_NEEDS_NODE, 0, 0},
    {"node scope", cli_run_node_scope, "ID --district D[,D...]", "other districts for a hall or witness (at a hub)",
     CLI_NEEDS_NODE, 0, CLI_BIT(DISTRICT) | CLI_BIT(REASON)},
    {"node revoke", cli_run_revoke, "ID --reason TEXT [--key DIGITS] [--root FILE]",
     "its key is not its own any more: no session, nothing new of it (at a hub; of a hub: with the root key)",
     CLI_NEEDS_NODE, 0, CLI_BIT(REASON) | CLI_BIT(KEY) | CLI_BIT(ROOT)},
    {"node release", cli_run_release, "ID --reason TEXT --name NAME [--key DIGITS] [--root FILE]",
     "what a revoked node had written and no hub has signed for counts nevertheless (at a hub)", CLI_NEEDS_NODE, 0,
     CLI_BIT(REASON) | CLI_BIT(NAME) | CLI_BIT(KEY) | CLI_BIT(ROOT)},
    {"backup", cli_run_backup, "[--out FILE|DIR]", "a sealed backup of the node, running or stopped, read back whole",
     CLI_NEEDS_EITHER, 0, CLI_BIT(OUT)},
    {"backup show", cli_run_backup_show, "FILE --secret FILE", "verify a backup whole and say what is in it",
     CLI_NEEDS_NOTHING, 0, CLI_BIT(SECRET)},
    {"backup-key new", cli_run_backup_key, "FILE", "a new recovery key: its secret in FILE, its public part printed",
     CLI_NEEDS_NOTHING, 0, 0},
    {"restore", cli_run_restore, "FILE --data DIR --secret FILE [--force]",
     "a data directory from a backup, as another store of the same node", CLI_NEEDS_STOPPED, 0,
     CLI_BIT(DATA) | CLI_BIT(SECRET) | CLI_BIT(FORCE)},
    {"status", cli_run_status, "[--watch | --prometheus]",
     "role, links, how far each peer is, what people should look at", CLI_NEEDS_NODE, 0,
     CLI_BIT(WATCH) | CLI_BIT(PROMETHEUS)},
    {"why", cli_run_why, "[NODE]", "why is this node, or NODE, behind: the cause, what shows it, and what to do",
     CLI_NEEDS_NODE, 0, 0},
    {"top", cli_run_top, "[--interval 2s]", "the nodes that it stands in touch with, live: who is behind, and why",
     CLI_NEEDS_NODE, 0, CLI_BIT(INTERVAL)},
    {"verify", cli_run_verify, "[--full | --remote [--peer ID]]",
     "read log and records whole: is everything as it was written?  --remote: have those it is connected with the "
     "same?",
     CLI_NEEDS_EITHER, 0, CLI_BIT(FULL) | CLI_BIT(REMOTE) | CLI_BIT(PEER)},
    {"repair", cli_run_repair, "[--dry-run]",
     "check, and put right what rotted, or wait until it has come back; what is replaced is kept", CLI_NEEDS_EITHER, 0,
     CLI_BIT(DRY_RUN)},
    {"wait", cli_run_wait, "--synced [--timeout 30s]",
     "until a hub holds everything written here, and this node what the hub held", CLI_NEEDS_NODE, 0, CLI_BIT(SYNCED)},
    {"customer get", cli_run_get, "ACCOUNT", "one customer", CLI_NEEDS_NODE, HS_KIND_CUSTOMER, CLI_BIT(HERE)},
    {"customer find", cli_run_find, "account=|card_no=|identity_no=VALUE", "customers by number", CLI_NEEDS_NODE,
     HS_KIND_CUSTOMER, CLI_BIT(HERE)},
    {"customer put", cli_run_put, FIELDS, "write fields of a customer", CLI_NEEDS_NODE, HS_KIND_CUSTOMER, 0},
    {"customer transfer", cli_run_put, "ACCOUNT name=NAME [FIELD=VALUE...]",
     "an account gets another title holder; contacts, bank account and reminders of the one before end", CLI_NEEDS_NODE,
     HS_KIND_TITLE_CHANGE, 0},
    {"customer import", cli_run_import, "FILE|- [--source NAME] [--rejects FILE]", "customers from CSV or JSON lines",
     CLI_NEEDS_NODE, HS_KIND_CUSTOMER, CLI_BIT(SOURCE) | CLI_BIT(REJECTS)},
    {"customer export", cli_run_export, "", "all customers as CSV, or as JSON lines", CLI_NEEDS_NODE, HS_KIND_CUSTOMER,
     0},
    {"bill get", cli_run_get, "BILL", "one bill, what is paid and due", CLI_NEEDS_NODE, HS_KIND_BILL, CLI_BIT(HERE)},
    {"bill list", cli_run_list, "[--account ACCOUNT]", "bills", CLI_NEEDS_NODE, HS_KIND_BILL,
     CLI_BIT(ACCOUNT) | CLI_BIT(LIMIT) | CLI_BIT(HERE)},
    {"bill put", cli_run_put, FIELDS, "write fields of a bill", CLI_NEEDS_NODE, HS_KIND_BILL, 0},
    {"bill import", cli_run_import, "FILE|- [--source NAME] [--rejects FILE]", "bills from CSV or JSON lines",
     CLI_NEEDS_NODE, HS_KIND_BILL, CLI_BIT(SOURCE) | CLI_BIT(REJECTS)},
    {"reminder subscribe", cli_run_subscribe, "ACCOUNT channel=sms|phone|letter days_before=N [FIELD=VALUE...]",
     "a customer wants to be told before a bill is late, by the people of this hall", CLI_NEEDS_NODE,
     HS_KIND_SUBSCRIPTION, 0},
    {"reminder due", cli_run_reminders, "[--date DATE] [--hall ID|all]", "who is to be told of a bill, today",
     CLI_NEEDS_NODE, HS_KIND_REMINDER, CLI_BIT(DATE) | CLI_BIT(HALL) | CLI_BIT(LIMIT)},
    {"reminder done", cli_run_put,
     "ACCOUNT bill_id=BILL channel=CHANNEL result=told|absent|wrong_number [FIELD=VALUE...]",
     "he was told, or could not be", CLI_NEEDS_NODE, HS_KIND_REMINDER, 0},
    {"payment add", cli_run_put, FIELDS, "take a payment", CLI_NEEDS_NODE, HS_KIND_PAYMENT, 0},
    {"payment get", cli_run_get, "PAYMENT", "one payment and how safe it is", CLI_NEEDS_NODE, HS_KIND_PAYMENT,
     CLI_BIT(HERE)},
    {"payment list", cli_run_list, "[--account ACCOUNT | --bill BILL]", "payments", CLI_NEEDS_NODE, HS_KIND_PAYMENT,
     CLI_BIT(ACCOUNT) | CLI_BIT(BILL) | CLI_BIT(LIMIT) | CLI_BIT(HERE)},
    {"payment reverse", cli_run_reverse, "PAYMENT [reason= window= clerk= second= type=]",
     "take a payment back, whole, once; of another day or window: with a second person", CLI_NEEDS_NODE,
     HS_KIND_REVERSAL, 0},
    {"payment refund", cli_run_settle,
     "ACCOUNT amount_fen= reason= clerk= form_no= [bill_id=] [window= method= payee=]",
     "give back what was paid too much, or ahead: at the district's owner; elsewhere it becomes a work order",
     CLI_NEEDS_NODE, HS_KIND_SETTLEMENT, 0},
    {"payment credit", cli_run_settle, "ACCOUNT amount_fen= reason= clerk= form_no= [bill_id=] [to_bill=]",
     "count what was paid too much, or ahead, for another bill or as paid ahead: at the district's owner",
     CLI_NEEDS_NODE, HS_KIND_SETTLEMENT, 0},
    {"payment totals", cli_run_totals, "[--account ACCOUNT] [--date DATE] [--window N] [--origin NODE]",
     "count and sum of payments and reversals", CLI_NEEDS_NODE, HS_KIND_PAYMENT,
     CLI_BIT(ACCOUNT) | CLI_BIT(DATE) | CLI_BIT(WINDOW) | CLI_BIT(ORIGIN)},
    {"receipt show", cli_run_receipt, "NUMBER",
     "all that a receipt says, in both languages, and how often it was printed", CLI_NEEDS_NODE, HS_KIND_CASH_ENTRY,
     CLI_BIT(HERE)},
    {"ticket open", cli_run_put, FIELDS " [--district D]", "open a ticket", CLI_NEEDS_NODE, HS_KIND_TICKET,
     CLI_BIT(DISTRICT)},
    {"ticket event", cli_run_put, "TICKET " FIELDS, "move a ticket on, pass it on, note something", CLI_NEEDS_NODE,
     HS_KIND_TICKET_EVENT, 0},
    {"ticket get", cli_run_get, "TICKET", "one ticket and its events", CLI_NEEDS_NODE, HS_KIND_TICKET, CLI_BIT(HERE)},
    {"ticket list", cli_run_list,
     "[--overdue | --account ACCOUNT | --state STATE | --assignee NAME | --department NAME]", "tickets", CLI_NEEDS_NODE,
     HS_KIND_TICKET,
     CLI_BIT(ACCOUNT) | CLI_BIT(STATE) | CLI_BIT(ASSIGNEE) | CLI_BIT(DEPARTMENT) | CLI_BIT(OVERDUE) | CLI_BIT(LIMIT) |
         CLI_BIT(HERE)},
    {"ticket missing", cli_run_missing, "TICKET", "the missing-documents notice: all that has still to come in",
     CLI_NEEDS_NODE, HS_KIND_TICKET, CLI_BIT(HERE)},
    {"ticket urge", cli_run_ticket_event, "TICKET [note= clerk=]", "somebody wants it done: counted", CLI_NEEDS_NODE,
     HS_KIND_TICKET_EVENT, 0},
    {"ticket tick", cli_run_ticket_event, "TICKET documents=NAME[;NAME...]", "documents that have come in",
     CLI_NEEDS_NODE, HS_KIND_TICKET_EVENT, 0},
    {"ticket pass", cli_run_ticket_event, "TICKET department=NAME [assignee= note=]",
     "pass it on to a department or a person", CLI_NEEDS_NODE, HS_KIND_TICKET_EVENT, 0},
    {"ticket link", cli_run_ticket_event, "TICKET to_district=D [department= note=]",
     "pass it on to another district: opens a linked ticket there, whose result comes back", CLI_NEEDS_NODE,
     HS_KIND_TICKET_EVENT, 0},
    {"ticket attach", cli_run_ticket_event, "TICKET attachments=NAME:BYTES:HASH:REFERENCE[;...]",
     "attach files, by reference", CLI_NEEDS_NODE, HS_KIND_TICKET_EVENT, 0},
    {"ticket escalate", cli_run_escalate, "TICKET|--overdue [note= clerk=]",
     "it is late, and somebody above has been told: counted; of all that are overdue, once each", CLI_NEEDS_NODE,
     HS_KIND_TICKET_EVENT, CLI_BIT(OVERDUE)},
    {"ticket consent", cli_run_ticket_event, "TICKET consent=yes|no", "may the customer be called back?",
     CLI_NEEDS_NODE, HS_KIND_TICKET_EVENT, 0},
    {"ticket reopen", cli_run_ticket_event, "TICKET [note= clerk=]",
     "it is not done after all, though it may be archived", CLI_NEEDS_NODE, HS_KIND_TICKET_EVENT, 0},
    {"ticket note", cli_run_ticket_event, "TICKET note=TEXT", "a remark", CLI_NEEDS_NODE, HS_KIND_TICKET_EVENT, 0},
    {"catalogue load", cli_run_load, "", "the 44 default services; what the region has changed stays (at a hub)",
     CLI_NEEDS_NODE, HS_KIND_CATALOGUE, CLI_BIT(REASON)},
    {"queue take", cli_run_put, "GROUP [priority= account= service= printed_by=]",
     "draw the next number of a group of services", CLI_NEEDS_NODE, HS_KIND_QUEUE_TICKET, 0},
    {"queue call", cli_run_queue_event, "WINDOW [groups=A,B | number=A012] [clerk=]",
     "call who is next to a window, or a certain number", CLI_NEEDS_NODE, HS_KIND_QUEUE_EVENT, 0},
    {"queue recall", cli_run_queue_event, "WINDOW [clerk=]", "call once more who was called there", CLI_NEEDS_NODE,
     HS_KIND_QUEUE_EVENT, 0},
    {"queue serve", cli_run_queue_event, "WINDOW [clerk=]", "he has come: the service begins", CLI_NEEDS_NODE,
     HS_KIND_QUEUE_EVENT, 0},
    {"queue done", cli_run_queue_event, "WINDOW [clerk=]", "the service is over", CLI_NEEDS_NODE, HS_KIND_QUEUE_EVENT,
     0},
    {"queue skip", cli_run_queue_event, "WINDOW [clerk=]", "nobody has come", CLI_NEEDS_NODE, HS_KIND_QUEUE_EVENT, 0},
    {"queue transfer", cli_run_queue_event, "WINDOW [to_window= to_group= clerk=]",
     "pass him on: he waits again, for a window or another group", CLI_NEEDS_NODE, HS_KIND_QUEUE_EVENT, 0},
    {"queue leave", cli_run_queue_event, "NUMBER | WINDOW", "he has left", CLI_NEEDS_NODE, HS_KIND_QUEUE_EVENT, 0},
    {"queue get", cli_run_get, "ID", "one of the queue and its events", CLI_NEEDS_NODE, HS_KIND_QUEUE_TICKET,
     CLI_BIT(HERE)},
    {"queue list", cli_run_queue_list, "[--state STATE] [--date DATE]", "who waits today, or is in another state",
     CLI_NEEDS_NODE, HS_KIND_QUEUE_TICKET, CLI_BIT(STATE) | CLI_BIT(DATE) | CLI_BIT(LIMIT)},
    {"queue figures", cli_run_queue_figures, "[HALL] [--date DATE]",
     "waiting and serving times of a day, by hour and by window", CLI_NEEDS_NODE, HS_KIND_QUEUE_TICKET, CLI_BIT(DATE)},
    {"appointment book", cli_run_put, "SLOT name= [phone= account= service= clerk= note=] [--district D]",
     "ask for a seat of a slot, of whichever hall; without a link with that hall's district", CLI_NEEDS_NODE,
     HS_KIND_APPOINTMENT, CLI_BIT(DISTRICT)},
    {"appointment cancel", cli_run_appointment_event, "APPOINTMENT [clerk= note=]", "he does not want it any more",
     CLI_NEEDS_NODE, HS_KIND_APPOINTMENT_EVENT, 0},
    {"appointment keep", cli_run_appointment_event, "APPOINTMENT [clerk= note=]", "he has come", CLI_NEEDS_NODE,
     HS_KIND_APPOINTMENT_EVENT, 0},
    {"appointment miss", cli_run_appointment_event, "APPOINTMENT [clerk= note=]", "he has not come", CLI_NEEDS_NODE,
     HS_KIND_APPOINTMENT_EVENT, 0},
    {"catalogue get", cli_run_get, "SERVICE", "one service of the region's catalogue", CLI_NEEDS_NODE,
     HS_KIND_CATALOGUE, 0},
    {"catalogue list", cli_run_list, "", "the region's catalogue of services", CLI_NEEDS_NODE, HS_KIND_CATALOGUE,
     CLI_BIT(LIMIT)},
    {"catalogue put", cli_run_put, FIELDS, "write fields of a service (at a hub)", CLI_NEEDS_NODE, HS_KIND_CATALOGUE,
     CLI_BIT(REASON)},
    {"notice get", cli_run_get, "NOTICE", "one notice", CLI_NEEDS_NODE, HS_KIND_NOTICE, 0},
    {"notice list", cli_run_list, "[--district D]", "notices of this node's districts and of the region",
     CLI_NEEDS_NODE, HS_KIND_NOTICE, CLI_BIT(DISTRICT) | CLI_BIT(LIMIT)},
    {"notice put", cli_run_put, FIELDS, "write fields of a notice: outages, planned work (at a hub)", CLI_NEEDS_NODE,
     HS_KIND_NOTICE, CLI_BIT(REASON)},
    {"window open", cli_run_window, "WINDOW clerk= [float_fen=]", "open a window, with the cash that lies in it",
     CLI_NEEDS_NODE, HS_KIND_WINDOW_EVENT, 0},
    {"window close", cli_run_window, "WINDOW clerk= counted_fen= [reason=] [date=]",
     "close a window's day: the cash is counted, and held against the books", CLI_NEEDS_NODE, HS_KIND_WINDOW_EVENT, 0},
    {"window pause", cli_run_window, "WINDOW clerk= [reason=]", "nobody is called to the window for a while",
     CLI_NEEDS_NODE, HS_KIND_WINDOW_EVENT, 0},
    {"window resume", cli_run_window, "WINDOW clerk=", "the window goes on", CLI_NEEDS_NODE, HS_KIND_WINDOW_EVENT, 0},
    {"day close", cli_run_window, "clerk= [counted_fen=] [reason=] [date=]",
     "close the hall's day, when its windows are closed; what comes then is of the next day", CLI_NEEDS_NODE,
     HS_KIND_WINDOW_EVENT, 0},
    {"books", cli_run_books, "[--date DATE]", "what each hall took and closed on a day, and whether the hubs agree",
     CLI_NEEDS_NODE, 0, CLI_BIT(DATE)},
    {"books show", cli_run_books_show, "HALL [--date DATE]",
     "one of them: its windows, its closes and the answers, with who has signed them", CLI_NEEDS_NODE, 0,
     CLI_BIT(DATE)},
    {"report day", cli_run_report_day, "[--date DATE] [--hall ID] [--json | --csv]",
     "what a hall did on a day: money, books, windows, tickets, queue, ratings, appointments, reminders",
     CLI_NEEDS_NODE, 0, CLI_BIT(DATE) | CLI_BIT(HALL) | CLI_BIT(CSV)},
    {"report queue", cli_run_report_queue, "[--date DATE] [--hall ID] [--json | --csv]",
     "waiting and serving times of a day, by hour and by window", CLI_NEEDS_NODE, HS_KIND_QUEUE_TICKET,
     CLI_BIT(DATE) | CLI_BIT(HALL) | CLI_BIT(CSV)},
    {"report overdue", cli_run_report_overdue, "[--district D] [--json | --csv]",
     "tickets that are late and not resolved", CLI_NEEDS_NODE, HS_KIND_TICKET, CLI_BIT(DISTRICT) | CLI_BIT(CSV)},
    {"report arrears", cli_run_report_arrears, "[--district D] [--days N] [--amount FEN] [--limit N] [--json | --csv]",
     "accounts with bills that should have been paid: how much is due now, and since when", CLI_NEEDS_NODE, 0,
     CLI_BIT(DISTRICT) | CLI_BIT(DAYS) | CLI_BIT(AMOUNT) | CLI_BIT(LIMIT) | CLI_BIT(CSV)},
    {"conflict list", cli_run_conflict_list, "[--type TYPE]", "what people must decide or know of", CLI_NEEDS_NODE, 0,
     CLI_BIT(TYPE) | CLI_BIT(LIMIT)},
    {"conflict show", cli_run_conflict_show, "ID", "one of them with its values", CLI_NEEDS_NODE, 0, 0},
    {"conflict resolve", cli_run_conflict_resolve, "ID [FIELD=VALUE...] [--reason TEXT]",
     "decide: values to keep, the shown one if not named", CLI_NEEDS_NODE, 0, CLI_BIT(REASON)},
    {"conflict release", cli_run_conflict_release, "ID --reason TEXT --name NAME",
     "a parked record counts from now on, everywhere, though it breaks a rule (at a hub)", CLI_NEEDS_NODE, 0,
     CLI_BIT(REASON) | CLI_BIT(NAME)},
    {"conflict reject", cli_run_conflict_reject, "ID --reason TEXT --name NAME",
     "a parked record never counts, and is listed as decided (at a hub)", CLI_NEEDS_NODE, 0,
     CLI_BIT(REASON) | CLI_BIT(NAME)},
    {"audit", cli_run_audit, "[--date DATE] [--by NAME] [--limit N]",
     "who has decided or changed what, and why, the newest first", CLI_NEEDS_NODE, 0,
     CLI_BIT(DATE) | CLI_BIT(BY) | CLI_BIT(LIMIT)},
    {"digest", cli_run_digest, "[--partition D]", "digests by district and kind: equal output means equal data",
     CLI_NEEDS_NODE, 0, CLI_BIT(PARTITION)},
    {"watch", cli_run_watch, "[KIND... | queue] [--district D[,D...]] [--where FIELD=VALUE]... [--from POSITION]",
     "every change as a line of JSON, from now or from a position", CLI_NEEDS_NODE, 0,
     CLI_BIT(FROM) | CLI_BIT(DISTRICT) | CLI_BIT(WHERE)},
    {"export", cli_run_changes, "[KIND...] --out DIR [--cursor FILE] [--district D[,D...]] [--where FIELD=VALUE]...",
     "what has changed since the last time, as files for another system", CLI_NEEDS_NODE, 0,
     CLI_BIT(OUT) | CLI_BIT(CURSOR) | CLI_BIT(DISTRICT) | CLI_BIT(WHERE)},
    {"bundle export", cli_run_bundle_export, "--for NODE [--from N] [--size MIB] [--out DIR]",
     "what a hub, or a hall, lacks of what is here: files to carry, signed and sealed", CLI_NEEDS_EITHER, 0,
     CLI_BIT(FOR) | CLI_BIT(FROM) | CLI_BIT(SIZE) | CLI_BIT(OUT)},
    {"bundle import", cli_run_bundle_import, "FILE... [--answer DIR]",
     "take in what somebody has carried here, and write what goes back", CLI_NEEDS_EITHER, 0, CLI_BIT(ANSWER)},
    {"bundle show", cli_run_bundle_show, "FILE", "who made it, whether it is whole, what is in it", CLI_NEEDS_EITHER, 0,
     0},
    {"user add", cli_run_user_add, "NAME --role viewer|operator|administrator",
     "somebody who may log in at the console; the password from the terminal, or from standard input", CLI_NEEDS_NODE,
     0, CLI_BIT(ROLE) | CLI_BIT(REASON)},
    {"user list", cli_run_user_list, "", "who may log in at the console, and as what", CLI_NEEDS_NODE, 0, 0},
    {"user password", cli_run_user_password, "NAME", "another password; whoever is logged in under the name is out",
     CLI_NEEDS_NODE, 0, CLI_BIT(REASON)},
    {"user role", cli_run_user_role, "NAME --role viewer|operator|administrator", "another role", CLI_NEEDS_NODE, 0,
     CLI_BIT(ROLE) | CLI_BIT(REASON)},
    {"user remove", cli_run_user_remove, "NAME", "he may not log in any more", CLI_NEEDS_NODE, 0, CLI_BIT(REASON)},
    {"version", cli_run_version, "", "version of this program", CLI_NEEDS_NOTHING, 0, 0},
    {"help", cli_run_help, "[COMMAND]", "this list, or a part of it", CLI_NEEDS_NOTHING, 0, 0},
};
const size_t CLI_COMMAND_COUNT = sizeof CLI_COMMANDS / sizeof *CLI_COMMANDS;

static const struct {
    enum cli_needs needs;
    const char *heading;
} SECTIONS[] = {
    {CLI_NEEDS_STOPPED, "On a data directory, with no node running on it"},
    {CLI_NEEDS_NODE, "Of a running node"},
    {CLI_NEEDS_EITHER, "Of a node, running or stopped"},
    {CLI_NEEDS_NOTHING, "Of this program"},
};

static const struct {
    const char *name, *argument, *help;
} OPTIONS[] = {
#define X(id, name, key, argument, help) {name, argument, help},
    CLI_OPTIONS(X)
#undef X
};

static void put_options(struct hs_buf *buf, uint64_t options)
{
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        bool takes = OPTIONS[i].argument != NULL;
        if ((options >> i & 1) != 0)
            hs_buf_put_format(buf, "          --%s%s%s: %s\n", OPTIONS[i].name, takes ? " " : "",
                              takes ? OPTIONS[i].argument : "", OPTIONS[i].help);
    }
}

static bool put_commands(struct hs_buf *buf, const struct cli_command *commands, size_t count, size_t section,
                         const char *words, bool headed)
{
    bool any = headed;
    for (size_t i = 0; i < count; i++) {
        const struct cli_command *command = &commands[i];
        if (command->needs != SECTIONS[section].needs || strncmp(command->words, words, strlen(words)) != 0)
            continue;
        if (!any)
            hs_buf_put_format(buf, "\n%s:\n", SECTIONS[section].heading);
        any = true;
        hs_buf_put_format(buf, "  %s%s%s\n        %s\n", command->words, command->usage[0] != '\0' ? " " : "",
                          command->usage, command->help);
        if (words[0] != '\0')
            put_options(buf, command->options);
    }
    return any;
}

char *cli_help_text(const char *words)
{
    struct hs_buf buf = {0};
    const struct cli_command *more;
    size_t count = cli_kind_commands(&more);
    bool any = false;
    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++) {
        bool headed = put_commands(&buf, CLI_COMMANDS, CLI_COMMAND_COUNT, i, words, false);
        if (words[0] != '\0')
            headed = put_commands(&buf, more, count, i, words, headed);
        any = any || headed;
    }
    if (words[0] == '\0')
        cli_kind_summary(&buf);
    else
        cli_kind_help(&buf, words);
    hs_buf_put_u8(&buf, 0);
    if (any && buf.err == HS_OK)
        return (char *)buf.data;
    hs_buf_fini(&buf);
    return NULL;
}

enum hs_err cli_run_help(struct cli *cli)
{
    char words[64] = "";
    size_t used = 0;
    for (size_t i = 0; i < cli->arg_count && used < sizeof words; i++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", i == 0 ? "" : " ", cli->args[i]);
    char *text = cli_help_text(words);
    if (text == NULL)
        return cli_usage(cli, "no command begins with '%s'", words);
    printf("Usage: hallsync [-c FILE] [-e ADDRESS] [--json] [--timeout TIME] COMMAND ...\n%s", text);
    puts("\nOptions: hallsync --help.  All of it: man hallsync.");
    free(text);
    return HS_OK;
}

enum hs_err cli_run_version(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        printf(cli->json ? "{\"version\":\"%s\"}\n" : "hallsync %s\n", hallsync_version());
    return err;
}
