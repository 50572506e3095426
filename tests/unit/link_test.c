/* link_test.c -- node/link: connections, frames, ends, strangers and addresses. */
#include "tests/unit/link_ends.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

/* ---- helpers ---- */

/* A zmq socket of our own making, with CURVE (@keys) or without. */
static void *raw_dealer(void *context, const char *address, const struct pair *keys, const struct hs_key *hub)
{
    int zero = 0;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    assert_non_null(socket);
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    if (keys != NULL) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, hub->bytes, HS_KEY_BYTES);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key.bytes, HS_KEY_BYTES);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret, HS_KEY_BYTES);
    }
    assert_int_equal(zmq_connect(socket, address), 0);
    return socket;
}

/* ---- a relay: all bytes pass through it, and are kept; it can go silent ---- */

struct relay {
    int listener;
    uint16_t to_port;
    char address[64];
    pthread_t thread;
    atomic_bool stop, silent;
    pthread_mutex_t lock;
    struct hs_buf seen;
};

static uint16_t port_of(const char *address)
{
    return (uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10);
}

static struct sockaddr_in local(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static bool pass_on(struct relay *relay, int from, int to)
{
    uint8_t bytes[65536];
    ssize_t got = recv(from, bytes, sizeof bytes, 0);
    if (got <= 0)
        return false;
    pthread_mutex_lock(&relay->lock);
    hs_buf_put(&relay->seen, bytes, (size_t)got);
    pthread_mutex_unlock(&relay->lock);
    return atomic_load(&relay->silent) || send(to, bytes, (size_t)got, MSG_NOSIGNAL) == got;
}

static void relay_one(struct relay *relay, int client)
{
    struct sockaddr_in address = local(relay->to_port);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    bool open = connect(server, (struct sockaddr *)&address, sizeof address) == 0;
    while (open && !atomic_load(&relay->stop)) {
        struct pollfd fds[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
        poll(fds, 2, 20);
        if (fds[0].revents != 0)
            open = pass_on(relay, client, server);
        if (open && fds[1].revents != 0)
            open = pass_on(relay, server, client);
    }
    close(server);
    close(client);
}

static void *run_relay(void *arg)
{
    struct relay *relay = arg;
    while (!atomic_load(&relay->stop)) {
        struct pollfd fd = {.fd = relay->listener, .events = POLLIN};
        if (poll(&fd, 1, 20) == 1)
            relay_one(relay, accept(relay->listener, NULL, NULL));
    }
    return NULL;
}

static void start_relay(struct relay *relay, const char *to)
{
    struct sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    *relay = (struct relay){.to_port = port_of(to)};
    relay->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(relay->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(relay->listener, 8), 0);
    getsockname(relay->listener, (struct sockaddr *)&address, &size);
    snprintf(relay->address, sizeof relay->address, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
    pthread_mutex_init(&relay->lock, NULL);
    pthread_create(&relay->thread, NULL, run_relay, relay);
}

static void stop_relay(struct relay *relay)
{
    atomic_store(&relay->stop, true);
    pthread_join(relay->thread, NULL);
    close(relay->listener);
    pthread_mutex_destroy(&relay->lock);
    hs_buf_fini(&relay->seen);
}

/* A port that nobody listens at. */
static void closed_address(char *text, size_t size)
{
    struct sockaddr_in address = local(0);
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    close(fd);
    snprintf(text, size, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
}

/* ---- connections and frames ---- */

static void frames_go_both_ways(void **state)
{
    (void)state;
    struct two two = connect_two();
    uint8_t largest[HS_MESSAGE_BYTES_MAX];
    memset(largest, 0x5a, sizeof largest);
    assert_int_equal(hs_link_send(two.hub, two.of_hall, TEXT("welcome")), HS_OK);
    expect_frame(two.hall, two.of_hub, TEXT("welcome"));
    assert_int_equal(hs_link_send(two.hall, two.of_hub, HS_BYTES(largest, sizeof largest)), HS_OK);
    expect_frame(two.hub, two.of_hall, HS_BYTES(largest, sizeof largest));
    assert_int_equal(hs_link_send(two.hub, two.of_hall, HS_BYTES(largest, sizeof largest)), HS_OK);
    expect_frame(two.hall, two.of_hub, HS_BYTES(largest, sizeof largest));
    assert_int_equal(hs_link_send(two.hub, two.of_hall + 1, TEXT("x")), HS_EUNREACHABLE);
    assert_int_equal(hs_link_send(two.hall, two.of_hub + 1, TEXT("x")), HS_EUNREACHABLE);
    assert_int_equal(hs_link_count(two.hub, HS_LINK_FRAMES_IN), 2);
    assert_int_equal(hs_link_count(two.hub, HS_LINK_BYTES_IN), 5 + sizeof largest);
    assert_int_equal(hs_link_count(two.hub, HS_LINK_FRAMES_OUT), 2);
    assert_int_equal(hs_link_count(two.hub, HS_LINK_SEND_FAILED), 1);
    assert_int_equal(hs_link_count(two.hall, HS_LINK_DIALLED), 1);
    assert_int_equal(hs_link_count(two.hall, HS_LINK_CONNECTED), 1);
    assert_string_equal(hs_link_counter_name(HS_LINK_REFUSED_KEYS), "refused-keys");
    free_two(&two);
}

static void backlog_comes_in_order(void **state)
{
    (void)state;
    struct two two = connect_two();
    uint8_t frame[16 * 1024] = {0};
    uint64_t begun = hs_link_now_ms();
    for (uint32_t i = 0; i < 3000; i++) {
        hs_be32(frame, i);
        assert_int_equal(hs_link_send(two.hall, two.of_hub, HS_BYTES(frame, i % 3 == 0 ? sizeof frame : 64)), HS_OK);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        struct hs_link_event event = expect(two.hub, HS_LINK_FRAME);
        assert_int_equal(hs_from_be32(event.data.data), i);
    }
    print_message("3000 frames, 16 MB: %llu ms\n", (unsigned long long)(hs_link_now_ms() - begun));
    free_two(&two);
}

static void many_halls_are_told_apart(void **state)
{
    (void)state;
    struct pair hub_keys = new_pair();
    struct hs_link *hub = new_hub(&hub_keys, "tcp://127.0.0.1:*");
    struct two halls[12];
    for (size_t i = 0; i < COUNT(halls); i++) {
        halls[i] = (struct two){.hub_keys = hub_keys, .hall_keys = new_pair(), .hub = hub};
        halls[i].hall = new_hall(&halls[i].hall_keys, &hub_keys.public_key, hs_link_address(hub, 0), NULL);
        greet(&halls[i]);
    }
    for (size_t i = 0; i < COUNT(halls); i++)
        assert_int_equal(hs_link_send(hub, halls[i].of_hall, HS_BYTES(&halls[i].of_hall, sizeof(hs_peer))), HS_OK);
    for (size_t i = 0; i < COUNT(halls); i++) {
        expect_frame(halls[i].hall, halls[i].of_hub, HS_BYTES(&halls[i].of_hall, sizeof(hs_peer)));
        hs_link_free(halls[i].hall);
    }
    for (size_t i = 0; i < COUNT(halls); i++)
        expect(hub, HS_LINK_DOWN);
    hs_link_free(hub);
}

static void wrong_server_key_does_not_connect(void **state)
{
    (void)state;
    struct pair hub_keys = new_pair();
    struct pair hall_keys = new_pair();
    struct pair other = new_pair();
    struct hs_link *hub = new_hub(&hub_keys, "tcp://127.0.0.1:*");
    struct hs_link *hall = new_hall(&hall_keys, &other.public_key, hs_link_address(hub, 0), NULL);
    struct hs_link_event event = expect_complaint(hall);
    assert_int_equal(event.err, HS_EREFUSED);
    assert_non_null(strstr(event.text, hs_link_address(hub, 0)));
    expect_quiet(hall);
    expect_quiet(hub);
    assert_true(hs_link_count(hall, HS_LINK_HANDSHAKE_FAILED) > 0);
    assert_true(hs_link_count(hub, HS_LINK_HANDSHAKE_FAILED) > 0);
    hs_link_free(hall);
    hs_link_free(hub);
}

static bool is_told(struct hs_link *link, const char *address, const char *text)
{
    struct hs_link_event event;
    return hs_link_next(link, hs_link_now_ms() + 1, &event) == HS_OK &&
           strncmp(event.address, address, strlen(address)) == 0 && strstr(event.text, event.address) != NULL &&
           strstr(event.text, text) != NULL;
}

/* Both sides learn what is wrong: the hub from which address somebody looks for another key than its own.  A hub that
 * looks late, when the connection is gone, hears it of the next one. */
static void wrong_server_key_is_told_on_both_sides(void **state)
{
    (void)state;
    struct pair hub_keys = new_pair();
    struct pair hall_keys = new_pair();
    struct pair other = new_pair();
    struct hs_link *hub = new_hub(&hub_keys, "tcp://127.0.0.1:*");
    struct hs_link *hall = new_hall(&hall_keys, &other.public_key, hs_link_address(hub, 0), NULL);
    bool hall_told = false, hub_told = false;
    uint64_t until = hs_link_now_ms() + LONG_MS;
    while (!(hall_told && hub_told) && hs_link_now_ms() < until) {
        hub_told |= is_told(hub, "tcp://127.0.0.1:", "expects another key");
        hall_told |= is_told(hall, hs_link_address(hub, 0), "another key than the one given");
    }
    assert_true(hall_told);
    assert_true(hub_told);
    hs_link_free(hall);
    hs_link_free(hub);
}

static void oversize_frames_end_the_connection(void **state)
{
    (void)state;
    struct two two = connect_two();
    struct pair keys = new_pair();
    uint8_t *large = calloc(1, 2 * HS_MESSAGE_BYTES_MAX);
    void *context = zmq_ctx_new();
    void *raw = raw_dealer(context, hs_link_address(two.hub, 0), &keys, &two.hub_keys.public_key);
    assert_int_equal(hs_link_send(two.hall, two.of_hub, HS_BYTES(large, HS_MESSAGE_BYTES_MAX + 1)), HS_ETOOBIG);
    zmq_send(raw, "first", 5, 0);
    hs_peer peer = expect(two.hub, HS_LINK_UP).peer;
    expect_frame(two.hub, peer, TEXT("first"));
    zmq_send(raw, large, 2 * HS_MESSAGE_BYTES_MAX, 0);
    struct hs_link_event down = expect(two.hub, HS_LINK_DOWN);
    assert_true(down.peer == peer);
    assert_int_equal(down.err, HS_EUNREACHABLE);
    zmq_close(raw);
    zmq_ctx_term(context);
    free(large);
    free_two(&two);
}

static void messages_in_parts_are_passed_over(void **state)
{
    (void)state;
    struct two two = connect_two();
    struct pair keys = new_pair();
    void *context = zmq_ctx_new();
    void *raw = raw_dealer(context, hs_link_address(two.hub, 0), &keys, &two.hub_keys.public_key);
    zmq_send(raw, "a", 1, ZMQ_SNDMORE);
    zmq_send(raw, "b", 1, ZMQ_SNDMORE);
    zmq_send(raw, "c", 1, 0);
    zmq_send(raw, "whole", 5, 0);
    hs_peer peer = expect(two.hub, HS_LINK_UP).peer;
    expect_frame(two.hub, peer, TEXT("whole"));
    zmq_close(raw);
    zmq_ctx_term(context);
    free_two(&two);
}

static void plain_client_gets_nothing(void **state)
{
    (void)state;
    struct pair hub_keys = new_pair();
    struct hs_link *hub = new_hub(&hub_keys, "tcp://127.0.0.1:*");
    char answer[8];
    void *context = zmq_ctx_new();
    void *raw = raw_dealer(context, hs_link_address(hub, 0), NULL, NULL);
    zmq_send(raw, "hello", 5, 0);
    expect_quiet(hub);
    assert_int_equal(zmq_recv(raw, answer, sizeof answer, ZMQ_DONTWAIT), -1);
    assert_true(hs_link_count(hub, HS_LINK_HANDSHAKE_FAILED) > 0);
    zmq_close(raw);
    zmq_ctx_term(context);
    hs_link_free(hub);
}

static void chosen_routing_ids_are_passed_over(void **state)
{
    (void)state;
    struct pair hub_keys = new_pair();
    struct pair keys = new_pair();
    struct hs_link *hub = new_hub(&hub_keys, "tcp://127.0.0.1:*");
    void *context = zmq_ctx_new();
    void *raw = raw_dealer(context, "tcp://127.0.0.1:1", &keys, &hub_keys.public_key);
    zmq_setsockopt(raw, ZMQ_ROUTING_ID, "hall1", 5);
    zmq_connect(raw, hs_link_address(hub, 0));
    for (int i = 0; i < 4; i++)
        zmq_send(raw, "hello", 5, ZMQ_DONTWAIT);
    expect_quiet(hub);
    assert_int_equal(hs_link_count(hub, HS_LINK_ACCEPTED), 1);
    zmq_close(raw);
    zmq_ctx_term(context);
    hs_link_free(hub);
}

static void nothing_passes_in_the_clear(void **state)
{
    (void)state;
    static const char SECRET[] = "account 3201000001 pays 12345 fen";
    struct two two = {.hub_keys = new_pair(), .hall_keys = new_pair()};
    struct relay relay;
    two.hub = new_hub(&two.hub_keys, "tcp://127.0.0.1:*");
    start_relay(&relay, hs_link_address(two.hub, 0));
    two.hall = new_hall(&two.hall_keys, &two.hub_keys.public_key, relay.address, NULL);
    greet(&two);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(hs_link_send(two.hall, two.of_hub, TEXT(SECRET)), HS_OK);
        assert_int_equal(hs_link_send(two.hub, two.of_hall, TEXT(SECRET)), HS_OK);
        expect_frame(two.hub, two.of_hall, TEXT(SECRET));
        expect_frame(two.hall, two.of_hub, TEXT(SECRET));
    }
    free_two(&two);
    pthread_mutex_lock(&relay.lock);
    assert_true(relay.seen.size > 200 * sizeof SECRET);
    assert_non_null(memmem(relay.seen.data, relay.seen.size, "CURVE", 5));
    assert_null(memmem(relay.seen.data, relay.seen.size, SECRET, 8));
    assert_null(memmem(relay.seen.data, relay.seen.size, "hello", 5));
    assert_null(memmem(relay.seen.data, relay.seen.size, two.hall_keys.public_key.bytes, HS_KEY_BYTES));
    pthread_mutex_unlock(&relay.lock);
    stop_relay(&relay);
}

/* ---- ends, and dialling again ---- */

static void hall_comes_back_when_the_hub_does(void **state)
{
    (void)state;
    struct two two = connect_two();
    char address[HS_ADDRESS_BYTES_MAX + 1];
    hs_peer before = two.of_hub;
    snprintf(address, sizeof address, "%s", hs_link_address(two.hub, 0));
    hs_link_good(two.hall, two.of_hub);
    hs_link_free(two.hub);
    struct hs_link_event down = expect(two.hall, HS_LINK_DOWN);
    assert_true(down.peer == before);
    assert_true(down.outbound);
    assert_int_equal(hs_link_send(two.hall, before, TEXT("x")), HS_EUNREACHABLE);
    assert_int_equal(expect_complaint(two.hall).err, HS_EUNREACHABLE);
    two.hub = new_hub(&two.hub_keys, address);
    greet(&two);
    assert_true(two.of_hub != before);
    free_two(&two);
}

static void addresses_are_tried_in_order(void **state)
{
    (void)state;
    struct two two = {.hub_keys = new_pair(), .hall_keys = new_pair()};
    char closed[64];
    closed_address(closed, sizeof closed);
    two.hub = new_hub(&two.hub_keys, "tcp://127.0.0.1:*");
    two.hall = new_hall(&two.hall_keys, &two.hub_keys.public_key, closed, hs_link_address(two.hub, 0));
    struct hs_link_event event = expect_complaint(two.hall);
    assert_memory_equal(event.text, closed, strlen(closed));
    greet(&two);
    assert_int_equal(hs_link_count(two.hall, HS_LINK_DIALLED), 2);
    struct hs_link *first = new_hub(&two.hub_keys, closed);
    hs_link_free(two.hub); /* now the second fails */
    two.hub = first;
    expect(two.hall, HS_LINK_DOWN);
    greet(&two);
    free_two(&two);
}

static void cut_line_is_left_by_drop(void **state)
{
    (void)state;
    struct two two = {.hub_keys = new_pair(), .hall_keys = new_pair()};
    struct relay relay;
    two.hub = new_hub(&two.hub_keys, "tcp://127.0.0.1:*");
    start_relay(&relay, hs_link_address(two.hub, 0));
    two.hall = new_hall(&two.hall_keys, &two.hub_keys.public_key, relay.address, hs_link_address(two.hub, 0));
    greet(&two);
    hs_peer cut = two.of_hall;
    atomic_store(&relay.silent, true);
    assert_int_equal(hs_link_send(two.hall, two.of_hub, TEXT("lost")), HS_OK);
    expect_quiet(two.hub);
    hs_link_drop(two.hall, two.of_hub, true);
    struct hs_link_event down = expect(two.hub, HS_LINK_DOWN); /* the relay closes its other end */
    assert_true(down.peer == cut);
    greet(&two);
    assert_true(two.of_hall != cut);
    free_two(&two);
    stop_relay(&relay);
}

static void silent_listener_is_given_up(void **state)
{
    (void)state;
    struct pair hub_keys = new_pair();
    struct pair hall_keys = new_pair();
    struct sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    struct hs_link_upstream upstream = {.curve_key = hub_keys.public_key};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    snprintf(upstream.address, sizeof upstream.address, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
    struct hs_link *hall = new_dialler(&hall_keys, &upstream, 1, 1000);
    uint64_t begun = hs_link_now_ms();
    struct hs_link_event event = expect_complaint(hall);
    assert_true(event.err == HS_ETIMEDOUT || event.err == HS_EREFUSED);
    assert_in_range(hs_link_now_ms() - begun, 800, 5000);
    hs_link_free(hall);
    close(fd);
}

static void dropped_by_hub_gets_last_words_and_is_closed(void **state)
{
    (void)state;
    struct two two = connect_two();
    assert_int_equal(hs_link_send(two.hub, two.of_hall, TEXT("go away")), HS_OK);
    hs_link_drop(two.hub, two.of_hall, false);
    assert_int_equal(hs_link_send(two.hub, two.of_hall, TEXT("x")), HS_EUNREACHABLE);
    expect_frame(two.hall, two.of_hub, TEXT("go away"));
    assert_int_equal(hs_link_send(two.hall, two.of_hub, TEXT("but")), HS_OK);
    struct hs_link_event event;
    assert_int_equal(next_within(two.hub, 1000, &event), HS_ETIMEDOUT); /* what still came is nobody's */
    expect(two.hall, HS_LINK_DOWN);
    greet(&two);
    free_two(&two);
}

static void dropped_by_hall_gets_last_words(void **state)
{
    (void)state;
    struct two two = connect_two();
    assert_int_equal(hs_link_send(two.hall, two.of_hub, TEXT("bye")), HS_OK);
    hs_link_drop(two.hall, two.of_hub, false);
    expect_frame(two.hub, two.of_hall, TEXT("bye"));
    assert_true(expect(two.hub, HS_LINK_DOWN).peer == two.of_hall);
    greet(&two);
    free_two(&two);
}

static void free_does_not_linger(void **state)
{
    (void)state;
    struct two two = connect_two();
    uint8_t frame[16 * 1024] = {0};
    for (int i = 0; i < 2000; i++) {
        hs_link_send(two.hall, two.of_hub, HS_BYTES(frame, sizeof frame));
        hs_link_send(two.hub, two.of_hall, HS_BYTES(frame, sizeof frame));
    }
    uint64_t begun = hs_link_now_ms();
    hs_link_free(two.hub);
    uint64_t hub = hs_link_now_ms();
    hs_link_free(two.hall);
    uint64_t hall = hs_link_now_ms();
    print_message("hub %llu ms, hall %llu ms\n", (unsigned long long)(hub - begun), (unsigned long long)(hall - hub));
    assert_in_range(hub - begun, 0, 1000); /* 100 ms on an idle machine */
    assert_in_range(hall - hub, 0, 1000);
    hs_link_free(NULL);
}

/* ---- waking ---- */

static void *wake_soon(void *arg)
{
    usleep(50000);
    hs_link_wake(arg);
    return NULL;
}

static void another_thread_wakes(void **state)
{
    (void)state;
    struct pair keys = new_pair();
    struct hs_link *hub = new_hub(&keys, "tcp://127.0.0.1:*");
    pthread_t thread;
    pthread_create(&thread, NULL, wake_soon, hub);
    expect(hub, HS_LINK_WOKEN);
    pthread_join(thread, NULL);
    hs_link_wake(hub);
    hs_link_wake(hub);
    expect(hub, HS_LINK_WOKEN); /* once for both */
    expect_quiet(hub);
    struct hs_link_event event;
    assert_int_equal(hs_link_next(hub, 0, &event), HS_ETIMEDOUT);
    hs_link_free(hub);
}

static void load_does_not_hold_up_a_wake(void **state)
{
    (void)state;
    struct two two = connect_two();
    for (int i = 0; i < 5000; i++)
        assert_int_equal(hs_link_send(two.hall, two.of_hub, TEXT("frame")), HS_OK);
    expect(two.hub, HS_LINK_FRAME);
    usleep(50000);
    hs_link_wake(two.hub);
    int frames = 0;
    struct hs_link_event event;
    while (next_within(two.hub, LONG_MS, &event) == HS_OK && event.type == HS_LINK_FRAME)
        frames++;
    assert_int_equal(event.type, HS_LINK_WOKEN);
    assert_in_range(frames, 0, 200);
    free_two(&two);
}

/* ---- strangers ---- */

static void strangers_are_few_at_a_time(void **state)
{
    (void)state;
    struct two two = {.hub_keys = new_pair(), .hall_keys = new_pair()};
    struct pair strangers[12];
    void *sockets[COUNT(strangers)];
    int up = 0;
    struct hs_link_event event;
    void *context = zmq_ctx_new();
    two.hub = new_hub_with(&two.hub_keys, "tcp://127.0.0.1:*", 3);
    for (size_t i = 0; i < COUNT(strangers); i++) {
        strangers[i] = new_pair();
        sockets[i] = raw_dealer(context, hs_link_address(two.hub, 0), &strangers[i], &two.hub_keys.public_key);
        zmq_send(sockets[i], "hello", 5, 0);
    }
    while (next_within(two.hub, QUIET_MS, &event) == HS_OK)
        up += event.type == HS_LINK_UP;
    assert_in_range(up, 1, 6);
    assert_true(hs_link_count(two.hub, HS_LINK_REFUSED_KEYS) > 0);
    hs_link_know(two.hub, &two.hall_keys.public_key);
    two.hall = new_hall(&two.hall_keys, &two.hub_keys.public_key, hs_link_address(two.hub, 0), NULL);
    expect(two.hall, HS_LINK_UP);
    for (size_t i = 0; i < COUNT(strangers); i++)
        zmq_close(sockets[i]);
    zmq_ctx_term(context);
    free_two(&two);
}

static void good_key_is_a_stranger_no_more(void **state)
{
    (void)state;
    struct two two = {.hub_keys = new_pair(), .hall_keys = new_pair()};
    two.hub = new_hub_with(&two.hub_keys, "tcp://127.0.0.1:*", 1);
    two.hall = new_hall(&two.hall_keys, &two.hub_keys.public_key, hs_link_address(two.hub, 0), NULL);
    greet(&two);
    hs_link_good(two.hub, two.of_hall);
    for (int i = 0; i < 5; i++) { /* at once, and more often than strangers may */
        hs_link_drop(two.hall, two.of_hub, false);
        expect(two.hub, HS_LINK_DOWN);
        greet(&two);
    }
    assert_int_equal(hs_link_count(two.hub, HS_LINK_REFUSED_KEYS), 0);
    free_two(&two);
}

/* ---- addresses ---- */

static void bind_errors_name_the_address(void **state)
{
    (void)state;
    struct pair keys = new_pair();
    struct hs_link *hub = new_hub(&keys, "tcp://127.0.0.1:*");
    struct hs_link *link = NULL;
    struct hs_why why = {0};
    const char *address = hs_link_address(hub, 0);
    assert_true(port_of(address) > 0);
    struct hs_link_options options = {.listen = &address, .listen_count = 1, .curve_secret = keys.secret};
    assert_int_equal(hs_link_new(&options, &link, &why), HS_EINUSE);
    assert_non_null(strstr(why.text, address));
    address = "tcp://192.0.2.1:7700"; /* not of this machine */
    assert_int_equal(hs_link_new(&options, &link, &why), HS_EADDRESS);
    assert_non_null(strstr(why.text, address));
    address = "tcp://nonsense";
    assert_int_equal(hs_link_new(&options, &link, &why), HS_EADDRESS);
    struct hs_link_upstream upstream = {.address = "tcp://*:7700"};
    options = (struct hs_link_options){.upstreams = &upstream, .upstream_count = 1, .curve_secret = keys.secret};
    assert_int_equal(hs_link_new(&options, &link, &why), HS_EADDRESS);
    upstream = (struct hs_link_upstream){.address = "tcp://127.0.0.1:7700", .group = HS_LINK_GROUPS_MAX};
    assert_int_equal(hs_link_new(&options, &link, &why), HS_EADDRESS);
    assert_non_null(strstr(why.text, "groups"));
    assert_null(link);
    hs_link_free(hub);
}

static void names_are_looked_up(void **state)
{
    (void)state;
    struct two two = {.hub_keys = new_pair(), .hall_keys = new_pair()};
    char address[64];
    two.hub = new_hub(&two.hub_keys, "tcp://127.0.0.1:0");
    snprintf(address, sizeof address, "tcp://localhost:%u", port_of(hs_link_address(two.hub, 0)));
    two.hall = new_hall(&two.hall_keys, &two.hub_keys.public_key, address, NULL);
    greet(&two);
    free_two(&two);
    two.hall = new_hall(&two.hall_keys, &two.hub_keys.public_key, "tcp://no-such-host.invalid:7", NULL);
    struct hs_link_event event = expect_complaint(two.hall);
    assert_true(event.err == HS_EUNREACHABLE || event.err == HS_ETIMEDOUT);
    hs_link_free(two.hall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_both_ways),
        cmocka_unit_test(backlog_comes_in_order),
        cmocka_unit_test(many_halls_are_told_apart),
        cmocka_unit_test(wrong_server_key_does_not_connect),
        cmocka_unit_test(wrong_server_key_is_told_on_both_sides),
        cmocka_unit_test(oversize_frames_end_the_connection),
        cmocka_unit_test(messages_in_parts_are_passed_over),
        cmocka_unit_test(plain_client_gets_nothing),
        cmocka_unit_test(chosen_routing_ids_are_passed_over),
        cmocka_unit_test(nothing_passes_in_the_clear),
        cmocka_unit_test(hall_comes_back_when_the_hub_does),
        cmocka_unit_test(addresses_are_tried_in_order),
        cmocka_unit_test(cut_line_is_left_by_drop),
        cmocka_unit_test(silent_listener_is_given_up),
        cmocka_unit_test(dropped_by_hub_gets_last_words_and_is_closed),
        cmocka_unit_test(dropped_by_hall_gets_last_words),
        cmocka_unit_test(free_does_not_linger),
        cmocka_unit_test(another_thread_wakes),
        cmocka_unit_test(load_does_not_hold_up_a_wake),
        cmocka_unit_test(strangers_are_few_at_a_time),
        cmocka_unit_test(good_key_is_a_stranger_no_more),
        cmocka_unit_test(bind_errors_name_the_address),
        cmocka_unit_test(names_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
