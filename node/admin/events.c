#include "node/admin/events.h"

#include "proto/base/buf.h"
#include "proto/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 16384
#define TEXT_BYTES  64 /* of a session, or a user's name */

struct event {
    uint8_t *text;
    size_t size;
};

struct watcher {
    struct watcher *next;
    struct admin_events *events;
    struct MHD_Connection *connection;
    char user[TEXT_BYTES], session[TEXT_BYTES];
    const char *saying; /* before the next event: a constant; NULL: nothing */
    size_t said;        /* of it, or of the event */
    uint64_t at;        /* number of the next event */
    bool asleep;        /* suspended until there is something */
    bool ending;        /* when @saying is said */
};

struct admin_events {
    pthread_mutex_t lock;
    uint32_t life; /* numbers of another life of the program mean nothing here */
    struct event ring[ADMIN_EVENTS_MAX];
    uint64_t first, next; /* numbers of the oldest that is kept, and of the one to come */
    size_t bytes;
    struct watcher *watchers;
    unsigned count;
    bool shut;
};

static const char HELLO[] = "retry: 2000\n\n";
static const char RELOAD[] = "retry: 2000\n\nevent: reload\ndata: {}\n\n";
static const char BYE[] = "event: bye\ndata: {}\n\n";

enum hs_err admin_events_new(struct admin_events **made)
{
    struct admin_events *events = calloc(1, sizeof *events);
    if (events == NULL)
        return HS_ENOMEM;
    pthread_mutex_init(&events->lock, NULL);
    events->life = randombytes_random();
    events->first = events->next = 1;
    *made = events;
    return HS_OK;
}

static void forget_oldest(struct admin_events *events)
{
    struct event *event = &events->ring[events->first++ % ADMIN_EVENTS_MAX];
    events->bytes -= event->size;
    free(event->text);
    *event = (struct event){0};
}

void admin_events_free(struct admin_events *events)
{
    if (events == NULL)
        return;
    assert(events->watchers == NULL);
    while (events->first != events->next)
        forget_oldest(events);
    pthread_mutex_destroy(&events->lock);
    free(events);
}

static void wake(struct watcher *watcher)
{
    if (!watcher->asleep)
        return;
    watcher->asleep = false;
    MHD_resume_connection(watcher->connection);
}

static void end(struct watcher *watcher, const char *saying)
{
    watcher->ending = true;
    watcher->saying = saying;
    watcher->said = 0;
    wake(watcher);
}

void admin_events_shut(struct admin_events *events)
{
    pthread_mutex_lock(&events->lock);
    events->shut = true;
    for (struct watcher *watcher = events->watchers; watcher != NULL; watcher = watcher->next)
        end(watcher, NULL);
    pthread_mutex_unlock(&events->lock);
}

void admin_events_open(struct admin_events *events)
{
    pthread_mutex_lock(&events->lock);
    events->shut = false;
    pthread_mutex_unlock(&events->lock);
}

/* Its number is nobody's, and whoever is before it has missed it. */
static void lose(struct admin_events *events)
{
    while (events->first != events->next)
        forget_oldest(events);
    events->first = ++events->next;
}

static void wake_all(struct admin_events *events)
{
    for (struct watcher *watcher = events->watchers; watcher != NULL; watcher = watcher->next)
        wake(watcher);
}

void admin_events_lost(struct admin_events *events)
{
    pthread_mutex_lock(&events->lock);
    lose(events);
    wake_all(events);
    pthread_mutex_unlock(&events->lock);
}

void admin_events_put(struct admin_events *events, const char *event, const char *data)
{
    struct hs_buf text = {0};
    assert(strchr(data, '\n') == NULL);
    pthread_mutex_lock(&events->lock);
    hs_buf_put_format(&text, "id: %08" PRIx32 "-%" PRIu64 "\nevent: %s\ndata: ", events->life, events->next, event);
    hs_buf_put(&text, data, strlen(data));
    hs_buf_put(&text, "\n\n", 2);
    if (text.err == HS_OK && text.size <= ADMIN_EVENTS_BYTES_MAX) {
        while (events->next - events->first == ADMIN_EVENTS_MAX ||
               (events->first != events->next && events->bytes + text.size > ADMIN_EVENTS_BYTES_MAX))
            forget_oldest(events);
        events->ring[events->next++ % ADMIN_EVENTS_MAX] = (struct event){text.data, text.size};
        events->bytes += text.size;
        text = (struct hs_buf){0};
    } else {
        lose(events);
    }
    wake_all(events);
    pthread_mutex_unlock(&events->lock);
    hs_buf_fini(&text);
}

