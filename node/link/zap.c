#include "node/link/zap.h"

#include "node/link/keyset.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINT      "inproc://zeromq.zap.01"
#define VERSION       "1.0"
#define MECHANISM     "CURVE"
#define ID_BYTES_MAX  64
#define MS_PER_SECOND 1000
#define EXPECTED_MAX  256 /* unknown_max is at most this */

enum { PART_VERSION, PART_ID, PART_DOMAIN, PART_ADDRESS, PART_ROUTING, PART_MECHANISM, PART_KEY, PART_COUNT };

/* A stranger who was let in and has not sent a frame yet. */
struct expected {
    struct hs_key key;
    uint64_t until_ms;
};

struct hs_zap {
    struct hs_link_base *base;
    void *socket; /* the thread's */
    pthread_t thread;
    unsigned unknown_max;
    uint64_t credit; /* the thread's: when the next stranger is due at an even pace */

    pthread_mutex_t lock;
    /* under the lock */
    struct hs_keyset known;
    size_t strangers; /* connected */
    struct expected expected[EXPECTED_MAX];
    size_t expected_count;
};

/* ---- judgement ---- */

void hs_zap_know(struct hs_zap *zap, const struct hs_key *key)
{
    pthread_mutex_lock(&zap->lock);
    hs_keyset_add(&zap->known, key); /* one that finds no room stays a stranger: bounded, not shut out */
    pthread_mutex_unlock(&zap->lock);
}

bool hs_zap_knows(struct hs_zap *zap, const struct hs_key *key)
{
    pthread_mutex_lock(&zap->lock);
    bool known = hs_keyset_has(&zap->known, key);
    pthread_mutex_unlock(&zap->lock);
    return known;
}

void hs_zap_set_strangers(struct hs_zap *zap, size_t connected)
{
    pthread_mutex_lock(&zap->lock);
    zap->strangers = connected;
    pthread_mutex_unlock(&zap->lock);
}

/* Forget the one with this key, and those who did not come in time. */
static void settle(struct hs_zap *zap, const struct hs_key *key, uint64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < zap->expected_count; i++) {
        if (zap->expected[i].until_ms > now_ms && !hs_key_equal(&zap->expected[i].key, key))
            zap->expected[kept++] = zap->expected[i];
    }
    zap->expected_count = kept;
}

void hs_zap_arrived(struct hs_zap *zap, const struct hs_key *key)
{
    pthread_mutex_lock(&zap->lock);
    settle(zap, key, hs_link_now_ms());
    pthread_mutex_unlock(&zap->lock);
}

/* unknown_max strangers a second, and after a pause as many at once. */
static bool within_rate(struct hs_zap *zap, uint64_t now_ms)
{
    uint64_t now = now_ms * zap->unknown_max; /* in units of which a stranger costs a thousand */
    if (zap->credit > now + (uint64_t)(zap->unknown_max - 1) * MS_PER_SECOND)
        return false;
    zap->credit = (zap->credit > now ? zap->credit : now) + MS_PER_SECOND;
    return true;
}

/* One who comes again before his first frame takes his own place. */
static bool admits(struct hs_zap *zap, const struct hs_key *key)
{
    uint64_t now = hs_link_now_ms();
    pthread_mutex_lock(&zap->lock);
    bool admitted = hs_keyset_has(&zap->known, key);
    if (!admitted) {
        settle(zap, key, now);
        admitted = zap->strangers + zap->expected_count < zap->unknown_max && within_rate(zap, now);
        if (admitted)
            zap->expected[zap->expected_count++] = (struct expected){*key, now + HS_ZAP_FIRST_FRAME_MS};
    }
    pthread_mutex_unlock(&zap->lock);
    return admitted;
}

/* ---- one request ---- */

struct request {
    uint8_t id[ID_BYTES_MAX];
    size_t id_size;
    struct hs_key key;
    bool valid;
};

static bool part_is(zmq_msg_t *part, const char *text)
{
    return zmq_msg_size(part) == strlen(text) && memcmp(zmq_msg_data(part), text, strlen(text)) == 0;
}

