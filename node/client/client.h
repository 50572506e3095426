/* client.h -- what the files of libhallsync share; not installed. */
#ifndef HS_CLIENT_H
#define HS_CLIENT_H

#include "node/client/hallsync.h"

#include <stdbool.h>

#define HALLSYNC_ERROR_BYTES 400

/* Set the sentence of hallsync_error() and return @status. */
enum hallsync_status hallsync_fail(struct hallsync *client, enum hallsync_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4), visibility("hidden")));

#endif
