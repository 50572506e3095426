/* link_ends.h -- two and more links in one process, over real tcp on this machine: what their tests share. */
#ifndef HS_TEST_LINK_ENDS_H
#define HS_TEST_LINK_ENDS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/link/link.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define LONG_MS       10000 /* for what must come */
#define QUIET_MS      400   /* for what must not */

/* For the thread sanitizer: libzmq (which decrypts by libsodium) is not built with it, so that it cannot see what
 * orders libzmq's threads. */
const char *__tsan_default_suppressions(void) __attribute__((visibility("default")));
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libzmq.so\ncalled_from_lib:libsodium.so\n";
}

struct pair {
    struct hs_key public_key;
    uint8_t secret[HS_KEY_BYTES];
};

static inline struct pair new_pair(void)
{
    struct pair pair;
    crypto_box_keypair(pair.public_key.bytes, pair.secret);
    return pair;
}

static inline struct hs_link *new_hub_with(const struct pair *keys, const char *address, unsigned unknown_max)
{
    struct hs_why why = {0};
    struct hs_link *link = NULL;
    struct hs_link_options options = {.listen = &address, .listen_count = 1, .unknown_max = unknown_max};
    options.curve_public = keys->public_key;
    options.curve_secret = keys->secret;
    enum hs_err err = hs_link_new(&options, &link, &why);
    if (err != HS_OK)
        print_message("%s: %s\n", hs_err_name(err), why.text);
    assert_int_equal(err, HS_OK);
    return link;
}

static inline struct hs_link *new_hub(const struct pair *keys, const char *address)
{
    return new_hub_with(keys, address, 0);
}

static inline struct hs_link *new_dialler(const struct pair *keys, const struct hs_link_upstream *upstreams,
                                          size_t count, unsigned connect_ms)
{
    struct hs_link *link = NULL;
    struct hs_link_options options = {.upstreams = upstreams, .upstream_count = count};
    options.curve_public = keys->public_key;
    options.curve_secret = keys->secret;
    options.backoff_min_ms = 20;
    options.backoff_max_ms = 200;
    options.connect_ms = connect_ms;
    assert_int_equal(hs_link_new(&options, &link, NULL), HS_OK);
    return link;
}

/* Dials these addresses, where it expects this key. */
static inline struct hs_link *new_hall(const struct pair *keys, const struct hs_key *hub, const char *first,
                                       const char *second)
{
    struct hs_link_upstream upstreams[2] = {{.curve_key = *hub}, {.curve_key = *hub}};
    snprintf(upstreams[0].address, sizeof upstreams[0].address, "%s", first);
    snprintf(upstreams[1].address, sizeof upstreams[1].address, "%s", second == NULL ? "" : second);
    return new_dialler(keys, upstreams, second == NULL ? 1 : 2, LONG_MS);
}

/* The next event that is no note, or HS_ETIMEDOUT. */
static inline enum hs_err next_within(struct hs_link *link, unsigned ms, struct hs_link_event *event)
{
    uint64_t until = hs_link_now_ms() + ms;
    enum hs_err err;
    do
        err = hs_link_next(link, until, event);
    while (err == HS_OK && event->type == HS_LINK_NOTE);
    return err;
}

static inline struct hs_link_event expect(struct hs_link *link, enum hs_link_event_type type)
{
    struct hs_link_event event;
    assert_int_equal(next_within(link, LONG_MS, &event), HS_OK);
    assert_int_equal(event.type, type);
    return event;
}

static inline void expect_quiet(struct hs_link *link)
{
    struct hs_link_event event;
    assert_int_equal(next_within(link, QUIET_MS, &event), HS_ETIMEDOUT);
}

/* The next note of an error. */
static inline struct hs_link_event expect_complaint(struct hs_link *link)
{
    struct hs_link_event event;
    do
        assert_int_equal(hs_link_next(link, hs_link_now_ms() + LONG_MS, &event), HS_OK);
    while (event.type == HS_LINK_NOTE && event.err == HS_OK);
    assert_int_equal(event.type, HS_LINK_NOTE);
    return event;
}

static inline void expect_frame(struct hs_link *link, hs_peer peer, struct hs_bytes data)
{
    struct hs_link_event event = expect(link, HS_LINK_FRAME);
    assert_true(event.peer == peer);
    assert_true(hs_bytes_equal(event.data, data));
}

struct two {
    struct pair hub_keys, hall_keys;
    struct hs_link *hub, *hall;
    hs_peer of_hall, of_hub; /* the hall as the hub knows it, the hub as the hall knows it */
};

/* The hall speaks first, and the hub learns of it. */
static inline void greet(struct two *two)
{
    struct hs_link_event up = expect(two->hall, HS_LINK_UP);
    assert_true(up.outbound);
    assert_true(hs_key_equal(&up.curve_key, &two->hub_keys.public_key));
    two->of_hub = up.peer;
    assert_int_equal(hs_link_send(two->hall, up.peer, TEXT("hello")), HS_OK);
    up = expect(two->hub, HS_LINK_UP);
    assert_false(up.outbound);
    assert_true(hs_key_equal(&up.curve_key, &two->hall_keys.public_key));
    assert_memory_equal(up.address, "tcp://", 6);
    two->of_hall = up.peer;
    expect_frame(two->hub, up.peer, TEXT("hello"));
}

static inline struct two connect_two(void)
{
    struct two two = {.hub_keys = new_pair(), .hall_keys = new_pair()};
    two.hub = new_hub(&two.hub_keys, "tcp://127.0.0.1:*");
    two.hall = new_hall(&two.hall_keys, &two.hub_keys.public_key, hs_link_address(two.hub, 0), NULL);
    greet(&two);
    return two;
}

static inline void free_two(struct two *two)
{
    hs_link_free(two->hall);
    hs_link_free(two->hub);
}

#endif
