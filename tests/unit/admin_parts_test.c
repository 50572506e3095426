/* admin_parts_test.c -- what holds the console's load: the ring of events and its watchers (libmicrohttpd's calls are
 * the test's), connections by a clock of the test's own, pools of workers. */
#include "node/admin/conns.h"
#include "node/admin/events.h"
#include "node/admin/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- libmicrohttpd, as far as a watcher sees it: one connection for each ---- */

#define STREAMS_MAX (ADMIN_WATCHERS_MAX + 1)

struct stream {
    bool open, asleep;
    MHD_ContentReaderCallback read;
    MHD_ContentReaderFreeCallback leave;
    void *ctx;
};
static struct stream streams[STREAMS_MAX];
static struct stream *opening;

struct MHD_Response *__wrap_MHD_create_response_from_callback(uint64_t size, size_t block,
                                                              MHD_ContentReaderCallback read, void *ctx,
                                                              MHD_ContentReaderFreeCallback leave);
struct MHD_Response *__wrap_MHD_create_response_from_callback(uint64_t size, size_t block,
                                                              MHD_ContentReaderCallback read, void *ctx,
                                                              MHD_ContentReaderFreeCallback leave)
{
    assert_true(size == MHD_SIZE_UNKNOWN && block > 0);
    *opening = (struct stream){.open = true, .read = read, .leave = leave, .ctx = ctx};
    return (void *)opening;
}

void __wrap_MHD_suspend_connection(struct MHD_Connection *connection);
void __wrap_MHD_suspend_connection(struct MHD_Connection *connection)
{
    struct stream *stream = (void *)connection;
    assert_false(stream->asleep);
    stream->asleep = true;
}

void __wrap_MHD_resume_connection(struct MHD_Connection *connection);
void __wrap_MHD_resume_connection(struct MHD_Connection *connection)
{
    struct stream *stream = (void *)connection;
    assert_true(stream->asleep);
    stream->asleep = false;
}

static struct stream *watch(struct admin_events *events, const char *user, const char *last_id)
{
    for (opening = streams; opening->open; opening++)
        assert_true(opening < streams + STREAMS_MAX - 1);
    struct MHD_Response *response = admin_events_watch(events, (struct MHD_Connection *)opening, user, "session",
                                                       last_id);
    return response != NULL ? opening : NULL;
}

static void leave(struct stream *stream)
{
    stream->leave(stream->ctx);
    stream->open = false;
}

/* All that there is for it now, in pieces of @room; "END" behind it when the stream is over. */
static const char *all_of(struct stream *stream, size_t room)
{
    static char text[8192];
    size_t size = 0;
    char piece[256];
    while (!stream->asleep) {
        ssize_t bytes = stream->read(stream->ctx, size, piece, room);
        if (bytes < 0) {
            memcpy(text + size, "END", 4);
            return text;
        }
        assert_true((size_t)bytes <= room && size + (size_t)bytes < sizeof text - 4);
        memcpy(text + size, piece, (size_t)bytes);
        size += (size_t)bytes;
    }
    text[size] = '\0';
    return text;
}

static bool has(const char *text, const char *what)
{
    return strstr(text, what) != NULL;
}

/* The number of the last event in a text, as its id says it. */
static const char *id_in(const char *text, char id[static 40])
{
    const char *at = NULL;
    for (const char *next = strstr(text, "id: "); next != NULL; next = strstr(next + 1, "id: "))
        at = next;
    assert_non_null(at);
    snprintf(id, 40, "%.*s", (int)strcspn(at + 4, "\n"), at + 4);
    return id;
}

static struct admin_events *events_new(void)
{
    struct admin_events *events;
    assert_int_equal(admin_events_new(&events), HS_OK);
    return events;
}

static void told_as_it_comes(void **state)
{
    (void)state;
    char id[40];
    struct admin_events *events = events_new();
    admin_events_put(events, "before", "{}");
    struct stream *first = watch(events, "li", NULL);
    assert_string_equal(all_of(first, 3), "retry: 2000\n\n");
    assert_true(first->asleep);
    admin_events_put(events, "status", "{\"a\":1}");
    assert_false(first->asleep);
    const char *text = all_of(first, 5);
    assert_true(has(text, "\nevent: status\ndata: {\"a\":1}\n\n"));
    id_in(text, id);
    admin_events_put(events, "status", "{\"a\":2}");
    admin_events_put(events, "alarm", "{}");
    struct stream *again = watch(events, "li", id);
    text = all_of(again, 256);
    assert_true(has(text, "{\"a\":2}") && has(text, "event: alarm") && !has(text, "{\"a\":1}") && !has(text, "reload"));
    leave(first);
    leave(again);
    admin_events_free(events);
}

