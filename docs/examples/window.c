/* window ENDPOINT WINDOW CLERK: what a window of a hall does all day, with libhallsync.
 *
 *     cc window.c $(pkg-config --cflags --libs hallsync) -o window
 *     ./window ipc:///var/lib/hallsync/hallsync.sock 3 07
 *
 * Each line of standard input is a command; the table of them is at the end.  docs/api.md goes through it; window.py is
 * the same in Python. */
#include <hallsync.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS   3000 /* so long a customer waits */
#define LINE_MAX_LEN 500
#define WORDS_MAX    4
#define BILLS_MAX    32 /* of one payment */
#define ID_BYTES     16

struct window {
    struct hallsync *node;
    uint32_t number;
    char *clerk;
    char customer[2 * ID_BYTES + 1]; /* the queue ticket of who was called last */
};

#define UNPACK(type, record) hallsync__##type##__unpack(NULL, (record)->record.len, (record)->record.data)
#define TEXT(text)           ((text) != NULL ? (text) : "-")

/* ---- what became of a call ---- */

/* Refused: nothing was done, and the same again is in vain.  Later: nothing was done, and the same may work soon.
 * Unknown: it may have been done; the same again, under the same id, until there is an answer. */
static void tell_failed(const struct window *window, enum hallsync_status status)
{
    static const char *const RETRY[] = {"busy:", "stopping:", "no-link:", "timed-out:", "out-of-memory:"};
    const char *why = hallsync_error(window->node);
    const char *outcome = status == HALLSYNC_REFUSED ? "refused" : "unknown";
    for (size_t i = 0; i < sizeof RETRY / sizeof *RETRY && status == HALLSYNC_REFUSED; i++) {
        if (strncmp(why, RETRY[i], strlen(RETRY[i])) == 0)
            outcome = "later";
    }
    printf("%s, %s\n", outcome, why);
}

static int tell(const struct window *window, enum hallsync_status status, const Hallsync__PutResult *result)
{
    if (status != HALLSYNC_OK)
        tell_failed(window, status);
    else if (result->result == HALLSYNC__RESULT__RESULT_EXISTS)
        printf("done before %s\n", TEXT(result->receipt));
    else
        printf("done %s\n", TEXT(result->receipt));
    return status == HALLSYNC_OK;
}

/* ---- customers and bills ---- */

static void show_bills(struct window *window, const char *account)
{
    const Hallsync__RecordsReply *bills;
    enum hallsync_status status = hallsync_find(window->node, HALLSYNC_KIND_BILL, "account", account, &bills);
    if (status != HALLSYNC_OK)
        tell_failed(window, status);
    for (size_t i = 0; status == HALLSYNC_OK && i < bills->n_records; i++) {
        const Hallsync__Record *record = bills->records[i];
        if (record->bill != NULL)
            printf("bill %s %s, due now %lld fen, late fees %lld\n", record->id, record->bill->state,
                   (long long)record->bill->due_fen, (long long)record->bill->late_fen);
    }
}

static void show_customer(struct window *window, char **words) /* ACCOUNT */
{
    const Hallsync__Record *record;
    enum hallsync_status status = hallsync_get(window->node, HALLSYNC_KIND_CUSTOMER, words[0], &record);
    Hallsync__Customer *customer = status == HALLSYNC_OK ? UNPACK(customer, record) : NULL;
    if (customer == NULL) {
        tell_failed(window, status);
        return;
    }
    printf("customer %s %s %s\n", words[0], TEXT(customer->name), TEXT(customer->address));
    hallsync__customer__free_unpacked(customer, NULL);
    for (size_t i = 0; i < record->n_notices; i++) /* what he is to be told before anything else */
        printf("notice %s %s\n", record->notices[i]->state, TEXT(record->notices[i]->text));
    show_bills(window, words[0]);
}

/* ---- payments ---- */

struct owed {
    size_t count;
    Hallsync__PaymentPart parts[BILLS_MAX], *pointers[BILLS_MAX];
    char ids[BILLS_MAX][65]; /* a reply ends with the next call, and with it what it points to */
    int64_t sum_fen;
};

static enum hallsync_status find_owed(struct window *window, const char *account, struct owed *owed)
{
    const Hallsync__RecordsReply *bills;
    enum hallsync_status status = hallsync_find(window->node, HALLSYNC_KIND_BILL, "account", account, &bills);
    *owed = (struct owed){0};
    for (size_t i = 0; status == HALLSYNC_OK && i < bills->n_records && owed->count < BILLS_MAX; i++) {
        const Hallsync__Record *record = bills->records[i];
        if (record->bill == NULL || record->bill->due_fen <= 0)
            continue;
        Hallsync__PaymentPart *part = owed->pointers[owed->count] = &owed->parts[owed->count];
        hallsync__payment_part__init(part);
        snprintf(owed->ids[owed->count], sizeof owed->ids[0], "%s", record->id);
        part->bill_id = owed->ids[owed->count++];
        part->has_amount_fen = 1;
        part->amount_fen = record->bill->due_fen;
        owed->sum_fen += part->amount_fen;
    }
    return status;
}

