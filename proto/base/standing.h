/* standing.h -- how a node stands with another one, and why there is no session with it: each state and each reason
 * declared once.  The names are what PeerStatus.state, PeerStatus.reason and RefusedStatus.reason say; they never
 * change once released.  The causes of node/status/why.h are made from these rows. */
#ifndef HS_BASE_STANDING_H
#define HS_BASE_STANDING_H

#include "proto/base/err.h"

/* X(id, name): a peer is in one of these. */
#define HS_STANDINGS(X)                                                                  \
    X(LIVE, "live")             /* there is a session */                                 \
    X(HELLO, "hello")           /* connected; it has not been let in yet, nor have we */ \
    X(CONNECTING, "connecting") /* dialled for the first time */                         \
    X(DOWN, "down")             /* dialled, and not connected */                         \
    X(REFUSED, "refused")       /* dialled; it let us in no more than we let it */       \
    X(STANDBY, "standby")       /* another one of its group is connected */              \
    X(TWIN, "twin")             /* it has dialled us, and that session stays */          \
    X(AWAY, "away")             /* it dials us, and is not here */                       \
    X(ENROLLED, "enrolled")     /* its join token waits to be used */                    \
    X(EXPIRED, "expired")       /* its join token was not used in time */

enum hs_peer_standing {
#define X(id, name) HS_STANDING_##id,
    HS_STANDINGS(X)
#undef X
        HS_STANDING_COUNT
};

/* X(id, name, cause): why a line or a session did not come about, or ended; cause: the row of HS_CAUSES for it. */
#define HS_REASONS(X)                                                                                        \
    /* the line, as who dials sees it */                                                                     \
    X(UNREACHABLE, "unreachable", LINK_DOWN)   /* nothing takes the connection */                            \
    X(NO_ANSWER, "no-answer", LINK_DOWN)       /* nothing came back in time */                               \
    X(NO_HOST, "unknown-host", LINK_DOWN)      /* the name server knows no such name, or does not answer */  \
    X(CLOSED, "closed", LINK_DOWN)             /* it was there, and has ended */                             \
    X(OVERRUN, "overrun", LINK_DOWN)           /* it takes no more: what was sent before has not gone out */ \
    X(NO_MEANS, "no-means", LINK_DOWN)         /* this machine has no socket or memory for it */             \
    X(HANDSHAKE, "handshake", REFUSED_KEY)     /* hung up before either key was proven */                    \
    X(NOT_CURVE, "not-curve", REFUSED_VERSION) /* it speaks something else */                                \
    /* as who was dialled sees it */                                                                         \
    X(WRONG_KEY, "wrong-key", REFUSED_KEY) /* it expects another key here */                                 \
    X(STRANGERS, "strangers", HUB_BUSY)    /* too many unknown keys at once */                               \
    X(JOIN, "join", NOT_JOINED)            /* a join token that is not taken */                              \
    /* the session, refused by either side */                                                                \
    X(VERSION, "version", REFUSED_VERSION)                                                                   \
    X(GREETING, "greeting", PROTOCOL)          /* its first message breaks a rule */                         \
    X(CERTIFICATE, "certificate", CERTIFICATE) /* it does not hold */                                        \
    X(REGION, "other-region", CERTIFICATE)                                                                   \
    X(OLDER_CERTIFICATE, "older-certificate", CERTIFICATE) /* it was issued anew with other districts */     \
    X(REVOKED, "revoked", REFUSED_KEY)                                                                       \
    X(ITSELF, "itself", OWN) /* it is this node */                                                           \
    X(ROLE, "role", SCOPE)   /* a node of its role is not for one of ours to dial */                         \
    X(SCOPE, "scope", SCOPE) /* districts that the upper one does not hold, or only in part */               \
    X(ADMITTING, "admitting", NOT_ADMITTING)                                                                 \
    X(REFUSED, "refused", PROTOCOL) /* by a rule that this version does not know */                          \
    /* the session, ended */                                                                                 \
    X(SILENT, "silent", LINK_DOWN)     /* nothing was heard for too long */                                  \
    X(REPLACED, "replaced", LINK_DOWN) /* the same process has connected anew */                             \
    X(TWIN, "twin", TWIN)                                                                                    \
    X(BUSY, "busy", HUB_BUSY)         /* more was brought, or open, than there is room for */                \
    X(FULL, "disk-full", DISK)        /* what came could not be stored for want of room */                   \
    X(STORE, "store", DISK)           /* what came could not be stored */                                    \
    X(ROTTEN, "rotten", ROTTEN)       /* a hash that both went by had rotted */                              \
    X(PROTOCOL, "protocol", PROTOCOL) /* what came breaks a rule */

enum hs_reason {
    HS_REASON_NONE, /* "" */
#define X(id, name, cause) HS_REASON_##id,
    HS_REASONS(X)
#undef X
        HS_REASON_COUNT
};

const char *hs_standing_text(enum hs_peer_standing standing);
enum hs_peer_standing hs_standing_by_name(const char *name); /* HS_STANDING_COUNT: no such */
const char *hs_reason_text(enum hs_reason reason);
enum hs_reason hs_reason_by_name(const char *name); /* HS_REASON_NONE: no such, or NULL */

/* Of every error there is one reason: for a session that was refused, or that has ended. */
enum hs_reason hs_reason_refused(enum hs_err err);
enum hs_reason hs_reason_ended(enum hs_err err);

#endif