void admin_events_check(struct admin_events *events, admin_session_holds holds, void *ctx)
{
    pthread_mutex_lock(&events->lock);
    for (struct watcher *watcher = events->watchers; watcher != NULL; watcher = watcher->next) {
        if (!watcher->ending && watcher->said == 0 && !holds(ctx, watcher->session))
            end(watcher, BYE);
    }
    pthread_mutex_unlock(&events->lock);
}

/* ---- the reader of one watcher, on libmicrohttpd's thread ---- */

static size_t copy(struct watcher *watcher, const void *from, size_t size, char *to, size_t room)
{
    size_t bytes = size - watcher->said < room ? size - watcher->said : room;
    memcpy(to, (const char *)from + watcher->said, bytes);
    watcher->said += bytes;
    return bytes;
}

static ssize_t read_on(struct watcher *watcher, char *to, size_t room)
{
    struct admin_events *events = watcher->events;
    size_t bytes = 0;
    if (watcher->saying != NULL) {
        bytes = copy(watcher, watcher->saying, strlen(watcher->saying), to, room);
        if (watcher->said == strlen(watcher->saying)) {
            watcher->saying = NULL;
            watcher->said = 0;
        }
        return (ssize_t)bytes;
    }
    if (watcher->ending || watcher->at < events->first)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (watcher->at == events->next) {
        watcher->asleep = true;
        MHD_suspend_connection(watcher->connection);
        return 0;
    }
    const struct event *event = &events->ring[watcher->at % ADMIN_EVENTS_MAX];
    bytes = copy(watcher, event->text, event->size, to, room);
    if (watcher->said == event->size) {
        watcher->at++;
        watcher->said = 0;
    }
    return (ssize_t)bytes;
}

static ssize_t read_events(void *ctx, uint64_t position, char *to, size_t room)
{
    struct watcher *watcher = ctx;
    (void)position;
    pthread_mutex_lock(&watcher->events->lock);
    ssize_t bytes = read_on(watcher, to, room);
    pthread_mutex_unlock(&watcher->events->lock);
    return bytes;
}

static void leave(void *ctx)
{
    struct watcher *watcher = ctx;
    struct admin_events *events = watcher->events;
    pthread_mutex_lock(&events->lock);
    struct watcher **at = &events->watchers;
    while (*at != watcher)
        at = &(*at)->next;
    *at = watcher->next;
    events->count--;
    pthread_mutex_unlock(&events->lock);
    sodium_memzero(watcher, sizeof *watcher);
    free(watcher);
}

/* ---- to watch ---- */

/* Behind that event, if it and all since are known; else the page has to ask for everything again. */
static void place(struct watcher *watcher, const char *last_id)
{
    struct admin_events *events = watcher->events;
    uint8_t life[sizeof events->life];
    int64_t number = -1;
    watcher->at = events->next;
    watcher->saying = HELLO;
    if (last_id == NULL || last_id[0] == '\0')
        return;
    size_t size = strlen(last_id), digits = 2 * sizeof life;
    bool known = size > digits && hs_text_from_hex(last_id, digits, life, sizeof life) == HS_OK &&
                 hs_from_be32(life) == events->life && last_id[digits] == '-' &&
                 hs_text_to_i64(last_id + digits + 1, size - digits - 1, &number) == HS_OK && number >= 0 &&
                 (uint64_t)number + 1 >= events->first && (uint64_t)number < events->next;
    if (known)
        watcher->at = (uint64_t)number + 1;
    else
        watcher->saying = RELOAD;
}

static bool room_for(const struct admin_events *events, const char *user)
{
    unsigned of_user = 0;
    for (const struct watcher *watcher = events->watchers; watcher != NULL; watcher = watcher->next)
        of_user += strcmp(watcher->user, user) == 0;
    return !events->shut && events->count < ADMIN_WATCHERS_MAX && of_user < ADMIN_WATCHERS_OF_USER_MAX;
}

struct MHD_Response *admin_events_watch(struct admin_events *events, struct MHD_Connection *connection,
                                        const char *user, const char *session, const char *last_id)
{
    struct MHD_Response *response = NULL;
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL)
        return NULL;
    pthread_mutex_lock(&events->lock);
    if (room_for(events, user))
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_events, watcher, leave);
    if (response != NULL) {
        watcher->events = events;
        watcher->connection = connection;
        snprintf(watcher->user, sizeof watcher->user, "%s", user);
        snprintf(watcher->session, sizeof watcher->session, "%s", session);
        place(watcher, last_id);
        watcher->next = events->watchers;
        events->watchers = watcher;
        events->count++;
    }
    pthread_mutex_unlock(&events->lock);
    if (response == NULL)
        free(watcher);
    return response;
}