static void take(struct window *window, char **words, int64_t tendered_fen, struct owed *owed)
{
    const Hallsync__PutResult *result;
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.payment_id = words[0];
    payment.account = words[1];
    payment.has_amount_fen = payment.has_tendered_fen = payment.has_change_fen = 1;
    payment.amount_fen = owed->sum_fen;
    payment.tendered_fen = tendered_fen;
    payment.change_fen = tendered_fen - owed->sum_fen;
    payment.n_parts = owed->count;
    payment.parts = owed->pointers;
    payment.method = (char[]){"cash"};
    payment.has_window = 1;
    payment.window = window->number;
    payment.clerk = window->clerk;
    enum hallsync_status status = hallsync_put(window->node, HALLSYNC_KIND_PAYMENT, &payment.base, &result);
    if (tell(window, status, result))
        printf("change %lld fen\n", (long long)payment.change_fen);
}

/* Was it taken already, and its answer lost?  What this node has written is here, with a link and without one. */
static enum hallsync_status find_taken(struct window *window, char *payment_id, const Hallsync__Reply **reply)
{
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    get.kind = HALLSYNC_KIND_PAYMENT;
    get.id = payment_id;
    get.has_here = get.here = 1;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_GET;
    request.get = &get;
    uint8_t id[ID_BYTES];
    return hallsync_call(window->node, &request, id, reply);
}

static void pay(struct window *window, char **words) /* PAYMENT_ID ACCOUNT TENDERED_FEN: all that is due now, in cash */
{
    struct owed owed;
    const Hallsync__Reply *reply;
    int64_t tendered_fen = strtoll(words[2], NULL, 10);
    enum hallsync_status status = find_taken(window, words[0], &reply);
    if (status == HALLSYNC_OK) {
        printf("done before %s\n", TEXT(reply->records->records[0]->receipt));
        return;
    }
    if (reply == NULL || strcmp(reply->error, "not-found") != 0) { /* no answer: not the time to take money */
        tell_failed(window, status);
        return;
    }
    status = find_owed(window, words[1], &owed);
    if (status != HALLSYNC_OK)
        tell_failed(window, status);
    else if (tendered_fen < owed.sum_fen || owed.sum_fen == 0)
        printf("refused, due now are %lld fen\n", (long long)owed.sum_fen);
    else
        take(window, words, tendered_fen, &owed);
}

static void reverse(struct window *window, char **words) /* REVERSAL_ID PAYMENT_ID [SECOND REASON] */
{
    Hallsync__ReverseRequest reverse = HALLSYNC__REVERSE_REQUEST__INIT;
    reverse.reversal_id = words[0];
    reverse.payment_id = words[1];
    reverse.second = words[2]; /* later, or from elsewhere: another person and a reason, else "needs-second" */
    reverse.reason = words[3];
    reverse.has_window = 1;
    reverse.window = window->number;
    reverse.clerk = window->clerk;
    const Hallsync__PutResult *result;
    enum hallsync_status status = hallsync_reverse(window->node, &reverse, &result);
    tell(window, status, result);
}

/* ---- receipts ---- */

static void show_payment(const Hallsync__Payment *payment)
{
    printf("户号 account %s\n", TEXT(payment->account));
    for (size_t i = 0; i < payment->n_parts; i++)
        printf("账单 bill %s %lld fen\n", payment->parts[i]->bill_id, (long long)payment->parts[i]->amount_fen);
    printf("收款 tendered %lld fen\n找零 change %lld fen\n营业员 clerk %s\n", (long long)payment->tendered_fen,
           (long long)payment->change_fen, TEXT(payment->clerk));
}

static void show_reversal(const Hallsync__Reversal *reversal)
{
    printf("户号 account %s\n原因 reason %s\n营业员 clerk %s\n复核人 second %s\n", TEXT(reversal->account),
           TEXT(reversal->reason), TEXT(reversal->clerk), TEXT(reversal->second));
}