static void asked_for_what_is_not_known(void **state)
{
    (void)state;
    static const char *const UNKNOWN[] = {"x", "00000000-1", "00000001-1", "-1", "1", "zzzzzzzz-1", "0000000000000000"};
    char id[40], other[48];
    struct admin_events *events = events_new();
    struct stream *stream = watch(events, "li", NULL);
    (void)all_of(stream, 100);
    admin_events_put(events, "status", "{}");
    id_in(all_of(stream, 100), id);
    for (size_t i = 0; i < sizeof UNKNOWN / sizeof *UNKNOWN; i++) {
        struct stream *asks = watch(events, "li", UNKNOWN[i]);
        assert_true(has(all_of(asks, 100), "event: reload\n"));
        leave(asks);
    }
    id[9] = '\0'; /* this life, and numbers that there are not */
    static const char *const NUMBERS[] = {"999", "-1", "", "1x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        snprintf(other, sizeof other, "%s%s", id, NUMBERS[i]);
        struct stream *asks = watch(events, "li", other);
        assert_true(has(all_of(asks, 100), "event: reload\n"));
        leave(asks);
    }
    leave(stream);
    admin_events_free(events);
}

/* Who does not read is dropped when what he has not read goes; and does not make the program hold more for him. */
static void slow_ones_are_dropped(void **state)
{
    (void)state;
    struct admin_events *events = events_new();
    struct stream *slow = watch(events, "li", NULL), *half = watch(events, "li", NULL);
    (void)all_of(slow, 100);
    (void)all_of(half, 100);
    for (unsigned i = 0; i < ADMIN_EVENTS_MAX; i++)
        admin_events_put(events, "status", "{}");
    char bytes[10];
    assert_int_equal(half->read(half->ctx, 0, bytes, sizeof bytes), 10); /* in the midst of the first */
    admin_events_put(events, "status", "{}");
    assert_int_equal(slow->read(slow->ctx, 0, bytes, sizeof bytes), MHD_CONTENT_READER_END_OF_STREAM);
    assert_int_equal(half->read(half->ctx, 0, bytes, sizeof bytes), MHD_CONTENT_READER_END_OF_STREAM);
    leave(slow);
    leave(half);
    admin_events_free(events);
}

/* What could not be told to anybody: all come again, and are told that they lack something. */
static void what_was_lost_is_asked_for(void **state)
{
    (void)state;
    char id[40];
    struct admin_events *events = events_new();
    struct stream *stream = watch(events, "li", NULL);
    admin_events_put(events, "status", "{}");
    id_in(all_of(stream, 100), id);
    assert_true(stream->asleep);
    admin_events_lost(events);
    assert_string_equal(all_of(stream, 100), "END");
    leave(stream);
    stream = watch(events, "li", id);
    assert_true(has(all_of(stream, 100), "event: reload\n"));
    admin_events_put(events, "status", "{}");
    id_in(all_of(stream, 100), id);
    leave(stream);
    stream = watch(events, "li", id);
    assert_false(has(all_of(stream, 100), "event: reload\n"));
    leave(stream);
    admin_events_free(events);
}

static void bounded_in_bytes(void **state)
{
    (void)state;
    struct admin_events *events = events_new();
    size_t size = ADMIN_EVENTS_BYTES_MAX / 4;
    char *data = malloc(ADMIN_EVENTS_BYTES_MAX + 1);
    char id[40];
    assert_non_null(data);
    struct stream *stream = watch(events, "li", NULL);
    (void)all_of(stream, 100);
    admin_events_put(events, "status", "{}");
    id_in(all_of(stream, 100), id);
    memset(data, '1', size);
    data[size] = '\0';
    for (unsigned i = 0; i < 4; i++)
        admin_events_put(events, "status", data);
    struct stream *asks = watch(events, "li", id); /* the first of these has gone for the last */
    assert_true(has(all_of(asks, 100), "event: reload\n"));
    leave(asks);
    leave(stream);
    memset(data, '1', ADMIN_EVENTS_BYTES_MAX);
    data[ADMIN_EVENTS_BYTES_MAX] = '\0';
    stream = watch(events, "li", NULL);
    (void)all_of(stream, 100);
    admin_events_put(events, "status", data); /* what nobody can be told: all begin anew */
    assert_true(has(all_of(stream, 100), "END"));
    leave(stream);
    free(data);
    admin_events_free(events);
}

static bool holds(void *ctx, const char *session)
{
    assert_string_equal(session, "session");
    return *(const bool *)ctx;
}

static void sessions_end(void **state)
{
    (void)state;
    bool still = true;
    struct admin_events *events = events_new();
    struct stream *stream = watch(events, "li", NULL);
    (void)all_of(stream, 100);
    admin_events_check(events, holds, &still);
    assert_true(stream->asleep);
    still = false;
    admin_events_check(events, holds, &still);
    assert_string_equal(all_of(stream, 100), "event: bye\ndata: {}\n\nEND");
    leave(stream);
    admin_events_free(events);
}

