/* guard.h -- how often somebody may try a password: a delay that grows with each failure, of an address and of a name.
 * An address that fails waits, whatever name it tries; a name that many fail at waits, too, but never for long.  Who
 * has logged in under a name before, from his address, waits for neither, but for the failures of just these two, and
 * never for long; and so it is for whoever is on the machine itself: nobody can lock an administrator out by guessing.
 * An address of version 6 stands for the network of 64 bits that it is of: who has one has all of them.  Any thread. */
#ifndef HS_ADMIN_GUARD_H
#define HS_ADMIN_GUARD_H

#include "proto/base/err.h"

#include <stdint.h>

#define ADMIN_GUARD_FREE_TRIES     4                /* failures that cost no waiting */
#define ADMIN_GUARD_ADDRESS_MS_MAX (15 * 60 * 1000) /* longest delay of an address */
#define ADMIN_GUARD_NAME_MS_MAX    (30 * 1000)      /* of a name */
#define ADMIN_GUARD_FORGET_MS      (60 * 60 * 1000) /* without a failure for so long, all is as new */

struct admin_guard;
enum hs_err admin_guard_new(struct admin_guard **guard);
void admin_guard_free(struct admin_guard *guard); /* NULL is fine */

/* May this address try a password for @name now?  0: yes, and it counts as a failure until told otherwise, so that many
 * at once are as many tries; else how long it has to wait. */
uint64_t admin_guard_try(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms);
/* How long it would have to wait; nothing is counted. */
uint64_t admin_guard_wait(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms);
/* It was right: the address is as new, and known to the name. */
void admin_guard_right(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms);

#endif
