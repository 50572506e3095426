/* hallsync-dump -- every record of one kind that a node holds, one a line, with tabs between:
 *   events     (the default) event id, ticket id (hex), state, note
 *   entries    number of the cash entry, id of its payment or reversal (hex), fen
 *   reversals  reversal id, payment id (hex), account, reason
 * For tests that compare whole histories; people use "hallsync ticket get". */
#include "node/client/hallsync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 1000 };

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

static void print_hex(ProtobufCBinaryData bytes)
{
    putchar('\t');
    for (size_t i = 0; i < bytes.len; i++)
        printf("%02x", bytes.data[i]);
}

/* ---- kinds ---- */

static int print_event(const Hallsync__Record *record)
{
    Hallsync__TicketEvent *event = hallsync__ticket_event__unpack(NULL, record->record.len, record->record.data);
    if (event == NULL)
        return 1;
    printf("%s", record->id);
    print_hex(event->ticket_id);
    printf("\t%s\t%s\n", text_of(event->state), text_of(event->note));
    hallsync__ticket_event__free_unpacked(event, NULL);
    return 0;
}

static int print_entry(const Hallsync__Record *record)
{
    Hallsync__CashEntry *entry = hallsync__cash_entry__unpack(NULL, record->record.len, record->record.data);
    if (entry == NULL)
        return 1;
    printf("%s", text_of(entry->number));
    print_hex(entry->fact_id);
    printf("\t%lld\n", (long long)entry->amount_fen);
    hallsync__cash_entry__free_unpacked(entry, NULL);
    return 0;
}

static int print_reversal(const Hallsync__Record *record)
{
    Hallsync__Reversal *reversal = hallsync__reversal__unpack(NULL, record->record.len, record->record.data);
    if (reversal == NULL)
        return 1;
    printf("%s", record->id);
    print_hex(reversal->payment_id);
    printf("\t%s\t%s\n", text_of(reversal->account), text_of(reversal->reason));
    hallsync__reversal__free_unpacked(reversal, NULL);
    return 0;
}

static const struct kind {
    const char *name;
    unsigned number; /* PROTOCOL.md */
    int (*print)(const Hallsync__Record *record);
} KINDS[] = {{"events", 7, print_event}, {"entries", 4, print_entry}, {"reversals", 5, print_reversal}};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(KINDS[i].name, name) == 0)
            return &KINDS[i];
    }
    return NULL;
}

/* ---- pages ---- */

static int dump(struct hallsync *client, const struct kind *kind)
{
    unsigned char after[128], id[16];
    size_t after_size = 0;
    int failed = 0, more = 1;
    while (more && !failed) {
        Hallsync__FindRequest find = HALLSYNC__FIND_REQUEST__INIT;
        Hallsync__Request request = HALLSYNC__REQUEST__INIT;
        const Hallsync__Reply *reply;
        find.kind = kind->number;
        find.has_limit = 1;
        find.limit = PAGE;
        find.has_after = after_size != 0;
        find.after = (ProtobufCBinaryData){after_size, after};
        request.body_case = HALLSYNC__REQUEST__BODY_FIND;
        request.find = &find;
        if (hallsync_call(client, &request, id, &reply) != HALLSYNC_OK ||
            reply->body_case != HALLSYNC__REPLY__BODY_RECORDS) {
            fprintf(stderr, "hallsync-dump: %s\n", hallsync_error(client));
            return 1;
        }
        for (size_t i = 0; i < reply->records->n_records; i++)
            failed |= kind->print(reply->records->records[i]);
        more = reply->records->has_next && reply->records->next.len <= sizeof after;
        after_size = 0;
        for (size_t i = 0; more && i < reply->records->next.len; i++)
            after[after_size++] = reply->records->next.data[i];
    }
    return failed;
}

int main(int argc, char **argv)
{
    const struct kind *kind = argc <= 3 ? kind_of(argc == 3 ? argv[2] : "events") : NULL;
    struct hallsync *client = kind != NULL && argc >= 2 ? hallsync_open(argv[1]) : NULL;
    if (client == NULL) {
        fprintf(stderr, "usage: hallsync-dump ENDPOINT [events|entries|reversals]\n");
        return 2;
    }
    int failed = dump(client, kind);
    hallsync_close(client);
    return failed || ferror(stdout) ? 1 : 0;
}
