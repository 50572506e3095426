/* thread.h -- clocks, and threads that have names and wait by a clock that nobody sets.  Any thread. */
#ifndef HS_THREAD_H
#define HS_THREAD_H

#include "proto/base/err.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

uint64_t hs_now_ms(void);  /* the wall clock, since 1970; never negative */
uint64_t hs_tick_ms(void); /* of the monotonic clock */
/* So far from now, for pthread_cond_timedwait on what hs_cond_init has made. */
struct timespec hs_tick_in_ns(uint64_t ns);

/* Its waits are on the monotonic clock: nobody's setting of the time holds up whoever waits.  HS_ENOMEM. */
enum hs_err hs_cond_init(pthread_cond_t *cond);
/* The caller joins it.  @name: 15 bytes at most, for ps, debuggers and tests.  HS_ENOMEM: the machine has no more
 * threads. */
enum hs_err hs_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);

#endif
