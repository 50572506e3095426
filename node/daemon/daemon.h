/* daemon.h -- a running node: store, writer, peers and service, made and ended in order.
 *
 *   main thread      signals
 *   writer           the only one that writes the store
 *   service          the local socket; reads from views, writes through the writer
 *   peers            link and replica; reads from views, stores through the writer
 *   (ZAP handler, libzmq's own I/O threads)
 */
#ifndef HS_DAEMON_H
#define HS_DAEMON_H

#include "node/conf/conf.h"

struct hs_daemon;

/* Everything of DIR is opened, sockets bound, threads started; on failure nothing is left. */
enum hs_err hs_daemon_start(const struct hs_conf *conf, struct hs_daemon **daemon, struct hs_why *why);
/* Requests under way are answered, what is committed is told, the records are flushed.  Within 2 s. */
void hs_daemon_stop(struct hs_daemon *daemon);

#endif
