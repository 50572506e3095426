/* zap.h -- who may connect: answers libzmq's authentication requests (ZeroMQ RFC 27) in a thread of its own.  Within
 * node/link only.
 *
 * CURVE has proven the key when a request comes.  Any key may come in, for a node that is about to join is a stranger;
 * but strangers are few at a time and few a second.  What a key may do is decided later, by its certificate. */
#ifndef HS_LINK_ZAP_H
#define HS_LINK_ZAP_H

#include "node/link/sock.h"

#define HS_ZAP_DOMAIN     "hallsync"
#define HS_ZAP_USER_BYTES (2 * HS_KEY_BYTES + 1) /* User-Id of a connection: its key in hex */

struct hs_zap;

/* Before anything is bound in this context. */
enum hs_err hs_zap_start(struct hs_link_base *base, unsigned unknown_max, struct hs_zap **zap);
/* After zmq_ctx_shutdown, before zmq_ctx_term; NULL is fine. */
void hs_zap_stop(struct hs_zap *zap);

void hs_zap_know(struct hs_zap *zap, const struct hs_key *key);
bool hs_zap_knows(struct hs_zap *zap, const struct hs_key *key);
/* A stranger's first frame came; and how many strangers are connected of whom frames came. */
void hs_zap_arrived(struct hs_zap *zap, const struct hs_key *key);
void hs_zap_set_strangers(struct hs_zap *zap, size_t connected);

/* A connection that has sent nothing by then is closed, and no longer waited for. */
#define HS_ZAP_FIRST_FRAME_MS 5000

#endif