static void bounded_in_watchers(void **state)
{
    (void)state;
    char user[16];
    struct stream *all[ADMIN_WATCHERS_MAX];
    struct admin_events *events = events_new();
    for (unsigned i = 0; i < ADMIN_WATCHERS_MAX; i++) {
        snprintf(user, sizeof user, "u%u", i / ADMIN_WATCHERS_OF_USER_MAX);
        all[i] = watch(events, user, NULL);
        assert_non_null(all[i]);
        if (i + 1 == ADMIN_WATCHERS_OF_USER_MAX) {
            assert_null(watch(events, user, NULL));
            streams[i + 1].open = false;
        }
    }
    assert_null(watch(events, "another", NULL));
    (void)all_of(all[0], 100);
    admin_events_shut(events);
    for (unsigned i = 0; i < ADMIN_WATCHERS_MAX; i++) {
        assert_true(has(all_of(all[i], 100), "END"));
        leave(all[i]);
    }
    assert_null(watch(events, "li", NULL));
    admin_events_open(events);
    struct stream *stream = watch(events, "li", NULL);
    assert_non_null(stream);
    leave(stream);
    admin_events_free(events);
}

/* ---- connections ---- */

static bool is_shut(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void slow_connections_are_ended(void **state)
{
    (void)state;
    struct admin_conns *conns;
    int pair[2];
    assert_int_equal(admin_conns_new(&conns), HS_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct admin_conn *conn = admin_conn_open(conns, pair[0], 1000);
    assert_int_equal(admin_conns_tick(conns, 999), 0); /* read before it was opened */
    assert_int_equal(admin_conns_tick(conns, 1000 + ADMIN_ASK_MS_MAX - 1), 0);
    assert_false(is_shut(pair[1]));
    int asks[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, asks), 0);
    struct admin_conn *other = admin_conn_open(conns, asks[0], 999);
    assert_int_equal(admin_conns_tick(conns, 999 + ADMIN_ASK_MS_MAX), 1);
    assert_true(is_shut(asks[1]) && !is_shut(pair[1]));
    admin_conn_close(conns, other);
    admin_conn_now(conns, conn, ADMIN_CONN_WAITS, 2000);
    assert_int_equal(admin_conns_tick(conns, 1000 + 10 * ADMIN_ANSWER_MS_MAX),
                     0); /* for us it waits as long as it takes */
    admin_conn_now(conns, conn, ADMIN_CONN_WATCHES, 2000);
    assert_int_equal(admin_conns_tick(conns, 1000 + 10 * ADMIN_ANSWER_MS_MAX), 0);
    admin_conn_now(conns, conn, ADMIN_CONN_ANSWERS, 2000);
    assert_int_equal(admin_conns_tick(conns, 2000 + ADMIN_ANSWER_MS_MAX - 1), 0);
    assert_int_equal(admin_conns_tick(conns, 2000 + ADMIN_ANSWER_MS_MAX), 1);
    assert_true(is_shut(pair[1]));
    admin_conn_close(conns, conn);
    assert_int_equal(admin_conns_tick(conns, 2000 + 10 * ADMIN_ANSWER_MS_MAX), 0);
    for (unsigned i = 0; i < ADMIN_CONNS_MAX; i++)
        assert_non_null(admin_conn_open(conns, pair[0], 0));
    assert_null(admin_conn_open(conns, pair[0], 0));
    admin_conn_close(conns, NULL);
    admin_conn_now(conns, NULL, ADMIN_CONN_ASKS, 0);
    admin_conns_free(conns);
    for (unsigned i = 0; i < 2; i++) {
        close(pair[i]);
        close(asks[i]);
    }
}

/* ---- workers ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned begun, done;
static bool closed;

static void run(void *job, struct hallsync *node)
{
    assert_null(node);
    pthread_mutex_lock(&lock);
    begun++;
    pthread_cond_broadcast(&changed);
    while (closed)
        pthread_cond_wait(&changed, &lock);
    done += *(unsigned *)job;
    pthread_mutex_unlock(&lock);
}

static void pools_are_bounded(void **state)
{
    (void)state;
    unsigned one = 1;
    struct admin_work *work;
    const struct admin_work_options options = {.name = "test", .threads = 2, .queue_max = 3, .run = run};
    closed = true;
    assert_int_equal(admin_work_new(&options, &work), HS_OK);
    for (unsigned i = 0; i < 2; i++)
        assert_true(admin_work_put(work, &one));
    pthread_mutex_lock(&lock);
    while (begun < 2)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < 3; i++)
        assert_true(admin_work_put(work, &one));
    assert_false(admin_work_put(work, &one)); /* two at work, three wait */
    pthread_mutex_lock(&lock);
    closed = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    admin_work_stop(work); /* what waits is done */
    assert_int_equal(done, 5);
    assert_false(admin_work_put(work, &one));
    admin_work_free(work);
    admin_work_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_as_it_comes),      cmocka_unit_test(asked_for_what_is_not_known),
        cmocka_unit_test(slow_ones_are_dropped), cmocka_unit_test(what_was_lost_is_asked_for),
        cmocka_unit_test(bounded_in_bytes),      cmocka_unit_test(sessions_end),
        cmocka_unit_test(bounded_in_watchers),   cmocka_unit_test(slow_connections_are_ended),
        cmocka_unit_test(pools_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
