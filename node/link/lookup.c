#include "node/link/address.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Held by who asked and by the thread; the last one frees it. */
struct hs_lookup {
    char name[HS_ADDRESS_BYTES_MAX + 1];
    struct hs_lookup_answer answer;
    int fd;
    atomic_int holders;
    atomic_bool done;
};

static void let_go(struct hs_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->holders, 1) != 1)
        return;
    close(lookup->fd);
    free(lookup);
}

static void put_address(const struct addrinfo *info, struct hs_lookup_answer *answer)
{
    char host[NI_MAXHOST];
    bool v6 = info->ai_family == AF_INET6;
    if (getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
        return;
    if (strlen(host) + 2 > HS_ADDRESS_BYTES_MAX)
        return;
    snprintf(answer->hosts[answer->count], HS_ADDRESS_BYTES_MAX + 1, v6 ? "[%s]" : "%s", host);
    answer->count++;
}

static void *look_up(void *arg)
{
    struct hs_lookup *lookup = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    lookup->answer.error = getaddrinfo(lookup->name, NULL, &hints, &found);
    if (lookup->answer.error == 0) {
        for (const struct addrinfo *info = found; info != NULL && lookup->answer.count < HS_LOOKUP_ADDRESSES_MAX;
             info = info->ai_next)
            put_address(info, &lookup->answer);
        freeaddrinfo(found);
    }
    atomic_store(&lookup->done, true);
    eventfd_write(lookup->fd, 1);
    let_go(lookup);
    return NULL;
}

static int start_thread(struct hs_lookup *lookup)
{
    pthread_t thread;
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attributes, look_up, lookup);
    pthread_attr_destroy(&attributes);
    return error;
}

enum hs_err hs_lookup_start(const char *name, struct hs_lookup **lookup)
{
    struct hs_lookup *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    snprintf(made->name, sizeof made->name, "%s", name);
    atomic_init(&made->holders, 2);
    atomic_init(&made->done, false);
    made->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int error = made->fd < 0 ? errno : start_thread(made);
    if (error == 0) {
        *lookup = made;
        return HS_OK;
    }
    if (made->fd >= 0)
        close(made->fd);
    free(made);
    return error == EAGAIN || error == EMFILE ? HS_ENOMEM : hs_err_from_errno(error);
}

int hs_lookup_fd(const struct hs_lookup *lookup)
{
    return lookup->fd;
}

bool hs_lookup_take(struct hs_lookup *lookup, struct hs_lookup_answer *answer)
{
    if (!atomic_load(&lookup->done))
        return false;
    *answer = lookup->answer;
    return true;
}

void hs_lookup_free(struct hs_lookup *lookup)
{
    if (lookup != NULL)
        let_go(lookup);
}