/* The payment or reversal that a cash entry stands for; of a refund the entry says enough. */
static void show_fact(struct window *window, const Hallsync__CashEntry *entry)
{
    char id[2 * ID_BYTES + 1] = "";
    const Hallsync__Record *record;
    for (size_t i = 0; i < entry->fact_id.len && i < ID_BYTES; i++)
        snprintf(id + 2 * i, 3, "%02x", entry->fact_id.data[i]);
    enum hallsync_status status = hallsync_get(window->node, entry->fact_kind, id, &record);
    if (status != HALLSYNC_OK) {
        tell_failed(window, status);
        return;
    }
    Hallsync__Payment *payment = entry->fact_kind == HALLSYNC_KIND_PAYMENT ? UNPACK(payment, record) : NULL;
    Hallsync__Reversal *reversal = entry->fact_kind == HALLSYNC_KIND_REVERSAL ? UNPACK(reversal, record) : NULL;
    if (payment != NULL)
        show_payment(payment);
    if (reversal != NULL)
        show_reversal(reversal);
    hallsync__payment__free_unpacked(payment, NULL);
    hallsync__reversal__free_unpacked(reversal, NULL);
}

static void show_receipt(struct window *window, char **words) /* NUMBER */
{
    const Hallsync__Record *record;
    enum hallsync_status status = hallsync_get(window->node, HALLSYNC_KIND_CASH_ENTRY, words[0], &record);
    Hallsync__CashEntry *entry = status == HALLSYNC_OK ? UNPACK(cash_entry, record) : NULL;
    if (entry == NULL) {
        tell_failed(window, status);
        return;
    }
    printf("凭证号 receipt %s\n金额 amount %lld fen\n方式 method %s\n补打 printed again %u\n", words[0],
           (long long)entry->amount_fen, TEXT(entry->method), record->reprints);
    show_fact(window, entry); /* the record ends with the next call, the message that was unpacked does not */
    hallsync__cash_entry__free_unpacked(entry, NULL);
}

static void reprint(struct window *window, char **words) /* REPRINT_ID NUMBER REASON */
{
    const Hallsync__PutResult *result;
    Hallsync__Reprint reprint = HALLSYNC__REPRINT__INIT;
    reprint.reprint_id = words[0];
    reprint.number = words[1];
    reprint.reason = words[2];
    reprint.clerk = window->clerk;
    enum hallsync_status status = hallsync_put(window->node, HALLSYNC_KIND_REPRINT, &reprint.base, &result);
    if (tell(window, status, result))
        show_receipt(window, words + 1);
}

/* ---- the queue, ratings ---- */

static void queue(struct window *window, char **words) /* EVENT_ID called|recalled|serving|served|skipped */
{
    const Hallsync__PutResult *result;
    Hallsync__QueueEvent event = HALLSYNC__QUEUE_EVENT__INIT;
    event.event_id = words[0];
    event.event = words[1]; /* called: the node says who is next; else it is about who is at the window */
    event.has_window = 1;
    event.window = window->number;
    event.clerk = window->clerk;
    enum hallsync_status status = hallsync_put(window->node, HALLSYNC_KIND_QUEUE_EVENT, &event.base, &result);
    if (!tell(window, status, result))
        return;
    printf("number %s\n", TEXT(result->number));
    snprintf(window->customer, sizeof window->customer, "%s", TEXT(result->of));
}

static void rate(struct window *window, char **words) /* SCORE: of who was at the window last */
{
    uint8_t of[ID_BYTES];
    const Hallsync__PutResult *result;
    Hallsync__Rating rating = HALLSYNC__RATING__INIT;
    if (strlen(window->customer) != 2 * ID_BYTES) {
        printf("refused, nobody was called\n");
        return;
    }
    for (size_t i = 0; i < ID_BYTES; i++)
        of[i] = (uint8_t)strtoul((char[]){window->customer[2 * i], window->customer[2 * i + 1], '\0'}, NULL, 16);
    rating.of_kind = (char[]){"queue_ticket"};
    rating.has_of_id = rating.has_score = rating.has_window = 1;
    rating.of_id = (ProtobufCBinaryData){.len = ID_BYTES, .data = of};
    rating.score = (uint32_t)strtoul(words[0], NULL, 10);
    rating.window = window->number;
    rating.clerk = window->clerk;
    enum hallsync_status status = hallsync_put(window->node, HALLSYNC_KIND_RATING, &rating.base, &result);
    tell(window, status, result); /* its id follows from what is rated: once for good */
}

/* ---- tickets ---- */

