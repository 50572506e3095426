/* hallsync-dump -- every ticket event that a node holds, one a line: event id, ticket id (hex), state, note, with tabs
 * between. For tests that compare whole histories; people use "hallsync ticket get". */
#include "node/client/hallsync.h"

#include <stdio.h>
#include <stdlib.h>

enum { KIND_TICKET_EVENT = 7, PAGE = 1000 };

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

static int print_record(const Hallsync__Record *record)
{
    Hallsync__TicketEvent *event = hallsync__ticket_event__unpack(NULL, record->record.len, record->record.data);
    if (event == NULL)
        return 1;
    printf("%s\t", record->id);
    for (size_t i = 0; i < event->ticket_id.len; i++)
        printf("%02x", event->ticket_id.data[i]);
    printf("\t%s\t%s\n", text_of(event->state), text_of(event->note));
    hallsync__ticket_event__free_unpacked(event, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    struct hallsync *client = argc == 2 ? hallsync_open(argv[1]) : NULL;
    if (client == NULL) {
        fprintf(stderr, "usage: hallsync-dump ENDPOINT\n");
        return 2;
    }
    unsigned char after[128], id[16];
    size_t after_size = 0;
    int failed = 0, more = 1;
    while (more && !failed) {
        Hallsync__FindRequest find = HALLSYNC__FIND_REQUEST__INIT;
        Hallsync__Request request = HALLSYNC__REQUEST__INIT;
        const Hallsync__Reply *reply;
        find.kind = KIND_TICKET_EVENT;
        find.has_limit = 1;
        find.limit = PAGE;
        find.has_after = after_size != 0;
        find.after = (ProtobufCBinaryData){after_size, after};
        request.body_case = HALLSYNC__REQUEST__BODY_FIND;
        request.find = &find;
        if (hallsync_call(client, &request, id, &reply) != HALLSYNC_OK ||
            reply->body_case != HALLSYNC__REPLY__BODY_RECORDS) {
            fprintf(stderr, "hallsync-dump: %s\n", hallsync_error(client));
            failed = 1;
            break;
        }
        for (size_t i = 0; i < reply->records->n_records; i++)
            failed |= print_record(reply->records->records[i]);
        more = reply->records->has_next && reply->records->next.len <= sizeof after;
        after_size = 0;
        for (size_t i = 0; more && i < reply->records->next.len; i++)
            after[after_size++] = reply->records->next.data[i];
    }
    hallsync_close(client);
    return failed || ferror(stdout) ? 1 : 0;
}
