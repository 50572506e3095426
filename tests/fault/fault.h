/* fault.h -- the n-th call fails: allocations, LMDB, files, sockets.
 *
 * Production code has no hooks: the linker gives its calls of malloc, mdb_put, pwrite, zmq_send and so on to the
 * functions of fault_*.c (--wrap), which count, and fail when it is time.  Calls inside shared libraries are their own.
 *
 * A body is one attempt at something: it prepares, calls fault_begin(), does it, calls fault_end(), and then looks
 * whether what was promised holds.  fault_each() runs it without a fault, then once for each n until the n-th call is
 * not reached any more; in the ordinary test run for a seeded sample of them, with HS_LONG=1 for all.  Both shapes of
 * failure are tried: this one call; and this one with all that follow, until fault_end(). */
#ifndef HS_TESTS_FAULT_H
#define HS_TESTS_FAULT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/err.h"

#include <stdbool.h>

/* What fails, and how. */
enum fault_kind {
    FAULT_MEMORY,       /* an allocation */
    FAULT_DB_FULL,      /* what writes: MDB_MAP_FULL; a commit: ENOSPC */
    FAULT_DB_MEMORY,    /* any call: ENOMEM */
    FAULT_DB_IO,        /* any call: EIO */
    FAULT_DB_DAMAGE,    /* what reads or writes: MDB_CORRUPTED */
    FAULT_DB_ODD,       /* the codes that are left: MDB_TXN_FULL, MDB_READERS_FULL, MDB_PANIC */
    FAULT_DB_LATE_IO,   /* a commit that reached the disk says EIO */
    FAULT_DB_LATE_FULL, /* the same with ENOSPC */
    FAULT_FILE_FULL,    /* what makes a file longer or makes one: ENOSPC */
    FAULT_FILE_IO,      /* any call: EIO */
    FAULT_FILE_SHORT,   /* half of the bytes are read or written */
    FAULT_SYSTEM,       /* no descriptor, socket, thread is left, or the address is taken */
    FAULT_SEND,         /* a message cannot be sent now: EAGAIN, EHOSTUNREACH */
    FAULT_RECEIVE,      /* EINTR, EAGAIN */
    FAULT_KIND_COUNT,
};
#define FAULT_BIT(kind)  (1u << (kind))
#define FAULT_OF_MEMORY  FAULT_BIT(FAULT_MEMORY)
#define FAULT_OF_LATE    (FAULT_BIT(FAULT_DB_LATE_IO) | FAULT_BIT(FAULT_DB_LATE_FULL))
#define FAULT_OF_READING (FAULT_BIT(FAULT_DB_MEMORY) | FAULT_BIT(FAULT_DB_IO) | FAULT_BIT(FAULT_DB_DAMAGE))
#define FAULT_OF_DB      (FAULT_OF_READING | FAULT_BIT(FAULT_DB_FULL) | FAULT_BIT(FAULT_DB_ODD))
#define FAULT_OF_FILES   (FAULT_BIT(FAULT_FILE_FULL) | FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_SHORT))
#define FAULT_OF_SOCKETS (FAULT_BIT(FAULT_SYSTEM) | FAULT_BIT(FAULT_SEND) | FAULT_BIT(FAULT_RECEIVE))

/* ---- for the tests ---- */

/* One attempt; @ctx is fault_each's. */
typedef void (*fault_body)(void *ctx);

/* All n of all @kinds (bits).  Every kind must be met by the body at least once, or it is not worth its name. */
void fault_each(const char *name, unsigned kinds, fault_body body, void *ctx);
/* The same without sampling: of what is quick and once went wrong. */
void fault_each_without_sampling(const char *name, unsigned kinds, fault_body body, void *ctx);
/* A disk that is full for a while: the n-th call and the @repeat - 1 after it fail, for all n. */
void fault_each_while(const char *name, unsigned kinds, uint64_t repeat, fault_body body, void *ctx);

/* The calls between these two count; those of this thread between fault_pause() and fault_resume() do not. */
void fault_begin(void);
void fault_end(void);
void fault_pause(void);
void fault_resume(void);

bool fault_hit(void); /* did a call fail since fault_begin()? */
enum fault_kind fault_kind(void);

/* HS_OK if nothing failed; else HS_OK or the error that the failure should be told as. */
void fault_assert_named(enum hs_err err);

/* Seeds, what is run of the n, and what to print when it ends badly.  Teardown of every test of a body. */
int fault_report(void **state);
#define fault_test(test) cmocka_unit_test_teardown(test, fault_report)

/* ---- for fault_*.c ---- */

/* Count a call that could fail in this way; true: it is to fail. */
bool fault_due(enum fault_kind kind, const char *function);

#endif
