/* conf.h -- hallsync.yaml.  Every key is declared once, in the table below: from it come the parser's schema, the
 * defaults, the commented sample that init writes, and hallsync.yaml(5) (a test compares them).  A configuration is a
 * value: loaded, checked, then only read.  Unknown or bad keys are errors with their line. */
#ifndef HS_CONF_H
#define HS_CONF_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/names.h"
#include "proto/msg/trust.h"

#include <stdbool.h>
#include <stdint.h>

/* X(section, key, KIND, default, min, max, flags, help).  KIND: TEXT, LIST (of texts), UINT.
 * flags: REQUIRED must be given; RELOAD is taken over on SIGHUP; NONE. */
#define HS_CONF_NODE(X)                                                                  \
    X(node, id, TEXT, "", 1, 32, REQUIRED, "readable name of this node: a-z, 0-9 and -") \
    X(node, role, TEXT, "", 3, 7, REQUIRED, "hall, hub or witness")                      \
    X(node, data, TEXT, "", 1, 4096, REQUIRED, "directory of keys and store, on a local disk")
#define HS_CONF_LISTEN(X)                                                                                         \
    X(listen, peers, LIST, "", 0, 8, NONE,                                                                        \
      "addresses for other nodes, tcp://host:port; always CURVE; hubs and witnesses")                             \
    X(listen, clients, TEXT, "", 0, 113, NONE,                                                                    \
      "socket for counter programs, ipc://path, in a directory that they may enter; default: "                    \
      "ipc://DATA/hallsync.sock")                                                                                 \
    X(listen, counters, TEXT, "", 0, 113, NONE,                                                                   \
      "a second socket, ipc://path, in a directory that counters may enter: they look customers up only by a "    \
      "number that the customer brings, and list, import and export nobody; default: none, and all programs are " \
      "served at clients")                                                                                        \
    X(listen, advertise, LIST, "", 0, 8, NONE,                                                                    \
      "addresses that join tokens name; default: those of peers, for 0.0.0.0 those of this machine")
#define HS_CONF_SCOPE(X)                        \
    X(scope, districts, LIST, "", 0, 256, NONE, \
      "districts that are held here, four digits each, of those of the certificate; of a hub: its tier; default: all")
#define HS_CONF_RULES(X)                                                                                   \
    X(rules, unknown_accounts, TEXT, "refuse", 6, 6, NONE,                                                 \
      "payments for accounts of a held district that no customer here has: refuse or accept")              \
    X(rules, reconnect_on_payment, TEXT, "no", 2, 3, NONE,                                                 \
      "yes: a payment that leaves no arrears opens an urgent reconnection ticket where the supply is off") \
    X(rules, escalate_overdue, TEXT, "yes", 2, 3, NONE,                                                    \
      "yes: tickets that are late are shown to a superior by the node itself, each once")
#define HS_CONF_LIMITS(X)                                                                                    \
    X(limits, credit_kib, UINT, 512, 128, 65536, NONE, "bytes that a peer may have under way to us, in KiB") \
    X(limits, flush_ms, UINT, 50, 1, 10000, NONE,                                                            \
      "records are committed after so many idle milliseconds, at the latest after 20 times that")            \
    X(limits, disk_reserve_mib, UINT, 256, 1, 1048576, NONE,                                                 \
      "free disk below which writes are refused by and by, in MiB")
#define HS_CONF_LINK(X)                                                                                                \
    X(link, heartbeat_ms, UINT, 2000, 100, 60000, NONE, "a heartbeat so often; a peer silent for 3.5 of them is gone") \
    X(link, backoff_max_ms, UINT, 30000, 100, 600000, NONE, "longest pause between two attempts to reach a hub")       \
    X(link, admit_after_ms, UINT, 60000, 1, 3600000, NONE,                                                             \
      "a hub whose store may be an old copy lets halls in when others have told for so long what keys are revoked")
