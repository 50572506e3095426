#include "proto/base/standing.h"

#include <assert.h>
#include <string.h>

static const char *const STANDINGS[] = {
#define X(id, name) [HS_STANDING_##id] = name,
    HS_STANDINGS(X)
#undef X
};

static const char *const REASONS[] = {[HS_REASON_NONE] = "",
#define X(id, name, cause) [HS_REASON_##id] = name,
                                      HS_REASONS(X)
#undef X
};

const char *hs_standing_text(enum hs_peer_standing standing)
{
    assert(standing < HS_STANDING_COUNT);
    return STANDINGS[standing];
}

enum hs_peer_standing hs_standing_by_name(const char *name)
{
    size_t i = 0;
    while (i < HS_STANDING_COUNT && strcmp(STANDINGS[i], name) != 0)
        i++;
    return (enum hs_peer_standing)i;
}

const char *hs_reason_text(enum hs_reason reason)
{
    assert(reason < HS_REASON_COUNT);
    return REASONS[reason];
}

enum hs_reason hs_reason_by_name(const char *name)
{
    for (size_t i = 1; name != NULL && i < HS_REASON_COUNT; i++) {
        if (strcmp(REASONS[i], name) == 0)
            return (enum hs_reason)i;
    }
    return HS_REASON_NONE;
}

/* By the class of the error where it has no reason of its own. */
static enum hs_reason by_class(enum hs_err err, enum hs_reason peer)
{
    switch (hs_err_class(err)) {
    case HS_CLASS_RETRY:
        return HS_REASON_BUSY;
    case HS_CLASS_OPERATOR:
        return HS_REASON_STORE;
    case HS_CLASS_DAMAGE:
        return HS_REASON_ROTTEN;
    case HS_CLASS_OK:
    case HS_CLASS_INPUT:
    case HS_CLASS_PEER:
    case HS_CLASS_BUG:
        break;
    }
    return peer;
}

enum hs_reason hs_reason_refused(enum hs_err err)
{
    switch (err) {
    case HS_EVERSION:
        return HS_REASON_VERSION;
    case HS_EMALFORMED:
        return HS_REASON_GREETING;
    case HS_ECERT:
    case HS_ESIGNATURE:
        return HS_REASON_CERTIFICATE;
    case HS_EREGION:
        return HS_REASON_REGION;
    case HS_EREVOKED:
        return HS_REASON_REVOKED;
    case HS_ENOTHUB:
        return HS_REASON_ROLE;
    case HS_ESCOPE:
        return HS_REASON_SCOPE;
    case HS_EBUSY:
        return HS_REASON_ADMITTING;
    default:
        return by_class(err, HS_REASON_REFUSED);
    }
}

enum hs_reason hs_reason_ended(enum hs_err err)
{
    switch (err) {
    case HS_EUNREACHABLE:
        return HS_REASON_CLOSED;
    case HS_ETIMEDOUT:
        return HS_REASON_SILENT;
    case HS_EEXISTS:
        return HS_REASON_REPLACED;
    case HS_EFULL:
        return HS_REASON_FULL;
    default:
        return by_class(err, HS_REASON_PROTOCOL);
    }
}
