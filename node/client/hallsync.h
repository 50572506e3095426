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

/* Numbers of kinds of records; docs/kinds.md. */
enum hallsync_kind {
    HALLSYNC_KIND_CUSTOMER = 1,
    HALLSYNC_KIND_BILL = 2,
    HALLSYNC_KIND_PAYMENT = 3,
    HALLSYNC_KIND_CASH_ENTRY = 4,
    HALLSYNC_KIND_REVERSAL = 5,
    HALLSYNC_KIND_TICKET = 6,
    HALLSYNC_KIND_TICKET_EVENT = 7,
    HALLSYNC_KIND_CATALOGUE = 1000,
    HALLSYNC_KIND_NOTICE = 1001,
    HALLSYNC_KIND_REISSUE = 1002,
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
 * failures it is NULL. */
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
/* Version of the library, "0.1.0". */
HALLSYNC_API const char *hallsync_version(void);

#ifdef __cplusplus
}
#endif
#endif