static void read_part(zmq_msg_t *part, int index, struct request *request)
{
    size_t size = zmq_msg_size(part);
    if (index == PART_VERSION)
        request->valid = part_is(part, VERSION);
    if (index == PART_MECHANISM)
        request->valid = request->valid && part_is(part, MECHANISM);
    if (index == PART_ID && size <= ID_BYTES_MAX) {
        memcpy(request->id, zmq_msg_data(part), size);
        request->id_size = size;
    }
    if (index == PART_KEY && size == sizeof request->key.bytes)
        memcpy(request->key.bytes, zmq_msg_data(part), size);
    else if (index >= PART_KEY)
        request->valid = false;
}

/* Waits; false: the context is shutting down. */
static bool read_request(void *socket, struct request *request)
{
    zmq_msg_t part;
    int index = 0;
    bool more = true;
    *request = (struct request){0};
    zmq_msg_init(&part);
    while (more) {
        if (zmq_msg_recv(&part, socket, 0) < 0) {
            if (zmq_errno() == EINTR)
                continue;
            break;
        }
        read_part(&part, index, request);
        more = zmq_msg_more(&part) != 0;
        index++;
    }
    zmq_msg_close(&part);
    request->valid = request->valid && index == PART_COUNT;
    return !more;
}

static void put(void *socket, const void *data, size_t size, int flags)
{
    zmq_send(socket, data, size, flags); /* fails only when the context shuts down: the next read sees that */
}

/* A stranger is told to come back (300, closed without a word) rather than refused for good. */
static void answer(void *socket, const struct request *request, bool admitted)
{
    char user[HS_ZAP_USER_BYTES];
    hs_text_to_hex(HS_BYTES(request->key.bytes, sizeof request->key.bytes), user);
    const char *status = admitted ? "200" : request->valid ? "300" : "400";
    put(socket, VERSION, sizeof VERSION - 1, ZMQ_SNDMORE);
    put(socket, request->id, request->id_size, ZMQ_SNDMORE);
    put(socket, status, strlen(status), ZMQ_SNDMORE);
    put(socket, "", 0, ZMQ_SNDMORE);
    put(socket, user, admitted ? sizeof user - 1 : 0, ZMQ_SNDMORE);
    put(socket, "", 0, 0);
}

/* ---- the thread ---- */

static void *answer_all(void *arg)
{
    struct hs_zap *zap = arg;
    struct request request;
    while (read_request(zap->socket, &request)) {
        bool admitted = request.valid && admits(zap, &request.key);
        if (!admitted)
            hs_base_count(zap->base, HS_LINK_REFUSED_KEYS, 1);
        answer(zap->socket, &request, admitted);
    }
    hs_sock_close(&zap->socket);
    return NULL;
}

enum hs_err hs_zap_start(struct hs_link_base *base, unsigned unknown_max, struct hs_zap **zap)
{
    enum hs_err err = HS_ENOMEM;
    struct hs_zap *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    made->base = base;
    made->unknown_max = unknown_max < EXPECTED_MAX ? unknown_max : EXPECTED_MAX;
    pthread_mutex_init(&made->lock, NULL);
    made->socket = hs_sock_new(base->context, ZMQ_REP, NULL, 0, &err);
    if (made->socket != NULL && zmq_bind(made->socket, ENDPOINT) != 0)
        err = hs_sock_err(zmq_errno());
    if (err == HS_OK)
        err = hs_thread_start(&made->thread, "zap", answer_all, made);
    if (err == HS_OK) {
        *zap = made;
        return HS_OK;
    }
    hs_sock_close(&made->socket);
    pthread_mutex_destroy(&made->lock);
    free(made);
    return err;
}

void hs_zap_stop(struct hs_zap *zap)
{
    if (zap == NULL)
        return;
    pthread_join(zap->thread, NULL);
    pthread_mutex_destroy(&zap->lock);
    hs_keyset_fini(&zap->known);
    free(zap);
}
