/* hallsync.h -- libhallsync: talk to the node of this hall.
 *
 * A client sends one request at a time over the node's local socket and gets its reply; requests and replies are the
 * messages of local.proto, records those of records.proto (both installed beside this header).  A request that gets no
 * answer is sent again under the same id, which the node does once, for good.  A client object belongs to one thread at
 * a time; make one a thread. */
#ifndef HALLSYNC_H
#define HALLSYNC_H

#include "proto/local.pb-c.h"
#include "proto/records.pb-c.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#define HALLSYNC_API __attribute__((visibility("default")))

struct hallsync;

/* Numbers of kinds of records; docs/records.md. */
enum hallsync_kind {
    HALLSYNC_KIND_CUSTOMER = 1,
    HALLSYNC_KIND_BILL = 2,
    HALLSYNC_KIND_PAYMENT = 3,
    HALLSYNC_KIND_CASH_ENTRY = 4,
    HALLSYNC_KIND_REVERSAL = 5,
    HALLSYNC_KIND_TICKET = 6,
    HALLSYNC_KIND_TICKET_EVENT = 7,
    HALLSYNC_KIND_TITLE_CHANGE = 8,
    HALLSYNC_KIND_SUBSCRIPTION = 9,
    HALLSYNC_KIND_REPRINT = 10,
    HALLSYNC_KIND_INVOICE_REQUEST = 11,
    HALLSYNC_KIND_WINDOW_EVENT = 12,
    HALLSYNC_KIND_CLOSE = 13,
    HALLSYNC_KIND_HANDING_IN = 15,
    HALLSYNC_KIND_SETTLEMENT = 16,
    HALLSYNC_KIND_QUEUE_TICKET = 19,
    HALLSYNC_KIND_QUEUE_EVENT = 20,
    HALLSYNC_KIND_REMINDER = 24,
    HALLSYNC_KIND_RATING = 25,
    HALLSYNC_KIND_AUDIT = 26,
    HALLSYNC_KIND_SLOT = 21,
    HALLSYNC_KIND_APPOINTMENT = 22,
    HALLSYNC_KIND_APPOINTMENT_EVENT = 23,
    HALLSYNC_KIND_CATALOGUE = 1000,
    HALLSYNC_KIND_NOTICE = 1001,
    HALLSYNC_KIND_REISSUE = 1002,
    HALLSYNC_KIND_DECISION = 1003,
    HALLSYNC_KIND_CLOSE_ANSWER = 1004,
    HALLSYNC_KIND_CALENDAR = 1005,
    HALLSYNC_KIND_GRANT = 1006,
};

/* What a call may answer; the node's own errors are in the reply. */
enum hallsync_status {
    HALLSYNC_OK = 0,
    HALLSYNC_TIMEOUT = -1,  /* no answer in time; it may have been done: send again with the same id */
    HALLSYNC_REFUSED = -2,  /* the reply carries an error */
    HALLSYNC_MEMORY = -3,   /* perhaps only for the answer: send again with the same id */
    HALLSYNC_PROTOCOL = -4, /* the answer was not one */
    HALLSYNC_SYSTEM = -5,   /* endpoint unusable; errno */
};

/* Connect to ipc:///dir/hallsync.sock.  The connection is made when first needed. NULL with errno set on failure. */
HALLSYNC_API struct hallsync *hallsync_open(const char *endpoint);
HALLSYNC_API void hallsync_close(struct hallsync *client); /* NULL is fine */
/* How long a call may take, all tries together; 10000 at first. */
HALLSYNC_API void hallsync_set_timeout(struct hallsync *client, unsigned timeout_ms);

/* Send @request and wait for the reply, owned by the client until its next call.  The request itself is left as it is:
 * a copy gets its version and, if it has none, a random id, made before the first sending and written into id[16]; to
 * repeat the same request later, set its id to these 16 bytes.  On HALLSYNC_REFUSED *reply carries the error, on other
 * failures it is NULL.  Where it has no position in `seen`, the copy gets the newest that this client was told. */
HALLSYNC_API enum hallsync_status hallsync_call(struct hallsync *client, const Hallsync__Request *request,
                                                uint8_t id[16], const Hallsync__Reply **reply);
/* The sentence for the last failure of this client. */
HALLSYNC_API const char *hallsync_error(const struct hallsync *client);

/* Conveniences over hallsync_call: write one record, read one record.  @kind: number; @record: message of the kind,
 * borrowed; a fact (a payment, a ticket event) should carry an id of its own, so that the same call after a timeout
 * counts once.  Results belong to the client until its next call; HALLSYNC_REFUSED also when the record's own result is
 * an error, *result then carries it. */
HALLSYNC_API enum hallsync_status hallsync_put(struct hallsync *client, uint32_t kind, const ProtobufCMessage *record,
                                               const Hallsync__PutResult **result);
HALLSYNC_API enum hallsync_status hallsync_get(struct hallsync *client, uint32_t kind, const char *id,
                                               const Hallsync__Record **record);
/* Those that an index of the kind has under @key: the first 1000.  (*found)->has_next: there are more; ask for them
 * with a FindRequest. */
HALLSYNC_API enum hallsync_status hallsync_find(struct hallsync *client, uint32_t kind, const char *index,
                                                const char *key, const Hallsync__RecordsReply **found);
/* Reverse a payment; as hallsync_put. */
HALLSYNC_API enum hallsync_status hallsync_reverse(struct hallsync *client, const Hallsync__ReverseRequest *reverse,
                                                   const Hallsync__PutResult **result);