#define HS_CONF_RETENTION(X)                     \
    X(retention, days, UINT, 90, 1, 36500, NONE, \
      "operations other than money that a hub has are kept so many days, then only what they add up to")
#define HS_CONF_BACKUP(X)                                                                                          \
    X(backup, dir, TEXT, "", 0, 4000, NONE,                                                                        \
      "where backups are written, a directory on another disk than the data; default: DATA/backups")               \
    X(backup, recipients, LIST, "", 0, 8, NONE,                                                                    \
      "recovery keys that backups are sealed to, hsr1-...: hallsync backup-key new makes one")                     \
    X(backup, keep, UINT, 7, 1, 60, NONE, "so many backups are kept, the newest")                                  \
    X(backup, growth_max_mib, UINT, 256, 1, 1048576, NONE,                                                         \
      "a backup is given up when the log has grown by so much while it was being made, in MiB")                    \
    X(backup, second_store, TEXT, "no", 2, 3, NONE,                                                                \
      "yes: a hub's verified backup counts as a second store for safe; only if backup.dir outlives the hub's own " \
      "disk")
#define HS_CONF_ADMIN(X)                                                                                             \
    X(admin, listen, TEXT, "127.0.0.1:7480", 3, 64, NONE,                                                            \
      "where hallsync-admin serves the console: an address in digits and a port, off the machine only with TLS; or " \
      "off")                                                                                                         \
    X(admin, tls_cert, TEXT, "", 0, 4096, NONE, "file of the console's certificate and its chain, PEM")              \
    X(admin, tls_key, TEXT, "", 0, 4096, NONE, "file of its key, PEM, readable for hallsync-admin's user alone")     \
    X(admin, names, LIST, "", 0, 16, NONE,                                                                           \
      "names under which browsers reach the console; its address and localhost need none")                           \
    X(admin, dir, TEXT, "", 0, 4000, NONE, "what hallsync-admin keeps: users and samples; default: DATA/admin")      \
    X(admin, session_minutes, UINT, 30, 1, 1440, NONE, "a session ends when nobody has worked in it for so long")    \
    X(admin, session_hours, UINT, 12, 1, 720, NONE, "and after so long in any case")
#define HS_CONF_LOG(X)                                                                                            \
    X(log, level, TEXT, "info", 4, 7, RELOAD, "error, warn, info or debug")                                       \
    X(log, format, TEXT, "auto", 4, 7, NONE,                                                                      \
      "text, json (an object a line), journal (systemd's, with fields) or auto: journal where standard error is " \
      "the journal's, else text")
#define HS_CONF_HOOK(X)                                                                                          \
    X(hook, command, TEXT, "", 0, 4000, NONE,                                                                    \
      "program that is run for each alarm, an absolute path: it gets a JSON document on its standard input; "    \
      "default: none")                                                                                           \
    X(hook, file, TEXT, "", 0, 4000, NONE,                                                                       \
      "file to which each alarm is appended, a JSON document a line; at 1 MiB it becomes FILE.1; default: none") \
    X(hook, per_hour, UINT, 20, 1, 3600, NONE,                                                                   \
      "of each alarm so many are told in an hour; how many were left out is told at its end")                    \
    X(hook, timeout_s, UINT, 30, 1, 600, NONE, "a command that takes longer is ended, in seconds")
#define HS_CONF_REGION(X)                             \
    X(region, utc_offset, TEXT, "+08:00", 6, 6, NONE, \
      "of business dates and screens; the same at all nodes of the region")

