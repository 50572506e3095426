/* client.c -- counters of a hall that keep a journal of what they sent and were told.
 *
 *   hallsync-power-client make JOURNAL DIR               a new journal of what will happen below DIR
 *   hallsync-power-client tell JOURNAL TEXT              a text into it
 *   hallsync-power-client pay JOURNAL ENDPOINT CLIENTS FIRST COUNT
 *
 * "pay": each client makes COUNT writes, numbered from FIRST on: customers of its own, edits of them, payments, also
 * for a district that is not held here, and reversals of those.  What gets no answer is sent again.  Prints a line for
 * every 25 writes acknowledged. */
#include "node/client/hallsync.h"
#include "tests/power/journal.h"
#include "tests/power/mark.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define JOURNAL_BYTES  ((size_t)4 << 30)
#define ACCOUNTS       4 /* of each client */
#define TIMEOUT_MS     2000
#define TRIES          60
#define TOLD_EVERY     25
#define ID_TEXT_BYTES  33
#define HELD_DISTRICT  3201
#define OTHER_DISTRICT 3299

static struct journal *journal;
static unsigned told; /* writes acknowledged; under the journal's lock */

struct client {
    pthread_t thread;
    const char *endpoint;
    unsigned number, first, count;
    struct hallsync *link;
    bool failed;
};

static void note(const struct mark *mark)
{
    struct journal_entry entry = {.sort = JOURNAL_MARK};
    struct iovec data = {(void *)(uintptr_t)mark, sizeof *mark};
    journal_lock(journal);
    journal_put(journal, &entry, NULL, &data, 1);
    if (mark->step == MARK_ACKED && ++told % TOLD_EVERY == 0) {
        printf("%u\n", told);
        fflush(stdout);
    }
    journal_unlock(journal);
}

/* ---- one write ---- */