/* The next answer of the change feed: records that have changed behind @what->from, as they stand now, by @what's
 * kinds, districts and fields.  Waits up to @what->wait_ms for the first one, besides the time that a call has.  With
 * the answer *position is where to go on, and what->from points to it: keep it, all of it, when the records have been
 * taken over; hallsync_watch() with it again misses nothing, and a record may come twice, then with the same `change`.
 * No records: none came in time, or those that came do not fit.  HALLSYNC_REFUSED with error "reset": the node does not
 * know the position any more (restored, rebuilt): find everything anew, with what->from NULL before it. */
HALLSYNC_API enum hallsync_status hallsync_watch(struct hallsync *client, Hallsync__WatchRequest *what,
                                                 Hallsync__Position *position, const Hallsync__WatchReply **reply);

/* ---- an outbox ----
 *
 * A file of the caller's choice with the writes that no hub has yet.  Each is appended and synced before it is sent,
 * and taken out when the node says that a hub has it.  Until then hallsync_outbox_work() sends it again now and then:
 * a node that has it answers how safe it is, and one that has lost it (its disk burnt, an older copy came back) does it
 * anew.  Nothing counts twice: facts have their ids, and a change of a customer or a bill that had been answered before
 * names nothing as overwritten when it is done anew, so that what was written meanwhile is kept beside it.
 *
 * Besides, every client tells its node the newest position that it was told (Request.seen), and an outbox remembers it
 * over the end of the program: to a node that was set back to an older copy that is proof, off line too.
 *
 * An outbox belongs to one thread at a time, as its client does, and to one process: the file is locked. */
struct hallsync_outbox;

/* Open or make the file @path, readable for its owner alone.  @client is borrowed and must outlive the outbox; its
 * position is set from the file.  HALLSYNC_SYSTEM with errno: EWOULDBLOCK (another process has it open), EPROTO (it is
 * a file of something else), or the system's. */
HALLSYNC_API enum hallsync_status hallsync_outbox_open(struct hallsync *client, const char *path,
                                                       struct hallsync_outbox **outbox);
HALLSYNC_API void hallsync_outbox_close(struct hallsync_outbox *outbox); /* NULL is fine */

/* As hallsync_call and hallsync_put, for writes that are to be kept: a PutRequest with one record, or a ReverseRequest.
 * HALLSYNC_REFUSED: nothing was done and nothing is kept.  HALLSYNC_TIMEOUT and the like: not known, and kept:
 * hallsync_outbox_work() goes on with it.  HALLSYNC_SYSTEM with errno: nothing was sent, for it cannot be kept: ENOSPC
 * and the like; ENOBUFS: HALLSYNC_OUTBOX_MAX requests wait, none of which was ever answered; EINVAL: not one write.
 * A full outbox gives up the oldest that was answered: it is on the node's disk, and state.dropped counts it. */
#define HALLSYNC_OUTBOX_MAX 20000
HALLSYNC_API enum hallsync_status hallsync_outbox_call(struct hallsync_outbox *outbox, const Hallsync__Request *request,
                                                       uint8_t id[16], const Hallsync__Reply **reply);
HALLSYNC_API enum hallsync_status hallsync_outbox_put(struct hallsync_outbox *outbox, uint32_t kind,
                                                      const ProtobufCMessage *record,
                                                      const Hallsync__PutResult **result);

/* Send at most @requests_max of what waits again, in its order, and take out what a hub has.  To be called now and
 * then, such as once a second while nobody is served: where a round changed nothing the next one is put off, up to a
 * minute, and until then the call returns at once.  HALLSYNC_OK: also where nothing could be taken out;
 * HALLSYNC_REFUSED: the node cannot now; HALLSYNC_TIMEOUT: no node. */
HALLSYNC_API enum hallsync_status hallsync_outbox_work(struct hallsync_outbox *outbox, unsigned requests_max);

struct hallsync_outbox_state {
    size_t waiting;       /* requests in the outbox */
    size_t unanswered;    /* of these: not known whether the node has done them */
    size_t refused;       /* of these: sent again, and the node would not; see hallsync_outbox_each */
    uint64_t oldest_ms;   /* wall clock, when the oldest of them was first sent; 0: none */
    uint64_t again;       /* done anew since it was opened: the node had lost them */
    uint64_t dropped;     /* given up since it was opened, for want of room */
    uint64_t passed_over; /* bytes of the file that could not be read; above zero: requests may have been lost */
    uint64_t unwritten;   /* notes that could not be written: those requests are sent once more after a start */
};
HALLSYNC_API void hallsync_outbox_state(const struct hallsync_outbox *outbox, struct hallsync_outbox_state *state);

/* What waits, oldest first; anything but 0 from @visit stops and is returned.  -1 with errno: out of memory.  Views end
 * with the call; the outbox must not be changed in it. */
struct hallsync_outbox_item {
    const Hallsync__Request *request; /* with its id */
    uint64_t time_ms;                 /* first sent, wall clock */
    int answered;                     /* the node has said once that it was done */
    const char *refused;              /* what it said when it was sent again; NULL: nothing against it */
};
typedef int (*hallsync_outbox_visit)(void *ctx, const struct hallsync_outbox_item *item);
HALLSYNC_API int hallsync_outbox_each(const struct hallsync_outbox *outbox, hallsync_outbox_visit visit, void *ctx);
/* Take a request out that is in vain.  HALLSYNC_REFUSED: there is none with this id. */
HALLSYNC_API enum hallsync_status hallsync_outbox_forget(struct hallsync_outbox *outbox, const uint8_t id[16]);

/* Version of the library, "0.1.0". */
HALLSYNC_API const char *hallsync_version(void);

#ifdef __cplusplus
}
#endif
#endif
