/* roster.h -- who has connected: found by routing id (of frames that come) and by hs_peer (of frames to send).  Within
 * node/link only.
 *
 * Bounded.  An entry that is retired is remembered for a while, so that frames that were still on their way find that
 * nobody wants them, and are not taken for somebody new. */
#ifndef HS_LINK_ROSTER_H
#define HS_LINK_ROSTER_H

#include "node/link/zap.h"

#define HS_ROSTER_LIVE_MAX    4096
#define HS_ROSTER_RETIRED_MAX 1024
#define HS_ROSTER_SLOTS       (HS_ROSTER_LIVE_MAX + HS_ROSTER_RETIRED_MAX)

struct hs_roster_entry {
    hs_peer peer; /* 0: the slot is free */
    uint32_t routing;
    int descriptor;
    bool retired;
    bool known;  /* its key is */
    bool ending; /* the connection is gone, what it sent is still read */
    struct hs_key key;
    char user[HS_ZAP_USER_BYTES];
    uint16_t next; /* in the chain of its hash, or of the free slots; HS_ROSTER_SLOTS: none */
};

struct hs_roster;
struct hs_roster *hs_roster_new(void); /* NULL: out of memory */
void hs_roster_free(struct hs_roster *roster);

struct hs_roster_entry *hs_roster_by_routing(struct hs_roster *roster, uint32_t routing); /* retired ones too; NULL */
struct hs_roster_entry *hs_roster_by_peer(struct hs_roster *roster, hs_peer peer);        /* not retired ones; NULL */
/* Numbered and entered under its routing id, the rest is the caller's to fill; NULL: too many are there. */
struct hs_roster_entry *hs_roster_add(struct hs_roster *roster, struct hs_link_base *base, uint32_t routing);
void hs_roster_retire(struct hs_roster *roster, struct hs_roster_entry *entry);
/* Any one that is ending; NULL. */
struct hs_roster_entry *hs_roster_ending(struct hs_roster *roster);
void hs_roster_set_ending(struct hs_roster *roster, struct hs_roster_entry *entry);

#endif
