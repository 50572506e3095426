#include "proto/base/thread.h"

#include <assert.h>
#include <errno.h>

#define NS_PER_S 1000000000U

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t hs_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

uint64_t hs_tick_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

struct timespec hs_tick_in_ns(uint64_t ns)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    ns += (uint64_t)at.tv_nsec;
    at.tv_sec += (time_t)(ns / NS_PER_S);
    at.tv_nsec = (long)(ns % NS_PER_S);
    return at;
}

static enum hs_err failed(int error)
{
    return error == 0 ? HS_OK : error == EAGAIN ? HS_ENOMEM : hs_err_from_errno(error);
}

enum hs_err hs_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error != 0)
        return failed(error);
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
    return failed(error);
}

enum hs_err hs_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
    int error = pthread_create(thread, NULL, run, arg);
    if (error != 0)
        return failed(error);
    error = pthread_setname_np(*thread, name); /* fails for a long name, or without /proc: then it has none */
    assert(error != ERANGE);
    return HS_OK;
}