/* The id says whose it is: the checker needs no table to find it. */
static void make_id(uint32_t client, uint32_t number, uint8_t id[static 16], char text[static ID_TEXT_BYTES])
{
    for (size_t i = 0; i < 4; i++) {
        id[i] = (uint8_t)(client >> (24 - 8 * i));
        id[4 + i] = (uint8_t)(number >> (24 - 8 * i));
    }
    memset(id + 8, 0x5a, 8);
    for (size_t i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static void set_account(struct mark *mark, unsigned district, unsigned which)
{
    snprintf(mark->account, sizeof mark->account, "%04u%03u%03u", district, mark->client, which);
}

static void set_fact(struct mark *mark, const ProtobufCMessage *message)
{
    mark->fact_bytes = (uint32_t)protobuf_c_message_get_packed_size(message);
    if (mark->fact_bytes > sizeof mark->fact)
        abort();
    protobuf_c_message_pack(message, mark->fact);
}

/* Until it is answered; the store does it once. */
static bool send(struct client *client, struct mark *mark, const ProtobufCMessage *message)
{
    const Hallsync__PutResult *result = NULL;
    enum hallsync_status status = HALLSYNC_TIMEOUT;
    mark->step = MARK_SENT;
    note(mark);
    for (int i = 0; i < TRIES && status == HALLSYNC_TIMEOUT; i++)
        status = hallsync_put(client->link, mark->kind, message, &result);
    if (status != HALLSYNC_OK) {
        fprintf(stderr, "client %u, write %u: %s\n", mark->client, mark->number, hallsync_error(client->link));
        return false;
    }
    mark->step = MARK_ACKED;
    snprintf(mark->receipt, sizeof mark->receipt, "%s", result->receipt == NULL ? "" : result->receipt);
    note(mark);
    return true;
}

static bool edit(struct client *client, struct mark *mark)
{
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    char remark[24];
    mark->kind = HALLSYNC_KIND_CUSTOMER;
    set_account(mark, HELD_DISTRICT, mark->number % ACCOUNTS);
    snprintf(remark, sizeof remark, "%u", mark->number);
    customer.account = mark->account;
    customer.name = mark->number < ACCOUNTS ? (char *)"Li" : NULL;
    customer.remark = remark;
    return send(client, mark, &customer.base);
}

static int64_t amount_of(const struct mark *mark)
{
    return 100 + (int64_t)mark->client * 1000 + mark->number;
}

static bool pay(struct client *client, struct mark *mark, unsigned district)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    char id[ID_TEXT_BYTES];
    make_id(mark->client, mark->number, mark->id, id);
    mark->kind = HALLSYNC_KIND_PAYMENT;
    mark->amount_fen = amount_of(mark);
    set_account(mark, district, mark->number % ACCOUNTS);
    payment.account = mark->account;
    payment.has_amount_fen = 1;
    payment.amount_fen = mark->amount_fen;
    payment.method = (char *)"cash";
    payment.has_window = 1;
    payment.window = mark->client + 1;
    payment.clerk = (char *)"c01";
    set_fact(mark, &payment.base);
    payment.payment_id = id;
    return send(client, mark, &payment.base);
}

/* Of the payment two writes before. */
static bool reverse(struct client *client, struct mark *mark)
{
    Hallsync__Reversal reversal = HALLSYNC__REVERSAL__INIT;
    struct mark paid = {.client = mark->client, .number = mark->number - 2};
    char id[ID_TEXT_BYTES];
    char paid_id[ID_TEXT_BYTES];
    make_id(paid.client, paid.number, paid.id, paid_id);
    make_id(mark->client, mark->number, mark->id, id);
    mark->kind = HALLSYNC_KIND_REVERSAL;
    mark->amount_fen = -amount_of(&paid);
    set_account(mark, HELD_DISTRICT, paid.number % ACCOUNTS);
    reversal.has_payment_id = 1;
    reversal.payment_id = (ProtobufCBinaryData){sizeof paid.id, paid.id};
    reversal.account = mark->account;
    reversal.reason = (char *)"typed wrong";
    reversal.clerk = (char *)"zhang";
    reversal.second = (char *)"li";
    reversal.has_window = 1;
    reversal.window = mark->client + 1;
    set_fact(mark, &reversal.base);
    reversal.reversal_id = id;
    return send(client, mark, &reversal.base);
}

static bool write_one(struct client *client, unsigned number)
{
    struct mark mark;
    memset(&mark, 0, sizeof mark); /* all of it goes into the journal */
    mark.client = client->number;
    mark.number = number;
    if (number < ACCOUNTS || number % 6 == 0)
        return edit(client, &mark);
    if (number % 6 == 5 && number >= client->first + 2 + ACCOUNTS)
        return reverse(client, &mark);
    return pay(client, &mark, number % 6 == 4 ? OTHER_DISTRICT : HELD_DISTRICT);
}

/* ---- all of them ---- */

static void *run(void *arg)
{
    struct client *client = arg;
    client->link = hallsync_open(client->endpoint);
    client->failed = client->link == NULL;
    if (client->link != NULL)
        hallsync_set_timeout(client->link, TIMEOUT_MS);
    for (unsigned i = 0; i < client->count && !client->failed; i++)
        client->failed = !write_one(client, client->first + i);
    hallsync_close(client->link);
    return NULL;
}

static int pay_all(char **args)
{
    struct client clients[MARK_CLIENTS_MAX];
    unsigned count = (unsigned)strtoul(args[1], NULL, 10);
    int failed = 0;
    if (count > MARK_CLIENTS_MAX)
        return 2;
    for (unsigned i = 0; i < count; i++) {
        clients[i] = (struct client){.endpoint = args[0],
                                     .number = i,
                                     .first = (unsigned)strtoul(args[2], NULL, 10),
                                     .count = (unsigned)strtoul(args[3], NULL, 10)};
        if (clients[i].first + clients[i].count > MARK_NUMBERS_MAX ||
            pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0)
            return 2;
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
        failed |= clients[i].failed;
    }
    return failed;
}

static int make(const char *path, const char *dir)
{
    struct stat status;
    journal = journal_make(path, JOURNAL_BYTES);
    if (journal == NULL || stat(dir, &status) != 0) {
        perror(path);
        return 1;
    }
    struct journal_entry entry = {.sort = JOURNAL_ROOT, .file = (uint64_t)status.st_ino};
    journal_put(journal, &entry, NULL, NULL, 0);
    return 0;
}

static void tell(const char *text)
{
    struct journal_entry entry = {.sort = JOURNAL_MARK, .path_bytes = (uint32_t)strlen(text) + 1};
    journal_lock(journal);
    journal_put(journal, &entry, text, NULL, 0);
    journal_unlock(journal);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "make") == 0)
        return make(argv[2], argv[3]);
    journal = argc >= 4 ? journal_open(argv[2]) : NULL;
    if (journal == NULL) {
        fprintf(stderr, "usage: make JOURNAL DIR, tell JOURNAL TEXT, or pay JOURNAL ENDPOINT CLIENTS FIRST COUNT\n");
        return 2;
    }
    if (argc == 7 && strcmp(argv[1], "pay") == 0)
        return pay_all(argv + 3);
    tell(argv[3]);
    return 0;
}