/* Of each entry of the list upstreams: the nodes that this one dials. */
#define HS_CONF_UPSTREAM(X)                                                                                            \
    X(upstreams, address, TEXT, "", 1, 128, REQUIRED, "where it listens, tcp://host:port")                             \
    X(upstreams, key, TEXT, "", 64, 64, REQUIRED, "its CURVE key, 64 hex digits: hallsync node show names it")         \
    X(upstreams, group, TEXT, "hub", 1, 32, NONE,                                                                      \
      "of the addresses of one group one is connected at a time, tried in their order; groups go by themselves: hubs " \
      "in one, a witness in another")                                                                                  \
    X(upstreams, bytes_per_second, UINT, 0, 0, 1000000000, NONE,                                                       \
      "most that a line may take of backlog and state in each direction, without what TCP and encryption add; in any " \
      "span of time one second's worth may come on top, and one message, of 16 KiB or of one larger record; work is "  \
      "never held back, and counts; 0: as much as it can")                                                             \
    X(upstreams, limited_hours, TEXT, "", 11, 11, NONE,                                                                \
      "when bytes_per_second holds, in the time of region.utc_offset, as 08:00-18:00; default: always")

#define HS_CONF_SECTIONS(X)                \
    X(node, HS_CONF_NODE, true)            \
    X(listen, HS_CONF_LISTEN, false)       \
    X(scope, HS_CONF_SCOPE, false)         \
    X(rules, HS_CONF_RULES, false)         \
    X(limits, HS_CONF_LIMITS, false)       \
    X(link, HS_CONF_LINK, false)           \
    X(retention, HS_CONF_RETENTION, false) \
    X(backup, HS_CONF_BACKUP, false)       \
    X(admin, HS_CONF_ADMIN, false)         \
    X(log, HS_CONF_LOG, false)             \
    X(hook, HS_CONF_HOOK, false)           \
    X(region, HS_CONF_REGION, false)

#define HS_CONF_TYPE_TEXT(key) char *key;
#define HS_CONF_TYPE_LIST(key) \
    char **key;                \
    unsigned key##_count;
#define HS_CONF_TYPE_UINT(key)                  uint32_t key;
#define HS_CONF_MEMBER(section, key, KIND, ...) HS_CONF_TYPE_##KIND(key)
#define HS_CONF_STRUCT(section, KEYS, required) \
    struct hs_conf_##section {                  \
        KEYS(HS_CONF_MEMBER)                    \
    };
HS_CONF_SECTIONS(HS_CONF_STRUCT)

#define HS_CONF_BACKUP_KEYS_MAX 8
#define HS_CONF_UPSTREAMS_MAX   16
#define HS_CONF_GROUPS_MAX      8

/* A hub or witness that this node dials. */
struct hs_conf_upstream {
    HS_CONF_UPSTREAM(HS_CONF_MEMBER)
    unsigned group_number;             /* the groups, numbered as they come */
    unsigned limited_from, limited_to; /* minutes of the day; from > to: over midnight; equal: always */
};

struct hs_conf {
#define X(section, KEYS, required) struct hs_conf_##section section;
    HS_CONF_SECTIONS(X)
#undef X
    struct hs_conf_upstream *upstreams; /* tried in order */
    unsigned upstreams_count;
    int utc_offset_minutes;               /* from region.utc_offset */
    hs_partition districts[HS_SCOPE_MAX]; /* from scope.districts, ascending */
    size_t district_count;
    struct hs_key backup_keys[HS_CONF_BACKUP_KEYS_MAX]; /* from backup.recipients */
    size_t backup_key_count;
    void *loaded; /* what hs_conf_free gives back */
};

/* Load and check; defaults filled in, listen.clients included.  HS_ECONFIG: why names file, line, key and what is
 * wrong; HS_ENOSTORE: no such file. */
enum hs_err hs_conf_load(const char *path, struct hs_conf *conf, struct hs_why *why);
void hs_conf_free(struct hs_conf *conf); /* a zeroed one is fine */

/* A commented hallsync.yaml: what differs from the defaults is set, the rest stands there as comment with its default.
 */
void hs_conf_write(const struct hs_conf *conf, struct hs_buf *out);

/* "+08:00" -> 480; HS_EVALUE. */
enum hs_err hs_conf_offset(const char *text, int *minutes);
/* The limit of an upstream at @minute of the day, in bytes a second; 0: none. */
uint32_t hs_conf_rate(const struct hs_conf_upstream *upstream, unsigned minute);

#endif
