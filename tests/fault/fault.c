/* Counting calls, and the driver that lets each of them fail. */
#include "tests/fault/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#ifdef HS_UNDER_SANITIZER
#define SAMPLES 6 /* of each kind and shape in the ordinary run; each state of the tree draws others */
#else
#define SAMPLES 10
#endif
#define FOREVER UINT64_MAX
#define NEVER   UINT64_MAX

static const char *const KINDS[FAULT_KIND_COUNT] = {
    [FAULT_MEMORY] = "memory",
    [FAULT_DB_FULL] = "LMDB: full",
    [FAULT_DB_MEMORY] = "LMDB: ENOMEM",
    [FAULT_DB_IO] = "LMDB: EIO",
    [FAULT_DB_DAMAGE] = "LMDB: corrupted",
    [FAULT_DB_ODD] = "LMDB: transaction or readers full, panic",
    [FAULT_DB_LATE_IO] = "LMDB: EIO after the commit",
    [FAULT_DB_LATE_FULL] = "LMDB: ENOSPC after the commit",
    [FAULT_FILE_FULL] = "file: ENOSPC",
    [FAULT_FILE_IO] = "file: EIO",
    [FAULT_FILE_SHORT] = "file: half of it",
    [FAULT_SYSTEM] = "nothing left of it",
    [FAULT_SEND] = "send",
    [FAULT_RECEIVE] = "receive",
};

/* The trial at hand. */
static struct {
    const char *name; /* NULL: none */
    enum fault_kind kind;
    uint64_t first;  /* the call that fails */
    uint64_t repeat; /* how many do from then on */
    atomic_bool armed;
    atomic_uint_least64_t calls;
    atomic_uint_least64_t hits;
    const char *_Atomic where; /* the function whose call failed first */
} trial;

static _Thread_local unsigned paused;
static uint64_t seed, state;
static bool all;       /* HS_LONG */
static bool unsampled; /* of this trial */

/* ---- counting ---- */

bool fault_due(enum fault_kind kind, const char *function)
{
    if (paused > 0 || !atomic_load(&trial.armed) || trial.kind != kind)
        return false;
    uint64_t call = atomic_fetch_add(&trial.calls, 1) + 1;
    if (call < trial.first || call - trial.first >= trial.repeat)
        return false;
    if (atomic_fetch_add(&trial.hits, 1) == 0)
        atomic_store(&trial.where, function);
    return true;
}

void fault_pause(void)
{
    paused++;
}

void fault_resume(void)
{
    paused--;
}

void fault_begin(void)
{
    atomic_store(&trial.calls, 0);
    atomic_store(&trial.hits, 0);
    atomic_store(&trial.where, NULL);
    atomic_store(&trial.armed, true);
}

void fault_end(void)
{
    atomic_store(&trial.armed, false);
}

bool fault_hit(void)
{
    return atomic_load(&trial.hits) > 0;
}

enum fault_kind fault_kind(void)
{
    return trial.kind;
}

/* What may be said of a failure: by its kind, so that nobody is told to restore a store because memory was short. */
static bool is_told(enum hs_err err)
{
    switch (trial.kind) {
    case FAULT_MEMORY:
    case FAULT_DB_MEMORY:
        return err == HS_ENOMEM;
    case FAULT_DB_FULL:
    case FAULT_DB_LATE_FULL:
        return err == HS_EFULL;
    case FAULT_DB_IO:
    case FAULT_DB_LATE_IO:
        return err == HS_EIO;
    case FAULT_DB_DAMAGE:
        return err == HS_EDAMAGED;
    case FAULT_DB_ODD:
        return err == HS_EINTERNAL || err == HS_EBUSY || err == HS_EIO;
    case FAULT_FILE_FULL:
        return err == HS_EFULL || err == HS_EIO;
    default:
        return hs_err_class(err) == HS_CLASS_RETRY || hs_err_class(err) == HS_CLASS_OPERATOR;
    }
}

void fault_assert_named(enum hs_err err)
{
    if (!fault_hit())
        assert_int_equal(err, HS_OK);
    if (err != HS_OK && !is_told(err))
        fail_msg("the failure was told as '%s'", hs_err_name(err));
}

/* ---- telling ---- */

