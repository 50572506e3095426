/* client.h -- what the files of libhallsync share; not installed. */
#ifndef HS_CLIENT_H
#define HS_CLIENT_H

#include "node/client/hallsync.h"

#include <stdbool.h>

#define HALLSYNC_ERROR_BYTES 400

/* Set the sentence of hallsync_error() and return @status. */
enum hallsync_status hallsync_fail(struct hallsync *client, enum hallsync_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4), visibility("hidden")));

/* The newest position that the node told. */
struct hallsync_position {
    uint64_t commit; /* 0: none yet */
    uint64_t tag;
    uint64_t store; /* whose it is; 0: the node did not say */
};
struct hallsync_position hallsync_position(const struct hallsync *client) __attribute__((visibility("hidden")));
void hallsync_set_position(struct hallsync *client, const struct hallsync_position *position)
    __attribute__((visibility("hidden")));

unsigned hallsync_timeout(const struct hallsync *client) __attribute__((visibility("hidden")));

/* A request with one record, for @call: hallsync_call() or one that keeps it. */
struct hallsync_caller {
    void *ctx;
    enum hallsync_status (*call)(void *ctx, const Hallsync__Request *request, uint8_t id[16],
                                 const Hallsync__Reply **reply);
    struct hallsync *client;
};
enum hallsync_status hallsync_put_by(const struct hallsync_caller *caller, uint32_t kind,
                                     const ProtobufCMessage *record, const Hallsync__PutResult **result)
    __attribute__((visibility("hidden")));

#endif
