/* err.h -- the one error type of hallsync: a code, its class, its name and its text, each declared once. */
#ifndef HS_BASE_ERR_H
#define HS_BASE_ERR_H

#include <stddef.h>

/* What whoever meets the error can do about it. */
enum hs_err_class {
    HS_CLASS_OK,
    HS_CLASS_INPUT,    /* the request is wrong: nothing was done; mend it and ask again */
    HS_CLASS_RETRY,    /* it may work later, unchanged */
    HS_CLASS_PEER,     /* the other side broke the protocol or may not do that */
    HS_CLASS_OPERATOR, /* somebody has to look after this machine */
    HS_CLASS_DAMAGE,   /* stored data are not what was written */
    HS_CLASS_BUG,      /* hallsync is wrong */
};

/* X(code, class, name, text).  The name is what programs and scripts see; it never changes once released. */
#define HS_ERRORS(X)                                                                                   \
    X(HS_OK, OK, "ok", "done")                                                                         \
    /* input */                                                                                        \
    X(HS_EINVAL, INPUT, "invalid", "the request does not make sense")                                  \
    X(HS_EACCOUNT, INPUT, "bad-account", "an account number has 10 digits")                            \
    X(HS_ENOACCOUNT, INPUT, "unknown-account", "no customer has this account number")                  \
    X(HS_EAMOUNT, INPUT, "bad-amount", "an amount is a whole number of fen above zero")                \
    X(HS_EOVERFLOW, INPUT, "overflow", "the number is too large")                                      \
    X(HS_EBILLACCOUNT, INPUT, "bill-of-another-account", "the bill belongs to another account")        \
    X(HS_ESERVICE, INPUT, "unknown-service", "no such service in the catalogue")                       \
    X(HS_ESTATE, INPUT, "bad-state", "the ticket cannot go to that state from where it is")            \
    X(HS_ENOTICKET, INPUT, "unknown-ticket", "no such ticket")                                         \
    X(HS_ECONSENT, INPUT, "no-consent", "the customer does not want to be called back")                \
    X(HS_ENOPAYMENT, INPUT, "unknown-payment", "no such payment")                                      \
    X(HS_EREVERSED, INPUT, "already-reversed", "the payment has been reversed before")                 \
    X(HS_EBILLCLOSED, INPUT, "bill-closed", "the bill was cancelled, or another has taken its place")  \
    X(HS_ENOTOWNER, INPUT, "not-owner", "another node decides the refunds of this district")           \
    X(HS_ENOTSOMUCH, INPUT, "not-so-much", "not so much was paid too much")                            \
    X(HS_ESETTLED, INPUT, "settled", "the payment was given back, or counted elsewhere, before")       \
    X(HS_ETOPUP, INPUT, "topup-done", "the card was topped up under this counter before")              \
    X(HS_ESECOND, INPUT, "needs-second", "this needs a second person and a reason")                    \
    X(HS_ENORECEIPT, INPUT, "unknown-receipt", "no such receipt")                                      \
    X(HS_EFIELD, INPUT, "unknown-field", "no such field")                                              \
    X(HS_EVALUE, INPUT, "bad-value", "the field's value has the wrong form")                           \
    X(HS_EREQUIRED, INPUT, "missing-field", "a required field is missing")                             \
    X(HS_EFIXED, INPUT, "fixed-field", "this field cannot be changed once it is set")                  \
    X(HS_EUTF8, INPUT, "bad-utf8", "text must be valid UTF-8 without control characters")              \
    X(HS_ETOOBIG, INPUT, "too-big", "the value is over its limit")                                     \
    X(HS_EDIFFERS, INPUT, "id-in-use", "another record with other content has this id")                \
    X(HS_ENOTFOUND, INPUT, "not-found", "no such record")                                              \
    X(HS_ENOTHERE, INPUT, "not-here", "the record belongs to a district that this node does not hold") \
    X(HS_ENOTHUB, INPUT, "not-a-hub", "only a hub can do this")                                        \
    X(HS_EOPERATOR, INPUT, "operator-only", "only an operator may ask for this, not a counter")        \
    X(HS_EEXISTS, INPUT, "exists", "it is there already")                                              \
    X(HS_EKIND, INPUT, "unknown-kind", "no such kind of record")                                       \
    X(HS_EWINDOW, INPUT, "bad-window-state", "the window is not in a state for that")                  \
    X(HS_EOPENBOOKS, INPUT, "open-window", "a window that took money has not been closed")             \
    X(HS_ENOTSEALED, INPUT, "not-sealed", "this is no backup and no bundle of hallsync")               \
    X(HS_EPURPOSE, INPUT, "other-purpose", "the file is sealed for another purpose")                   \
    X(HS_ERECIPIENT, INPUT, "other-recipient", "the file is sealed to others: it needs another key")   \
    X(HS_EMEANWHILE, INPUT, "changed-meanwhile", "somebody else has changed or decided it meanwhile")  \
    X(HS_ERESET, INPUT, "reset", "this store does not know that position: list everything anew")       \
    /* retry */                                                                                        \
    X(HS_EUNREACHABLE, RETRY, "unreachable", "the node does not answer")                               \
    X(HS_ETIMEDOUT, RETRY, "timed-out", "it took longer than allowed")                                 \
    X(HS_EBUSY, RETRY, "busy", "too much is waiting already")                                          \
    X(HS_EFILLING, RETRY, "filling", "not here yet: this district is still being filled")              \
    X(HS_ENOLINK, RETRY, "no-link", "not here, and no hub that has it can be reached")                 \
    X(HS_ESTOPPING, RETRY, "stopping", "the node is shutting down")                                    \
    X(HS_ENOMEM, RETRY, "out-of-memory", "not enough memory")                                          \
    /* peer */                                                                                         \
    X(HS_EMALFORMED, PEER, "malformed", "the bytes are not a message of this protocol")                \
    X(HS_EVERSION, PEER, "version", "no common protocol version")                                      \
    X(HS_EREFUSED, PEER, "refused", "the other side refused")                                          \
    X(HS_ECERT, PEER, "bad-certificate", "the certificate does not hold")                              \
    X(HS_ESIGNATURE, PEER, "bad-signature", "a signature does not hold")                               \
    X(HS_EREGION, PEER, "other-region", "the certificate is of another region")                        \
    X(HS_ETOKEN, PEER, "bad-token", "this join token is not known here")                               \
    X(HS_ETOKENUSED, PEER, "token-used", "this join token has been used")                              \
    X(HS_ETOKENEXPIRED, PEER, "token-expired", "this join token has expired")                          \
    X(HS_EGAP, PEER, "gap", "operations are missing before these")                                     \
    X(HS_EPRUNED, PEER, "pruned", "these operations are not kept any more: ask for states")            \
    X(HS_EFORK, PEER, "fork", "one origin signed two contents under one number")                       \
    X(HS_ECREDIT, PEER, "credit", "more was sent than was allowed")                                    \
    X(HS_ESCOPE, PEER, "scope", "outside what the certificate allows")                                 \
    X(HS_EREVOKED, PEER, "revoked", "the key of that node was revoked")                                \
    /* operator */                                                                                     \
    X(HS_EIO, OPERATOR, "io-error", "the operating system reported an error")                          \
    X(HS_EFULL, OPERATOR, "disk-full", "the disk or the store is full")                                \
    X(HS_ELOCKED, OPERATOR, "in-use", "another process has this data directory open")                  \
    X(HS_EFOREIGN, OPERATOR, "foreign-store", "the store belongs to another node")                     \
    X(HS_ENETFS, OPERATOR, "network-filesystem", "the data directory must be on a local disk")         \
    X(HS_ESCHEMA, OPERATOR, "newer-schema", "the store was written by a newer version")                \
    X(HS_ENEWERFILE, OPERATOR, "newer-file", "a newer version of hallsync made it: install that")      \
    X(HS_ECONFIG, OPERATOR, "bad-config", "the configuration is wrong")                                \
    X(HS_EADDRESS, OPERATOR, "bad-address", "the address cannot be used")                              \
    X(HS_EINUSE, OPERATOR, "address-in-use", "another program listens at that address")                \
    X(HS_EPERM, OPERATOR, "permission", "not allowed by the file system or the system")                \
    X(HS_ENOSTORE, OPERATOR, "no-store", "there is no store here")                                     \
    /* damage */                                                                                       \
    X(HS_EDAMAGED, DAMAGE, "damaged", "stored data do not match their checksum")                       \
    X(HS_ECUTSHORT, DAMAGE, "cut-short", "the file ends before its end")                               \
    /* bug */                                                                                          \
    X(HS_EINTERNAL, BUG, "internal", "hallsync met a state that it should not be in")

enum hs_err {
#define X(code, class, name, text) code,
    HS_ERRORS(X)
#undef X
        HS_ERR_COUNT
};

/* A sentence for people that travels beside the code: which thing, why, what to do.  Wrapped outward. */
#define HS_WHY_BYTES 320
struct hs_why {
    char text[HS_WHY_BYTES];
};

const char *hs_err_name(enum hs_err err); /* "bad-account"; never NULL */
const char *hs_err_text(enum hs_err err); /* "an account number has 10 digits"; never NULL */
enum hs_err_class hs_err_class(enum hs_err err);
enum hs_err hs_err_by_name(const char *name); /* HS_EINTERNAL if there is no such name */
enum hs_err hs_err_from_errno(int error);     /* ENOSPC -> HS_EFULL, ENOMEM -> HS_ENOMEM, ... else HS_EIO */

/* Set the sentence (printf form) and return err; @why may be NULL.  Cut, never overrun, when too long. */
enum hs_err hs_fail(enum hs_err err, struct hs_why *why, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Put "prefix: " before the sentence (or before err's text if the sentence is empty) and return err. */
enum hs_err hs_wrap(enum hs_err err, struct hs_why *why, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