/* Also in a signal's handler: nothing here allocates or locks. */
static void tell(void)
{
    char text[512];
    if (trial.name == NULL)
        return;
    const char *where = atomic_load(&trial.where);
    int size = snprintf(text, sizeof text, "\nfault: %s, %s, n = %llu%s, in %s; HS_SEED=%llu%s\n", trial.name,
                        KINDS[trial.kind], (unsigned long long)trial.first,
                        trial.repeat == 1         ? ""
                        : trial.repeat == FOREVER ? " and all after it"
                                                  : " and some after it",
                        where == NULL ? "nothing yet" : where, (unsigned long long)seed, all ? " HS_LONG=1" : "");
    ssize_t written = write(STDERR_FILENO, text, (size_t)size);
    (void)written;
}

static void on_signal(int number)
{
    tell();
    signal(number, SIG_DFL);
    raise(number);
}

#ifdef HS_UNDER_SANITIZER
void __sanitizer_set_death_callback(void (*callback)(void));
#endif

static void begin_once(void)
{
    static bool begun;
    if (begun)
        return;
    begun = true;
    const char *text = getenv("HS_SEED") != NULL ? getenv("HS_SEED") : getenv("HS_TURN");
    const char *long_text = getenv("HS_LONG");
    all = long_text != NULL && strcmp(long_text, "1") == 0;
    if (text != NULL)
        seed = strtoull(text, NULL, 10);
    else
        assert_int_equal(getrandom(&seed, sizeof seed, 0), sizeof seed);
    state = seed | 1;
    print_message("HS_SEED=%llu%s\n", (unsigned long long)seed, all ? " HS_LONG=1" : "");
    signal(SIGABRT, on_signal);
    signal(SIGALRM, on_signal);
#ifdef HS_UNDER_SANITIZER
    __sanitizer_set_death_callback(tell);
#endif
}

/* Is there a trial still, the body did not come to its end. */
int fault_report(void **unused)
{
    (void)unused;
    fault_end();
    tell();
    trial.name = NULL;
    unsampled = false;
    return 0;
}

/* ---- the driver ---- */

static uint64_t draw(uint64_t below)
{
    state ^= state << 13; /* xorshift64 */
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static void run(uint64_t first, uint64_t repeat, fault_body body, void *ctx)
{
    trial.first = first;
    trial.repeat = repeat;
    atomic_store(&trial.hits, 0);
    alarm(60); /* nothing may hang */
    body(ctx);
    alarm(0);
    fault_end();
}

static uint64_t run_all(uint64_t repeat, fault_body body, void *ctx)
{
    run(NEVER, 1, body, ctx);
    uint64_t calls = atomic_load(&trial.calls);
    uint64_t stride = all || unsampled ? 1 : (calls + SAMPLES - 1) / SAMPLES;
    if (calls == 0)
        fail_msg("%s: no call that could fail by '%s'", trial.name, KINDS[trial.kind]);
    for (uint64_t n = 1 + draw(stride);; n += 1 + draw(2 * stride - 1)) {
        run(n, repeat, body, ctx);
        if (!fault_hit())
            return calls;
    }
}

static void each(const char *name, unsigned kinds, const uint64_t repeats[2], fault_body body, void *ctx)
{
    begin_once();
    for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        if ((kinds & FAULT_BIT(kind)) == 0)
            continue;
        trial.name = name;
        trial.kind = (enum fault_kind)kind;
        uint64_t calls = 0;
        for (int i = 0; i < 2 && repeats[i] != 0; i++)
            calls = run_all(repeats[i], body, ctx);
        if (all)
            print_message("%s: %s: %llu calls\n", name, KINDS[kind], (unsigned long long)calls);
        trial.name = NULL;
    }
}

void fault_each(const char *name, unsigned kinds, fault_body body, void *ctx)
{
    each(name, kinds, (const uint64_t[2]){1, FOREVER}, body, ctx);
}

void fault_each_without_sampling(const char *name, unsigned kinds, fault_body body, void *ctx)
{
    unsampled = true;
    fault_each(name, kinds, body, ctx);
    unsampled = false;
}

void fault_each_while(const char *name, unsigned kinds, uint64_t repeat, fault_body body, void *ctx)
{
    each(name, kinds, (const uint64_t[2]){repeat, 0}, body, ctx);
}
