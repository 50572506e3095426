/* service.h -- the local API: a ROUTER on ipc://DIR/hallsync.sock (mode 0660), requests of local.proto, each checked,
 * executed (reads from a view on this thread, writes as jobs of the writer) and answered.  One thread, its own sockets.
 */
#ifndef HS_SERVICE_H
#define HS_SERVICE_H

#include "node/writer/writer.h"
#include "proto/msg/trust.h"

struct hs_service;

/* What the service asks of the rest of the daemon; called on the service's thread, must not block. */
struct hs_service_hooks {
    void *ctx;
    /* Packed StatusReply parts that the service cannot know: peers, counters.  Appends to the message with protobuf
     * merge rules. */
    void (*status)(void *ctx, struct hs_buf *partial_status);
    /* The same, and nodes of the registry that are not connected, for who asks for them: of one moment, so that nobody
     * is in both lists or in none.  NULL: status alone. */
    void (*region)(void *ctx, struct hs_buf *partial_status);
    void (*probe)(void *ctx, uint64_t token); /* start waiting for "synced"; hs_service_probed answers */
    void (*probe_end)(void *ctx, uint64_t token);
    /* Wall clock of the last session with it; 0: none yet.  @live out: there is one now. */
    uint64_t (*seen)(void *ctx, const struct hs_key *key, bool *live);
    /* Ask a hub about records of a district that is not here; hs_service_answered answers, unless this fails.  NULL:
     * there is no hub to ask, now or later. */
    enum hs_err (*ask)(void *ctx, uint64_t token, const struct hs_ask *ask);
    /* How has this node, which is connected, the record with that key?  As ask.  NULL: there are no others. */
    enum hs_err (*ask_node)(void *ctx, uint64_t token, const char *node_id, struct hs_bytes record);
    void (*ask_end)(void *ctx, uint64_t token); /* nobody waits for it any more */
    /* Append a packed BackupReply, and begin a backup if @start.  NULL: HS_ENOTHERE. */
    enum hs_err (*backup)(void *ctx, bool start, struct hs_buf *reply, struct hs_why *why);
    /* Begin to compare records with all peers; answers the number that StatusReply names when it is done.  NULL: there
     * are none. */
    uint64_t (*compare)(void *ctx);
    /* Append a packed VerifyReply, and begin a check if @start.  NULL: there is none to ask. */
    void (*verify)(void *ctx, bool start, bool full, struct hs_buf *reply);
};

struct hs_service_options {
    const char *endpoint; /* ipc:///dir/hallsync.sock */
    const char
        *counters;   /* the same, for those that may ask less (counter.c); NULL: none.  Read by hs_service_new only */
    const char *dir; /* the data directory, whose disk is looked at; NULL: where the socket lies */
    struct hs_store *store;
    struct hs_writer *writer;
    struct hs_service_hooks hooks;
    struct hs_signer signer;           /* with the node's key, and its curve key: bundles; borrowed */
    const uint8_t *curve_secret;       /* NULL: none are made or taken */
    const struct hs_secret *issuer;    /* hubs: to enrol; borrowed for the service's life; NULL at a hall */
    struct hs_bytes issuer_signed;     /* with it; borrowed too */
    const char *const *peer_addresses; /* hubs: what tokens name */
    size_t peer_address_count;
    int utc_offset_minutes;
    bool accept_unknown_accounts; /* rules.unknown_accounts: accept */
    bool reconnect_on_payment;    /* rules.reconnect_on_payment: yes */
    const hs_partition *scope;    /* what status says: the configured districts; borrowed */
    size_t scope_count;
    uint32_t retention_days;
    uint64_t disk_reserve_bytes; /* writes are refused below it; 0: none */
};
/* Texts are copied; store and writer are borrowed.  HS_EINUSE: a live node listens at the endpoint; the socket file of
 * one that is gone is removed.  HS_EADDRESS, HS_EPERM, HS_ENOMEM. */
enum hs_err hs_service_new(const struct hs_service_options *options, struct hs_service **service, struct hs_why *why);
enum hs_err hs_service_start(struct hs_service *service); /* its thread, which takes turns.  HS_ENOMEM */
/* One turn, for who gives it no thread (a simulator): takes in, answers, looks after those who wait; never waits
 * itself. Answers when it wants the next one at the latest, by the monotonic clock; UINT64_MAX: when there is something
 * new. */
uint64_t hs_service_turn(struct hs_service *service);
/* Requests under way are answered, within 1 s; jobs that the writer still has after that end without an answer. NULL is
 * fine. */
void hs_service_stop(struct hs_service *service);
void hs_service_probed(struct hs_service *service, uint64_t token); /* any thread; not after stop */
/* HS_OK and what the hub said, copied; or why none could.  Any thread; not after stop. */
void hs_service_answered(struct hs_service *service, uint64_t token, enum hs_err err, const struct hs_answer *answer);
/* Wakes those who watch.  Any thread; not after stop; NULL is fine. */
void hs_service_committed(struct hs_service *service);
const char *hs_service_endpoint(const struct hs_service *service);

#endif
