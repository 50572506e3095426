/* events.h -- all that a node logs, each event once.  docs/logs.md is made from it; a field that is not declared here
 * ends a program that was built with assertions. */
#ifndef HS_LOG_EVENTS_H
#define HS_LOG_EVENTS_H

enum hs_log_level { HS_LOG_ERROR, HS_LOG_WARN, HS_LOG_INFO, HS_LOG_DEBUG };

/* X(name, module, event, level, fields, about).  The level is what it mostly is. */
#define HS_LOG_EVENTS(X)                                                                                               \
    X(STARTED, "daemon", "started", INFO, "node role endpoint store commit", "the rooms are made")                     \
    X(STOPPING, "daemon", "stopping", INFO, "signal", "the process ends")                                              \
    X(RESTARTING, "daemon", "restarting", INFO, "signal", "the rooms are made anew in the same process")               \
    X(RELOADED, "daemon", "reloaded", INFO, "log_level", "the configuration was read again")                           \
    X(RELOAD_FAILED, "daemon", "reload-failed", ERROR, "text", "it does not load: nothing has changed")                \
    X(CONFIGURATION, "daemon", "configuration", ERROR, "text", "what does not fit the certificate")                    \
    X(FATAL, "daemon", "fatal", ERROR, "reason text", "the process ends: the store cannot be gone on with")            \
    X(CERTIFICATE_RENEWED, "daemon", "certificate-renewed", INFO, "text", "this node has got other districts")         \
    X(OPERATIONS_ROTTED, "daemon", "operations-rotted", ERROR, "text", "own ones, issued anew under another origin")   \
    X(OLDER_COPY, "store", "older-copy", WARN, "text operations money from", "this store is an older copy of itself")  \
    X(SET_BACK, "store", "set-back", ERROR, "text", "... and gets another id")                                         \
    X(MIGRATED, "store", "migrated", INFO, "from_format kept_in text", "from an older version's format")               \
    X(RENEWED, "store", "renewed", INFO, "reason", "the store has got another id")                                     \
    X(FRESH_ORIGIN, "store", "fresh-origin", INFO, "reason", "no proof that this machine went on where it stopped")    \
    X(LISTENING, "link", "listening", INFO, "address", "for other nodes")                                              \
    X(UPSTREAM_FAILED, "link", "upstream-failed", WARN, "address group reason text", "a hub or witness was not had")   \
    X(MIXED_GROUP, "link", "mixed-group", ERROR, "group address role other_address other_role text",                   \
      "a hub and a witness in one group of upstreams")                                                                 \
    X(HANDSHAKE_FAILED, "link", "handshake-failed", WARN, "address times text", "somebody knocked and was not let in") \
    X(SEND_FAILED, "link", "send-failed", DEBUG, "peer reason", "a connection took no more")                           \
    X(MONITOR, "link", "monitor", DEBUG, "text", "a connection began or ended")                                        \
    X(SESSION_LIVE, "replica", "session-live", INFO, "peer address reason text", "greetings were exchanged")           \
    X(SESSION_REFUSED, "replica", "session-refused", WARN, "peer address reason text", "by one of the two")            \
    X(SESSION_ENDED, "replica", "session-ended", INFO, "peer address reason text", "the link, or a violation")         \
    X(SESSION_TWIN, "replica", "session-twin", INFO, "peer address reason text", "the other session of the two stays") \
    X(PROBE_DONE, "replica", "probe-done", DEBUG, "peer address reason text", "a peer has said how far it is")         \
    X(DIGESTS_EQUAL, "replica", "digests-equal", DEBUG, "peer address reason text", "both hold the same")              \
    X(DAMAGE, "replica", "damage", ERROR, "peer address reason text", "both should hold the same and do not")          \
    X(FORK, "replica", "fork", ERROR, "peer address reason text", "a node has written two histories")                  \
    X(STREAM_STOPPED, "replica", "stream-stopped", ERROR, "peer address reason text",                                  \
      "what comes next does not follow from what is here")                                                             \
    X(NAMED_BEYOND, "replica", "origin-named-beyond", ERROR, "peer address reason text",                               \
      "operations are named that this node has never written")                                                         \
    X(CLONE, "replica", "clone", ERROR, "peer address reason text", "two processes are one node")                      \
    X(FILLING, "replica", "filling", INFO, "peer address reason text", "records come as they stand")                   \
    X(FILLED, "replica", "filled", INFO, "peer address reason text", "... and all are here")                           \
    X(FILL_FAILED, "replica", "fill-failed", WARN, "peer address reason text", "... and did not")                      \
    X(REVOKED, "replica", "revoked", WARN, "peer address reason text", "a key holds no more")                          \
    X(OWN_KEY_REVOKED, "replica", "own-key-revoked", ERROR, "peer address reason text", "this node's own key")         \
    X(REVOKED_WAITING, "replica", "revoked-waiting", WARN, "peer address reason text",                                 \
      "operations of a revoked key wait for a decision")                                                               \
    X(ADMITTING, "replica", "admitting", INFO, "peer address reason text", "a restored hub lets halls in again")       \
    X(PEER_HELD, "replica", "peer-held", WARN, "peer address reason text", "it takes no people and no bulk now")       \
    X(STORE_SET_BACK, "replica", "store-set-back", ERROR, "peer address reason text", "it had signed for more")        \
    X(STORES_FULL, "replica", "stores-full", ERROR, "peer address reason text", "too many stores have signed")         \
    X(PEERS_FAILED, "peers", "failed", ERROR, "reason", "the process ends")                                            \
    X(CLOCK, "peers", "clock", WARN, "text", "whose clocks differ")                                                    \
    X(JOINED, "enrol", "joined", INFO, "node reason", "a node has used its token")                                     \
    X(JOIN_REFUSED, "enrol", "join-refused", WARN, "node reason", "a token did not hold")                              \
    X(REISSUED, "registry", "reissued", INFO, "certificates", "by this hub")                                           \
    X(REGISTRY_FAILED, "registry", "failed", ERROR, "reason", "it is tried again")                                     \
    X(SURVEYOR_FAILED, "surveyor", "failed", ERROR, "reason", "what cannot be counted is not told: not known")         \
    X(ROOM, "disk", "room", WARN, "room free_mib map_mib text", "how much is left")                                    \
    X(READERS_UNKNOWN, "disk", "readers-unknown", WARN, "reason", "who reads an old snapshot is not known")            \
    X(LONG_READER, "disk", "long-reader", WARN, "text", "an old snapshot keeps room from being used again")            \
    X(LONG_READER_GONE, "disk", "long-reader-gone", INFO, "text", "... and does no more")                              \
    X(BACKUP_VERIFIED, "backup", "verified", INFO, "file bytes commit rows payments sum_fen ms open_ms growth_bytes",  \
      "a backup was made and read back")                                                                               \
    X(BACKUP_FAILED, "backup", "failed", ERROR, "reason text", "there is no new one")                                  \
    X(BACKUP_NOT_NOTED, "backup", "not-noted", ERROR, "reason", "what hubs count by it is not in the store")           \
    X(BACKUP_NOT_VOUCHED, "backup", "not-vouched", WARN, "text", "the newest is gone: it does not count any more")     \
    X(BACKUP_NOT_REMOVED, "backup", "not-removed", ERROR, "file text", "an old one stays")                             \
    X(CHECK_DAMAGED, "check", "damaged", ERROR, "sort text", "what is not as it was written")                          \
    X(CHECK_ENDED, "check", "ended", INFO, "operations records found reason", "the whole store was read")              \
    X(NOT_MENDED, "check", "not-mended", WARN, "reason", "it is tried again")                                          \
    X(BOOKS_ANSWERED, "books", "answered", INFO, "close verdict entries", "a hall's day was held against its entries") \
    X(BOOKS_FAILED, "books", "failed", ERROR, "reason", "it is tried again")                                           \
    X(TEND_DONE, "tend", "done", INFO, "task record", "what the node does by itself")                                  \
    X(TEND_REFUSED, "tend", "refused", DEBUG, "task record reason", "... by a rule")                                   \
    X(TEND_FAILED, "tend", "failed", ERROR, "task reason", "it is tried again")                                        \
    X(UPKEEP_FAILED, "upkeep", "failed", ERROR, "reason", "old operations were not pruned: it is tried again")         \
    X(ALARM_BEGINS, "alarm", "begins", WARN, "alarm about count text", "docs/hooks.md names them all")                 \
    X(ALARM_GROWS, "alarm", "grows", WARN, "alarm about count text", "there are more of them, or it is worse")         \
    X(ALARM_ENDS, "alarm", "ends", INFO, "alarm about count text", "it is over")                                       \
    X(ALARM_OFF, "alarm", "off", ERROR, "reason", "nobody is told of any until the node is started again")             \
    X(HOOK_FAILED, "hook", "failed", WARN, "alarm reason text",                                                        \
      "hook.command was run and has not done it: it is not run again for this")                                        \
    X(HOOK_FILE_FAILED, "hook", "file-failed", WARN, "alarm reason text", "hook.file has not got it")                  \
    X(HOOK_LEFT_OUT, "hook", "left-out", WARN, "alarm text", "too many wait for hook.command")                         \
    X(ADMIN_LISTENING, "admin", "listening", INFO, "address port tls users", "the console of hallsync-admin")          \
    X(ADMIN_OFF, "admin", "off", INFO, "text", "there is none")                                                        \
    X(ADMIN_STOPPING, "admin", "stopping", INFO, "signal", "the process ends")                                         \
    X(ADMIN_RELOADED, "admin", "reloaded", INFO, "log_level certificate",                                              \
      "log.level was taken, and the certificate: taken, kept (the new one cannot be used) or none")                    \
    X(ADMIN_RELOAD_FAILED, "admin", "reload-failed", ERROR, "text", "it does not load: all of it is as it was")        \
    X(ADMIN_CERTIFICATE_EXPIRED, "admin", "certificate-expired", ERROR, "text", "of the console")                      \
    X(ADMIN_CERTIFICATE_EXPIRES, "admin", "certificate-expires", WARN, "days", "... soon")                             \
    X(ADMIN_NODE_ANSWERS, "admin", "node-answers", INFO, "node", "the daemon whose figures are shown")                 \
    X(ADMIN_NODE_SILENT, "admin", "node-silent", WARN, "text", "... and does not")                                     \
    X(ADMIN_USERS_READ, "admin", "users-read", INFO, "users", "the file of users has changed")                         \
    X(ADMIN_USERS_UNREAD, "admin", "users-unread", ERROR, "text", "... and cannot be read: those before hold")         \
    X(ADMIN_LOGIN, "admin", "login", INFO, "user role address", "a session begins")                                    \
    X(ADMIN_LOGIN_DENIED, "admin", "login-denied", WARN, "user address", "wrong user or password")                     \
    X(ADMIN_HTTP, "admin", "http", DEBUG, "text", "of libmicrohttpd")                                                  \
    X(ADMIN_SAMPLES_ANEW, "admin", "samples-anew", WARN, "text", "the file of samples was damaged: it begins anew")    \
    X(ADMIN_SAMPLES_FAILED, "admin", "samples-failed", WARN, "reason text", "they are not kept for now")               \
    X(ADMIN_SAMPLES_KEPT, "admin", "samples-kept", INFO, "text", "... and are again")                                  \
    X(ADMIN_SLOW, "admin", "slow", DEBUG, "connections", "ended, for they sent nothing for too long")

enum hs_log_event {
#define X(name, module, event, level, fields, about) HS_EV_##name,
    HS_LOG_EVENTS(X)
#undef X
        HS_EV_COUNT
};

/* As the table says. */
struct hs_log_row {
    const char *module, *event;
    enum hs_log_level level;
    const char *fields, *about; /* names between blanks; English */
};
const struct hs_log_row *hs_log_row(enum hs_log_event event);

#endif