static void open_ticket(struct window *window, char **words) /* TICKET_ID SERVICE ACCOUNT SUMMARY */
{
    const Hallsync__Record *record;
    const Hallsync__PutResult *result;
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    ticket.ticket_id = words[0];
    ticket.service = words[1]; /* machine, department, deadline and documents come from the catalogue */
    ticket.account = words[2];
    ticket.summary = words[3];
    enum hallsync_status status = hallsync_put(window->node, HALLSYNC_KIND_TICKET, &ticket.base, &result);
    if (!tell(window, status, result))
        return;
    status = hallsync_get(window->node, HALLSYNC_KIND_TICKET, words[0], &record);
    if (status != HALLSYNC_OK || record->ticket == NULL) {
        tell_failed(window, status);
        return;
    }
    printf("ticket %s, %s\n", record->ticket->state, TEXT(record->ticket->department));
    for (size_t i = 0; i < record->ticket->n_missing; i++) /* all at once */
        printf("bring %s\n", record->ticket->missing[i]);
}

/* ---- the feed ---- */

static Hallsync__Position *load_position(const char *path)
{
    uint8_t bytes[200];
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file == NULL)
        return NULL;
    fclose(file);
    return hallsync__position__unpack(NULL, size, bytes);
}

static void save_position(const char *path, const Hallsync__Position *position)
{
    uint8_t bytes[200];
    char fresh[LINE_MAX_LEN + 8];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    size_t size = hallsync__position__pack(position, bytes);
    FILE *file = fopen(fresh, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0 || rename(fresh, path) != 0)
        perror(path); /* what was shown comes once more */
}

static void watch(struct window *window, char **words) /* FILE, that keeps the position */
{
    uint32_t kinds[] = {HALLSYNC_KIND_QUEUE_TICKET, HALLSYNC_KIND_NOTICE};
    const Hallsync__WatchReply *changed;
    Hallsync__Position position = HALLSYNC__POSITION__INIT, *kept = load_position(words[0]);
    Hallsync__WatchRequest what = HALLSYNC__WATCH_REQUEST__INIT;
    what.kinds = kinds;
    what.n_kinds = sizeof kinds / sizeof *kinds;
    what.from = kept; /* none: from now on */
    uint64_t before;
    do {
        before = what.from != NULL ? what.from->commit : 0;
        enum hallsync_status status = hallsync_watch(window->node, &what, &position, &changed);
        if (status != HALLSYNC_OK) { /* "reset": this store has another history; find everything anew, and begin anew */
            tell_failed(window, status);
            break;
        }
        for (size_t i = 0; i < changed->n_records; i++)
            printf("changed %u %s\n", changed->records[i]->kind, changed->records[i]->id);
        save_position(words[0], &position);
    } while (changed->n_records > 0 || position.commit != before);
    if (kept != NULL)
        hallsync__position__free_unpacked(kept, NULL);
}

/* ---- lines ---- */

static const struct command {
    const char *name;
    size_t least, most; /* words */
    void (*run)(struct window *window, char **words);
} COMMANDS[] = {
    {"customer", 1, 1, show_customer},
    {"pay", 3, 3, pay},
    {"reverse", 2, 4, reverse},
    {"receipt", 1, 1, show_receipt},
    {"reprint", 3, 3, reprint},
    {"queue", 2, 2, queue},
    {"rate", 1, 1, rate},
    {"ticket", 4, 4, open_ticket},
    {"watch", 1, 1, watch},
};
#define COMMAND_COUNT (sizeof COMMANDS / sizeof *COMMANDS)

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; name != NULL && i < COMMAND_COUNT; i++) {
        if (strcmp(name, COMMANDS[i].name) == 0)
            return &COMMANDS[i];
    }
    return NULL;
}

/* The last word may have blanks in it. */
static void run_line(struct window *window, char *line)
{
    char *words[WORDS_MAX] = {NULL}, *rest = line;
    size_t count = 0;
    line[strcspn(line, "\n")] = '\0';
    const struct command *command = find_command(strtok_r(rest, " ", &rest));
    while (command != NULL && count < command->most &&
           (words[count] = strtok_r(rest, count + 1 < command->most ? " " : "", &rest)) != NULL)
        count++;
    if (command != NULL && count >= command->least) {
        command->run(window, words);
        return;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("%s%s", i == 0 ? "? " : ", ", COMMANDS[i].name);
    printf("\n");
}

int main(int argc, char **argv)
{
    char line[LINE_MAX_LEN];
    if (argc != 4) {
        fprintf(stderr, "usage: %s ENDPOINT WINDOW CLERK\n", argv[0]);
        return 2;
    }
    struct window window = {.number = (uint32_t)strtoul(argv[2], NULL, 10), .clerk = argv[3]};
    window.node = hallsync_open(argv[1]);
    if (window.node == NULL) {
        perror("hallsync_open");
        return 3;
    }
    hallsync_set_timeout(window.node, TIMEOUT_MS);
    while (fgets(line, sizeof line, stdin) != NULL) {
        run_line(&window, line);
        printf(".\n"); /* the end of an answer */
        fflush(stdout);
    }
    hallsync_close(window.node);
    return 0;
}
